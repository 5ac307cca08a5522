"""A machine of Eyeriss' size whose buffers are pools and whose network is one bus, with energies that are whole numbers a word."""

from __future__ import annotations

from dataclasses import replace

from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.hardware import Buffer, Noc, Offchip

POOLED = replace(
    load_hardware({"technology": "eyeriss_65nm"}),
    name="pooled",
    pes=168,
    clock_mhz=200.0,
    bits=(16, 16, 16),
    l1=Buffer(512),
    l2=Buffer(110592),
    noc=Noc(18),
    offchip=Offchip(2, 100),
)
