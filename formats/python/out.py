"""A layer's nest as a Python file that needs NumPy alone."""

from __future__ import annotations

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.nest.buffers import Shape
from mapsearch.formats.nest.files import body_lines, directive_lines, layer_constants, title, write_layers
from mapsearch.formats.nest.loops import Call, Loop, Nest, Note, Statement
from mapsearch.formats.python.text import AFTER, BEFORE, HEAD
from mapsearch.formats.registry import Files
from mapsearch.model.hardware import Hardware
from mapsearch.model.tensors import Tensor


def write_network(network: Network, hardware: Hardware) -> Files:
    """See `Exporter`."""
    return write_layers(network, hardware, ".py", _file)


def write_hardware(hardware: Hardware) -> Files:  # noqa: ARG001 a nest has all that it needs of the machine
    """See `Exporter`."""
    return {}


def _file(mapped: MappedLayer, nest: Nest, hardware: Hardware) -> str:
    comments = [title(mapped, hardware), "", *directive_lines(mapped, hardware)]
    constants = layer_constants(mapped.layer) | nest.constants
    lines = [
        *(f"# {text}".rstrip() for text in comments),
        HEAD,
        *(f"{name} = {value}" for name, value in constants.items()),
        f"PES = {nest.pes}  # those that work",
        f"MULTICAST = {hardware.noc.multicast}  # whether a word that several PEs get in one step counts once",
        f"REDUCTION = {hardware.noc.reduction}  # whether partial sums go back to the PEs, or else the L2 adds",
        BEFORE,
        *_stores(nest),
        *body_lines(nest.body, _line, ""),
        AFTER,
    ]
    return "\n".join(lines)


def _stores(nest: Nest) -> list[str]:
    """The statements that make the L2 and the L1s."""
    l2 = (f"memory.{tensor.label}" if shape is None else _buffer(shape) for tensor, shape in zip(Tensor, nest.l2, strict=True))
    return [
        "    l2 = Store(",
        *(f"        {each}," for each in l2),
        "    )",
        "    l1 = [",
        "        Store(",
        *(f"            {_buffer(shape)}," for shape in nest.l1),
        "        )",
        "        for _ in range(PES)",
        "    ]",
        "    step = 0",
    ]


def _buffer(shape: Shape) -> str:
    steps = f", {shape.steps}" if max(shape.steps) > 1 else ""
    return f"Buffer(np.zeros({shape.sizes}, sums){steps})"


def _line(each: Statement) -> str:
    match each:
        case Loop():
            return f"for {each.index} in range({each.trips}):  # {each.note}"
        case Call():
            return f"{each.result} = {each.text}" if each.result else each.text
        case Note():
            return f"# {each.text}"
