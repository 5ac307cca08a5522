"""The files with which ZigZag's and AccelForge's mappers search for the mapping of a layer, and the programs that start them.

Machines have as many rows of PEs as columns, and one pool in each buffer. Programs print the tool's version and its EDP last.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt
from typing import Any

import yaml

from mapsearch.formats.accelforge.nodes import TENSORS, VARIABLES
from mapsearch.formats.zigzag.out import workload
from mapsearch.model.hardware import Buffer, Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.technology import BufferTechnology
from mapsearch.model.tensors import TOUCHES, WINDOWS, Dim, Tensor

_ZIGZAG = """\
import importlib.metadata, logging
import zigzag.api
logging.disable(logging.CRITICAL)
energy, latency, _ = zigzag.api.get_hardware_performance_zigzag(
    "workload.yaml", "hardware.yaml", "mapping.yaml", opt="EDP", temporal_mapping_type="even", lpf_limit=6,
    dump_folder="out", loma_show_progress_bar=False,
)
print(importlib.metadata.version("zigzag-dse"), float(energy) * float(latency))
"""
_ACCELFORGE = """\
import importlib.metadata, resource
resource.setrlimit(resource.RLIMIT_CPU, ({limit:.0f}, {limit:.0f}))
import accelforge
from accelforge.mapper.FFM.main import map_workload_to_arch
from accelforge.util.parallel import set_n_parallel_jobs
set_n_parallel_jobs(1)
spec = accelforge.Spec.from_yaml("layer.yaml")
spec.mapper.metrics = accelforge.Metrics.ENERGY_DELAY_PRODUCT
found = map_workload_to_arch(spec, print_progress=False, eval_in_detail=False)  # the details need a program that draws
with open("found.yaml", "w") as out:
    print(open("layer.yaml").read().partition("arch:")[0] + "mapping:", file=out)
    print("  nodes:", file=out)
    for node in found.mapping().nodes:
        if isinstance(node, accelforge.mapping.Loop):
            units = ", component: Array" if isinstance(node, accelforge.mapping.Spatial) else ""
            print(f"  - {{{{rank_variable: {{node.rank_variable}}, tile_shape: {{int(node.tile_shape)}}{{units}}}}}}", file=out)
        elif isinstance(node, accelforge.mapping.Storage):
            print(f"  - {{{{component: {{node.component}}, tensors: [{{', '.join(node.tensors)}}]}}}}", file=out)
print(importlib.metadata.version("accelforge"), float(found.data.iloc[0]["Total<SEP>energy_delay_product"]))
"""
# Bits that the ports of a memory move in a cycle, so many that they are never the limit; ZigZag counts accesses of so many bits.
_WIDE = {"l1": 2**10, "l2": 2**16}


def _usable(buffer: Buffer) -> int:
    """Bits of a buffer that tiles may take."""
    return 8 * buffer.bytes // buffer.buffering.copies


def zigzag_files(layer: Layer, hardware: Hardware) -> dict[str, str]:
    """The files by name, with zigzag_mapper.py, which writes out/layer_complete.json."""
    links = [{"name": "default", "memory_operand_links": {"O": "O", "W": "I2", "I": "I1"}}]
    data = {"workload": workload(layer, hardware), "hardware": _zigzag_machine(hardware), "mapping": links}
    return {f"{name}.yaml": yaml.safe_dump(each, sort_keys=False) for name, each in data.items()} | {"zigzag_mapper.py": _ZIGZAG}


def _zigzag_machine(hardware: Hardware) -> dict[str, Any]:
    side, array = isqrt(hardware.pes), ["D1", "D2"]
    technology, offchip_bits = hardware.technology, 8 * int(hardware.offchip.bytes_per_cycle)

    def memory(bits: int, pj_per_bit: float, served: list[str], width: int) -> dict[str, Any]:
        ways = [f"{name}, {way}" for name, its in (("I1", "fh tl"), ("I2", "fh tl"), ("O", "fh tl fl th")) for way in its.split()]
        port = {"name": "rw_port_1", "type": "read_write", "bandwidth_min": 8, "bandwidth_max": width, "allocation": ways}
        cost = pj_per_bit * width
        rest = {"area": 0, "latency": 1, "operands": ["I1", "I2", "O"], "ports": [port], "served_dimensions": [*served]}
        return {"size": bits, "r_cost": cost, "w_cost": cost, **rest}

    memories = {
        "l1": memory(_usable(hardware.l1), _pj_per_bit(hardware.l1, technology.l1), [], _WIDE["l1"]),
        "l2": memory(_usable(hardware.l2), _pj_per_bit(hardware.l2, technology.l2), array, _WIDE["l2"]),
        "dram": memory(2**50, technology.offchip_pj_per_bit, array, offchip_bits),
    }
    units = {"unit_energy": technology.mac_pj, "unit_area": 0, "dimensions": array, "sizes": [side, side]}
    return {"name": hardware.name, "memories": memories, "operational_array": units}


def _pj_per_bit(buffer: Buffer, technology: BufferTechnology) -> float:
    return technology.read_pj.at(buffer.bytes) / technology.access_bits


def accelforge_files(layer: Layer, hardware: Hardware, limit: float) -> dict[str, str]:
    """The files by name, with accelforge_mapper.py, which writes found.yaml; limit: its CPU seconds."""
    technology, side = hardware.technology, isqrt(hardware.pes)
    l1, l2 = _pj_per_bit(hardware.l1, technology.l1), _pj_per_bit(hardware.l2, technology.l2)
    lines = [
        *_accelforge_workload(layer, hardware),
        "arch:\n  nodes:",
        *_accelforge_memory("DRAM", "inf", technology.offchip_pj_per_bit, str(8 * hardware.offchip.bytes_per_cycle)),
        *_accelforge_memory("L2", str(_usable(hardware.l2)), l2, "inf"),
        f"  - !Container {{name: Array, spatial: [{{name: Y, fanout: {side}}}, {{name: X, fanout: {side}}}]}}",
        *_accelforge_memory("L1", str(_usable(hardware.l1)), l1, "inf"),
        "  - !Compute {name: MAC, leak_power: 0, area: 0, actions: [",
        f"      {{name: compute, energy: {technology.mac_pj}, throughput: 1}}]}}",
    ]
    return {"layer.yaml": "\n".join([*lines, ""]), "accelforge_mapper.py": _ACCELFORGE.format(limit=limit)}


def _accelforge_memory(name: str, bits: str, pj: float, bits_per_cycle: str) -> Iterator[str]:
    yield f"  - !Memory {{name: {name}, size: {bits}, leak_power: 0, area: 0, tensors: {{keep: All}}, actions: ["
    yield from (
        f"      {{name: {way}, energy: {pj}, throughput: {bits_per_cycle}, bits_per_action: 1}}," for way in ("read", "write")
    )
    yield "    ]}"


def _accelforge_workload(layer: Layer, hardware: Hardware) -> Iterator[str]:
    """The einsum over the dims of several indices: others only make the search longer."""
    dims = [dim for dim in Dim if layer.extents[dim] > 1]
    yield "workload:\n  iteration_space_shape:"
    yield from (f"    {VARIABLES[dim]}: 0 <= {VARIABLES[dim]} < {layer.extents[dim]}" for dim in dims)
    yield f"  bits_per_value: {{{', '.join(f'{name}: {bits}' for name, bits in zip(TENSORS, hardware.bits, strict=True))}}}"
    yield "  einsums:\n  - name: layer\n    tensor_accesses:"
    for tensor, name in zip(Tensor, TENSORS, strict=True):
        output = ", output: True" if tensor is Tensor.OUTPUT else ""
        yield f"    - {{name: {name}, projection: {{{', '.join(_ranks(layer, tensor, dims))}}}{output}}}"


def _ranks(layer: Layer, tensor: Tensor, dims: list[Dim]) -> Iterator[str]:
    windows = {
        output: (tap, stride, dilation)
        for (output, tap), stride, dilation in zip(WINDOWS, layer.stride, layer.dilation, strict=True)
    }
    taps = [tap for tap, _, _ in windows.values()]
    for dim in dims:
        rank = VARIABLES[dim]
        if tensor is Tensor.INPUT and dim in windows:
            tap, stride, dilation = windows[dim]
            window = f" + {dilation}*{VARIABLES[tap]}" if tap in dims else ""
            yield f"{rank.upper()}: {stride}*{rank}{window}"
        elif TOUCHES[tensor, dim] and not (tensor is Tensor.INPUT and dim in taps):
            yield f"{rank.upper()}: {rank}"
