"""The content of a directive file: a network of layers, each with its mapping and its place in the file."""

from __future__ import annotations

from dataclasses import dataclass, field

from mapsearch.model.errors import MappingError
from mapsearch.model.hardware import Pes
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Mapping, Violation


@dataclass(frozen=True, slots=True)
class Places:
    """Where a mapped layer stands in a file.

    layer: the line of the layer. levels: the line where each level begins (its Cluster; the Dataflow for level 0).
    directives: for each level, the line and the text as written, with its sizes worked out, of each directive of the mapping.
    """

    source: str
    layer: int
    levels: tuple[int, ...]
    directives: tuple[tuple[tuple[int, str], ...], ...]

    def line_and_text(self, violation: Violation) -> tuple[int, str]:
        """The line that breaks the law, and the text of the directive, or "" where it is no single directive."""
        match violation.at:
            case (level, index):
                return self.directives[level][index]
            case (level,):
                return self.levels[level], ""
            case _:
                return self.layer, ""


@dataclass(frozen=True, slots=True)
class MappedLayer:
    """A layer and its mapping; places do not count for equality."""

    layer: Layer
    mapping: Mapping
    places: Places | None = field(default=None, compare=False)

    @property
    def place(self) -> str:
        """The beginning of an error's text: file and line of the layer, where they are known."""
        return f"{self.places.source}:{self.places.layer}: " if self.places else ""

    def refusal(self, reason: str) -> MappingError:
        """The error of a mapping that is refused, with file and line where known, and the layer."""
        return MappingError(f"{self.place}layer {self.layer.name}: {reason}")

    def check(self, pes: Pes | None = None) -> None:
        """Raise MappingError, with file and line where known, unless the mapping is legal on these PEs (None: on some machine)."""
        if self.places is None:
            self.mapping.check(self.layer, pes)
            return
        violation = self.mapping.violation(pes)
        if violation is not None:
            line, text = self.places.line_and_text(violation)
            raise MappingError(f"{self.places.source}:{line}: {violation.message(self.layer.name, text)}")


@dataclass(frozen=True, slots=True)
class Network:
    """A name and layers in order."""

    name: str
    layers: tuple[MappedLayer, ...]
