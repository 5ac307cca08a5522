"""What the lower bound works on: one record a thread of work, and what is chosen of a mapping, read into it."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Protocol

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import leaf
from mapsearch.model.exact.bound.per_word import PerWord
from mapsearch.model.exact.bound.reuse import KINDS, POINTS, fronts, gain
from mapsearch.model.exact.workspace import DIMS, MAX_LEVELS
from mapsearch.model.records import Floats, Ints, Machine, record
from mapsearch.model.tensors import TOUCHES, Dim
from mapsearch.model.windows import needed

Bytes = NDArray[np.int8]

# Why a loop makes a tensor's words new: the tensor has another chunk, or the window over its rows (columns) moved on, or back.
STILL, ANEW, SLIDES, TAPS = 0, 1, 2, 3
# Cases of what is chosen further, see `outputs`.
STANDING, TURNING = 0, 1
# Sums and products of some ten float64 are off by less.
ROUNDING = 1 - 1e-13


class BoundWorkspace(Protocol):
    """What the bound's kernels work on."""

    levels: int
    pes: int
    extents: Annotated[Ints, DIMS]
    windows: Annotated[Ints, 2, 2]  # (a, b) of rows and of columns
    apart: float  # words of I for one chunk of each R and S that slides I, which each unit that shares them out needs
    per_row: Annotated[Floats, 2]  # MACs that a row (column) of I serves, of all
    machine: Machine
    per_word: PerWord
    dims: Annotated[Ints, DIMS]  # those with more than one index
    n_dims: int
    lacks: Annotated[Ints, 3, DIMS]  # those of them that W, I, O have no axis of
    n_lacks: Annotated[Ints, 3]
    moved: Annotated[Ints, 3, DIMS]  # STILL, ANEW, SLIDES or TAPS: what a loop of the dim does to W, I, O
    whole: Annotated[Floats, 3]  # words of W, I, O
    units: Annotated[Ints, MAX_LEVELS]  # of the mapping, as in `MappingBatch`
    spatial: Annotated[Ints, MAX_LEVELS]
    order: Annotated[Ints, MAX_LEVELS, DIMS]
    size: Annotated[Ints, MAX_LEVELS, DIMS]
    chosen: int  # outer levels whose units, spatial dim and order are chosen
    is_whole: bool  # whether nothing is open
    is_ordered: bool  # whether the loops stand and turn as in the mapping before
    is_crossed: bool  # whether `offchip` is known, as level 0 is the same as where it was worked out
    known: Annotated[Ints, DIMS]  # of those, the outer ones at which a dim's size and its loop's place are chosen too
    sized: Annotated[Ints, DIMS]  # of those, the outer ones at which a dim's size is chosen: `known`, or one more
    share: Annotated[Ints, DIMS, MAX_LEVELS]  # units that a dim is shared out over at a level
    place: Annotated[Ints, DIMS, MAX_LEVELS]  # of a dim in its level's order
    # At least so many turns of a dim's loops in its outer levels (0 and more), and the same counted at each active unit.
    outer_turns: Annotated[Floats, DIMS, MAX_LEVELS + 1]
    outer_copies: Annotated[Floats, DIMS, MAX_LEVELS + 1]
    # Of a sliding dim, coordinates that all units together hold, and one unit, at most, in a step of its loops of the outer levels.
    # Units that lie apart may need fewer rows than side by side, and count as the whole dim.
    reach: Annotated[Ints, DIMS, MAX_LEVELS + 1]
    each: Annotated[Ints, DIMS, MAX_LEVELS + 1]
    # The most turns at each active unit, of a dim that O lacks.
    most_copies: Annotated[Floats, DIMS, MAX_LEVELS + 1]
    shares: Annotated[Floats, DIMS, 2]  # units that share it out at the levels whose units are chosen; at those it is not known at
    edges: Annotated[Ints, MAX_LEVELS + 1]  # lengths of its chunks, and how many chunks have them
    many: Annotated[Floats, MAX_LEVELS + 1]
    turning: Annotated[Ints, DIMS]  # the innermost level at which a dim's loop surely iterates, or -1
    stale: int  # the dims, as bits, that were read since they were measured (see `runtime`)
    uncounted: int  # the same of those without their `most_copies` yet (see `outputs`)
    tile: Annotated[Ints, DIMS]  # of a dim that each unit has at the innermost level of a size that is chosen
    open_units: int  # PEs of each unit of the innermost chosen level
    last: Annotated[Ints, 3]  # (level * 8 + place) * 8 + dim of the innermost loop that makes W, I, O anew, or -1
    slid: int  # the same of the innermost loop of Y' or X' that slides I so far that a pass of it is `fresh` enough, or -1
    fresh: float  # see `fresh_part`
    tapped: int  # the same of the innermost loop of R or S that slides I, or -1
    pending: int  # the same of a loop that surely iterates though its place in the innermost chosen level is open, or -1
    deep: int  # the same of the innermost loop of all
    chunk: Annotated[Ints, DIMS]  # of level 0, all units together, 1 where open
    first_cycles: float  # the least until the first of these is in the L2
    issue_cycles: float  # the least in which the control issues the steps of level 0
    words: Annotated[Floats, 3]  # L2 -> L1 of W, I, O
    fills: Annotated[Floats, 3]  # of the L1s
    most_fills: Annotated[Floats, 2]  # of O, in each case; this and what follows: see `outputs`
    turning_w: Annotated[Floats, 2]  # the least words and fills of W in the case TURNING
    summing: float  # PEs that sum up an output together at most; by other dims than those that slide I
    summing_c: float
    footprint: Annotated[Ints, DIMS]  # this and what follows: see `offchip`
    held: Annotated[Floats, 3]
    rows: Annotated[Floats, 2]
    turns: Annotated[Floats, 3]
    options: Annotated[Floats, 3, 2, DIMS + 2]
    n_options: Annotated[Ints, 3]
    offchip: Annotated[Floats, 3]  # cycles; those of them that nothing else goes on beside; pJ
    factor: float  # of compute, of a dim of one index whose runs take longer, and of zeros that take no time
    imbalance: float  # of compute; this and what follows: see `imbalance`
    shared_dims: Annotated[Ints, MAX_LEVELS]
    is_open: Annotated[Ints, MAX_LEVELS]
    steps_part: Annotated[Floats, MAX_LEVELS, 3]
    steps_octaves: Annotated[Floats, MAX_LEVELS, 3]
    ingress: Annotated[Floats, 3]  # this and what follows: see `runtime`
    macs: float
    lengths: Annotated[Floats, 3, DIMS]
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
    fill_share: Annotated[Floats, KINDS]
    filled: Annotated[Floats, KINDS]
    limits: Annotated[Floats, KINDS, 2]
    from_point: Annotated[Ints, KINDS]
    to_point: Annotated[Ints, KINDS]
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
    taps = [dim for dim in dims if workspace["moved"][0, 1, dim] == TAPS]
    workspace["apart"] = float(np.prod([extents[dim] for dim in range(DIMS) if dim not in (Dim.K, *taps)], dtype=np.float64))
    for field in ("chunk", "tile", "share", "lengths"):  # of dims of one index, which are never read
        workspace[field] = 1
    for axis in range(2):
        y, r = extents[6 + axis], extents[4 + axis]
        workspace["per_row"][0, axis] = gain(y, r, windows[axis, 0], windows[axis, 1])
    run_dim, least = int(machine["run_dim"]), int(machine["run_least"])
    is_short = run_dim >= 0 and extents[run_dim] == 1 and int(machine["run_longest"]) > 1
    workspace["factor"] = (float(least) if is_short else 1.0) * float(machine["least_part"])
    workspace["macs"] = float(np.prod(extents, dtype=np.float64))
    l1 = machine["l1"]
    units, rooms = l1["word_units"] * l1["copies"], l1["bytes"] << l1["byte_shift"]
    common = int(np.gcd.reduce(l1["copies"]))
    found = _reuse(extents, windows.tobytes(), (units // common).tobytes(), (rooms // common).tobytes(), l1["of"].tobytes())
    workspace["points"][0], workspace["n_points"][0] = found
    workspace["common"][0] = _common(extents, windows)
    return buffer


@lru_cache(maxsize=4096)
def _reuse(extents: tuple[int, ...], windows: bytes, units: bytes, rooms: bytes, of: bytes) -> tuple[Floats, Ints]:
    """What `fronts` writes: milliseconds for a large L1, and the same for all machines with such L1s."""
    points, counts = np.zeros((KINDS, POINTS, 2)), np.zeros(KINDS, np.int64)
    of_windows, of_words, sizes, places = (np.frombuffer(each, np.int64).copy() for each in (windows, units, rooms, of))
    fronts(np.array(extents, np.int64), of_windows.reshape(2, 2), of_words, sizes, places, points, counts)
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
