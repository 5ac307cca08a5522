"""Mappings as Timeloop's model evaluates them: a file for each layer with its problem, an architecture and the mapping.

The machine has no file of its own, since the storage levels of an architecture depend on the mapping.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

import yaml

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.nest.buffers import l2_depths
from mapsearch.formats.nest.files import directive_lines, layer_files, title
from mapsearch.formats.nest.loop_nest import Imperfection, LoopNest, loop_nest
from mapsearch.formats.registry import Files
from mapsearch.formats.timeloop.conventions import expected_words
from mapsearch.formats.timeloop.document import document
from mapsearch.formats.timeloop.names import SPACES
from mapsearch.model.hardware import Hardware, Residency
from mapsearch.model.tensors import Tensor

# Switches of Timeloop's, each set to 1: L1s that pass words on to each other are no part of our machines.
SWITCHES = ("TIMELOOP_DISABLE_LINK_TRANSFERS",)
# It extrapolates from a few steps and PEs, which is much faster, but wrong after edge chunks and for some sliding windows.
EXACT_SWITCHES = (
    *SWITCHES,
    "TIMELOOP_DISABLE_SPATIAL_EXTRAPOLATION",
    "TIMELOOP_DISABLE_TEMPORAL_EXTRAPOLATION",
    "TIMELOOP_RUN_LAST_ITERATION",
)


@dataclass(frozen=True, slots=True)
class Exported:
    """A layer for Timeloop.

    depths: those of the L2's tiles of W, I and O. keys: of its file. switches: of the environment, that its counts need.
    """

    nest: LoopNest
    depths: list[int]
    keys: dict[str, Any]
    switches: tuple[str, ...]

    def levels(self, tensor: Tensor) -> list[str]:
        """The storage levels that keep a tensor, innermost first: one in the L1s, one in the L2, and DRAM."""
        rows = (row for row in self.keys["mapping"] if row["type"] == "datatype")
        return [row["target"] for row in rows if SPACES[tensor] in row["keep"]]


def write_network(network: Network, hardware: Hardware) -> Files:
    """See `Exporter`."""
    return layer_files(network, ".yaml", lambda mapped: text_of(export(mapped, hardware), hardware))


def write_hardware(hardware: Hardware) -> Files:  # noqa: ARG001 each layer's file has the machine
    """See `Exporter`."""
    return {}


def export(mapped: MappedLayer, hardware: Hardware) -> Exported:
    """A layer for Timeloop; MappingError with the reason, and file and line where known, where it cannot express the mapping."""
    nest = loop_nest(mapped, hardware.shape)
    nest.check("Timeloop", Imperfection.INNER_EDGE, Imperfection.IDLE)
    if mapped.layer.density != (1.0, 1.0, 1.0):
        raise mapped.refusal("Timeloop counts dense layers alone; give no Density")
    if any(hardware.l2.bypass) or hardware.l2.residency is not Residency.BEST:
        raise mapped.refusal("Timeloop's files are written for an L2 that keeps tiles of all tensors; let none pass it by")
    depths = l2_depths(nest, hardware)
    edges = any(kind is Imperfection.EDGE for kind, _ in nest.imperfections())
    return Exported(nest, depths, document(nest, hardware, depths), EXACT_SWITCHES if edges else SWITCHES)


def text_of(layer: Exported, hardware: Hardware) -> str:
    """The file, with a head that says what it is, how to run it, and what Timeloop counts in its own way."""
    head = "".join(f"# {line}".rstrip() + "\n" for line in _head(layer, hardware))
    return head + yaml.safe_dump(layer.keys, sort_keys=False, allow_unicode=True, default_flow_style=None, width=inf)


def _head(layer: Exported, hardware: Hardware) -> Iterator[str]:
    yield title(layer.nest.mapped, hardware)
    yield f"Run: {' '.join(f'{switch}=1' for switch in layer.switches)} timeloop-model FILE"
    yield ""
    yield from directive_lines(layer.nest.mapped, hardware)
    yield ""
    yield "Storage has a level L2 for each depth at which a tile stays in the L2. Energies are in fJ: that of a MAC must be whole."
    found = expected_words(layer.nest, hardware, layer.depths[Tensor.INPUT])
    for reason in dict.fromkeys(because for _, because in found.values() if because):
        yield f"Of the input's words it counts more or fewer than mapsearch: {reason}."
