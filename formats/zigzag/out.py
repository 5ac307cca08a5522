"""A layer as ZigZag takes it, in three files: workload, hardware and mapping.

ZigZag puts the loops into memories by itself, from the innermost on, as many as fit. So each tensor has memories of its own, whose
sizes are just those of its tile in an L1 and in the L2: then each loop is where it is in ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from math import inf
from typing import Any

import yaml

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.nest.counts import Case, head_lines, whole_factors
from mapsearch.formats.nest.files import layer_files
from mapsearch.formats.registry import Files
from mapsearch.formats.zigzag.conventions import CONVENTIONS, OPERANDS, tile_words
from mapsearch.model.energy import mac_scale
from mapsearch.model.hardware import Buffer, Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.technology import BufferTechnology
from mapsearch.model.tensors import Dim, Tensor

TOOL = "ZigZag"
PARTS = ("workload", "hardware", "mapping")
# A Python program that has ZigZag count what the files of these parts say, and the file that has its counts then.
PROGRAM = "import sys, zigzag.api; zigzag.api.get_hardware_performance_zigzag(*sys.argv[1:], dump_folder='out')"
RESULT = "out/layer_complete.json"
_DIMS = dict(zip(Dim, ("G", "B", "K", "C", "FY", "FX", "OY", "OX"), strict=True))
_MEMORIES = ("I2", "I1", "O")  # the names that memories have for W, I and O
_LARGEST = 2**62  # bits of a memory without a limit


def write_network(network: Network, hardware: Hardware) -> Files:
    """See `Exporter`."""
    files: Files = {}
    for part in PARTS:
        files |= layer_files(network, f"_{part}.yaml", partial(_text, hardware=hardware, part=part))
    return files


def write_hardware(hardware: Hardware) -> Files:  # noqa: ARG001 the memories of a layer's file are made for its mapping
    """See `Exporter`."""
    return {}


def case_of(mapped: MappedLayer, hardware: Hardware) -> Case:
    """The mapping as ZigZag takes it; MappingError where it cannot express it."""
    return whole_factors(mapped, hardware, TOOL)


def write_case(case: Case) -> dict[str, str]:
    """The files of one layer, by their parts."""
    command = f'python -c "{PROGRAM}" {" ".join(f"LAYER_{part}.yaml" for part in PARTS)}'
    head = "".join(f"# {line}".rstrip() + "\n" for line in head_lines(case, TOOL, CONVENTIONS, command))
    bodies = (workload(case.nest.mapped.layer, case.hardware), _hardware(case), _mapping(case))
    return {part: head + _dump(body) for part, body in zip(PARTS, bodies, strict=True)}


def _text(mapped: MappedLayer, hardware: Hardware, part: str) -> str:
    return write_case(case_of(mapped, hardware))[part]


def _dump(data: object) -> str:
    return yaml.safe_dump(data, sort_keys=False, default_flow_style=None, width=inf)


def workload(layer: Layer, hardware: Hardware) -> list[dict[str, Any]]:
    """The layer as ZigZag's workload of one einsum over the eight dims."""
    widths = dict(zip(OPERANDS, hardware.bits, strict=True))
    (stride_y, stride_x), (dilation_y, dilation_x) = layer.stride, layer.dilation
    return [
        {
            "id": 0,
            "name": "layer",
            "operator_type": "Conv",
            "equation": "O[g][b][k][oy][ox]+=W[g][k][c][fy][fx]*I[g][b][c][iy][ix]",
            "dimension_relations": [f"ix={stride_x}*ox+{dilation_x}*fx", f"iy={stride_y}*oy+{dilation_y}*fy"],
            "loop_dims": list(_DIMS.values()),
            "loop_sizes": list(layer.extents),
            "operand_precision": {**widths, "O_final": widths["O"]},
            "operand_source": {"I": 0, "W": 0},
        }
    ]


def _hardware(case: Case) -> dict[str, Any]:
    nest, hardware, technology = case.nest, case.hardware, case.hardware.technology
    units = {f"D{number}": cut.units for number, cut in enumerate(nest.spatial, start=1)} or {"D1": 1}
    footprints = [nest.footprint(depth) for depth in case.depths]
    layer = nest.mapped.layer
    l1, l2 = (
        [tile_words(layer, tensor, tile) for tensor, tile in zip(Tensor, tiles, strict=True)]
        for tiles in ([nest.tile] * 3, footprints)
    )
    memories = {
        **_level("l1", l1, hardware, (hardware.l1, technology.l1), []),
        **_level("l2", l2, hardware, (hardware.l2, technology.l2), list(units)),
        **_level("dram", [_LARGEST // 64] * 3, hardware, None, list(units)),
    }
    array = {
        "unit_energy": technology.mac_pj * mac_scale(hardware),
        "unit_area": 0,
        "dimensions": list(units),
        "sizes": list(units.values()),
    }
    return {"name": "machine", "memories": memories, "operational_array": array}


def _level(
    name: str, words: Sequence[int], hardware: Hardware, buffer: tuple[Buffer, BufferTechnology] | None, served: list[str]
) -> dict[str, dict[str, Any]]:
    """A memory for each tensor; buffer: None off-chip."""
    memories: dict[str, dict[str, Any]] = {}
    for tensor in Tensor:
        bits = hardware.bits[tensor]
        read, write = (hardware.technology.offchip_pj_per_bit,) * 2 if buffer is None else _pj_per_bit(*buffer, tensor)
        memories[f"{name}_{OPERANDS[tensor]}"] = {
            "size": words[tensor] * bits,
            "r_cost": read * bits,
            "w_cost": write * bits,
            "area": 0,
            "latency": 1,
            "operands": [_MEMORIES[tensor]],
            "ports": [*_ports(tensor, bits)],
            "served_dimensions": [*served],
        }
    return memories


def _pj_per_bit(buffer: Buffer, technology: BufferTechnology, tensor: Tensor) -> tuple[float, float]:
    size = buffer.room(tensor).bytes
    return technology.read_pj.at(size) / technology.access_bits, technology.write_pj.at(size) / technology.access_bits


def _ports(tensor: Tensor, bits: int) -> Iterator[dict[str, Any]]:
    """Ports as wide as a word, so that accesses are words."""
    directions = {"r": ("tl", "th"), "w": ("fh", "fl")} if tensor is Tensor.OUTPUT else {"r": ("tl",), "w": ("fh",)}
    for letter, kind in (("r", "read"), ("w", "write")):
        allocation = [f"{_MEMORIES[tensor]}, {direction}" for direction in directions[letter]]
        yield {"name": f"{letter}_port_1", "type": kind, "bandwidth_min": bits, "bandwidth_max": bits, "allocation": allocation}


def _mapping(case: Case) -> list[dict[str, Any]]:
    nest = case.nest
    spatial = {f"D{number}": [f"{_DIMS[cut.dim]}, {cut.units}"] for number, cut in enumerate(nest.spatial, start=1)}
    tile = [[_DIMS[dim], nest.tile[dim]] for dim in reversed(Dim) if nest.tile[dim] > 1]
    loops = [[_DIMS[cut.dim], cut.trips] for cut in reversed(nest.cuts) if cut.loops]
    return [
        {
            "name": "default",
            "spatial_mapping": spatial or {"D1": ["K, 1"]},
            "temporal_ordering": [*tile, *loops],  # innermost first
            "memory_operand_links": dict(zip(OPERANDS, _MEMORIES, strict=True)),
        }
    ]
