"""Records with named fields that hold the data of kernels: each is written once, as a class with typed fields.

A record is passed on as one pointer, where each array would be ten arguments. Type checkers see the class; compiled code sees the
dtype that `record` makes of it. Compiled code reads and writes fields by name, elements of an array by index, and fields of a
record within a record by both names: `w.machine.bits[0]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from math import lcm
from typing import Annotated, Any, Protocol, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.hardware import Buffer, Buffering, Hardware, Residency, Width, ratio
from mapsearch.model.layer import Layer
from mapsearch.model.sparsity import LANE_DIMS, Level, Pattern
from mapsearch.model.tensors import Dim, Tensor
from mapsearch.model.word_bits import PARTS, room_bits, units_of_a_bit, word_bits

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# What zeros leave of MACs is known to so many digits, and rounded up to whole cycles after this much of it is left out.
SHARE_ROUNDING = 1 - 1e-9

_WORDS: dict[Any, type[np.generic]] = {int: np.int64, float: np.float64, bool: np.bool_}


@cache
def record(fields: type) -> np.dtype[np.void]:
    """The dtype of records with the fields of a class: ints, floats, bools, arrays of numbers, other such classes.

    The shape of an array stands beside its type: `Annotated[Ints, 3, 8]`, or `Annotated[Sequence[Loop], 32]` of records.
    """
    return np.dtype([_field(name, hint) for name, hint in get_type_hints(fields, include_extras=True).items()], align=True)


def _field(name: str, hint: Any) -> tuple[Any, ...]:  # noqa: ANN401 a type
    if not hasattr(hint, "__metadata__"):
        return name, _WORDS[hint] if hint in _WORDS else record(hint)
    element = get_args(hint.__origin__)
    while len(element) == 1 and get_args(element[0]):  # a sequence of sequences
        element = get_args(element[0])
    return name, record(element[0]) if len(element) == 1 else get_args(element[1])[0], hint.__metadata__


class Rooms(Protocol):
    """A buffer as kernels see it: a pool, parts that belong to one tensor alone, or both."""

    bytes: Annotated[Ints, 3]  # of each room; 0 of those that are none
    of: Annotated[Ints, 3]  # the room of W, I, O; those that share the pool have one
    sizes: Annotated[Ints, 3]  # bytes of the room of W, I, O
    joint: Annotated[Ints, 3]  # of W and I, W and O, I and O: 1 where they have one room, else 0
    copies: Annotated[Ints, 3]  # of each word of W, I, O that moves; 0 where the tensor passes the buffer by
    apart: Annotated[Ints, 3]  # 1 where nothing else goes on while words of W, I, O come
    word_units: Annotated[Ints, 3]  # that room is set aside for, of a word of W, I, O; units as in `Machine`
    byte_shift: int  # 2 to this power are the units of a byte


class Zeros(Protocol):
    """The zeros of W and of I: how many MACs of a step they spare, see `count.zeros`."""

    skipped: Annotated[Ints, 2]  # 1 where those of W, I take no time
    along: Annotated[Ints, 2]  # the dim along which a pattern n:m repeats, or -1 where zeros are anywhere
    words: Annotated[Floats, 2]  # of all W, I; with a pattern of a group
    nonzeros: Annotated[Floats, 2]  # of these, on average
    lanes: Annotated[Ints, 2]  # see `Sparse`, or 0


class Machine(Protocol):
    """The machine as kernels see it, with the words of one layer.

    A link passes so many *units* a cycle, which are bits, or parts of bits where its width or the bits of a word are a fraction.
    Outputs have the bits of their format once, as they leave for good: as partial sums they have all of theirs.
    """

    simd: int
    run_dim: int  # see `Run`; -1 where the machine has none
    run_longest: int
    run_least: int
    noc_latency: int  # cycles
    own_wires: bool  # whether W, I and O have wires of their own
    wire_units: Annotated[Ints, 3]  # per cycle, of the wires that W, I, O have, shared or not
    word_units: Annotated[Ints, 3]  # of a word of W, I, O on those wires
    sum_units: int  # of a partial sum on those of O
    multicast: bool
    reduction: bool
    l1: Rooms
    l2: Rooms
    keeps: bool  # whether the L2 keeps tiles from one step of level 0 to the next
    tile_cycles: int  # see `Buffer`
    offchip_units: int  # per cycle
    offchip_word_units: Annotated[Ints, 3]  # of a word of W, I, O there
    offchip_sum_units: int  # of a partial sum
    offchip_latency: int  # cycles
    skips: bool  # whether a step may take longer or shorter than its MACs: zeros take no time, or words lie in lanes
    least_part: float  # of the MACs that takes time: of all PEs, the one with the most non-zeros has the layer's share at least
    zeros: Zeros


MACHINE = record(Machine)


@lru_cache(maxsize=256)  # needed for every batch
def machine_record(layer: Layer, hardware: Hardware) -> Any:  # noqa: ANN401 numpy's types know nothing of a record's fields
    """One MACHINE; shared, so not to be changed."""
    noc, l1, l2, offchip, run = hardware.noc, hardware.l1, hardware.l2, hardware.offchip, hardware.run
    stored, of_a_bit = word_bits(layer, hardware), units_of_a_bit(layer, hardware)
    found = np.zeros(1, MACHINE)[0]
    found["simd"] = hardware.simd
    found["run_dim"], found["run_longest"], found["run_least"] = (run.dim, run.longest, run.least) if run else (-1, 1, 1)
    found["noc_latency"] = noc.latency_cycles
    found["own_wires"] = noc.wires is not None
    for tensor, width in enumerate(noc.wires or (noc.bytes_per_cycle,) * 3):
        found["wire_units"][tensor], units = per_cycle(width, of_a_bit)
        found["word_units"][tensor] = stored[Level.NOC][tensor] * units // PARTS
        found["sum_units"] = hardware.bits[Tensor.OUTPUT] * units
    found["multicast"], found["reduction"] = noc.multicast, noc.reduction
    for buffer, level, rooms in ((l1, Level.L1, found["l1"]), (l2, Level.L2, found["l2"])):
        _write_rooms(buffer, rooms)
        rooms["word_units"] = np.array(room_bits(layer, hardware, level)) * of_a_bit // PARTS
        rooms["byte_shift"] = (8 * of_a_bit).bit_length() - 1
    found["keeps"], found["tile_cycles"] = l2.residency is Residency.BEST, l2.tile_cycles
    found["offchip_units"], units = per_cycle(offchip.bytes_per_cycle, of_a_bit)
    found["offchip_word_units"] = np.array(stored[Level.OFFCHIP]) * units // PARTS
    found["offchip_sum_units"] = hardware.bits[Tensor.OUTPUT] * units
    found["offchip_latency"] = offchip.latency_cycles
    _write_zeros(layer, hardware, found)
    return found


def per_cycle(width: Width, of_a_bit: int) -> tuple[int, int]:
    """How many units a link of so many bytes per cycle passes per cycle, and how many a bit has, at least `of_a_bit`."""
    bits = 8 * ratio(width)
    return bits.numerator * of_a_bit, bits.denominator * of_a_bit


def together_per_cycle(widths: Sequence[Width], of_a_bit: int) -> tuple[list[int], int]:
    """The same for links of several widths, on all of which a bit has as many units."""
    each = [per_cycle(width, of_a_bit) for width in widths]
    units = lcm(*(of_a_bit for _, of_a_bit in each))
    return [passed * units // of_a_bit for passed, of_a_bit in each], units


def _write_zeros(layer: Layer, hardware: Hardware, machine: Any) -> None:  # noqa: ANN401 as above
    """Write what of W and I takes no time."""
    zeros = machine["zeros"]
    machine["skips"], lanes = hardware.sparse.changes_time, hardware.sparse.lanes
    zeros["lanes"] = 0 if lanes is None or hardware.sparse.balanced else lanes
    for tensor in (Tensor.WEIGHT, Tensor.INPUT):
        sparsity = layer.sparsity[tensor]
        zeros["skipped"][tensor] = tensor in hardware.sparse.skip
        found = (-1, layer.words(tensor), float(layer.nonzeros(tensor)))
        if isinstance(sparsity, Pattern) and (lanes is None or sparsity.along in LANE_DIMS[tensor]):
            found = (sparsity.along, sparsity.group, float(sparsity.kept))
        if hardware.sparse.balanced:  # as with a pattern of groups of one word: a tile is a multiple of it along any dim
            found = (Dim.G, 1, layer.density[tensor])
        zeros["along"][tensor], zeros["words"][tensor], zeros["nonzeros"][tensor] = found
    shares = np.where(zeros["skipped"], layer.density[:2], 1.0)
    machine["least_part"] = shares.prod() * (SHARE_ROUNDING if machine["skips"] else 1.0)


def _write_rooms(buffer: Buffer, rooms: Any) -> None:  # noqa: ANN401 as above
    pool = next((tensor for tensor in Tensor if buffer.parts[tensor] is None), None)
    for tensor in Tensor:
        room = buffer.room(tensor)
        place = pool if pool is not None and buffer.parts[tensor] is None else tensor
        rooms["of"][tensor], rooms["bytes"][place] = place, room.bytes
        rooms["copies"][tensor] = 0 if buffer.bypass[tensor] else room.buffering.copies
        rooms["apart"][tensor] = room.buffering is Buffering.SINGLE and not buffer.bypass[tensor]
    rooms["sizes"], rooms["joint"] = rooms["bytes"][rooms["of"]], rooms["of"][[0, 0, 1]] == rooms["of"][[1, 2, 2]]


class Counts(Protocol):
    """The counts of one mapping: a field for each `Count`, in its order."""

    steps: int
    runtime_cycles: int
    array_cycles: int
    offchip_cycles: int
    fill_cycles: int
    issue_cycles: int
    l2_to_l1_w: int
    l2_to_l1_i: int
    l2_to_l1_o: int
    l1_fill_w: int
    l1_fill_i: int
    l1_fill_o: int
    psum_read: int
    output_write: int
    l2_add_read: int
    offchip_read_w: int
    offchip_read_i: int
    offchip_read_o: int
    offchip_write: int
    l1_need_bytes: int
    l2_need_bytes: int
    compute_bound_cycles: int
    ingress_bound_cycles: int
    egress_bound_cycles: int
    peak_noc_words: int
    peak_noc_cycles: int
    l1_need_w: int
    l1_need_i: int
    l1_need_o: int
    l2_need_w: int
    l2_need_i: int
    l2_need_o: int
    compute_cycles: int
    l2_depth_w: int
    l2_depth_i: int
    l2_depth_o: int
    balanced_cycles: int


COUNTED = record(Counts)
