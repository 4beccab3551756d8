"""A network's equations for CasADi: node voltages are differential where there is charge, algebraic elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import casadi as ca
import numpy as np

from .casadi_functions import expressions
from .errors import EngineError
from .network import GROUND, Instance, Network
from .stimulus import LIMITER_SHARPNESS, Drive, check_duration


@dataclass(frozen=True)
class _Part:
    """An instance's right-hand sides over the network's symbols, one entry a branch, state or observable."""

    instance: Instance
    currents: list[Any]
    charges: list[Any]
    rates: list[Any]
    states: list[Any]
    observables: list[Any]


class NetworkDae:
    """The CasADi problem of a network, in units of the stimulus' shortest feature (CVODES fails on bare nanoseconds).

    States are deviations from their initial values, in their natural scale. Free nodes that charges tie together are an
    island. On an island that they tie to ground or to a source too, every node is differential. On any other, one node
    (the base) is algebraic, and the others are differential as voltages against it; a node without a charge is such
    an island by itself.

    Parameters
    ----------
    network : Network
    free : sequence of (instance, parameter)
        Parameters that become the problem's ``p``; the others are constants.

    Attributes
    ----------
    problem : dict
        For ``casadi.integrator``: x, ode, p, u, t and, where ``algebraic``, z and alg. u holds the sources' voltages at
        the start of a segment, their slopes and the start's time.
    time_unit : float
        Seconds in the problem's unit of time.
    signals : dict of name to expression
        Node voltages, the sources' currents, and ``<instance>.<name>`` of each state and observable.
    terminal_currents : dict of (instance, terminal) to expression
        Into the device, charging currents included [A].
    static : casadi.Function
        From node voltages, p and u at time zero to the currents into the free nodes [A] and their Jacobian [S], with the
        states held at their initial values and every capacitor open.

    Raises
    ------
    ParameterError
        For a constant stimulus.
    EngineError
        Where charges leave a node's voltage undetermined.
    """

    def __init__(self, network: Network, free: Sequence[tuple[str, str]] = ()) -> None:
        self.network = network
        check_duration(network.duration)
        self.time_unit = network.shortest_feature
        values = {m.name: m.values for m in network.instances}
        self._sizes = np.array([abs(values[instance][name]) or 1.0 for instance, name in free])
        nodes = network.free_nodes
        p = ca.SX.sym("p", len(free))
        u = ca.SX.sym("u", 2 * len(network.sources) + 1)
        tau = ca.SX.sym("tau")
        e = ca.SX.sym("e", len(nodes))
        x = ca.SX.sym("x", sum(len(m.model.states) for m in network.instances))

        source = _source_voltages(network, u, self.time_unit * tau)
        potential: dict[str, Any] = {GROUND: ca.SX(0.0), **source, **dict(zip(nodes, ca.vertsplit(e), strict=True))}
        parts = _parts(network, potential, iter(ca.vertsplit(x)), dict(zip(free, ca.vertsplit(p), strict=True)))
        conducted, stored = _node_sums(network, parts, potential)
        supplied = {
            n: source_current(d, source[n] - potential[n]) for n, d in network.sources.items() if d.has_impedance
        }
        rates = _column(r for part in parts for r in part.rates)
        conduction = _column(supplied.get(n, 0.0) - conducted[n] for n in nodes)
        charge = _column(stored[n] for n in nodes)
        driven = ca.jtimes(charge, ca.vertcat(x, tau), ca.vertcat(rates, 1 / self.time_unit))
        balance = conduction - driven

        self._islands = _islands(network, parts, e)
        e_rate = ca.SX.zeros(len(nodes))
        for island in self._islands:
            if own := island.differential:
                e_rate[own] = _solved(network, own, charge, e, balance)
        moving = (ca.vertcat(x, e, tau), ca.vertcat(rates, e_rate, 1 / self.time_unit))

        differential = [k for island in self._islands for k in island.differential]
        self._order = differential, [island.base for island in self._islands if island.base is not None]
        residual = _column(ca.sum1(balance[i.members]) for i in self._islands if i.base is not None)
        unknowns = ca.vertcat(x, _column(e[k] for k in differential))
        ode = self.time_unit * ca.vertcat(rates, _column(e_rate[k] for k in differential))
        if not unknowns.numel():
            unknowns, ode = ca.SX.sym("idle"), ca.SX(0.0)  # the integrator wants a state
        self.problem: dict[str, Any] = {"x": unknowns, "ode": self._against_base(e, ode), "p": p, "u": u, "t": tau}
        self.algebraic = bool(self._order[1])
        if self.algebraic:
            self.problem |= {"z": _column(e[k] for k in self._order[1]), "alg": self._against_base(e, residual)}

        at_start = [ca.SX.zeros(x.numel()), ca.SX(0.0)]
        start = ca.substitute([conduction, ca.densify(ca.jacobian(conduction, e))], [x, tau], at_start)
        self.static = ca.Function("static", [e, p, u], start)
        signals = {f"v({n})": potential[n] for n in network.nodes}
        for n in network.sources:
            signals[f"i({n})"] = supplied[n] if n in supplied else conducted[n] + ca.jtimes(stored[n], *moving)
        terminals = {}
        for part in parts:
            name = part.instance.name
            for terminal, (current, stock) in _terminal_sums(part).items():
                terminals[name, terminal] = current + ca.jtimes(stock, *moving)
            reported = zip(part.instance.reported, (*part.states, *part.observables), strict=True)
            signals |= {f"{name}.{item.name}": value for item, value in reported}
        self.signals = {n: self._against_base(e, value) for n, value in signals.items()}
        self.terminal_currents = {n: self._against_base(e, value) for n, value in terminals.items()}

    def _against_base(self, e: Any, expression: Any) -> Any:
        """Return an expression of the node voltages with those on a floating island replaced by base plus difference."""
        pairs = [(k, i.base) for i in self._islands if i.base is not None for k in i.differential]
        if not pairs:
            return expression
        return ca.substitute(expression, e[[k for k, _ in pairs]], _column(e[k] + e[base] for k, base in pairs))

    def initial(self, voltages: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return x and z of the problem at the free nodes' voltages [V], the states at their initial values."""
        differential, bases = self._order
        against = {k: voltages[i.base] for i in self._islands if i.base is not None for k in i.differential}
        x = np.zeros(self.problem["x"].numel())
        if differential:
            x[-len(differential) :] = [voltages[k] - against.get(k, 0.0) for k in differential]
        return x, voltages[bases]

    def outputs(self, rows: Sequence[Any]) -> ca.Function:
        """Return the function from unknowns (x and z), p, u and t to the rows."""
        unknowns = ca.vertcat(self.problem["x"], self.problem.get("z", ca.SX(0, 1)))
        return ca.Function(
            "outputs", [unknowns, self.problem["p"], self.problem["u"], self.problem["t"]], [_column(rows)]
        )

    def with_sensitivities(self, row: Any) -> tuple[dict[str, Any], ca.Function]:
        """Return the problem with its sensitivity equations, and the map to one output row and its slopes.

        A sensitivity is integrated for a relative change of its parameter (an absolute one for a parameter at zero), so
        that all have the size of the states and one absolute tolerance fits them.
        """
        problem = self.problem
        x, p = problem["x"], problem["p"]
        z = problem.get("z", ca.SX(0, 1))
        n = p.numel()
        sizes = ca.SX(self._sizes)
        s_x = ca.SX.sym("s_x", x.numel(), n)
        s_z = ca.SX.sym("s_z", z.numel(), n)

        def slopes(expression: Any) -> Any:
            by_x, by_z, by_p = (ca.jacobian(expression, w) for w in (x, z, p))
            return ca.mtimes(by_x, s_x) + ca.mtimes(by_z, s_z) + ca.mtimes(by_p, ca.diag(sizes))

        grown = dict(problem)
        grown["x"] = ca.vertcat(x, ca.vec(s_x))
        grown["ode"] = ca.vertcat(problem["ode"], ca.vec(slopes(problem["ode"])))
        if self.algebraic:
            grown["z"] = ca.vertcat(z, ca.vec(s_z))
            grown["alg"] = ca.vertcat(problem["alg"], ca.vec(slopes(problem["alg"])))
        unknowns = ca.vertcat(grown["x"], grown.get("z", ca.SX(0, 1)))
        values = ca.vertcat(row, slopes(row).T / sizes)
        return grown, ca.Function("outputs", [unknowns, p, problem["u"], problem["t"]], [values])


def source_current(drive: Drive, drop: Any) -> Any:
    """Return the current [A] of a source whose voltage drop (source less terminal) is ``drop`` [V].

    Works on floats, arrays and CasADi expressions. See :attr:`~synspice.compact.stimulus.Drive.resistance`.
    """
    linear = drop / drive.resistance
    if drive.compliance is None:
        return linear
    ratio = linear / drive.compliance
    squared = ratio * ratio
    grown = 1.0
    for _ in range(LIMITER_SHARPNESS):
        grown = grown * squared
    return linear / (1 + grown) ** (1 / (2 * LIMITER_SHARPNESS))


@dataclass(frozen=True)
class _Island:
    """Free nodes, by index, that charges tie together; ``base`` is None where they are tied to ground or a source too."""

    members: list[int]
    base: int | None

    @property
    def differential(self) -> list[int]:
        return [k for k in self.members if k != self.base]


def _islands(network: Network, parts: Sequence[_Part], e: Any) -> list[_Island]:
    """Group the free nodes by the charges that depend on their voltages."""
    nodes = network.free_nodes
    group = {n: {n} for n in (*nodes, GROUND)}
    for touched in _ties(network, parts, e):
        members = set[str]().union(*(group[n if n in nodes else GROUND] for n in touched))
        group |= dict.fromkeys(members, members)
    islands, seen = [], set[str]()
    for node in nodes:
        if node not in seen:
            seen |= group[node]
            places = [k for k, n in enumerate(nodes) if n in group[node]]
            islands.append(_Island(places, None if GROUND in group[node] else places[0]))
    return islands


def _ties(network: Network, parts: Sequence[_Part], e: Any) -> Iterator[set[str]]:
    """Yield, for each charge, the nodes between which it lies or on whose voltage it depends."""
    for capacitor in network.capacitors:
        yield {capacitor.a, capacitor.b}
    for part in parts:
        model = part.instance.model
        for branch, value in zip(model.charges, part.charges, strict=True):
            if e.numel() and ca.depends_on(ca.SX(value), e):
                symbols = branch.expression.xreplace(model.expanded).free_symbols
                pairs = [(v.plus, v.minus) for v in model.voltages if v.symbol in symbols]
                terminals = {t for pair in [(branch.plus, branch.minus), *pairs] for t in pair}
                yield {part.instance.node(t) for t in terminals}


def _solved(network: Network, own: list[int], charge: Any, e: Any, balance: Any) -> Any:
    """Return the rates [V/s] of an island's differential voltages: its capacitances times them balance the currents."""
    capacitance = ca.jacobian(charge[own], e[own])
    if ca.sprank(capacitance) < len(own):
        shown = ", ".join(f"'{network.free_nodes[k]}'" for k in own)
        raise EngineError(
            f"a charge depends on a voltage that no charge holds, among nodes {shown}: add a small capacitor to ground there"
        )
    return balance[own] / capacitance if len(own) == 1 else ca.solve(capacitance, balance[own])


def _source_voltages(network: Network, u: Any, t: Any) -> dict[str, Any]:
    """Return the sources' voltages on the present segment."""
    count = len(network.sources)
    return {node: u[i] + u[count + i] * (t - u[2 * count]) for i, node in enumerate(network.sources)}


def _parts(
    network: Network, potential: Mapping[str, Any], deviations: Iterator[Any], free: Mapping[tuple[str, str], Any]
) -> list[_Part]:
    """Return every instance's equations."""
    parts = []
    for instance in network.instances:
        model = instance.model
        at = {t: potential[n] for t, n in zip(model.terminals, instance.nodes, strict=True)}
        parameters = {**instance.values, **{name: s for (owner, name), s in free.items() if owner == instance.name}}
        states = [parameters[s.initial_parameter.name] + s.scale * next(deviations) for s in model.states]
        voltages = [at[v.plus] - at[v.minus] for v in model.voltages]
        right = expressions(model, voltages, states, parameters, network.temperature)
        held = network.frozen or instance.values.get("frozen", 0.0) >= 0.5
        rates = [0.0 if held else r / s.scale for r, s in zip(right.rates, model.states, strict=True)]
        parts.append(_Part(instance, right.currents, right.charges, rates, states, right.observables))
    return parts


def _node_sums(
    network: Network, parts: Sequence[_Part], potential: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the current that leaves each node into the elements [A], and the charge that they hold there [C]."""
    conducted = dict.fromkeys(potential, ca.SX(0.0))
    stored = dict.fromkeys(potential, ca.SX(0.0))
    flows = [(conducted, r.a, r.b, (potential[r.a] - potential[r.b]) / r.ohm) for r in network.resistors]
    flows += [(stored, c.a, c.b, (potential[c.a] - potential[c.b]) * c.farad) for c in network.capacitors]
    for total, a, b, value in flows:
        total[a] += value
        total[b] -= value
    for part in parts:
        for terminal, (current, charge) in _terminal_sums(part).items():
            conducted[part.instance.node(terminal)] += current
            stored[part.instance.node(terminal)] += charge
    return conducted, stored


def _terminal_sums(part: _Part) -> dict[str, tuple[Any, Any]]:
    """Return the conduction current into each terminal [A], and the charge behind it [C]."""
    model = part.instance.model
    sums = []
    for branches, values in ((model.currents, part.currents), (model.charges, part.charges)):
        total = dict.fromkeys(model.terminals, ca.SX(0.0))
        for branch, value in zip(branches, values, strict=True):
            total[branch.plus] += value
            total[branch.minus] -= value
        sums.append(total)
    return {t: (sums[0][t], sums[1][t]) for t in model.terminals}


def _column(values: Iterable[Any]) -> Any:
    return ca.vertcat(ca.SX(0, 1), *values)
