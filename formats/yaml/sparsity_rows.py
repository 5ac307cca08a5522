"""The keys of a layer's sparsity in a layer-set file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil, isqrt
from pathlib import Path
from typing import Annotated, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from mapsearch.formats.yaml.masks import load_mask
from mapsearch.model.errors import LayerError, did_you_mean
from mapsearch.model.layer import MAX_EXTENT, Layer
from mapsearch.model.masks import Masks
from mapsearch.model.sparsity import Pattern, Sparsities, Sparsity, Uniform, dims_along, uniform
from mapsearch.model.tensors import Dim, Tensor

# The names that a file has for the eight dims; for those of a product see `GEMM_DIMS`.
CONVOLUTION = {dim.label: dim for dim in Dim}
# The ways to say the sparsity of an operand; of an output there are the first two.
OPERAND = ("uniform", "pattern", "mask")


class Row(BaseModel):
    """A mapping in a row of a layer-set file: exactly these keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_Share = Annotated[float, Field(strict=True, gt=0.0, le=1.0)]
_Pattern = Annotated[
    str, Field(strict=True, pattern=r"^\d{1,9}:\d{1,9}$", description='n:m in quotes, such as "2:4"', examples=['"2:4", in quotes'])
]


Kept = float | tuple[tuple[int, int], ...]


def _to_kept(value: object) -> Kept:
    """A share, or pairs of numbers of rows and columns."""
    match value:
        case float() | int() if not isinstance(value, bool) and 0 < value <= 1:
            return float(value)
        case [int(), int()]:
            return _to_kept([value])
        case list() if value and all(_is_pair(pair) for pair in cast("list[object]", value)):
            return tuple((rows, columns) for rows, columns in cast("list[list[int]]", value))
        case _:
            raise PydanticCustomError("kept", "must be a share in (0, 1], [rows, columns], or a list of such pairs")


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and [type(each) for each in cast("list[object]", value)] == [int, int]


class DensityRow(Row):
    """Shares of non-zeros of weight, input and output."""

    W: _Share = 1.0
    I: _Share = 1.0  # noqa: E741 - the tensor's letter in files
    O: _Share = 1.0  # noqa: E741 - the tensor's letter in files

    def sparsities(self, name: str, dims: Mapping[str, Dim], of_weights: Sequence[str]) -> Sparsities:  # noqa: ARG002 as `SparsityRow` has it
        """Of the layer's tensors."""
        return uniform(self.W, self.I, self.O)


class TensorRow(Row):
    """The sparsity of one tensor, said in one way.

    tiles: of the K x N weights of a GEMM, columns of a tile, each a smaller dense matrix. kept: what each tile keeps: a share, of
    which the root is kept of its rows and of its columns, or rows and columns.
    """

    uniform: _Share | None = None
    pattern: _Pattern | None = None
    along: str | None = None
    mask: Annotated[str, Field(strict=True, min_length=1)] | None = None
    tiles: Annotated[int, Field(strict=True, ge=1, le=MAX_EXTENT)] | None = None
    kept: Annotated[Kept, BeforeValidator(_to_kept)] | None = None

    def sparsity(self, where: str, ways: Sequence[str], dims: Mapping[str, Dim]) -> Sparsity:
        """What the keys say; LayerError, which begins with `where`, unless they say one thing, and in one of these ways.

        dims: along which the tensor may have a pattern, by the names that a file has for them.
        """
        said = [way for way in ("uniform", "pattern", "mask", "tiles") if getattr(self, way) is not None]
        if len(said) != 1 or said[0] not in ways:
            raise LayerError(f"{where} must have one of {', '.join(ways)}, got {' and '.join(said) or 'none'}")
        for one, other in (("pattern", "along"), ("tiles", "kept")):
            missing = [key for key in (one, other) if getattr(self, key) is None]
            if len(missing) == 1:
                raise LayerError(f"{where}: {one} and {other} go together; {missing[0]} is missing")
        if self.pattern is None:
            return Uniform(1.0 if self.uniform is None else self.uniform)
        kept, group = map(int, self.pattern.split(":"))
        along = str(self.along)
        if along not in dims:
            raise LayerError(f"{where}.along must be one of {', '.join(dims)}, got {along!r}{did_you_mean(along, dims)}")
        return Pattern(kept, group, dims[along])

    def matrices(self, where: str, rows: int, columns: int) -> Counter[tuple[int, int]]:
        """The rows and columns of the tiles' matrices, each with its number; none where there are no tiles; raises LayerError."""
        if self.tiles is None or self.kept is None:
            return Counter()
        widths = [min(self.tiles, columns - first) for first in range(0, columns, self.tiles)]
        if not isinstance(self.kept, tuple):
            return Counter((_root_of(self.kept, rows), _root_of(self.kept, width)) for width in widths)
        kept = self.kept * len(widths) if len(self.kept) == 1 else self.kept
        if len(kept) != len(widths):
            raise LayerError(f"{where}.kept must have a pair for each of the {len(widths)} tiles, or one for all, got {len(kept)}")
        for number, (pair, width) in enumerate(zip(kept, widths, strict=True), start=1):
            if not (0 <= pair[0] <= rows and 0 <= pair[1] <= width):
                raise LayerError(f"{where}.kept: tile {number} has {rows} rows and {width} columns, got {pair[0]} and {pair[1]}")
        found = Counter(pair for pair in kept if min(pair))
        if not found:
            raise LayerError(f"{where}.kept must leave at least one tile")
        return found


def _root_of(share: float, size: int) -> int:
    """The least whole number that is at least sqrt(share) * size."""
    return isqrt(ceil(Fraction(str(share)) * size**2) - 1) + 1


class SparsityRow(Row):
    """The sparsities of weight, input and output; dense where left out."""

    W: TensorRow = TensorRow(uniform=1.0)
    I: TensorRow = TensorRow(uniform=1.0)  # noqa: E741 - the tensor's letter in files
    O: TensorRow = TensorRow(uniform=1.0)  # noqa: E741 - the tensor's letter in files

    def sparsities(self, name: str, dims: Mapping[str, Dim], of_weights: Sequence[str]) -> Sparsities:
        """Of the tensors of the layer of this name; dims: by their names; of_weights: ways to say it of W; raises LayerError."""
        ways = {"W": of_weights, "I": OPERAND, "O": OPERAND[:2]}
        named = {tensor: {key: dim for key, dim in dims.items() if dim in dims_along(tensor)} for tensor in Tensor}
        w, i, o = (
            getattr(self, each).sparsity(f"layer {name}: sparsity.{each}", ways[each], named[tensor])
            for each, tensor in zip("WIO", Tensor, strict=True)
        )
        return w, i, o

    def masks(self, layers: Sequence[Layer], folder: Path) -> Masks | None:
        """The masks of the row's one layer, if it has any, whose paths are relative to the folder; raises LayerError."""
        if self.W.mask is None and self.I.mask is None:
            return None
        layer, where = layers[0], f"layer {layers[0].name}: sparsity"
        if len(layers) > 1:
            raise LayerError(f"{where}: a row with masks must make one layer, got {len(layers)}; write a row for each layer")
        weight, inputs = (
            load_mask(folder / each.mask, f"{where}.{letter}.mask") if each.mask is not None else None
            for letter, each in (("W", self.W), ("I", self.I))
        )
        return Masks(layer, weight, inputs)
