"""Records: their dtypes follow from the classes of their fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Protocol

import numpy as np
from by_hand import MACHINE, layer_of

from mapsearch.model.cost import Count
from mapsearch.model.hardware import Buffer, Buffering, Noc, Offchip, Part
from mapsearch.model.records import COUNTED, Floats, Ints, machine_record, record


class Point(Protocol):
    """A record within others."""

    x: float
    near: bool


class Shape(Protocol):
    """A record of each kind of field."""

    corners: int
    first: Point
    points: Annotated[Sequence[Point], 3]
    sides: Annotated[Ints, 2, 4]
    weights: Annotated[Floats, 5]


def test_a_record_has_the_fields_of_its_class() -> None:
    """Each kind of field has its type and shape, in the order of the class."""
    point = np.dtype([("x", np.float64), ("near", np.bool_)], align=True)
    fields = [
        ("corners", np.int64),
        ("first", point),
        ("points", point, (3,)),
        ("sides", np.int64, (2, 4)),
        ("weights", np.float64, (5,)),
    ]
    assert record(Shape) == np.dtype(fields, align=True)


def test_a_count_has_one_name() -> None:
    """The fields that the kernels write are the columns that all others read, without gaps."""
    assert COUNTED.names == tuple(count.name.lower() for count in Count)
    assert COUNTED.itemsize == 8 * len(Count)


def test_the_machine_is_in_bits_and_copies() -> None:
    """Widths are in bits per cycle, and a double-buffered word takes two places."""
    found = machine_record(layer_of(K=2), replace(MACHINE, noc=Noc(32, 7, multicast=True, reduction=False)))
    assert (found["wire_units"].tolist(), found["noc_latency"], found["multicast"], found["reduction"]) == (
        [256] * 3,
        7,
        True,
        False,
    )
    assert (found["l1"]["sizes"].tolist(), found["l1"]["copies"].tolist(), found["l1"]["word_units"].tolist()) == (
        [512] * 3,
        [2] * 3,
        [8, 8, 16],
    )


def test_the_rooms_of_a_buffer() -> None:
    """Tensors that share the pool have one room, a tensor's own part is another; copies and waiting follow each tensor's room."""
    weights = Part(448, Buffering.SINGLE)
    found = machine_record(layer_of(K=2), replace(MACHINE, l1=Buffer(512, Buffering.STREAM, (weights, None, None))))["l1"]
    assert found["of"].tolist() == [0, 1, 1]
    assert (found["bytes"].tolist(), found["sizes"].tolist(), found["joint"].tolist()) == (
        [448, 512, 0],
        [448, 512, 512],
        [0, 0, 1],
    )
    assert (found["copies"].tolist(), found["apart"].tolist()) == ([1, 1, 1], [1, 0, 0])


def test_what_passes_the_l2_by_takes_no_room() -> None:
    """It has no copies there, and nobody waits for it."""
    found = machine_record(layer_of(K=2), replace(MACHINE, l2=Buffer(512, Buffering.SINGLE, bypass=(True, False, False))))["l2"]
    assert (found["copies"].tolist(), found["apart"].tolist()) == ([0, 1, 1], [0, 1, 1])


def test_a_fraction_of_a_byte_is_whole_units() -> None:
    """2.4 bytes a cycle are 96 units of a fifth of a bit; wires of a tensor's own have units of their own."""
    found = machine_record(layer_of(K=2), replace(MACHINE, offchip=Offchip(2.4, 0), noc=Noc(26, wires=(8, 2, 0.5))))
    assert (found["offchip_units"], found["offchip_word_units"].tolist()) == (96, [40, 40, 80])
    assert found["own_wires"]
    assert (found["wire_units"].tolist(), found["word_units"].tolist()) == ([64, 16, 4], [8, 8, 16])
