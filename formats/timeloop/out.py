"""Mappings as Timeloop's model evaluates them: a file for each layer with its problem, an architecture and the mapping.

The machine has no file of its own, since the storage levels of an architecture depend on the mapping.
"""

from __future__ import annotations

from math import inf

import yaml

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.nest.buffers import l2_depths
from mapsearch.formats.nest.counts import Case, head_lines, our_counts
from mapsearch.formats.nest.files import layer_files
from mapsearch.formats.nest.loop_nest import Imperfection, loop_nest
from mapsearch.formats.registry import Files
from mapsearch.formats.timeloop.conventions import comparable, conventions_of, has_edges
from mapsearch.formats.timeloop.document import document
from mapsearch.model.hardware import Hardware, Residency

# Switches of Timeloop's, each set to 1: L1s that pass words on to each other are no part of our machines.
SWITCHES = ("TIMELOOP_DISABLE_LINK_TRANSFERS",)
# It extrapolates from a few steps and PEs, which is much faster, but wrong after edge chunks and for some sliding windows.
EXACT_SWITCHES = (
    *SWITCHES,
    "TIMELOOP_DISABLE_SPATIAL_EXTRAPOLATION",
    "TIMELOOP_DISABLE_TEMPORAL_EXTRAPOLATION",
    "TIMELOOP_RUN_LAST_ITERATION",
)


TOOL = "Timeloop"


def write_network(network: Network, hardware: Hardware) -> Files:
    """See `Exporter`."""
    return layer_files(network, ".yaml", lambda mapped: write_case(case_of(mapped, hardware)))


def write_hardware(hardware: Hardware) -> Files:  # noqa: ARG001 each layer's file has the machine
    """See `Exporter`."""
    return {}


def case_of(mapped: MappedLayer, hardware: Hardware) -> Case:
    """The mapping as Timeloop takes it; MappingError with the reason, and file and line where known, where it cannot express it."""
    nest = loop_nest(mapped, hardware.shape)
    nest.check(TOOL, Imperfection.INNER_EDGE, Imperfection.IDLE)
    if not mapped.layer.is_dense:
        raise mapped.refusal(f"{TOOL}'s files are written for dense layers; give no Density or Pattern")
    if any(hardware.l2.bypass) or hardware.l2.residency is not Residency.BEST:
        raise mapped.refusal(f"{TOOL}'s files are written for an L2 that keeps tiles of all tensors; let none pass it by")
    return Case(nest, hardware, l2_depths(nest, hardware), comparable(nest, our_counts(nest, hardware)))


def switches_of(case: Case) -> tuple[str, ...]:
    """The switches that a layer's counts need."""
    return EXACT_SWITCHES if has_edges(case.nest) else SWITCHES


def write_case(case: Case) -> str:
    """The file of one layer."""
    command = " ".join([*(f"{switch}=1" for switch in switches_of(case)), "timeloop-model FILE"])
    head = (
        *head_lines(case, TOOL, conventions_of(case), command),
        "",
        "The L2 is a level for each depth at which it keeps tiles. Boxes may need more entries than the machine has.",
        "Energies are in fJ, since that of a MAC must be whole.",
    )
    keys = document(case.nest, case.hardware, case.depths)
    body = yaml.safe_dump(keys, sort_keys=False, allow_unicode=True, default_flow_style=None, width=inf)
    return "".join(f"# {line}".rstrip() + "\n" for line in head) + body
