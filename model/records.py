"""Records with named fields that hold the data of kernels: each is written once, as a class with typed fields.

A record is passed on as one pointer, where each array would be ten arguments. Type checkers see the class; compiled code sees the
dtype that `record` makes of it. Compiled code reads and writes fields by name, elements of an array by index, and fields of a
record within a record by both names: `w.machine.bits[0]`.
"""

from __future__ import annotations

from typing import Annotated, Any, Protocol, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.hardware import Hardware

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_WORDS: dict[Any, type[np.generic]] = {int: np.int64, float: np.float64, bool: np.bool_}


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


class Machine(Protocol):
    """The machine as kernels see it."""

    simd: int
    bits: Annotated[Ints, 3]  # of a word of W, I, O
    noc_bits: int  # per cycle
    noc_latency: int  # cycles
    multicast: bool
    reduction: bool
    l1_bytes: int
    l1_copies: int  # of each word: 2 where double-buffered, else 1
    l2_bytes: int
    l2_copies: int
    offchip_bits: int  # per cycle
    offchip_latency: int  # cycles


MACHINE = record(Machine)


def machine_record(hardware: Hardware) -> Any:  # noqa: ANN401 numpy's types know nothing of a record's fields
    """One MACHINE."""
    noc, l1, l2, offchip = hardware.noc, hardware.l1, hardware.l2, hardware.offchip
    found = np.zeros(1, MACHINE)[0]
    found["simd"], found["bits"] = hardware.simd, hardware.bits
    found["noc_bits"], found["noc_latency"] = int(noc.bytes_per_cycle * 8), noc.latency_cycles
    found["multicast"], found["reduction"] = noc.multicast, noc.reduction
    found["l1_bytes"], found["l1_copies"] = l1.bytes, l1.buffering.copies
    found["l2_bytes"], found["l2_copies"] = l2.bytes, l2.buffering.copies
    found["offchip_bits"], found["offchip_latency"] = int(offchip.bytes_per_cycle * 8), offchip.latency_cycles
    return found


class Counts(Protocol):
    """The counts of one mapping: a field for each `Count`, in its order."""

    steps: int
    runtime_cycles: int
    array_cycles: int
    offchip_cycles: int
    fill_cycles: int
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


COUNTED = record(Counts)
