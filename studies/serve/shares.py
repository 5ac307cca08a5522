"""Parts of a machine: the machine of a share of it, and the ways to share the parts out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, pairwise
from math import comb, floor

from mapsearch.model.errors import HardwareError, InputError
from mapsearch.model.hardware import Array, Buffer, Hardware, Width

MOST_COMPOSITIONS = 100_000


def machine_of_share(hardware: Hardware, share: int, parts: int) -> Hardware:
    """The machine of `share` of so many equal parts: its PEs, L2 and widths, rounded down; the rest is that of the whole.

    Of an array it has whole columns. Raises InputError where it would have nothing of one of them.
    """
    if share == parts:
        return hardware

    def of(value: int) -> int:
        return value * share // parts

    def width(value: Width) -> int:
        return floor(value * share / parts)

    noc, array = hardware.noc, hardware.array
    wires = noc.wires and (width(noc.wires[0]), width(noc.wires[1]), width(noc.wires[2]))
    if array is not None:
        array = Array(array.rows, of(array.columns))
    try:
        return replace(
            hardware,
            name=f"{hardware.name}, {share} of {parts} parts",
            pes=of(hardware.pes) if array is None else array.rows * array.columns,
            array=array,
            l2=_part_of(hardware.l2, share, parts),
            noc=replace(noc, wires=wires, bytes_per_cycle=width(noc.bytes_per_cycle) if wires is None else sum(wires)),
            offchip=replace(hardware.offchip, bytes_per_cycle=width(hardware.offchip.bytes_per_cycle)),
        )
    except HardwareError as error:
        raise InputError(f"{share} of {parts} parts of {hardware.name} are no machine: {error}") from None


def _part_of(buffer: Buffer, share: int, parts: int) -> Buffer:
    weight, inputs, output = (part and replace(part, bytes=part.bytes * share // parts) for part in buffer.parts)
    return replace(buffer, bytes=buffer.bytes * share // parts, parts=(weight, inputs, output))


def compositions(parts: int, tenants: int) -> Iterator[tuple[int, ...]]:
    """All ways to give each tenant at least one of the parts, all of which are given."""
    for cuts in combinations(range(1, parts), tenants - 1):
        edges = (0, *cuts, parts)
        yield tuple(end - start for start, end in pairwise(edges))


def check_compositions(parts: int, tenants: int) -> None:
    """Raise InputError where there are none, or too many to try each."""
    if parts < tenants:
        raise InputError(f"partition: parts must be at least {tenants}, one for each tenant, got {parts}")
    number = comb(parts - 1, tenants - 1)
    if number > MOST_COMPOSITIONS:
        raise InputError(
            f"partition: {parts} parts for {tenants} tenants can be shared out in {number:,} ways, of which at most "
            f"{MOST_COMPOSITIONS:,} are tried; take fewer parts"
        )
