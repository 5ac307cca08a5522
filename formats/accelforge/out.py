"""A layer as AccelForge takes it, in one file: workload, machine and mapping."""

from __future__ import annotations

from collections.abc import Iterator

from mapsearch.formats.accelforge.conventions import CONVENTIONS
from mapsearch.formats.accelforge.nodes import TENSORS, VARIABLES, mapping_nodes, memory
from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.nest.counts import Case, head_lines, whole_factors
from mapsearch.formats.nest.files import layer_files
from mapsearch.formats.registry import Files
from mapsearch.model.energy import mac_scale
from mapsearch.model.hardware import Buffer, Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.technology import BufferTechnology
from mapsearch.model.tensors import Dim, Tensor

TOOL = "AccelForge"
# A Python program that prints the actions, by component, tensor and kind, and the cycles, that AccelForge counts in a file.
PROGRAM = (
    "import accelforge, json, sys; r = accelforge.model.main.evaluate_mapping(accelforge.Spec.from_yaml(sys.argv[1])); "
    "a = r.actions(per_component=True, per_tensor=True); "
    "print(json.dumps({'cycles': float(r.latency()), **{'|'.join(map(str, k)): float(v) for k, v in a.items()}}))"
)


def write_network(network: Network, hardware: Hardware) -> Files:
    """See `Exporter`."""
    return layer_files(network, ".yaml", lambda mapped: write_case(case_of(mapped, hardware)))


def write_hardware(hardware: Hardware) -> Files:  # noqa: ARG001 a layer's file has all that it needs of the machine
    """See `Exporter`."""
    return {}


def case_of(mapped: MappedLayer, hardware: Hardware) -> Case:
    """The mapping as AccelForge takes it; MappingError where it cannot express it."""
    return whole_factors(mapped, hardware, TOOL)


def write_case(case: Case) -> str:
    """The file of one layer."""
    sections = (
        ("workload:", _workload(case.nest.mapped.layer, case.hardware)),
        ("arch:\n  nodes:", _arch(case)),
        ("mapping:\n  nodes:", (f"  - {node}" for node in mapping_nodes(case.nest, case.hardware, case.depths))),
    )
    head = head_lines(case, TOOL, CONVENTIONS, f'python -c "{PROGRAM}" FILE')
    lines = [*(f"# {text}".rstrip() for text in head), *(line for name, body in sections for line in (name, *body))]
    return "\n".join([*lines, ""])


def _workload(layer: Layer, hardware: Hardware) -> Iterator[str]:
    yield "  iteration_space_shape:"
    yield from (f"    {VARIABLES[dim]}: 0 <= {VARIABLES[dim]} < {layer.extents[dim]}" for dim in Dim)
    widths = (f"{name}: {bits}" for name, bits in zip(TENSORS, hardware.bits, strict=True))
    yield f"  bits_per_value: {{{', '.join(widths)}}}"
    yield "  einsums:"
    yield "  - name: layer"
    yield "    tensor_accesses:"
    yield "    - {name: Weights, projection: [g, k, c, r, s]}"
    y, x = (
        f"{stride}*{output} + {dilation}*{tap}"
        for output, tap, stride, dilation in zip("pq", "rs", layer.stride, layer.dilation, strict=True)
    )
    yield f"    - {{name: Inputs, projection: {{N: n, G: g, C: c, Y: {y}, X: {x}}}}}"
    yield "    - {name: Outputs, projection: [n, g, k, p, q], output: True}"
    yield "    renames: {weight: Weights, input: Inputs, output: Outputs}"


def _arch(case: Case) -> Iterator[str]:
    hardware, technology = case.hardware, case.hardware.technology
    yield from _memory("DRAM", "inf", "{keep: All}", technology.offchip_pj_per_bit, technology.offchip_pj_per_bit)
    yield from _rooms("L2", hardware.l2, technology.l2)
    for cut in case.nest.spatial:
        yield from ("  - !Container", f"    name: Level{cut.level}", f"    spatial: [{{name: units, fanout: {cut.units}}}]")
    yield from _rooms("L1", hardware.l1, technology.l1)
    yield from ("  - !Compute", "    name: MAC", "    leak_power: 0", "    area: 0")
    yield f"    actions: [{{name: compute, energy: {technology.mac_pj * mac_scale(hardware)}, throughput: 1}}]"


def _rooms(level: str, buffer: Buffer, technology: BufferTechnology) -> Iterator[str]:
    """A memory for the pool of a buffer, and for each part of one tensor alone; energies are those of one bit."""
    rooms = {memory(level, buffer, tensor): (tensor, buffer.room(tensor).bytes) for tensor in Tensor}
    for name, (tensor, size) in rooms.items():
        kept = "{may_keep: All}" if name == level else f"{{may_keep: {TENSORS[tensor]}}}"
        prices = (law.at(size) / technology.access_bits for law in (technology.read_pj, technology.write_pj))
        yield from _memory(name, str(8 * size), kept, *prices)


def _memory(name: str, bits: str, kept: str, read_pj: float, write_pj: float) -> Iterator[str]:
    yield from ("  - !Memory", f"    name: {name}", f"    size: {bits}", "    leak_power: 0", "    area: 0", f"    tensors: {kept}")
    yield "    actions:"
    for action, pj in (("read", read_pj), ("write", write_pj)):
        yield f"    - {{name: {action}, energy: {pj}, throughput: inf, bits_per_action: 1}}"
