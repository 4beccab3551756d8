# Everything is set up by the targets themselves: `make demo` or `make test` on a fresh machine is enough.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV ?= .venv
BIN := $(VENV)/bin
# the first Python that the package takes; looked for when the environment is made
FIND_PYTHON := for p in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
  if $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then echo $$p; break; fi; done
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile
# the ngspice of a Debian release and its version: the tests marked every_ngspice run on it too
NGSPICE = --ngspice="$$(.ci/debian-ngspice $(1) $(2) build/ngspice-$(1))"

DATA := examples/data/cross_sim_ltp_ltd
OUT := demo_output
CARD := $(OUT)/analogue_synapse.toml

.PHONY: help system demo test test-slow lint bench figures clean

help: ## say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

system: ## install the system packages that are missing (apt-get, as root or by sudo)
	@.ci/system-packages

$(VENV)/bin/python: | system
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then echo "make: no Python 3.11, 3.12 or 3.13 was found; install one, or name it: make PYTHON=..." >&2; exit 2; fi; \
	"$$python" -m venv $(VENV)

$(VENV)/.installed: pyproject.toml $(VENV)/bin/python | system
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,veriloga]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,dev,veriloga]'
	@touch $@

demo: $(VENV)/.installed | system ## fit a device to measured ramps; card, netlist and report go to demo_output/
	@mkdir -p $(OUT)
	$(BIN)/synspice fit $(DATA)/set.csv $(DATA)/reset.csv --device drift_memristor -o $(CARD) --report $(OUT)/report
	$(BIN)/synspice emit $(CARD) --to ngspice -o $(OUT)/analogue_synapse.cir
	cp examples/bench.cir $(OUT)/
	@echo "ngspice runs the netlist: conductance before, after 95 and after 190 pulses"
	cd $(OUT) && $${SYNSPICE_NGSPICE:-ngspice} -n -b -o bench.log bench.cir >/dev/null 2>&1; \
	grep -E '^g_' bench.log || { tail -20 bench.log; exit 1; }
	@echo "Look at $(OUT)/report/report.html; the netlist is $(OUT)/analogue_synapse.cir."

test: $(VENV)/.installed | system ## run the tests that are not slow
	$(PYTEST) -m 'not slow' $(call NGSPICE,bookworm,39) $(call NGSPICE,trixie,44.2) $(PYTEST_ARGS)

test-slow: $(VENV)/.installed | system ## run all tests
	$(PYTEST) $(call NGSPICE,bookworm,39) $(call NGSPICE,trixie,44.2) $(call NGSPICE,sid,47) $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@# the folders install as one package, and mypy finds it only where they lie in one
	@mkdir -p build/typing/synspice
	@ln -sfn $(CURDIR)/{compact,netlists,veriloga,fitting} $(CURDIR)/synspice/* build/typing/synspice/
	cd build/typing && $(abspath $(BIN))/mypy --config-file $(CURDIR)/pyproject.toml

bench: $(VENV)/.installed | system ## run the benchmarks
	@for file in benchmarks/*.py; do echo "$$file"; $(BIN)/python "$$file"; done

figures: demo ## renew the README's picture from the demo
	cp $(OUT)/report/set_ramp.png docs/images/

clean: ## remove what was made, the environment included
	rm -rf $(VENV) $(OUT) build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
