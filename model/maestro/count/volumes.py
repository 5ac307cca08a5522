"""What a case moves and does over all units of a level, from what each kind of unit has (see `workspace`)."""

from __future__ import annotations

from mapsearch.model.compiled import inlined, leaf
from mapsearch.model.maestro.count.workspace import OUTPUT, Product, Workspace


@inlined
def _at_edge(w: Workspace, level: int, tensor: int) -> bool:
    """Whether a SpatialMap that a tensor is coupled to is at an edge."""
    edge = False
    for k in range(2):
        i = w.shared[level, k]
        if i >= 0 and w.rank[tensor, w.dim[level, i]] >= 0:
            like = w.like[level, i]
            edge |= w.edge[like, w.at[like]] == 1
    return edge


@leaf
def _over_units(w: Workspace, level: int, tensor: int, first: float, first_last: float, other: float, other_last: float) -> float:
    """The sum over a level's units of what the first one and each other one has."""
    i = w.carrier[level, tensor]
    if i < 0:
        return first
    if not _at_edge(w, level, tensor):
        return float(first + (w.units[level] - 1) * other)
    at_edge, double = w.edge_units[level], w.double_edge[i, w.at[i]]
    total = first_last if at_edge == 1 and double == 1 else first
    if at_edge > 1:
        total += max(at_edge - double - 1, 0) * other + double * other_last
    return float(total)


@inlined
def ingress(w: Workspace, level: int, tensor: int, turn: int) -> float:
    """Words of inputs or weights that come in; turn: the turning directive that changes last, or -1."""
    if turn < 0:
        new = w.first[tensor]
        return _over_units(w, level, tensor, new[0], new[1], new[2], new[3])
    new = w.change[turn, w.at[w.turning[turn]], tensor]
    full, last = w.products[turn].held[tensor, 0], w.products[turn].held[tensor, 1]
    return _over_units(w, level, tensor, full * new[0], last * new[1], full * new[2], last * new[3])


@inlined
def egress(w: Workspace, level: int, total: Product) -> float:
    """Words of outputs that go out; total: the product over all directives."""
    written = total.written
    return _over_units(w, level, OUTPUT, written[0], written[1], written[2], written[3])


@inlined
def macs_of_all(w: Workspace, level: int, total: Product) -> float:
    """MACs of all units."""
    last = w.shared[level, 1] if w.shared[level, 1] >= 0 else w.shared[level, 0]
    at_edge = w.edge_units[level]
    edge = False
    for k in range(2):
        i = w.shared[level, k]
        edge |= i >= 0 and w.edge[i, w.at[i]] == 1
    if not edge:
        return float(w.units[level] * total.macs[0])
    double = w.double_edge[last, w.at[last]]
    macs = total.macs[1] if at_edge == 1 and double == 1 else total.macs[0]
    if at_edge > 1:
        macs += max(at_edge - double - 1, 0) * total.macs[0] + double * total.macs[2]
    return float(macs)


@inlined
def critical_macs(w: Workspace, level: int, total: Product) -> float:
    """MACs of the unit that a step waits for."""
    i = w.carrier[level, OUTPUT]
    if i >= 0 and _at_edge(w, level, OUTPUT) and w.edge_units[level] == 1 and w.double_edge[i, w.at[i]] == 1:
        return float(total.macs[1])
    return float(total.macs[0])
