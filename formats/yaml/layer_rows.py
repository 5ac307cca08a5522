"""The form of a layer-set file: its rows, and the layers that each stands for.

`layers()` of a row: the layers that one run of it makes; raises LayerError.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, NamedTuple, Self, TypedDict, cast

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from mapsearch.formats.yaml.sparsity_rows import CONVOLUTION, OPERAND, DensityRow, Row, SparsityRow, TensorRow
from mapsearch.model.errors import LayerError
from mapsearch.model.layer import GEMM_DIMS, MAX_EXTENT, Layer
from mapsearch.model.layers import conv, depthwise, fc, gemm, lstm, trconv
from mapsearch.model.sparsity import DENSE, Sparsities
from mapsearch.model.tensors import Dim

Weights = Literal["parameters", "activations", "shared"]


def _to_pair(value: object) -> tuple[int, int]:
    match value:
        case int() if not isinstance(value, bool):
            return value, value
        case [int() as rows, int() as columns] if not {type(rows), type(columns)} & {bool}:
            return rows, columns
        case _:
            raise PydanticCustomError("pair", "must be an integer or a pair [rows, columns]")


def _to_padding(value: object) -> tuple[tuple[int, int], tuple[int, int]]:
    match value:
        case [list(), list()]:
            before_after = cast("list[object]", value)
            return _to_pair(before_after[0]), _to_pair(before_after[1])
        case _:
            rows, columns = _to_pair(value)
            return (rows, rows), (columns, columns)


_Size = Annotated[int, Field(strict=True, ge=1, le=MAX_EXTENT)]
_Text = Annotated[str, Field(strict=True, min_length=1)]
_Pair = Annotated[tuple[int, int], BeforeValidator(_to_pair)]
_Padding = Annotated[tuple[tuple[int, int], tuple[int, int]], BeforeValidator(_to_padding)]
_Words = Annotated[int, Field(strict=True, ge=1)]


class Made(NamedTuple):
    """A layer of a row, which one run of the row runs `runs` times, on so many different tensors of weights."""

    layer: Layer
    runs: int = 1
    weight_sets: int = 1


class _AnyRow(Row):
    name: Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9_./-]+$", description="letters, digits and _ . / -")]
    count: _Size = 1


class SimpleRow(_AnyRow):
    """A layer without MACs; `outputs` and `inputs` are the words that it writes and reads, `operator` is its name elsewhere."""

    type: Literal["POOL", "ELEMENTWISE"]
    outputs: _Words
    inputs: _Words | None = None
    operator: Annotated[str, Field(strict=True)] = ""

    @property
    def macs(self) -> int:
        return 0


class OtherRow(_AnyRow):
    """Any other operator that is not mapped; `macs` of one run, null where they are unknown."""

    type: Literal["OTHER"]
    operator: _Text
    outputs: _Words | None = None
    inputs: _Words | None = None
    macs: Annotated[int, Field(strict=True, ge=0)] | None = 0


UnmappedRow = SimpleRow | OtherRow


class _LayerRow(_AnyRow):
    dims: ClassVar[Mapping[str, Dim]] = CONVOLUTION  # by the names that a pattern's `along` takes
    of_weights: ClassVar[tuple[str, ...]] = OPERAND  # ways to say the sparsity of W
    weights: Weights = "parameters"
    density: DensityRow | None = None
    sparsity: SparsityRow | None = None
    batch: _Size = 1

    @property
    def sparsities(self) -> Sparsities:
        """Of the layer's tensors; raises LayerError."""
        if self.density is not None and self.sparsity is not None:
            raise LayerError(f"layer {self.name}: density is short for sparsity; give one of them")
        stated = self.sparsity or self.density
        return DENSE if stated is None else stated.sparsities(self.name, self.dims, self.of_weights)


class _Window(TypedDict):
    inputs: tuple[int, int] | None
    outputs: tuple[int, int] | None
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]
    batch: int
    sparsity: Sparsities


class WindowRow(_LayerRow):
    """A layer with a sliding filter: Y and X are the unpadded input's size; Y' and X' may stand instead."""

    R: _Size
    S: _Size
    Y: _Size | None = None
    X: _Size | None = None
    Y_out: _Size | None = Field(default=None, alias="Y'")
    X_out: _Size | None = Field(default=None, alias="X'")
    stride: _Pair = (1, 1)
    dilation: _Pair = (1, 1)
    padding: _Padding = ((0, 0), (0, 0))

    def as_listed(self) -> Self:
        """The same layer on the listed input, without padding and with a stride of 1, if the row lists an input."""
        rows, columns = ((taps - 1) * gap + 1 for taps, gap in zip((self.R, self.S), self.dilation, strict=True))
        if self.Y is None or self.X is None or rows > self.Y or columns > self.X:
            return self
        return self.model_copy(update={"stride": (1, 1), "padding": ((0, 0), (0, 0)), "Y_out": None, "X_out": None})

    def window(self) -> _Window:
        """The arguments of `conv` and `depthwise` besides channels and kernel; they check which sizes may be missing."""
        pairs = ((self.Y, self.X), (self.Y_out, self.X_out))
        if any((y is None) != (x is None) for y, x in pairs):
            raise LayerError(f"layer {self.name}: sizes come in pairs, Y and X or Y' and X'; one of a pair is missing")
        inputs, outputs = (None if y is None or x is None else (y, x) for y, x in pairs)
        return {
            "inputs": inputs,
            "outputs": outputs,
            "stride": self.stride,
            "dilation": self.dilation,
            "padding": self.padding,
            "batch": self.batch,
            "sparsity": self.sparsities,
        }


class ConvRow(WindowRow):
    type: Literal["CONV"]
    K: _Size
    C: _Size

    def layers(self) -> tuple[Made, ...]:
        return (Made(conv(self.name, self.K, self.C, (self.R, self.S), **self.window())),)


class GroupedRow(WindowRow):
    """A convolution in groups; K and C are totals over all groups."""

    type: Literal["NGCONV"]
    groups: Annotated[int, Field(strict=True, ge=2, le=MAX_EXTENT)]
    K: _Size
    C: _Size

    def layers(self) -> tuple[Made, ...]:
        return (Made(conv(self.name, self.K, self.C, (self.R, self.S), groups=self.groups, **self.window())),)


class DepthwiseRow(WindowRow):
    """G channels, each with K filters of its own."""

    type: Literal["DSCONV"]
    G: _Size
    K: _Size = 1

    def layers(self) -> tuple[Made, ...]:
        return (Made(depthwise(self.name, self.G, (self.R, self.S), multiplier=self.K, **self.window())),)


class TransposedRow(_LayerRow):
    """A transposed convolution; K and C are totals over all groups."""

    type: Literal["TRCONV"]
    K: _Size
    C: _Size
    R: _Size
    S: _Size
    Y: _Size
    X: _Size
    stride: _Pair = (1, 1)
    dilation: _Pair = (1, 1)
    padding: _Padding = ((0, 0), (0, 0))
    output_padding: _Pair = (0, 0)
    groups: _Size = 1

    def layers(self) -> tuple[Made, ...]:
        layer = trconv(
            self.name,
            self.K,
            self.C,
            (self.R, self.S),
            inputs=(self.Y, self.X),
            stride=self.stride,
            dilation=self.dilation,
            padding=self.padding,
            output_padding=self.output_padding,
            groups=self.groups,
            batch=self.batch,
            sparsity=self.sparsities,
        )
        return (Made(layer),)


class FullyConnectedRow(_LayerRow):
    type: Literal["FC"]
    K: _Size
    C: _Size
    R: _Size = 1
    S: _Size = 1

    def layers(self) -> tuple[Made, ...]:
        return (Made(fc(self.name, self.K, self.C, kernel=(self.R, self.S), batch=self.batch, sparsity=self.sparsities)),)


class GemmRow(_LayerRow):
    """The matrix product (M x K) * (K x N); each of a batch has its own K x N operand."""

    dims = GEMM_DIMS
    of_weights = (*OPERAND, "tiles")
    type: Literal["GEMM"]
    M: _Size
    N: _Size
    K: _Size

    def layers(self) -> tuple[Made, ...]:
        sparsities = self.sparsities
        weights = TensorRow() if self.sparsity is None else self.sparsity.W
        tiles = weights.matrices(f"layer {self.name}: sparsity.W", self.K, self.N)
        if not tiles:
            return (Made(gemm(self.name, self.M, self.N, self.K, batch=self.batch, sparsity=sparsities)),)
        return tuple(
            Made(
                gemm(f"{self.name}_{rows}x{columns}", self.M, columns, rows, batch=self.batch, sparsity=sparsities), number, number
            )
            for (rows, columns), number in tiles.items()
        )


_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


class RecurrentRow(_LayerRow):
    """A recurrent layer with I inputs, H hidden units and T steps."""

    dims = GEMM_DIMS
    type: Literal["LSTM", "GRU", "RNN"]
    I: _Size  # noqa: E741 - the letter of the usual equations
    H: _Size
    T: _Size

    def layers(self) -> tuple[Made, ...]:
        made = lstm(self.name, self.I, self.H, self.T, gates=_GATES[self.type], batch=self.batch, sparsity=self.sparsities)
        return tuple(Made(layer, runs) for layer, runs in made)


MappedRow = ConvRow | GroupedRow | DepthwiseRow | TransposedRow | FullyConnectedRow | GemmRow | RecurrentRow


class PublishedRow(Row):
    macs: _Words | None = None
    parameters: _Words | None = None
    source: _Text


class LayerFile(Row):
    """A whole file."""

    title: _Text
    source: _Text
    published: PublishedRow | None = None
    other_parameters: dict[_Text, _Words] = {}
    layers: Annotated[list[Annotated[MappedRow | UnmappedRow, Field(discriminator="type")]], Field(min_length=1)]
