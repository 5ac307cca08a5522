"""The work space of the kernels: one record, made once for a thread and overwritten by every mapping.

A record is handed on as one pointer, where each array would be ten arguments: the calls took half of the time.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from threading import local
from typing import Annotated, Protocol

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import Wanted
from mapsearch.model.records import MACHINE, Floats, Ints, Machine, record

MAX_LEVELS = 4
DIMS = 8
GROUPS = 6

# Columns of a run, see there; the last ones are by level.
RUN_HEAD = 3
RUN_COLUMNS = RUN_HEAD + 2 * MAX_LEVELS
# After l levels the units of a dim have at most l + 1 distinct chunk lengths, each of which splits the next loop in two
# places: so many classes, and as many again to work in.
STATE_ROWS = 2 * int(np.prod([2 * level + 3 for level in range(MAX_LEVELS)]))
# A level splits a run by the new and by the old edge; as many again to work in.
RUN_ROWS = 2 * 4**MAX_LEVELS
STATE_SLOTS = 10
# Columns of a class of a group of dims: 16 numbers of 8 bytes are two cache lines.
CLASS_COLUMNS = 16
MOST_DEPTHS = 9
LINE = 64  # bytes of a cache line
# Widths of the network that the classes of one mapping are timed for together.
MAX_WIDTHS = 32
# Kinds of steps that are timed together.
MAX_KINDS = 128
# Expected maxima that a thread keeps, see `zeros`.
MAX_MAXIMA = 2**14


class Rates(Protocol):
    """What of the machine a step's words and MACs are multiplied or divided by, as floats."""

    simd: float
    units: Annotated[Floats, 2, 3]  # of a word of W, I, O on its wires, by side: 0 where the tensor is on the other one
    units_out: Annotated[Floats, 2]  # of a word of O that leaves, where no partial sums are read and where some are
    noc_latency: float


class Loop(Protocol):
    """A loop that iterates."""

    level: int
    dim: int
    span: int  # chunk of all units together


class Chains(Protocol):
    """How each dim is cut into chunks, from which its states follow in closed form, see `chains`."""

    cuts: Annotated[Ints, DIMS]  # levels that cut it; with more than two there is no closed form
    stage: Annotated[Ints, DIMS]
    units: Annotated[Ints, DIMS]  # blocks of a span
    size: Annotated[Ints, DIMS]  # of a block
    chunk: Annotated[Ints, DIMS]  # of a block, all its units together
    piece: Annotated[Ints, DIMS]  # of the chunk, what each unit has
    spans: Annotated[Ints, DIMS]  # whole ones
    chunks: Annotated[Ints, DIMS]  # whole chunks of a block
    rest: Annotated[Ints, DIMS]  # length of the shorter chunk after them, 0 where there is none
    edge_units: Annotated[Ints, DIMS]  # longest blocks of the span that is not whole
    edge_size: Annotated[Ints, DIMS]  # their length, 0 where there is no such span
    edge_chunks: Annotated[Ints, DIMS]  # whole chunks of one of them
    edge_rest: Annotated[Ints, DIMS]  # length of the shorter chunk after them
    extra: Annotated[Ints, DIMS]  # length of the shorter block after them
    extra_chunks: Annotated[Ints, DIMS]  # its whole chunks
    extra_rest: Annotated[Ints, DIMS]  # length of its shorter chunk


class State(Protocol):
    """All steps of a carry in which a dim's chunks have the same lengths on every unit."""

    steps: int
    start: int  # of them, those where all loops of the dim stand at index 0
    shift: int  # how far the chunks moved from the step before; 0 where they did not
    new: int  # chunk length of unit 0
    old: int  # the same in the step before
    covered: int  # coordinates that some unit holds
    active: int  # units whose chunk is not empty
    blocks: int  # of a chain: blocks that hold chunks alike
    block: int  # length of each of these chunks
    extra: int  # that of the block after them
    old_blocks: int  # the same three in the step before
    old_block: int
    old_extra: int
    indices: Annotated[Ints, MAX_LEVELS]  # of a dim that is no chain: its loops' indices
    old_indices: Annotated[Ints, MAX_LEVELS]  # the same in the step before


class Kinds(Protocol):
    """Kinds of steps, a column for each of their figures."""

    steps: Annotated[Floats, MAX_KINDS]
    start: Annotated[Floats, MAX_KINDS]  # of them, those with the reduction loops at index 0
    macs: Annotated[Floats, MAX_KINDS]  # of unit 0
    words_w: Annotated[Floats, MAX_KINDS]  # that enter the array
    words_i: Annotated[Floats, MAX_KINDS]
    psums: Annotated[Floats, MAX_KINDS]  # words of O that enter it
    written: Annotated[Floats, MAX_KINDS]  # words of O that leave it
    moved: Annotated[Floats, MAX_KINDS]  # words in and out, where no partial sums are read
    ingress: Annotated[Floats, 2, MAX_KINDS]  # cycles in which words of W, I, O come in, by side
    reading_ingress: Annotated[Floats, 2, MAX_KINDS]  # the same where partial sums are read
    cycles: Annotated[Floats, MAX_KINDS]
    rate: Annotated[Floats, MAX_KINDS]  # words per cycle
    reading_moved: Annotated[Floats, MAX_KINDS]  # the same three where partial sums are read
    reading_cycles: Annotated[Floats, MAX_KINDS]
    reading_rate: Annotated[Floats, MAX_KINDS]


class Residency(Protocol):
    """What the best depths of residency come to, see `residency`."""

    words: Annotated[Ints, 3]  # of W, I, O that come into the L2
    needs: Annotated[Ints, 3]  # bytes of W, I, O
    depths: Annotated[Ints, 3]  # of W, I, O, in loops of level 0
    need_bytes: int  # all together


class Maximum(Protocol):
    """The most non-zeros of some tiles that are to be expected, see `zeros`; words 0: none yet."""

    words: float
    nonzeros: float
    tile: float
    tiles: float
    found: float


class Totals(Protocol):
    """Sums over all steps."""

    steps: float
    multicast: Annotated[Floats, 3]  # words of W, I, O that the L2 sends or takes, one for all PEs
    fills: Annotated[Floats, 3]  # the same counted at each PE


class Workspace(Protocol):
    """What the kernels of `count` work on.

    Fields of whole cache lines come first, so that none of their rows lies across two lines.
    """

    extents: Annotated[Ints, DIMS]  # of the layer
    lone: Annotated[Ints, DIMS]  # 1 where no level shares out the dim
    positions: Annotated[Ints, DIMS]  # of each dim's level-0 loop among them, or residency's NEVER
    tiles: Annotated[Ints, DIMS]  # what the level at hand cuts into chunks
    spans: Annotated[Ints, DIMS]  # its chunks, all units together
    chunks: Annotated[Ints, DIMS]  # the same of level 0
    lasts: Annotated[Ints, DIMS]  # how many of those come before the last one
    resident: Annotated[Ints, DIMS]  # lengths of what the L2 keeps
    sizes: Annotated[Ints, MAX_LEVELS, DIMS]  # chunk of a dim at a level
    shares: Annotated[Ints, MAX_LEVELS, DIMS]  # units that a dim is shared out over at a level
    chains: Chains
    roles: Annotated[Ints, DIMS, MAX_LEVELS]  # of a dim's loop at a level, see `roles`
    loops: Annotated[Sequence[Loop], DIMS * MAX_LEVELS]  # those that iterate, outer to inner
    links: Annotated[Ints, 2, DIMS]  # of the windows' dims, see `residency`
    base: Annotated[Floats, CLASS_COLUMNS]  # product of the groups that do not iterate
    sums: Annotated[Floats, GROUPS + 1, CLASS_COLUMNS]  # over each group's classes
    products: Annotated[Floats, GROUPS + 1, CLASS_COLUMNS]  # see `timing`
    base_tile: Annotated[Floats, CLASS_COLUMNS]  # likewise of the tiles of W and I, see `zeros`
    tiles_of: Annotated[Floats, GROUPS + 1, CLASS_COLUMNS]
    counts: Annotated[Ints, GROUPS + 2]  # classes of each group, see `timing` for the others
    kinds: Kinds  # that are still to be timed
    levels: int
    timed: bool  # whether cycles are wanted
    worded: bool  # whether words are
    windows: Annotated[Ints, 2, 2]  # (a, b) of rows and of columns, see `windows`
    machine: Machine
    rates: Rates
    widths: int  # how many widths of the network are timed
    swept: bool  # whether they are not the machine's own
    shared_wires: Annotated[Floats, MAX_WIDTHS]  # units per cycle of each of them, where they are not
    wires: Annotated[Floats, MAX_WIDTHS, 3]  # units per cycle of those of W, I, O
    n_loops: int
    outer: int  # of them, those of level 0
    n_states: Annotated[Ints, STATE_SLOTS]
    slid: Annotated[Ints, 4]  # see `classes`
    iterates: int  # a bit for each group that does
    places: Annotated[Ints, 3, GROUPS]  # see `timing`
    n_kinds: int
    first: int  # of these, how many are step 0, whose ingress, compute and egress come one after another
    needs: Annotated[Ints, MOST_DEPTHS, 3]  # bytes, by depth and tensor
    least: Annotated[Ints, 3]  # of these
    slack: Annotated[Ints, 3]  # bytes that these leave of the rooms of W, I, O
    passes: Annotated[Ints, 3]  # words of W, I, O, as often as all of them pass
    depths: Annotated[Ints, 3]  # worth a look
    words: Annotated[Ints, 3, MOST_DEPTHS]  # by tensor and depth, see `residency`
    need: Annotated[Ints, 3, MOST_DEPTHS]  # by tensor and depth, see `residency`
    depth: Annotated[Ints, 3, MOST_DEPTHS]  # by tensor and place among those worth a look
    best: Residency
    held: Annotated[Ints, 3]  # words of W, I, O, see `residency`
    needs_l1: Annotated[Ints, 3]  # bytes
    timing: Annotated[Ints, MAX_WIDTHS, 5]  # by width of the network, see `timing`
    peak: Annotated[Floats, MAX_WIDTHS, 2]  # likewise
    totals: Totals
    maxima: Annotated[Sequence[Maximum], MAX_MAXIMA]
    runs: Annotated[Ints, 2, RUN_ROWS, RUN_COLUMNS]  # of a sliding pair's two dims, see `unit_runs`
    states: Annotated[Sequence[MutableSequence[State]], STATE_SLOTS, STATE_ROWS]  # of each dim, and two more: see `roles`


WORKSPACE = record(Workspace)

_KEPT = local()
_MACHINE_AT: int = WORKSPACE.fields["machine"][1]  # type: ignore[index] # it has fields


def _aligned_zeros(count: int) -> NDArray[np.uint8]:
    """So many bytes from the start of a cache line on."""
    found = np.zeros(count + LINE, np.uint8)
    start = -found.ctypes.data % LINE
    return found[start : start + count]


def make_workspace(
    levels: int, extents: tuple[int, ...], windows: Ints, machine: np.void, wanted: Wanted, widths: Sequence[int] = ()
) -> NDArray[np.uint8]:
    """The bytes of a WORKSPACE for the mappings of one layer on one machine; the thread's one, until it is asked for again.

    widths: units per cycle of up to MAX_WIDTHS widths of shared wires, which take the place of the machine's own wires.

    Bytes, since numba takes 300 us at each call to make out the type of a record of so many fields.
    """
    if not hasattr(_KEPT, "work"):  # two megabytes, which to get anew takes as long as to cost some thirty mappings
        _KEPT.work = _aligned_zeros(WORKSPACE.itemsize)
        _KEPT.fields = _KEPT.work.view(WORKSPACE)
    buffer: NDArray[np.uint8] = _KEPT.work
    work: NDArray[np.void] = _KEPT.fields
    work["levels"], work["extents"], work["windows"] = levels, extents, windows
    buffer[_MACHINE_AT : _MACHINE_AT + MACHINE.itemsize] = np.frombuffer(machine.tobytes(), np.uint8)  # field by field takes 40 us
    work["widths"], work["swept"] = max(len(widths), 1), len(widths) > 0
    work["shared_wires"][0, : len(widths)] = widths
    work["timed"], work["worded"] = Wanted.RUNTIME in wanted, Wanted.WORDS in wanted
    return buffer
