"""The work space of the kernels: one record, made once for a thread and overwritten by every mapping.

A record is handed on as one pointer, where each array would be ten arguments: the calls took half of the time.
"""

from __future__ import annotations

from threading import local
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import Wanted
from mapsearch.model.exact.machine import MACHINE

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MAX_LEVELS = 4
DIMS = 8
GROUPS = 6

# Columns of a state and of a run, see there; the last ones are by level.
STATE_HEAD, RUN_HEAD = 7, 3
STATE_COLUMNS, RUN_COLUMNS = STATE_HEAD + 2 * MAX_LEVELS, RUN_HEAD + 2 * MAX_LEVELS
# After l levels the units of a dim have at most l + 1 distinct chunk lengths, each of which splits the next loop in two
# places: so many classes, and as many again to work in.
STATE_ROWS = 2 * int(np.prod([2 * level + 3 for level in range(MAX_LEVELS)]))
# A level splits a run by the new and by the old edge; as many again to work in.
RUN_ROWS = 2 * 4**MAX_LEVELS
STATE_SLOTS = 10
# Columns of a class of a group of dims: 16 numbers of 8 bytes are two cache lines.
CLASS_COLUMNS = 16
MOST_DEPTHS = 9
# Widths of the network that the classes of one mapping are timed for together.
MAX_WIDTHS = 32


class Workspace(Protocol):
    """The record's fields, with their shapes in `WORKSPACE`."""

    levels: int
    timed: int  # 1 where cycles are wanted
    worded: int  # 1 where words are
    extents: Ints  # of the layer
    windows: Ints  # (a, b) of rows and of columns, see `window`
    machine: Ints  # see `machine`
    rates: Floats  # the same as floats
    widths: int  # how many widths of the network are timed
    noc_bits: Floats  # of each of them, per cycle
    sizes: Ints  # chunk of a dim at a level
    shares: Ints  # units that a dim is shared out over at a level
    lone: Ints  # 1 where no level shares out the dim
    loops: Ints  # level and dim of the loops that iterate, outer to inner
    positions: Ints  # of each dim's level-0 loop among them, or residency's NEVER
    chunks: Ints  # of level 0, all units together
    lasts: Ints  # how many of those come before the last one
    roles: Ints  # of a dim's loop at a level, see `states`
    states: Ints  # of the eight dims, of the carry's own dim, and spare, see `states`
    n_states: Ints
    runs: Ints  # of a sliding pair's two dims, see `runs`
    slid: Ints  # see `groups`
    counts: Ints  # classes of each group, and of the carry's own
    places: Ints  # see `runtime`
    sums: Floats  # over each group's classes
    base: Floats  # product of the groups that do not iterate
    kinds: Floats  # see `runtime`
    words: Ints  # by tensor and depth, see `residency`
    need: Ints  # by tensor and depth, see `residency`
    best: Ints  # see `residency`
    bits: Ints  # of W, I, O
    timing: Ints  # by width of the network, see `runtime`
    peak: Floats  # likewise
    totals: Floats  # see `runtime`


WORKSPACE = np.dtype(
    [
        ("levels", np.int64),
        ("timed", np.int64),
        ("worded", np.int64),
        ("extents", np.int64, (DIMS,)),
        ("windows", np.int64, (2, 2)),
        ("machine", np.int64, (MACHINE,)),
        ("rates", np.float64, (MACHINE,)),
        ("widths", np.int64),
        ("noc_bits", np.float64, (MAX_WIDTHS,)),
        ("sizes", np.int64, (DIMS, MAX_LEVELS)),
        ("shares", np.int64, (DIMS, MAX_LEVELS)),
        ("lone", np.int64, (DIMS,)),
        ("loops", np.int64, (DIMS * MAX_LEVELS, 2)),
        ("positions", np.int64, (DIMS,)),
        ("chunks", np.int64, (DIMS,)),
        ("lasts", np.int64, (DIMS,)),
        ("roles", np.int64, (DIMS, MAX_LEVELS)),
        ("states", np.int64, (STATE_SLOTS, STATE_ROWS, STATE_COLUMNS)),
        ("n_states", np.int64, (STATE_SLOTS,)),
        ("runs", np.int64, (2, RUN_ROWS, RUN_COLUMNS)),
        ("slid", np.int64, (4,)),
        ("counts", np.int64, (GROUPS + 1,)),
        ("places", np.int64, (3, GROUPS)),
        ("sums", np.float64, (GROUPS + 1, CLASS_COLUMNS)),
        ("base", np.float64, (CLASS_COLUMNS,)),
        ("kinds", np.float64, (GROUPS + 1, CLASS_COLUMNS)),
        ("words", np.int64, (3, MOST_DEPTHS)),
        ("need", np.int64, (3, MOST_DEPTHS)),
        ("best", np.int64, (5,)),
        ("bits", np.int64, (3,)),
        ("timing", np.int64, (MAX_WIDTHS, 4)),
        ("peak", np.float64, (MAX_WIDTHS, 2)),
        ("totals", np.float64, (7,)),
    ],
    align=True,
)


_KEPT = local()


def make_workspace(
    levels: int, extents: tuple[int, ...], windows: Ints, machine: Ints, wanted: Wanted, noc_bits: Ints
) -> NDArray[np.uint8]:
    """The bytes of a WORKSPACE for the mappings of one layer on one machine; the thread's one, until it is asked for again.

    noc_bits: per cycle, of up to MAX_WIDTHS widths of the network, which take the place of the machine's own.

    Bytes, since numba takes 300 us at each call to make out the type of a record of so many fields.
    """
    if not hasattr(_KEPT, "work"):  # two megabytes, which to get anew takes as long as to cost some thirty mappings
        _KEPT.work = np.zeros(WORKSPACE.itemsize, np.uint8)
    buffer: NDArray[np.uint8] = _KEPT.work
    work = buffer.view(WORKSPACE)
    work["levels"], work["extents"], work["windows"] = levels, extents, windows
    work["machine"], work["rates"] = machine, machine
    work["widths"] = len(noc_bits)
    work["noc_bits"][0, : len(noc_bits)] = noc_bits
    work["timed"], work["worded"] = Wanted.RUNTIME in wanted, Wanted.WORDS in wanted
    return buffer
