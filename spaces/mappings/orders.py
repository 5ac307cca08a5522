"""Orders of a level's loops: drawn at random, made legal under constraints, and listed, of those that cost the same only the first.

`variation.py` moves the loops of a mapping within the same laws, in a kernel; `completion.py` and `size.py` go through them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np

from mapsearch.model.layer import Layer
from mapsearch.model.tensors import TOUCHES, Dim

# For each dim, as bits, the dims whose loops must stand inside its own.
Inside = tuple[int, ...]


def inside_of(order: Sequence[Dim | None]) -> Inside:
    """A relative order as a table of all eight dims; None stands for the dims that it does not name (see `LevelConstraints`)."""
    others = [dim for dim in Dim if dim not in order]
    groups = [others if dim is None else [dim] for dim in order]
    inner = [sum(1 << dim for group in groups[place + 1 :] for dim in group) for place in range(len(groups))]
    bits = {dim: inner[place] for place, group in enumerate(groups) for dim in group}
    return tuple(bits.get(dim, 0) for dim in Dim)


def legal_order(wanted: Iterable[Dim], inside: Inside) -> tuple[Dim, ...]:
    """The wanted order, but with each loop moved inwards as far as it must stand inside others."""
    if not any(inside):
        return tuple(wanted)
    left, placed = list(wanted), list[Dim]()
    while left:
        held = _within(left, inside)
        following = next(dim for dim in left if not held >> dim & 1)
        left.remove(following)
        placed.append(following)
    return tuple(placed)


def random_order(dims: Sequence[Dim], inside: Inside, rng: np.random.Generator) -> tuple[Dim, ...]:
    """A legal order of the dims at random; uniform where none has a place."""
    return legal_order([dims[int(place)] for place in rng.permutation(len(dims))], inside)


def is_fixed(dims: Sequence[Dim], inside: Inside) -> bool:
    """Whether only one order of the dims is legal."""
    return all(inside[one] >> other & 1 or inside[other] >> one & 1 for one, other in combinations(dims, 2))


def _within(dims: Iterable[Dim], inside: Inside) -> int:
    """The dims that must stand inside any of these, as bits."""
    bits = 0
    for dim in dims:
        bits |= inside[dim]
    return bits


def interchangeable(layer: Layer, one: Dim, other: Dim) -> bool:
    """Whether two adjacent loops of a level cost the same in either order: both touch the same tensors, and neither slides.

    Each step of either loop then brings new chunks of the same tensors, whichever loop is inside. Where a filter slides, the
    overlap of consecutive chunks depends on the order.
    """
    return _tensors(one) == _tensors(other) and not (_slides(layer, one) or _slides(layer, other))


def _tensors(dim: Dim) -> tuple[bool, ...]:
    return tuple(TOUCHES[tensor, dim] for tensor in range(3))


def _slides(layer: Layer, dim: Dim) -> bool:
    pairs = ((Dim.Y, Dim.R), (Dim.X, Dim.S))
    return any(dim in pair and min(layer.extents[each] for each in pair) > 1 for pair in pairs)


def kinds_of(layer: Layer) -> tuple[Dim, ...]:
    """For each dim, the first dim of its kind: dims of a kind are interchangeable with each other and with no others."""
    return tuple(next(one for one in Dim if one is dim or interchangeable(layer, one, dim)) for dim in Dim)


@lru_cache(maxsize=4096)
def orders_of(dims: tuple[Dim, ...], kinds: tuple[Dim, ...], inside: Inside) -> tuple[tuple[Dim, ...], ...]:
    """The legal orders of the dims; of orders that cost the same, one.

    An order is a sequence of runs of dims of one kind, where neighbouring runs are of different kinds. All orders within a run cost
    the same, and the first legal one represents them.
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
