"""The published program's input: a layer with its directives as written, and a machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from mapsearch.model.errors import InputError


class SourceDim(IntEnum):
    """The program's own dims; it turns Y' and X' into Y and X."""

    N = 0
    G = 1
    K = 2
    C = 3
    R = 4
    S = 5
    Y = 6
    X = 7
    M = 8


DIMS = len(SourceDim)
MAX_CLUSTERS = 3

_N, _G, _K, _C, _R, _S, _Y, _X, _M = SourceDim
# The dims of input, weight and output by layer type, in the program's order. A declared N is added to input and output.
TENSORS: Mapping[str, tuple[tuple[SourceDim, ...], tuple[SourceDim, ...], tuple[SourceDim, ...]]] = {
    "CONV": ((_C, _Y, _X), (_K, _C, _R, _S), (_K, _Y, _X)),
    "TRCONV": ((_C, _Y, _X), (_K, _C, _R, _S), (_K, _Y, _X)),
    "DSCONV": ((_C, _Y, _X), (_C, _R, _S), (_C, _Y, _X)),
    "NGCONV": ((_G, _C, _Y, _X), (_G, _K, _C, _R, _S), (_G, _K, _C, _Y, _X)),
    "GEMM": ((_M, _K), (_K, _N), (_M, _N)),
}
# The dim that slides over Y and over X.
SLIDING = {_Y: _R, _X: _S}


@dataclass(frozen=True, slots=True)
class SourceMap:
    """A TemporalMap or SpatialMap as written; the dim may be primed."""

    spatial: bool
    size: int
    offset: int
    dim: str

    @property
    def text(self) -> str:
        """The directive in the program's language."""
        return f"{'SpatialMap' if self.spatial else 'TemporalMap'}({self.size},{self.offset}) {self.dim}"


@dataclass(frozen=True, slots=True)
class Source:
    """A layer with its mapping.

    dims: declared sizes by name. stride: by the name of the dim. levels: the directives between the Clusters. clusters: the
    Clusters' sizes. place: the beginning of an error's text.
    """

    name: str
    type: str
    dims: Mapping[str, int]
    stride: Mapping[str, int]
    levels: tuple[tuple[SourceMap, ...], ...]
    clusters: tuple[int, ...]
    place: str = field(default="", compare=False)

    def error(self, reason: str) -> InputError:
        """An error that names the place and the layer."""
        return InputError(f"{self.place}layer {self.name}: {reason}")


@dataclass(frozen=True, slots=True)
class SourceMachine:
    """The machine in the program's terms.

    noc_words, offchip_words: per cycle. noc_latency_cycles: hops times the latency of one hop. l1_words, l2_words: capacities,
    which the program uses for its warnings only.
    """

    pes: int
    noc_words: int
    noc_latency_cycles: int
    offchip_words: int
    l1_words: int
    l2_words: int
    simd: int = 1

    def __post_init__(self) -> None:
        for what, value in (("PEs", self.pes), ("off-chip words per cycle", self.offchip_words), ("SIMD lanes", self.simd)):
            if value < 1:
                raise InputError(f"{what} must be at least 1, got {value}: the published program divides by it (SIGFPE)")
        if self.noc_words < 1:
            raise InputError(f"NoC words per cycle must be at least 1, got {self.noc_words}: a delay divides by them")
