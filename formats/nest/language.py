"""A layer's nest as one file of a programming language: what all languages have alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.nest.buffers import Shape
from mapsearch.formats.nest.files import INDENT, directive_lines, layer_files, title
from mapsearch.formats.nest.loops import Body, Loop, Nest, Statement, nest_of
from mapsearch.formats.registry import Files
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.tensors import Dim, Tensor


class Language(ABC):
    """An `Exporter` of files that run.

    suffix: of files. comment: what begins one. close: what ends a loop, "" for nothing. head, before, after: the text above the
    layer's constants, between them and the nest's first line, and below the nest.
    """

    suffix: str
    comment: str
    close: str
    head: str
    before: str
    after: str

    def write_network(self, network: Network, hardware: Hardware) -> Files:
        """See `Exporter`."""
        return layer_files(network, self.suffix, lambda mapped: self._file(mapped, nest_of(mapped, hardware), hardware))

    def write_hardware(self, hardware: Hardware) -> Files:  # noqa: ARG002 a nest has all that it needs of the machine
        """See `Exporter`."""
        return {}

    @abstractmethod
    def constant(self, name: str, value: int) -> str:
        """A line that gives a number, or a truth, its name."""

    @abstractmethod
    def buffer(self, shape: Shape) -> str:
        """A new buffer for a tensor's tile."""

    @abstractmethod
    def stores(self, l2: Sequence[str], l1: Sequence[str]) -> list[str]:
        """The lines that make the L2 and the L1s of these buffers, one for each tensor."""

    @abstractmethod
    def line(self, each: Statement) -> str:
        """The line of a statement; of a loop its first."""

    def _file(self, mapped: MappedLayer, nest: Nest, hardware: Hardware) -> str:
        switches = (
            ("PES", nest.pes, "those that work"),
            ("MULTICAST", hardware.noc.multicast, "whether a word that several PEs get in one step counts once"),
            ("REDUCTION", hardware.noc.reduction, "whether partial sums go back to the PEs, or else the L2 adds"),
        )
        kept = zip(Tensor, nest.l2, strict=True)
        l2 = [f"memory.{tensor.label}" if shape is None else self.buffer(shape) for tensor, shape in kept]
        lines = [
            *(f"{self.comment} {text}".rstrip() for text in (title(mapped, hardware), "", *directive_lines(mapped, hardware))),
            self.head,
            *(self.constant(name, value) for name, value in (_sizes(mapped.layer) | nest.constants).items()),
            *(f"{self.constant(name, value)}  {self.comment} {note}" for name, value, note in switches),
            self.before,
            *self.stores(l2, [self.buffer(shape) for shape in nest.l1]),
            *self._body(nest.body, 1),
            self.after,
        ]
        return "\n".join(lines)

    def _body(self, body: Body, depth: int) -> Iterator[str]:
        for each in body:
            yield INDENT * depth + self.line(each)
            if isinstance(each, Loop):
                yield from self._body(each.body, depth + 1)
                if self.close:
                    yield INDENT * depth + self.close


def _sizes(layer: Layer) -> dict[str, int]:
    """The layer's sizes by name; ROWS and COLUMNS are those of the padded input."""
    (stride_y, stride_x), (dilation_y, dilation_x) = layer.stride, layer.dilation
    windows = {"STRIDE_Y": stride_y, "STRIDE_X": stride_x, "DILATION_Y": dilation_y, "DILATION_X": dilation_x}
    sizes = {dim.name: extent for dim, extent in zip(Dim, layer.extents, strict=True)}
    return {**sizes, **windows, "ROWS": layer.input_rows, "COLUMNS": layer.input_columns}
