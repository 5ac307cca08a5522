"""What the lower bound works on: one record a thread of work, and what is chosen of a mapping, read into it."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Protocol

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, leaf
from mapsearch.model.exact.bound.per_word import PerWord
from mapsearch.model.exact.bound.reuse import KINDS, POINTS, fronts, gain
from mapsearch.model.exact.workspace import DIMS, MAX_LEVELS
from mapsearch.model.records import Floats, Ints, Machine, record
from mapsearch.model.tensors import TOUCHES
from mapsearch.model.windows import needed

Bytes = NDArray[np.int8]

# Why a loop makes a tensor's words new: the tensor has another chunk, or the window over its rows (columns) moved on, or back.
STILL, ANEW, SLIDES, TAPS = 0, 1, 2, 3
ENOUGH = 0.5
# Sums and products of some ten float64 are off by less.
ROUNDING = 1 - 1e-13


class BoundWorkspace(Protocol):
    """What the bound's kernels work on."""

    levels: int
    pes: int
    extents: Annotated[Ints, DIMS]
    windows: Annotated[Ints, 2, 2]  # (a, b) of rows and of columns
    machine: Machine
    per_word: PerWord
    dims: Annotated[Ints, DIMS]  # those with more than one index
    n_dims: int
    lacks: Annotated[Ints, 3, DIMS]  # those of them that W, I, O have no axis of
    n_lacks: Annotated[Ints, 3]
    moved: Annotated[Ints, 3, DIMS]  # STILL, ANEW, SLIDES or TAPS: what a loop of the dim does to W, I, O
    whole: Annotated[Floats, 3]  # words of W, I, O
    chosen: int  # outer levels whose units, spatial dim and order are chosen
    is_whole: bool  # whether nothing is open
    known: Annotated[Ints, DIMS]  # of those, the outer ones at which a dim's size and its loop's place are chosen too
    sized: Annotated[Ints, DIMS]  # of those, the outer ones at which a dim's size is chosen: `known`, or one more
    share: Annotated[Ints, DIMS, MAX_LEVELS]  # units that a dim is shared out over at a level
    place: Annotated[Ints, DIMS, MAX_LEVELS]  # of a dim in its level's order
    # At least so many turns of a dim's loops in its outer levels (0 and more), and the same counted at each active unit.
    outer_turns: Annotated[Floats, DIMS, MAX_LEVELS + 1]
    outer_copies: Annotated[Floats, DIMS, MAX_LEVELS + 1]
    turning: Annotated[Ints, DIMS]  # the innermost level at which a dim's loop surely iterates, or -1
    stale: int  # the dims, as bits, that were read since they were measured (see `runtime`)
    tile: Annotated[Ints, DIMS]  # of a dim that each unit has at the innermost level of a size that is chosen
    open_units: int  # PEs of each unit of the innermost chosen level
    last: Annotated[Ints, 3]  # (level * 8 + place) * 8 + dim of the innermost loop that makes W, I, O anew, or -1
    slid: int  # the same of the innermost loop of Y' or X' that slides I so far that a pass of it is `fresh` enough, or -1
    fresh: float  # see `fresh_part`
    tapped: int  # the same of the innermost loop of R or S that slides I, or -1
    pending: int  # the same of a loop that surely iterates though its place in the innermost chosen level is open, or -1
    deep: int  # the same of the innermost loop of all
    chunk: Annotated[Ints, DIMS]  # of level 0, all units together, 1 where open
    first_cycles: float  # until the first of these is in the L2
    words: Annotated[Floats, 3]  # L2 -> L1 of W, I, O
    fills: Annotated[Floats, 3]  # of the L1s
    footprint: Annotated[Ints, DIMS]  # this and what follows: see `offchip`
    held: Annotated[Floats, 3]
    rows: Annotated[Floats, 2]
    turns: Annotated[Floats, 3]
    options: Annotated[Floats, 3, 2, DIMS + 2]
    n_options: Annotated[Ints, 3]
    offchip: Annotated[Floats, 2]  # into the L2: bits; pJ
    macs: float
    lengths: Annotated[Floats, 3, DIMS]  # this and what follows: see `runtime`
    unit0: Annotated[Floats, 3, DIMS]
    faster: Annotated[Floats, DIMS]
    gain: float
    points: Annotated[Floats, KINDS, POINTS, 2]  # see `reuse`
    n_points: Annotated[Ints, KINDS]
    gains: Annotated[Floats, 2, 3]  # see `tiles`
    box: Annotated[Ints, DIMS]  # a dim's largest innermost tile; this and what follows: see `tiles`
    more: Annotated[Ints, 4]
    # PEs that may have a word of I in common as their windows overlap: in a tile of the layer; in two of them.
    common: Annotated[Floats, 2]
    spread: Annotated[Floats, 4, 5]
    n_ways: int
    kinds: Annotated[Ints, KINDS]
    n_kinds: int
    part: Annotated[Floats, KINDS]
    limits: Annotated[Floats, KINDS, 2]
    cost: Annotated[Floats, 3]
    per_mac: Annotated[Floats, 4, 5]


BOUND_WORKSPACE = record(BoundWorkspace)


def make_bound_workspace(
    levels: int, pes: int, extents: tuple[int, ...], windows: Ints, machine: np.void, whole: tuple[int, ...], prices: np.void
) -> NDArray[np.uint8]:
    """The bytes of a BOUND_WORKSPACE for the mappings of one layer on one machine.

    whole: words of W, I, O; prices: see `per_word`.
    """
    buffer = np.zeros(BOUND_WORKSPACE.itemsize, np.uint8)
    workspace = buffer.view(BOUND_WORKSPACE)
    workspace["levels"], workspace["pes"], workspace["extents"], workspace["windows"] = levels, pes, extents, windows
    workspace["machine"], workspace["whole"], workspace["per_word"] = machine, whole, prices
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
    for field in ("chunk", "tile", "share", "lengths"):  # of dims of one index, which are never read
        workspace[field] = 1
    workspace["macs"] = float(np.prod(extents, dtype=np.float64))
    room = 8 * int(machine["l1_bytes"]) // int(machine["l1_copies"])
    workspace["points"][0], workspace["n_points"][0] = _reuse(extents, windows.tobytes(), machine["bits"].tobytes(), room)
    workspace["common"][0] = _common(extents, windows)
    return buffer


@lru_cache(maxsize=4096)
def _reuse(extents: tuple[int, ...], windows: bytes, bits: bytes, room: int) -> tuple[Floats, Ints]:
    """What `fronts` writes: milliseconds for a large L1, and the same for all machines with such L1s."""
    points, counts = np.zeros((KINDS, POINTS, 2)), np.zeros(KINDS, np.int64)
    of_windows, of_words = np.frombuffer(windows, np.int64).reshape(2, 2).copy(), np.frombuffer(bits, np.int64).copy()
    fronts(np.array(extents, np.int64), of_windows, of_words, room, points, counts)
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
def _note_slide(w: BoundWorkspace, size: Ints, b: int, dim: int) -> None:
    """Note the innermost loop of Y' or X' that slides I so far that a pass of it is fresh enough."""
    tile, units = int(w.extents[dim]), 1
    for level in range(w.turning[dim] + 1):
        chunk, share, place = size[b, level, dim], w.share[dim, level], w.place[dim, level]
        units *= share
        loop = (level * 8 + place) * 8 + dim
        if chunk * share < tile and loop > w.slid:
            part = fresh_part(w, dim, chunk, chunk * share, tile, _taps_at(w, size, b, dim - 2, level, place), units)
            if part >= ENOUGH:
                w.slid, w.fresh = loop, part
        tile = chunk


@inlined
def _note_loops(w: BoundWorkspace, size: Ints, b: int) -> None:
    """Write which loops move what, of those that iterate."""
    w.last[0] = w.last[1] = w.last[2] = w.slid = w.tapped = w.deep = -1
    for i in range(w.n_dims):
        dim = w.dims[i]
        level = w.turning[dim]
        if level < 0:
            continue
        loop = (level * 8 + w.place[dim, level]) * 8 + dim
        w.deep = max(w.deep, loop)
        for tensor in range(3):
            if w.moved[tensor, dim] == ANEW:
                w.last[tensor] = max(w.last[tensor], loop)
        if w.moved[1, dim] == TAPS:
            w.tapped = max(w.tapped, loop)
        elif w.moved[1, dim] == SLIDES:
            _note_slide(w, size, b, dim)


@inlined
def _note_pending(w: BoundWorkspace, spatial: Bytes, size: Ints, b: int) -> None:
    """Note the loop of the dim that the innermost chosen level shares out, if it will iterate, inside those that have a place."""
    w.pending = -1
    level = w.chosen - 1
    dim = int(spatial[b, level]) if level >= 0 else -1
    if dim >= 0 and size[b, level, dim] < 0:
        tile = w.extents[dim] if level == 0 else size[b, level - 1, dim]
        if w.tile[dim] * w.share[dim, level] < tile:
            w.pending = (level * 8 + 7) * 8 + dim


@inlined
def _read_dim(w: BoundWorkspace, units: Ints, spatial: Bytes, size: Ints, b: int, dim: int) -> None:
    """Write what is chosen of a dim: `known`, `sized`, `share`, `turning`, `tile` and `chunk`."""
    w.known[dim] = w.sized[dim] = 0
    w.chunk[dim], w.turning[dim] = 1, -1
    tile = w.tile[dim] = int(w.extents[dim])
    for level in range(w.chosen):
        chunk = abs(size[b, level, dim])
        if chunk == 0:
            return
        w.sized[dim] = level + 1
        share = 1
        if spatial[b, level] == dim and chunk < tile:
            share = min(units[b, level], (tile + chunk - 1) // chunk)
        w.share[dim, level] = share
        w.tile[dim] = chunk
        if level == 0:
            w.chunk[dim] = min(chunk * share, tile)
        if size[b, level, dim] < 0:
            return
        w.known[dim] = level + 1
        if chunk * share < tile:
            w.turning[dim] = level
        tile = chunk


@inlined
def _write_turns(w: BoundWorkspace, size: Ints, b: int, dim: int) -> None:
    """Write w.outer_turns and w.outer_copies of a dim, as far as its loops are known."""
    tile = w.extents[dim]
    turns, full, chunks, whole = 1.0, 1.0, 1.0, 1.0
    for outer in range(w.known[dim] + 1):
        copies, units = chunks, whole
        for level in range(outer, w.known[dim]):
            copies += units * (w.share[dim, level] - 1)
            units *= max(1, w.share[dim, level] - 1)
        w.outer_turns[dim, outer], w.outer_copies[dim, outer] = turns, copies
        if outer < w.known[dim]:
            chunk, share = size[b, outer, dim], w.share[dim, outer]
            if chunk < tile:
                pieces = (tile + chunk - 1) // chunk
                trips = pieces if share == 1 else (pieces + share - 1) // share
                turns += full * (trips - 1)
                full *= trips if tile == trips * chunk * share else trips - 1
                chunks += whole * (pieces - 1)
                whole *= pieces if tile == pieces * chunk else pieces - 1
            tile = chunk


@inlined
def _changed(w: BoundWorkspace, units: Ints, spatial: Bytes, size: Ints, b: int) -> int:
    """The dims, as bits, of which other sizes are chosen than in the mapping before, or all where units differ."""
    changed = 0 if b > 0 else -1
    for level in range(w.levels if b > 0 else 0):
        if units[b, level] != units[b - 1, level] or spatial[b, level] != spatial[b - 1, level]:
            changed = -1
        for dim in range(8):
            changed |= (size[b, level, dim] != size[b - 1, level, dim]) << dim
    return changed


@inlined
def _write_places(w: BoundWorkspace, order: Bytes, b: int, differs: bool) -> bool:
    """Write w.place if it differs from that of the mapping before, or if an order does; returns whether."""
    for level in range(0 if differs else w.chosen):
        for place in range(8):
            differs |= order[b, level, place] != order[b - 1, level, place]
    if differs:
        for level in range(w.chosen):
            for place in range(8):
                w.place[order[b, level, place], level] = place
    return differs


@leaf
def read(w: BoundWorkspace, units: Ints, spatial: Bytes, order: Bytes, size: Ints, b: int) -> None:
    """Write what is chosen of mapping b: all from `chosen` to `chunk`. The one before it has been read, if there is one."""
    changed = _changed(w, units, spatial, size, b)
    w.stale |= changed
    if changed < 0:
        w.chosen, w.open_units = 0, w.pes
        while w.chosen < w.levels and units[b, w.chosen] > 0:
            w.open_units //= units[b, w.chosen]
            w.chosen += 1
    moved = _write_places(w, order, b, changed < 0)
    for i in range(w.n_dims):
        dim = w.dims[i]
        if changed >> dim & 1:
            known, turning = w.known[dim], w.turning[dim]
            _read_dim(w, units, spatial, size, b, dim)
            _write_turns(w, size, b, dim)
            moved = moved or w.moved[1, dim] >= SLIDES or known != w.known[dim] or turning != w.turning[dim]
    if moved:
        w.is_whole = w.chosen == w.levels
        for i in range(w.n_dims):
            w.is_whole = w.is_whole and w.known[w.dims[i]] == w.levels
        _note_loops(w, size, b)
    _note_pending(w, spatial, size, b)
