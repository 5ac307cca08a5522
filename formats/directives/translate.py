"""Directives as written, with offsets and input-centric dims, to a mapping in output terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mapsearch.formats.directives.layer_blocks import WINDOWS, Window, is_windowed
from mapsearch.formats.directives.network import MappedLayer, Places
from mapsearch.formats.directives.tokens import use_one_of
from mapsearch.model.errors import MappingError
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Directive, MapKind, Mapping, Violation
from mapsearch.model.tensors import Dim


@dataclass(frozen=True, slots=True)
class Statement:
    """A TemporalMap or SpatialMap as written, with Constants and `Sz` replaced by their values."""

    kind: MapKind
    size: int
    offset: int
    name: str
    line: int

    @property
    def text(self) -> str:
        return self.with_sizes(self.size, self.offset)

    def with_sizes(self, size: int, offset: int) -> str:
        return f"{self.kind}({size},{offset}) {self.name}"


@dataclass(frozen=True, slots=True)
class LevelText:
    """The statements of one level, and the line where it begins."""

    line: int
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class _Scope:
    """One level during translation; tile: the sizes that the level above hands to it, indexed by dim."""

    source: str
    layer: Layer
    names: dict[str, Dim]
    windows: dict[str, Window]
    index: int
    statements: tuple[Statement, ...]
    tile: tuple[int, ...]

    def error(self, statement: Statement, reason: str) -> MappingError:
        message = Violation((self.index,), reason).message(self.layer.name, statement.text)
        return MappingError(f"{self.source}:{statement.line}: {message}")

    def chunk(self, dim: Dim) -> int:
        """The level's chunk of a dim, or its tile where the level does not name the dim."""
        sizes = (statement.size for statement in self.statements if self.names.get(statement.name) is dim)
        return min(next(sizes, self.tile[dim]), self.tile[dim])


def translate(
    source: str, line: int, layer: Layer, names: dict[str, Dim], *, levels: Sequence[LevelText], clusters: Sequence[int]
) -> MappedLayer:
    """The layer with the mapping that its levels state.

    `line` is the layer's line; `names` are the loop dims by their names in the text. Raises MappingError with file and
    line where a level breaks a law that holds on every machine.
    """
    windows = WINDOWS if is_windowed(layer.type) else {}
    tile = list(layer.extents)
    mapped: list[tuple[Directive, ...]] = []
    places: list[tuple[tuple[int, str], ...]] = []
    for index, level in enumerate(levels):
        scope = _Scope(source, layer, names, windows, index, level.statements, tuple(tile))
        _check_names(scope)
        standing = [_standing_still(scope, name, window) for name, window in windows.items()]
        moving = [statement for statement in level.statements if not any(statement is other for other in standing)]
        _check_level(scope, moving)
        directives = tuple(_directive(scope, statement) for statement in moving)
        for directive in directives:
            tile[directive.dim] = min(directive.size, tile[directive.dim])
        mapped.append(directives)
        places.append(tuple((statement.line, statement.text) for statement in moving))
    where = Places(source, line, tuple(level.line for level in levels), tuple(places))
    return MappedLayer(layer, Mapping(tuple(mapped), tuple(clusters)), where)


def _check_names(scope: _Scope) -> None:
    legal = [*scope.names, *scope.windows]
    used = {statement.name for statement in scope.statements}
    for statement in scope.statements:
        name = statement.name
        if name not in legal:
            raise scope.error(statement, f"Type {scope.layer.type} has no dim {name}; {use_one_of(legal, name)}")
        if name in scope.windows and f"{name}'" in used:
            raise scope.error(statement, f"{name} and {name}' are the same loop; keep one of the two in the level")


def _standing_still(scope: _Scope, name: str, window: Window) -> Statement | None:
    """The SpatialMap of input rows that merely follows the one of filter rows (row-stationary), or None."""
    spatial = {statement.name: statement for statement in scope.statements if statement.kind is MapKind.SPATIAL}
    rows, taps = spatial.get(name), spatial.get(window.filter.label)
    if rows is None or taps is None:
        return None
    step = scope.layer.dilation[window.axis]
    if (rows.size, rows.offset, taps.size, taps.offset) != (1, step, 1, 1):
        legal = f"{rows.with_sizes(1, step)} with {taps.with_sizes(1, 1)}"
        raise scope.error(
            rows, f"{name} and {taps.name} share a level only when each unit has one {window.unit} of each; use {legal}"
        )
    if scope.tile[window.output] != 1:
        reason = f"beside {taps.text} it needs a tile of 1 output {window.unit}, got {scope.tile[window.output]}"
        raise scope.error(rows, f"{reason}; map {name}' in chunks of 1 at a level above")
    return rows


def _check_level(scope: _Scope, moving: Sequence[Statement]) -> None:
    """Apply the laws of a level before the laws of sizes: a second SpatialMap is wrong whatever its size."""
    dims = scope.names | {name: window.output for name, window in scope.windows.items()}
    level = tuple(Directive(statement.kind, statement.size, dims[statement.name]) for statement in moving)
    violation = Mapping((level,)).violation()
    if violation is not None:
        raise scope.error(moving[violation.at[-1]], violation.reason)


def _directive(scope: _Scope, statement: Statement) -> Directive:
    window = scope.windows.get(statement.name)
    if window is not None:
        return Directive(statement.kind, _output_chunk(scope, statement, window), window.output)
    dim = scope.names[statement.name]
    if statement.offset != statement.size and statement.size < scope.tile[dim]:  # a whole tile has no second step
        fault, legal = _fault(statement, statement.size), statement.with_sizes(statement.size, statement.size)
        raise scope.error(statement, f"{fault}: the offset must equal the size; use {legal}")
    return Directive(statement.kind, statement.size, dim)


def _output_chunk(scope: _Scope, statement: Statement, window: Window) -> int:
    """Output rows (columns) of a chunk of input rows, by the size law of the package's docstring."""
    stride, dilation = scope.layer.stride[window.axis], scope.layer.dilation[window.axis]
    reach = (scope.chunk(window.filter) - 1) * dilation + 1
    whole = scope.tile[window.output]
    if statement.size >= (whole - 1) * stride + reach:
        return whole
    outputs, rest = divmod(statement.size - reach, stride)
    outputs += 1
    under = f"the {reach} input {window.unit}s under the filter"
    legal = statement.with_sizes((max(outputs, 1) - 1) * stride + reach, max(outputs, 1) * stride)
    if outputs < 1:
        raise scope.error(statement, f"the size must be at least {under}; use {legal}")
    if rest:
        raise scope.error(statement, f"the size must be {under} plus a multiple of the stride {stride}; use {legal}")
    if statement.offset != outputs * stride:
        reason = f"the offset must be its output {window.unit}s times the stride, {outputs} x {stride}"
        raise scope.error(statement, f"{_fault(statement, outputs * stride)}: {reason}; use {legal}")
    return outputs


def _fault(statement: Statement, offset: int) -> str:
    return "overlaps" if statement.offset < offset else "leaves a gap"
