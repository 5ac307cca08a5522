"""What the lower bound works on: one record a thread of work, and what is chosen of a mapping, read into it."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, leaf
from mapsearch.model.exact import machine as hw
from mapsearch.model.exact.bound.reuse import KINDS, POINTS, fronts, gain
from mapsearch.model.exact.machine import MACHINE
from mapsearch.model.exact.workspace import DIMS, MAX_LEVELS
from mapsearch.model.tensors import TOUCHES
from mapsearch.model.windows import needed

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bytes = NDArray[np.int8]

# Why a loop makes a tensor's words new: the tensor has another chunk, or the window over its rows (columns) moved on, or back.
STILL, ANEW, SLIDES, TAPS = 0, 1, 2, 3
ENOUGH = 0.5


class BoundWorkspace(Protocol):
    """The fields of `BOUND_WORKSPACE`."""

    levels: int
    pes: int
    extents: Ints
    windows: Ints  # (a, b) of rows and of columns
    machine: Ints
    dims: Ints  # those with more than one index
    n_dims: int
    lacks: Ints  # those of them that W, I, O have no axis of
    n_lacks: Ints
    moved: Ints  # STILL, ANEW, SLIDES or TAPS: what a loop of the dim does to W, I, O
    whole: Floats  # words of W, I, O
    chosen: int  # outer levels whose units, spatial dim and order are chosen
    is_whole: bool  # whether nothing is open
    known: Ints  # of those, the outer ones at which a dim's size and its loop's place are chosen too
    sized: Ints  # of those, the outer ones at which a dim's size is chosen: `known`, or one more
    share: Ints  # units that a dim is shared out over at a level
    place: Ints  # of a dim in its level's order
    last: Ints  # (level * 8 + place) * 8 + dim of the innermost loop that makes W, I, O anew, or -1
    slid: int  # the same of the innermost loop of Y' or X' that slides I so far that a pass of it is `fresh` enough, or -1
    fresh: float  # see `fresh_part`
    tapped: int  # the same of the innermost loop of R or S that slides I, or -1
    deep: int  # the same of the innermost loop of all
    chunk: Ints  # of level 0, all units together, 1 where open
    words: Floats  # L2 -> L1 of W, I, O
    fills: Floats  # of the L1s
    footprint: Ints  # see `bound_offchip`
    options: Floats  # see `bound_offchip`
    offchip: Floats  # into the L2: bits; pJ
    macs: float
    lengths: Floats  # see `bound_runtime`
    unit0: Floats
    points: Floats  # see `bound_reuse`
    n_points: Ints
    gains: Floats  # see `bound_tiles`
    box: Ints  # a dim's largest innermost tile; this and what follows: see `bound_tiles`
    more: Ints
    common: Floats  # PEs that may have a word of I in common as their windows overlap: in a tile of the layer; in two of them
    spread: Floats
    n_ways: int
    kinds: Ints
    n_kinds: int
    part: Floats
    limits: Floats
    cost: Floats
    per_mac: Floats


BOUND_WORKSPACE = np.dtype(
    [
        ("levels", np.int64),
        ("pes", np.int64),
        ("extents", np.int64, (DIMS,)),
        ("windows", np.int64, (2, 2)),
        ("machine", np.int64, (MACHINE,)),
        ("dims", np.int64, (DIMS,)),
        ("n_dims", np.int64),
        ("lacks", np.int64, (3, DIMS)),
        ("n_lacks", np.int64, (3,)),
        ("moved", np.int64, (3, DIMS)),
        ("whole", np.float64, (3,)),
        ("chosen", np.int64),
        ("is_whole", np.bool_),
        ("known", np.int64, (DIMS,)),
        ("sized", np.int64, (DIMS,)),
        ("share", np.int64, (DIMS, MAX_LEVELS)),
        ("place", np.int64, (DIMS, MAX_LEVELS)),
        ("last", np.int64, (3,)),
        ("slid", np.int64),
        ("fresh", np.float64),
        ("tapped", np.int64),
        ("chunk", np.int64, (DIMS,)),
        ("words", np.float64, (3,)),
        ("fills", np.float64, (3,)),
        ("footprint", np.int64, (DIMS,)),
        ("options", np.float64, (3, 2, DIMS + 2)),
        ("offchip", np.float64, (2,)),
        ("macs", np.float64),
        ("deep", np.int64),
        ("lengths", np.float64, (3, DIMS)),
        ("unit0", np.float64, (3, DIMS)),
        ("points", np.float64, (KINDS, POINTS, 2)),
        ("n_points", np.int64, (KINDS,)),
        ("gains", np.float64, (2, 3)),
        ("box", np.int64, (DIMS,)),
        ("more", np.int64, (4,)),
        ("common", np.float64, (2,)),
        ("spread", np.float64, (4, 5)),
        ("n_ways", np.int64),
        ("kinds", np.int64, (KINDS,)),
        ("n_kinds", np.int64),
        ("part", np.float64, (KINDS,)),
        ("limits", np.float64, (KINDS, 2)),
        ("cost", np.float64, (3,)),
        ("per_mac", np.float64, (4, 5)),
    ],
    align=True,
)


def make_bound_workspace(
    levels: int, pes: int, extents: tuple[int, ...], windows: Ints, machine: Ints, whole: tuple[int, ...]
) -> NDArray[np.uint8]:
    """The bytes of a BOUND_WORKSPACE for the mappings of one layer on one machine; whole: words of W, I, O."""
    buffer = np.zeros(BOUND_WORKSPACE.itemsize, np.uint8)
    workspace = buffer.view(BOUND_WORKSPACE)
    workspace["levels"], workspace["pes"], workspace["extents"], workspace["windows"] = levels, pes, extents, windows
    workspace["machine"], workspace["whole"] = machine, whole
    dims = [dim for dim in range(DIMS) if extents[dim] > 1]
    workspace["n_dims"] = len(dims)
    workspace["dims"][0, : len(dims)] = dims
    for tensor in range(3):
        lacks = [dim for dim in dims if not TOUCHES[tensor, dim]]
        workspace["n_lacks"][0, tensor] = len(lacks)
        workspace["lacks"][0, tensor, : len(lacks)] = lacks
    for dim in range(DIMS):
        axis = dim % 2
        slides = dim >= 4 and extents[6 + axis] > windows[axis, 0] and extents[4 + axis] > windows[axis, 1]
        of_input = (SLIDES if dim >= 6 else TAPS) if slides else ANEW
        workspace["moved"][0, :, dim] = [TOUCHES[0, dim], of_input if TOUCHES[1, dim] else STILL, TOUCHES[2, dim]]
    workspace["chunk"] = workspace["lengths"] = 1
    workspace["macs"] = float(np.prod(extents, dtype=np.float64))
    of_l1 = [*range(hw.BITS, hw.BITS + 3), hw.L1_BYTES, hw.L1_DOUBLED]
    workspace["points"][0], workspace["n_points"][0] = _reuse(extents, windows.tobytes(), tuple(machine[of_l1].tolist()))
    workspace["common"][0] = _common(extents, windows)
    return buffer


@lru_cache(maxsize=4096)
def _reuse(extents: tuple[int, ...], windows: bytes, of_l1: tuple[int, ...]) -> tuple[Floats, Ints]:
    """What `fronts` writes: milliseconds for a large L1, and the same for all machines with such L1s."""
    machine = np.zeros(MACHINE, np.int64)
    machine[hw.BITS : hw.BITS + 3], machine[hw.L1_BYTES], machine[hw.L1_DOUBLED] = of_l1[:3], of_l1[3], of_l1[4]
    points, counts = np.zeros((KINDS, POINTS, 2)), np.zeros(KINDS, np.int64)
    fronts(np.array(extents, np.int64), np.frombuffer(windows, np.int64).reshape(2, 2).copy(), machine, points, counts)
    return points, counts


def _common(extents: tuple[int, ...], windows: Ints) -> tuple[float, float]:
    standing, sliding = 1.0, 2.0
    for axis in range(2):
        a, b = (int(phases) for phases in windows[axis])
        y, r = extents[6 + axis], extents[4 + axis]
        if y > a and r > b:
            standing *= gain(y, r, a, b)
            sliding *= r / b
    return standing, sliding


@leaf
def fresh_part(w: BoundWorkspace, dim: int, chunk: int, step: int, tile: int, taps: int, units: int) -> float:
    """The least part of the rows of a pass of Y' (X') that the chunk before it did not have, if none but its axis's loops moved I.

    That is the pass's last chunk, as R (S) stands where it stood, or one chunk of `taps` further or back. Where several
    units share Y' out and two such chunks meet, none counts as fresh.
    """
    a, b = w.windows[dim - 6, 0], w.windows[dim - 6, 1]
    reach = min(w.extents[dim - 2], 2 * taps) - 1
    both = b * (chunk - 1) + a * reach + 1 - b * ((tile - 1) // step * step)
    if both <= 0:
        return 1.0
    return 1.0 - both / needed(tile, taps, a, b) if units == 1 else 0.0


@inlined
def _taps_at(w: BoundWorkspace, size: Ints, b: int, dim: int, level: int, place: int) -> int:
    """How far R (S) steps while a level's loop at a place turns, as far as is known: its chunk there, if no units share it out."""
    taps = w.extents[dim]
    for above in range(min(w.known[dim], level + 1)):
        if w.share[dim, above] > 1:
            return int(w.extents[dim])
        if above < level or w.place[dim, level] < place:
            taps = size[b, above, dim]
    return int(taps)


@inlined
def _note_loop(w: BoundWorkspace, size: Ints, b: int, dim: int, level: int, tile: int, units: int) -> None:
    """Note what a loop that iterates over a tile moves; units: that share out the dim in its outer levels, this one included."""
    place = w.place[dim, level]
    loop = (level * 8 + place) * 8 + dim
    w.deep = max(w.deep, loop)
    for tensor in range(3):
        if w.moved[tensor, dim] == ANEW:
            w.last[tensor] = max(w.last[tensor], loop)
    if w.moved[1, dim] == TAPS:
        w.tapped = max(w.tapped, loop)
    if w.moved[1, dim] == SLIDES and loop > w.slid:
        chunk, taps = size[b, level, dim], _taps_at(w, size, b, dim - 2, level, place)
        part = fresh_part(w, dim, chunk, chunk * w.share[dim, level], tile, taps, units)
        if part >= ENOUGH:
            w.slid, w.fresh = loop, part


@inlined
def _read_dim(w: BoundWorkspace, units: Ints, spatial: Bytes, size: Ints, b: int, dim: int) -> None:
    w.known[dim] = w.sized[dim] = 0
    w.chunk[dim] = 1
    tile, copies = int(w.extents[dim]), 1
    for level in range(w.chosen):
        chunk = abs(size[b, level, dim])
        if chunk == 0:
            return
        w.sized[dim] = level + 1
        share = 1
        if spatial[b, level] == dim and chunk < tile:
            share = min(units[b, level], (tile + chunk - 1) // chunk)
        w.share[dim, level] = share
        copies *= share
        if level == 0:
            w.chunk[dim] = min(chunk * share, tile)
        if size[b, level, dim] < 0:
            return
        w.known[dim] = level + 1
        if chunk * share < tile:
            _note_loop(w, size, b, dim, level, tile, copies)
        tile = chunk


@leaf
def read(w: BoundWorkspace, units: Ints, spatial: Bytes, order: Bytes, size: Ints, b: int) -> None:
    """Write what is chosen of mapping b: all from `chosen` to `chunk`."""
    w.chosen = 0
    while w.chosen < w.levels and units[b, w.chosen] > 0:
        for place in range(8):
            w.place[order[b, w.chosen, place], w.chosen] = place
        w.chosen += 1
    w.last[0] = w.last[1] = w.last[2] = w.slid = w.tapped = w.deep = -1
    for i in range(w.n_dims):
        _read_dim(w, units, spatial, size, b, w.dims[i])
    w.is_whole = w.chosen == w.levels
    for i in range(w.n_dims):
        w.is_whole = w.is_whole and w.known[w.dims[i]] == w.levels
