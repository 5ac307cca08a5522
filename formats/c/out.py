"""A layer's nest as one C file without dependencies."""

from __future__ import annotations

from mapsearch.formats.c.text import AFTER, BEFORE, HEAD
from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.nest.buffers import Shape
from mapsearch.formats.nest.files import body_lines, directive_lines, layer_constants, title, write_layers
from mapsearch.formats.nest.loops import Call, Loop, Nest, Note, Statement
from mapsearch.formats.registry import Files
from mapsearch.model.hardware import Hardware
from mapsearch.model.tensors import Tensor


def write_network(network: Network, hardware: Hardware) -> Files:
    """See `Exporter`."""
    return write_layers(network, hardware, ".c", _file)


def write_hardware(hardware: Hardware) -> Files:  # noqa: ARG001 a nest has all that it needs of the machine
    """See `Exporter`."""
    return {}


def _file(mapped: MappedLayer, nest: Nest, hardware: Hardware) -> str:
    comments = [title(mapped, hardware), "", *directive_lines(mapped, hardware)]
    constants = layer_constants(mapped.layer) | nest.constants
    lines = [
        *(f"// {text}".rstrip() for text in comments),
        HEAD,
        *(f"#define {name} {value}L" for name, value in constants.items()),
        f"#define PES {nest.pes}  // those that work",
        f"#define MULTICAST {int(hardware.noc.multicast)}  // whether a word that several PEs get in one step counts once",
        f"#define REDUCTION {int(hardware.noc.reduction)}  // whether partial sums go back to the PEs, or else the L2 adds",
        BEFORE,
        *_stores(nest),
        *body_lines(nest.body, _line, "}"),
        AFTER,
    ]
    return "\n".join(lines)


def _stores(nest: Nest) -> list[str]:
    """The statements that make the L2 and the L1s."""
    l2 = (f"memory.{tensor.label}" if shape is None else _buffer(shape) for tensor, shape in zip(Tensor, nest.l2, strict=True))
    return [
        "    store l2 = {",
        *(f"        {each}," for each in l2),
        "    };",
        "    store *l1 = zeros(PES, sizeof(store));",
        "    for (long pe = 0; pe < PES; pe++)",
        "        l1[pe] = (store){",
        *(f"            {_buffer(shape)}," for shape in nest.l1),
        "        };",
        "    long step = 0;",
    ]


def _buffer(shape: Shape) -> str:
    sizes, steps = (", ".join(map(str, each)) for each in (shape.sizes, shape.steps))
    return f"make_buffer(NULL, (shape){{{{{sizes}}}, {{{steps}}}}})"


def _line(each: Statement) -> str:
    match each:
        case Loop():
            return f"for (long {each.index} = 0; {each.index} < {each.trips}; {each.index}++) {{  // {each.note}"
        case Call():
            return f"range {each.result} = {each.text};" if each.result else f"{each.text};"
        case Note():
            return f"// {each.text}"
