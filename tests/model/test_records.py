"""Records: their dtypes follow from the classes of their fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Protocol

import numpy as np
from by_hand import MACHINE

from mapsearch.model.cost import Count
from mapsearch.model.hardware import Noc
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
    found = machine_record(replace(MACHINE, noc=Noc(32, 7, multicast=True, reduction=False)))
    assert (found["noc_bits"], found["noc_latency"], found["multicast"], found["reduction"]) == (256, 7, True, False)
    assert (found["l1_bytes"], found["l1_copies"], found["bits"].tolist()) == (512, 2, [8, 8, 16])
