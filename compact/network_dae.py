"""A network's equations for CasADi: voltages are differential where there is charge, algebraic elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import casadi as ca
import numpy as np

from .casadi_functions import expressions
from .errors import EngineError
from .network import GROUND, Instance, Network
from .network_coordinates import CURRENT_SCALE, Coordinate, coordinates, ideal_end, islands, links
from .stimulus import LIMITER_SHARPNESS, Drive

WARP = 4
"""Power of the time within a segment: a transient of 1e-20 of the segment after a corner then begins at 1e-5 of the integrator's
time, where it can be resolved, and every slope is zero at the corner, that of an algebraic unknown too."""

TWIN_PULL = 30.0
"""Rate, in the integrator's time, at which a drop and its twin are drawn to each other where both are integrated: their
errors would else add up. The less exact one takes nearly all of it, in proportion to their squares."""


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
    """The CasADi problem of a network.

    The integrator's time runs from 0 to 1 in each segment of the stimulus, whatever its length L: s with t = L s^4 after its start, or
    L s where no node is free. States are deviations from their initial values, in their natural scale. Free nodes that
    charges tie together are an island. On an island that they tie to ground or to a source too, every node is differential. On any
    other, one node (the base) is algebraic; a node without a charge is such an island by itself.

    Currents are in the integrator's error control. The voltage of a node at a resistor is solved for as the drop across it, in a unit
    in which the tolerance is one of the current (see :mod:`~synspice.compact.network_coordinates`), and at a large resistor once
    more as its voltage against ground, its twin: of a source's volt 1e-9 may be left behind 1 Gohm, or be lost across it.

    Parameters
    ----------
    network : Network
    free : sequence of (instance, parameter)
        Parameters that become the problem's ``p``; the others are constants.

    Attributes
    ----------
    problem : dict
        For ``casadi.integrator``: x, ode, p, u, t and, where ``algebraic``, z and alg. u holds the sources' voltages at
        the start of a segment [V], their changes over it [V], and its length [s].
    pace : expression
        Seconds in the integrator's unit of time.
    signals : dict of name to expression
        Node voltages, the sources' currents, and ``<instance>.<name>`` of each state and observable.
    terminal_currents : dict of (instance, terminal) to expression
        Into the device, charging currents included [A].
    static : casadi.Function
        From the free nodes' unknowns, p and u to the currents into the free nodes at the start [A] and their derivatives by the
        unknowns and by p, with the states held at their initial values and every capacitor open.
    start : casadi.Function
        From the free nodes' unknowns, p and u to x and z at the start, and their derivatives by the unknowns and by p.

    Raises
    ------
    EngineError
        Where charges leave a node's voltage undetermined.
    """

    def __init__(self, network: Network, free: Sequence[tuple[str, str]] = ()) -> None:
        self.network = network
        values = {m.name: m.values for m in network.instances}
        self.sizes = np.array([abs(values[instance][name]) or 1.0 for instance, name in free])
        nodes, count = network.free_nodes, len(network.sources)
        p = ca.SX.sym("p", len(free))
        u = ca.SX.sym("u", 2 * count + 1)
        tau = ca.SX.sym("tau")
        e = ca.SX.sym("e", len(nodes))
        y = ca.SX.sym("y", len(nodes))
        x = ca.SX.sym("x", sum(len(m.model.states) for m in network.instances))
        emf = ca.SX.sym("emf", count)

        source = dict(zip(network.sources, ca.vertsplit(emf), strict=True))
        potential: dict[str, Any] = {GROUND: ca.SX(0.0), **source, **dict(zip(nodes, ca.vertsplit(e), strict=True))}
        potential |= {ideal_end(n): source[n] for n in network.sources}
        parts = _parts(network, potential, iter(ca.vertsplit(x)), dict(zip(free, ca.vertsplit(p), strict=True)))
        found = islands(network, _ties(network, parts, e))
        order = coordinates(network, found)
        unknown = dict(zip(nodes, ca.vertsplit(y), strict=True))
        twin_scales = {c.node: c.twin_scale for c in order if c.twin_scale is not None}
        twins = {n: ca.SX.sym(f"twin_{n}") for n in twin_scales}
        voltages, sums = _voltages(order, unknown, {n: twin_scales[n] * twin for n, twin in twins.items()}, potential)

        through = _link_currents(network, potential, order, unknown)
        conducted, stored = _node_sums(network, parts, potential, through)
        rates = _column(r for part in parts for r in part.rates)
        conduction = _column(through.get((ideal_end(n), n), 0.0) - conducted[n] for n in nodes)
        charge = _column(stored[n] for n in nodes)
        slopes = u[count : 2 * count] / u[-1]
        driven = ca.jtimes(charge, ca.vertcat(x, emf), ca.vertcat(rates, slopes))
        balance = conduction - driven

        place = {n: k for k, n in enumerate(nodes)}
        e_rate = ca.SX.zeros(len(nodes))
        for island in found:
            if own := [place[n] for n in island.differential]:
                e_rate[own] = _solved(network, own, charge, e, balance)
        moving = (ca.vertcat(x, e, emf), ca.vertcat(rates, e_rate, slopes))
        rate_of: dict[str, Any] = {
            GROUND: 0.0,
            **{ideal_end(n): r for n, r in zip(network.sources, ca.vertsplit(slopes), strict=True)},
        }
        rate_of |= {n: rate_of[ideal_end(n)] for n in network.sources} | {n: e_rate[k] for n, k in place.items()}

        moved = {n for island in found for n in island.differential}
        differential = [c for c in order if c.node in moved]
        bases = [c for c in order if c.node not in moved]
        y_rates = [(rate_of[c.node] - rate_of[c.against]) / c.scale for c in differential]
        residual = [
            ca.sum1(balance[[place[n] for n in i.members]]) / CURRENT_SCALE for i in found if i.base is not None
        ]
        held = [c.node for c in bases if c.node in twins]
        carried = [c.node for c in differential if c.node in twins]
        residual += [twins[n] - sums[n] / twin_scales[n] for n in held]
        y_rates += [rate_of[n] / twin_scales[n] for n in carried]
        gaps = {n: sums[n] - voltages[n] for n in carried}
        shares = {
            c.node: _square_share(voltages[c.node], twin_scales[c.node], c.scale * unknown[c.node], c.scale)
            for c in differential
            if c.node in twins
        }
        pulls = [-gaps[n] * (1 - shares[n]) / c.scale if (n := c.node) in twins else 0.0 for c in differential]
        pulls += [gaps[n] * shares[n] / twin_scales[n] for n in carried]

        self.algebraic = bool(bases)
        power = WARP if nodes else 1
        self.pace = u[-1] * power * tau ** (power - 1)
        # Without a difference from 1 where a source comes back to 0 V: the voltage behind a resistor is a small part of it.
        left = (1 - tau) * (1 + tau) * (1 + tau**2) if power == WARP else 1 - tau
        now = u[:count] * left + (u[:count] + u[count : 2 * count]) * tau**power
        hidden = ca.vertcat(e, emf)

        def shown(expression: Any, sources: Any = now, reached: Mapping[str, Any] = voltages) -> Any:
            """Return an expression over the unknowns alone."""
            at = _column(reached[n] for n in nodes)
            return ca.substitute(ca.substitute(expression, e, at), emf, sources) if hidden.numel() else expression

        unknowns = ca.vertcat(x, _column(unknown[c.node] for c in differential), _column(twins[n] for n in carried))
        ode = self.pace * ca.vertcat(rates, _column(y_rates))
        ode += TWIN_PULL * ca.vertcat(ca.SX.zeros(x.numel()), _column(pulls))
        if not unknowns.numel():
            unknowns, ode = ca.SX.sym("idle"), ca.SX(0.0)  # the integrator wants a state
        self.problem: dict[str, Any] = {"x": unknowns, "ode": shown(ode), "p": p, "u": u, "t": tau}
        if self.algebraic:
            algebraic = _column([*(unknown[c.node] for c in bases), *(twins[n] for n in held)])
            self.problem |= {"z": algebraic, "alg": shown(_column(residual))}

        untwinned, _ = _voltages(order, unknown, {}, potential)
        at_start = ca.substitute(shown(conduction, u[:count], untwinned), x, ca.SX.zeros(x.numel()))
        self.static = _with_derivatives("static", [at_start], y, p, u)
        starts = {n: shown(untwinned[n], u[:count]) / twin_scales[n] for n in twins}
        initial = [
            _column([ca.SX.zeros(x.numel()), *(unknown[c.node] for c in differential), *(starts[n] for n in carried)]),
            _column([*(unknown[c.node] for c in bases), *(starts[n] for n in held)]),
        ]
        if not initial[0].numel():
            initial[0] = ca.SX(0.0)
        self.start = _with_derivatives("start", initial, y, p, u)

        signals = {f"v({n})": potential[n] for n in network.nodes}
        for n in network.sources:
            flow = through.get((ideal_end(n), n))
            signals[f"i({n})"] = conducted[n] + ca.jtimes(stored[n], *moving) if flow is None else flow
        terminals = {}
        for part in parts:
            name = part.instance.name
            for terminal, (current, stock) in _terminal_sums(part).items():
                terminals[name, terminal] = current + ca.jtimes(stock, *moving)
            reported = zip(part.instance.reported, (*part.states, *part.observables), strict=True)
            signals |= {f"{name}.{item.name}": value for item, value in reported}
        self.sources = {n: shown(source[n]) for n in network.sources}
        self.signals = {n: shown(value) for n, value in signals.items()}
        self.terminal_currents = {n: shown(value) for n, value in terminals.items()}

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
        sizes = ca.SX(self.sizes)
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


def _link_currents(
    network: Network,
    potential: Mapping[str, Any],
    order: Sequence[Coordinate],
    unknown: Mapping[str, Any],
) -> dict[tuple[str, str], Any]:
    """Return the current [A] from the first to the second end of every pair of nodes that resistors or an impedance join."""
    drops = {(c.against, c.node): -c.scale * unknown[c.node] for c in order if c.ohm is not None}
    drops |= {(b, a): -drop for (a, b), drop in drops.items()}
    currents = dict[tuple[str, str], Any]()
    for link in links(network):
        pair = link.a, link.b
        drop = drops.get(pair, potential[link.a] - potential[link.b])
        behind = pair == (ideal_end(link.b), link.b)
        current = source_current(network.sources[link.b], drop) if behind else drop / link.ohm
        currents[pair] = currents.get(pair, 0.0) + current
    return currents


def _voltages(
    order: Sequence[Coordinate], unknown: Mapping[str, Any], twins: Mapping[str, Any], potential: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return every node's voltage [V] over the twins and, where there is none, the unknowns; and each free one's with its drop."""
    reached = {n: v for n, v in potential.items() if n not in unknown}
    sums = dict[str, Any]()
    for c in order:
        sums[c.node] = reached[c.against] + c.scale * unknown[c.node]
        reached[c.node] = twins.get(c.node, sums[c.node])
    return reached, sums


def _with_derivatives(name: str, columns: Sequence[Any], y: Any, p: Any, u: Any) -> ca.Function:
    """Return the function from y, p and u to each column and its derivatives by y and by p."""
    outputs = [w for c in columns for w in (c, ca.densify(ca.jacobian(c, y)), ca.densify(ca.jacobian(c, p)))]
    return ca.Function(name, [y, p, u], outputs)


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
    network: Network, parts: Sequence[_Part], potential: Mapping[str, Any], through: Mapping[tuple[str, str], Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the current that leaves each node into the elements [A], and the charge that they hold there [C]."""
    conducted = dict.fromkeys(potential, ca.SX(0.0))
    stored = dict.fromkeys(potential, ca.SX(0.0))
    flows = [(conducted, a, b, current) for (a, b), current in through.items() if a != ideal_end(b)]
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


def _square_share(value: Any, unit: float, other: Any, other_unit: float) -> Any:
    """Return a voltage's part of the sum of two squares; below a hundredth of its unit, where tolerances are absolute, that counts."""
    square, other_square = value**2 + (unit / 100) ** 2, other**2 + (other_unit / 100) ** 2
    return square / (square + other_square)


def _column(values: Iterable[Any]) -> Any:
    return ca.vertcat(ca.SX(0, 1), *values)
