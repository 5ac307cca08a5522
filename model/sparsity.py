"""Zeros: which words of a layer's tensors are zero, and how a machine stores them and spares their work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from fractions import Fraction
from functools import lru_cache

from mapsearch.model.errors import HardwareError, LayerError
from mapsearch.model.tensors import TOUCHES, WINDOWS, Dim, Tensor

_SLIDING = {dim for pair in WINDOWS for dim in pair}


@lru_cache(maxsize=256, typed=True)  # a float is the decimal that it prints, a fraction itself
def _exactly(share: float | Fraction) -> Fraction:
    return Fraction(str(share))


@dataclass(frozen=True, slots=True)
class Uniform:
    """Zeros anywhere, independent of each other; share: of non-zeros, in (0, 1], exactly the decimal that it prints."""

    share: float | Fraction

    @property
    def density(self) -> Fraction:
        """The share of non-zeros."""
        return _exactly(self.share)

    def __str__(self) -> str:
        """As people read it."""
        return str(self.share)

    def check(self, tensor: Tensor, extents: Sequence[int], names: Mapping[Dim, str]) -> None:  # noqa: ARG002 as `Pattern` has it
        """Raise LayerError where it breaks a law."""
        if not 0.0 < self.share <= 1.0:
            raise LayerError(f"density of {tensor.label} must be in (0, 1], got {self.share}")


@dataclass(frozen=True, slots=True)
class Pattern:
    """Of every `group` neighbours along a dim, `kept` are not zero: n:m sparsity."""

    kept: int
    group: int
    along: Dim

    @property
    def density(self) -> Fraction:
        """The share of non-zeros."""
        return Fraction(self.kept, self.group)

    def __str__(self) -> str:
        """As people read it."""
        return f"{self.kept}:{self.group} along {self.along.label}"

    def check(self, tensor: Tensor, extents: Sequence[int], names: Mapping[Dim, str]) -> None:
        """Raise LayerError where it breaks a law of a tensor of a layer with these extents; names: of the dims that it may have."""
        where = f"pattern of {tensor.label}"
        if not 1 <= self.kept <= self.group:
            raise LayerError(f"{where} must be n:m with n from 1 to m, got {self.kept}:{self.group}")
        dims = dims_along(tensor)
        if self.along not in dims:
            allowed = ", ".join(names[dim] for dim in dims if dim in names)
            raise LayerError(f"{where} must be along {allowed}, got {names.get(self.along, self.along.label)}")
        if extents[self.along] % self.group:
            raise LayerError(
                f"{where}: {names[self.along]} = {extents[self.along]} is not a multiple of {self.group}; pad the layer"
            )


def dims_along(tensor: Tensor) -> list[Dim]:
    """The dims along which a pattern of a tensor may go: no window slides over them."""
    return [dim for dim in Dim if TOUCHES[tensor, dim] and not (tensor is Tensor.INPUT and dim in _SLIDING)]


Sparsity = Uniform | Pattern
Sparsities = tuple[Sparsity, Sparsity, Sparsity]  # of W, I, O


def uniform(weight: float = 1.0, input_: float = 1.0, output: float = 1.0) -> Sparsities:
    """Tensors with these densities."""
    return Uniform(weight), Uniform(input_), Uniform(output)


DENSE = uniform()


class Level(IntEnum):
    """Where words are stored or sent; the value is its index in every tuple with one item a level."""

    L1 = 0
    NOC = 1
    L2 = 2
    OFFCHIP = 3

    @property
    def label(self) -> str:
        """The level's name in files."""
        return self.name.lower()


class Coding(StrEnum):
    """Ways to store a tensor's words: docs/cost_model.md has the bits of each."""

    NONE = "none"
    IDEAL = "ideal"
    BITMASK = "bitmask"
    RLE = "rle"
    COORDINATE = "coordinate"
    CSR = "csr"
    NM = "nm"


@dataclass(frozen=True, slots=True)
class Format:
    """A way to store words; index_bits: of a run's length (RLE) or of a coordinate, else 0."""

    coding: Coding = Coding.NONE
    index_bits: int = 0

    def __str__(self) -> str:
        """Its name in files."""
        return f"{self.coding}{self.index_bits or ''}"


Formats = tuple[Format, Format, Format]  # of W, I, O
UNCODED: Formats = (Format(), Format(), Format())


@dataclass(frozen=True, slots=True)
class Sparse:
    """What a machine makes of zeros.

    skip: operands whose zeros take no time and no energy. gate: operands of whose zeros a MAC takes its time, but no energy, nor do
    the accesses to the other operand and the output in the L1. Each is W, I or both, and none is in both. formats: by `Level`.
    lanes: of W and I, where a PE multiplies so many words of a K by so many of N, Y' and X' in a cycle; their product is its simd.
    balanced: whether the PEs share out what is left of a step evenly, as no machine can: what it saves is lost to load imbalance.
    """

    skip: frozenset[Tensor] = frozenset()
    gate: frozenset[Tensor] = frozenset()
    formats: tuple[Formats, Formats, Formats, Formats] = (UNCODED, UNCODED, UNCODED, UNCODED)
    balanced: bool = False
    lanes: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        both = min(self.skip & self.gate, default=None)
        if both is not None:
            raise HardwareError(f"sparse.skip and sparse.gate both name {both.label}; leave it out of one")
        if self.balanced and not self.skip:
            raise HardwareError("sparse.balanced needs zeros that take no time; name an operand in sparse.skip")

    @property
    def waits(self) -> bool:
        """Whether a step takes as long as the PE that has the most to do, by its own zeros and lanes."""
        return self.changes_time and not self.balanced

    @property
    def changes_time(self) -> bool:
        """Whether a step may take longer or shorter than its MACs over simd."""
        return bool(self.skip) or self.lanes is not None

    @property
    def spared(self) -> frozenset[Tensor]:
        """The operands whose zeros spare the energy of a MAC."""
        return self.skip | self.gate


NOTHING_SPARED = Sparse()

# The dims of W and of I along which they lie in lanes; the words of one G, C, R and S at a time.
LANE_DIMS = ((Dim.K,), (Dim.N, Dim.Y, Dim.X))
