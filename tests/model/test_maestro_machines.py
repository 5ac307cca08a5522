"""Machines that MAESTRO has not: the keys of a hardware file that its model and its files refuse."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from by_hand import MACHINE

from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Buffer, Buffering, Hardware, Noc, Offchip, Part, Residency, Run
from mapsearch.model.maestro.translate import machine_of
from mapsearch.model.tensors import Dim


@pytest.mark.parametrize(
    ("machine", "what"),
    [
        (replace(MACHINE, run=Run(Dim.X, 4, 2)), "array.run"),
        (replace(MACHINE, l1=Buffer(64, parts=(Part(8), None, None))), "parts of l1 for single tensors"),
        (replace(MACHINE, l2=Buffer(64, Buffering.STREAM)), "l2.buffering: stream"),
        (replace(MACHINE, l2=Buffer(64, bypass=(True, False, False))), "l2.tensors"),
        (replace(MACHINE, l2=Buffer(64, residency=Residency.NONE)), "l2.residency: none"),
        (replace(MACHINE, l2=Buffer(64, tile_cycles=1)), "l2.tile_cycles"),
        (replace(MACHINE, noc=Noc(18, wires=(8, 2, 8))), "wires for single tensors"),
        (replace(MACHINE, noc=Noc(2.5)), "fraction in noc.bytes_per_cycle"),
        (replace(MACHINE, offchip=Offchip(2.4, 0)), "fraction in offchip.bytes_per_cycle"),
    ],
)
def test_machines_that_the_program_has_not_are_refused(machine: Hardware, what: str) -> None:
    """One line names the machine and its key."""
    with pytest.raises(
        InputError, match=f"^hardware {re.escape(machine.name)}: MAESTRO has nothing like its {re.escape(what)}; use"
    ):
        machine_of(machine)
