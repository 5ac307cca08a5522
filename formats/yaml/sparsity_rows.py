"""The keys of a layer's sparsity in a layer-set file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from mapsearch.model.errors import LayerError, did_you_mean
from mapsearch.model.sparsity import Pattern, Sparsities, Sparsity, Uniform, uniform
from mapsearch.model.tensors import Dim

# The names that a file has for the eight dims.
CONVOLUTION = {dim.label: dim for dim in Dim}
GEMM = {"M": Dim.X, "N": Dim.K, "K": Dim.C}


class Row(BaseModel):
    """A mapping in a row of a layer-set file: exactly these keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_Share = Annotated[float, Field(strict=True, gt=0.0, le=1.0)]
_Pattern = Annotated[
    str, Field(strict=True, pattern=r"^\d{1,9}:\d{1,9}$", description='n:m in quotes, such as "2:4"', examples=['"2:4", in quotes'])
]


class DensityRow(Row):
    """Shares of non-zeros of weight, input and output."""

    W: _Share = 1.0
    I: _Share = 1.0  # noqa: E741 - the tensor's letter in files
    O: _Share = 1.0  # noqa: E741 - the tensor's letter in files

    def sparsities(self, name: str, dims: Mapping[str, Dim]) -> Sparsities:  # noqa: ARG002 as `SparsityRow` has it
        """Of the layer's tensors."""
        return uniform(self.W, self.I, self.O)


class TensorRow(Row):
    """The sparsity of one tensor, said in one way."""

    uniform: _Share | None = None
    pattern: _Pattern | None = None
    along: str | None = None

    def sparsity(self, where: str, dims: Mapping[str, Dim]) -> Sparsity:
        """What the keys say; LayerError, which begins with `where`, unless they say one thing."""
        ways = [way for way in ("uniform", "pattern") if getattr(self, way) is not None]
        if len(ways) != 1:
            raise LayerError(f"{where} must have either uniform or pattern, got {' and '.join(ways) or 'neither'}")
        if (self.pattern is None) != (self.along is None):
            raise LayerError(f"{where}: pattern and along go together; {'along' if self.along is None else 'pattern'} is missing")
        if self.uniform is not None:
            return Uniform(self.uniform)
        kept, group = map(int, str(self.pattern).split(":"))
        along = str(self.along)
        if along not in dims:
            raise LayerError(f"{where}.along must be one of {', '.join(dims)}, got {along!r}{did_you_mean(along, dims)}")
        return Pattern(kept, group, dims[along])


class SparsityRow(Row):
    """The sparsities of weight, input and output; dense where left out."""

    W: TensorRow = TensorRow(uniform=1.0)
    I: TensorRow = TensorRow(uniform=1.0)  # noqa: E741 - the tensor's letter in files
    O: TensorRow = TensorRow(uniform=1.0)  # noqa: E741 - the tensor's letter in files

    def sparsities(self, name: str, dims: Mapping[str, Dim]) -> Sparsities:
        """Of the tensors of the layer of this name, whose dims have these names; raises LayerError."""
        w, i, o = (getattr(self, each).sparsity(f"layer {name}: sparsity.{each}", dims) for each in "WIO")
        return w, i, o
