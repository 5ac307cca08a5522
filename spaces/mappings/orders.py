"""Orders of a level's loops: those that a constraint allows, and of those that cost the same the first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations

from mapsearch.model.layer import Layer
from mapsearch.model.tensors import TOUCHES, Dim

# For each dim, as bits, the dims whose loops must stand inside its own.
Inside = tuple[int, ...]
ANY_ORDER: Inside = (0,) * len(Dim)


def inside_of(order: Sequence[Dim | None]) -> Inside:
    """What a relative order asks of all eight dims; None stands for those that it does not name (see `LevelConstraints`)."""
    others = [dim for dim in Dim if dim not in order]
    groups = [others if dim is None else [dim] for dim in order]
    inner = [sum(1 << dim for group in groups[place + 1 :] for dim in group) for place in range(len(groups))]
    bits = {dim: inner[place] for place, group in enumerate(groups) for dim in group}
    return tuple(bits.get(dim, 0) for dim in Dim)


def legal_order(wanted: Iterable[Dim], inside: Inside) -> tuple[Dim, ...]:
    """The wanted order, in which each loop that must stand inside others waits until they are all placed."""
    if not any(inside):
        return tuple(wanted)
    left, placed = list(wanted), list[Dim]()
    while left:
        held = _within(left, inside)
        following = next(dim for dim in left if not held >> dim & 1)
        left.remove(following)
        placed.append(following)
    return tuple(placed)


def is_fixed(dims: Sequence[Dim], inside: Inside) -> bool:
    """Whether the dims have just one order."""
    return all(inside[one] >> other & 1 or inside[other] >> one & 1 for one, other in combinations(dims, 2))


def _within(dims: Iterable[Dim], inside: Inside) -> int:
    """As bits, the dims that must stand inside some of these."""
    bits = 0
    for dim in dims:
        bits |= inside[dim]
    return bits


def interchangeable(layer: Layer, one: Dim, other: Dim) -> bool:
    """Whether two loops side by side in a level cost the same in either order: the same tensors have both, and neither slides.

    Each step that either takes then makes all of the same tensors' chunks new, whichever of the two is inside; where a filter
    slides, the overlap of two chunks depends on it.
    """
    return _tensors(one) == _tensors(other) and not (_slides(layer, one) or _slides(layer, other))


def _tensors(dim: Dim) -> tuple[bool, ...]:
    return tuple(TOUCHES[tensor, dim] for tensor in range(3))


def _slides(layer: Layer, dim: Dim) -> bool:
    pairs = ((Dim.Y, Dim.R), (Dim.X, Dim.S))
    return any(dim in pair and min(layer.extents[each] for each in pair) > 1 for pair in pairs)


def kinds_of(layer: Layer) -> tuple[Dim, ...]:
    """For each dim the first of its kind: dims of a kind are interchangeable with each other, and with no others."""
    return tuple(next(one for one in Dim if one is dim or interchangeable(layer, one, dim)) for dim in Dim)


@lru_cache(maxsize=4096)
def orders_of(dims: tuple[Dim, ...], kinds: tuple[Dim, ...], inside: Inside) -> tuple[tuple[Dim, ...], ...]:
    """The legal orders of the dims, each that costs something of its own once.

    Such an order is a sequence of runs of dims of one kind, no two runs of a kind side by side; within a run all orders cost the
    same, and the first that is legal stands for them.
    """
    return tuple(sorted(_runs(dims, kinds, inside, None)))


def _runs(dims: tuple[Dim, ...], kinds: tuple[Dim, ...], inside: Inside, last: Dim | None) -> Iterator[tuple[Dim, ...]]:
    if not dims:
        yield ()
        return
    for kind in sorted({kinds[dim] for dim in dims} - {last}):
        alike = [dim for dim in dims if kinds[dim] is kind]
        for count in range(1, len(alike) + 1):
            for run in combinations(alike, count):
                left = tuple(dim for dim in dims if dim not in run)
                held = _within(left, inside)
                if not any(held >> dim & 1 for dim in run):
                    first = legal_order(run, inside)
                    yield from ((*first, *rest) for rest in _runs(left, kinds, inside, kind))
