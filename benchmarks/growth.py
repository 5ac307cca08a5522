"""What the time of one exact evaluation grows with: loops that iterate, edge chunks, levels; and not with extents.

The mappings are built as arrays, since a search's space has at most three levels and draws what iterates at random. L1 and L2 are
so large that every mapping fits, and orders are random, the same for all rows of a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from statistics import median

import numpy as np
from tables import table

from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.cost import Fit
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.mapping import DIMS, MappingBatch
from mapsearch.model.tensors import Dim
from mapsearch.studies.bench import seconds_of

MAPPINGS = 2_000
# A dim's loops come to iterate in this order: the products' dims first, then the windows'.
TURN = (Dim.K, Dim.C, Dim.X, Dim.Y, Dim.S, Dim.R, Dim.N, Dim.G)
GEMM_DIMS = (Dim.K, Dim.C, Dim.X)


def growth(repeats: int) -> str:
    """The four tables."""
    head = (
        "## What the time of an evaluation grows with\n\n"
        f"Microseconds a mapping on one core, over {MAPPINGS:,} mappings of random loop orders that all fit.\n"
    )
    return "\n".join((head, _loops(repeats), _edges(repeats), _levels(repeats), _extents(repeats)))


def _machine() -> Hardware:
    buffer = {"bytes": 2**45}
    return load_hardware({"pes": 4096, "l1": buffer, "l2": buffer})


def _batch(sizes: Sequence[Sequence[int]], units: Sequence[int], spatial: Sequence[Dim]) -> MappingBatch:
    """Mappings of these sizes [levels, 8]; only their orders differ. Where a level has one unit it has no spatial dim."""
    levels = len(sizes)
    shape = (MAPPINGS, levels)
    orders = np.tile(np.arange(DIMS, dtype=np.int8), (*shape, 1))
    return MappingBatch(
        np.broadcast_to(np.array(units, np.int64), shape),
        np.broadcast_to(np.array([dim if n > 1 else -1 for n, dim in zip(units, spatial, strict=True)], np.int8), shape),
        np.random.default_rng(0).permuted(orders, axis=2),
        np.broadcast_to(np.array(sizes, np.int64), (*shape, DIMS)),
    )


def _microseconds(extents: Sequence[int], batch: MappingBatch, repeats: int) -> float:
    g, n, k, c, r, s, y, x = extents
    layer, hardware, model = Layer("grown", LayerType.CONV, (g, n, k, c, r, s, y, x)), _machine(), ExactModel()
    if not (model.evaluate(layer, hardware, batch).fit == Fit.LEGAL).all():
        raise RuntimeError(f"extents {tuple(extents)}: every mapping must fit; use larger buffers")
    return median(seconds_of(lambda: model.evaluate(layer, hardware, batch)) for _ in range(repeats)) / len(batch) * 1e6


def _loops(repeats: int) -> str:
    """Two levels of 16 = 4 x 4 x 1: the first of the 16 loops iterate, the others hold what is above them."""
    extents, rows = [16] * DIMS, list[tuple[int, float]]()
    for count in (1, 2, 4, 6, 8, 10, 12, 14, 16):
        outer, inner = TURN[: (count + 1) // 2], TURN[: count // 2]
        above = [4 if dim in outer else 16 for dim in Dim]
        below = [size // 4 if dim in inner else size for dim, size in zip(Dim, above, strict=True)]
        batch = _batch([above, below], (1, 1), (Dim.K, Dim.K))
        rows.append((count, _microseconds(extents, batch, repeats)))
    return (
        "### Loops that iterate\n\nA layer with all eight dims of 16, two levels, no edge chunks. The loops of K, C, X', Y' "
        "iterate first; from ten loops on, those of the filter (S, R), which share windows with X' and Y', do too.\n\n"
        + table(("loops", "us a mapping"), rows)
    )


def _edges(repeats: int) -> str:
    """The loops of 16 = 4 x 4 x 1 take sizes 5 and 2 instead in some dims, which leaves edge chunks at both levels."""
    extents, rows = [16] * DIMS, list[tuple[int, float]]()
    for count in range(len(TURN) + 1):
        odd = TURN[:count]
        above = [5 if dim in odd else 4 for dim in Dim]
        below = [2 if dim in odd else 1 for dim in Dim]
        rows.append((count, _microseconds(extents, _batch([above, below], (1, 1), (Dim.K, Dim.K)), repeats)))
    return (
        "### Edge chunks\n\nThe same layer with all 16 loops; in some dims the chunks of both levels leave a shorter last "
        "one. Such dims multiply the classes of steps, which are what the model walks.\n\n"
        + table(("dims with edge chunks", "us a mapping"), rows)
    )


def _levels(repeats: int) -> str:
    """Every level splits K, C, Y' and X' in four, and spreads one of them over 4 units; R and S iterate at the first."""
    extents = [1, 1, 256, 256, 3, 3, 256, 256]
    rows: list[tuple[int, int, float]] = []
    for levels in (1, 2, 3, 4):
        sizes = [[1, 1, side, side, 1, 1, side, side] for side in (256 // 4 ** (level + 1) for level in range(levels))]
        batch = _batch(sizes, (4,) * levels, (Dim.K, Dim.X, Dim.C, Dim.Y)[:levels])
        iterating = 2 + 3 * levels  # the spatial dim's four chunks take one step
        rows.append((levels, iterating, _microseconds(extents, batch, repeats)))
    return (
        "### Levels\n\nA 3x3 convolution 256->256 at 256x256; each level cuts K, C, Y' and X' into four chunks and spreads one of "
        "them over four units.\n\n" + table(("levels", "loops that iterate", "us a mapping"), rows)
    )


def _extents(repeats: int) -> str:
    """A GEMM of extents E and a 3x3 convolution of E x E outputs, in chunks of E/8 that the inner level takes whole."""
    rows: list[tuple[int, int, float, float]] = []
    for extent in (8, 32, 128, 512, 2048, 8192):
        gemm = [extent if dim in GEMM_DIMS else 1 for dim in Dim]
        conv = [1, 1, 64, 64, 3, 3, extent, extent]
        rows.append((extent, prod(gemm), _eighths(gemm, repeats), _eighths(conv, repeats)))
    return (
        "### Extents\n\nEvery dim of the GEMM is the extent, as are Y' and X' of the 3x3 convolution 64->64; each dim is cut into "
        "eight chunks, whatever its extent, without edge chunks. The counts are closed forms, so the time is the same.\n\n"
        + table(("extent", "MACs of the GEMM", "GEMM, us a mapping", "convolution, us a mapping"), rows)
    )


def _eighths(extents: Sequence[int], repeats: int) -> float:
    size = [extent // 8 if extent >= 8 else extent for extent in extents]
    return _microseconds(extents, _batch([size, size], (8, 1), (Dim.K, Dim.K)), repeats)
