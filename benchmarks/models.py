"""How the exact model and MAESTRO's rank the same mappings: the figure and the table of docs/models.md.

Run as `python benchmarks/models.py`; it needs the extra `plots`. Prints the table, writes docs/models.png.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import NDArray
from scipy.stats import spearmanr  # type: ignore[import-untyped]
from tables import table

from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.cost import Fit
from mapsearch.model.exact import ExactModel
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.maestro.model import MaestroModel
from mapsearch.spaces.mappings.space import Space

PICTURE = Path(__file__).parents[1] / "docs" / "models.png"
LAYERS = (
    Layer("3x3 64->64, 56x56", LayerType.CONV, (1, 1, 64, 64, 3, 3, 56, 56)),
    Layer("depthwise 3x3, 192 at 28x28", LayerType.DSCONV, (192, 1, 1, 1, 3, 3, 28, 28)),
    Layer("BERT 512x768x768", LayerType.GEMM, (1, 1, 768, 768, 1, 1, 1, 512)),
)
MAPPINGS = 1000
_HARDWARE = "edge"


def main() -> None:
    """Print the table and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=PICTURE, help="the picture to write (default: docs/models.png)")
    args = parser.parse_args()
    samples = [_sample(layer) for layer in LAYERS]
    rows = [_row(layer, *sample) for layer, sample in zip(LAYERS, samples, strict=True)]
    columns = ("layer", "ranks: cycles", "ranks: energy", "ranks: EDP", "MAESTRO / exact cycles, 5 % to 95 %")
    print(table((*columns, "exact EDP of MAESTRO's best / the best"), rows))
    _draw(samples, args.out)


def _sample(layer: Layer) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cycles and pJ, float64[2, MAPPINGS], by the exact model and by MAESTRO's, of random mappings legal for both."""
    hardware, maestro = load_hardware(_HARDWARE), MaestroModel()
    batch = Space(layer, hardware, restriction=maestro.restriction).sample(4 * MAPPINGS, np.random.default_rng(0))
    costs = [model.evaluate(layer, hardware, batch) for model in (ExactModel(), maestro)]
    both = np.flatnonzero((costs[0].fit == Fit.LEGAL) & (costs[1].fit == Fit.LEGAL))[:MAPPINGS]
    exact, theirs = (np.array([each.runtime_cycles[both], each.energy_pj()[both]], np.float64) for each in costs)
    return exact, theirs


def _row(layer: Layer, exact: NDArray[np.float64], theirs: NDArray[np.float64]) -> tuple[str, ...]:
    pairs = [(exact[0], theirs[0]), (exact[1], theirs[1]), (exact.prod(axis=0), theirs.prod(axis=0))]
    ranks = [f"{_rank_correlation(a, b):.2f}" for a, b in pairs]
    low, high = np.quantile(theirs[0] / exact[0], [0.05, 0.95])
    edp, edp_theirs = pairs[2]
    return (layer.name, *ranks, f"{low:.2f} to {high:.2f}", f"{edp[edp_theirs.argmin()] / edp.min():.2f}")


def _rank_correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    found: Any = spearmanr(a, b)  # scipy has no types
    return float(found.statistic)


def _draw(samples: list[tuple[NDArray[np.float64], NDArray[np.float64]]], path: Path) -> None:
    mpl.use("Agg")  # no window
    plots: Any = plt  # its types are partly unknown
    figure, axes = plots.subplots(2, len(LAYERS), figsize=(11, 7), constrained_layout=True)
    for column, (layer, (exact, theirs)) in enumerate(zip(LAYERS, samples, strict=True)):
        for row, (what, a, b) in enumerate((("cycles", exact[0], theirs[0]), ("EDP [pJ x cycles]", exact.prod(0), theirs.prod(0)))):
            axis = axes[row][column]
            axis.loglog(a, b, ".", markersize=3, alpha=0.5, color="tab:blue")
            ends = [min(a.min(), b.min()), max(a.max(), b.max())]
            axis.loglog(ends, ends, "-", linewidth=0.8, color="gray", label="equal")
            axis.loglog(a[b.argmin()], b.min(), "v", color="tab:red", label="MAESTRO's best")
            axis.loglog(a.min(), b[a.argmin()], "^", color="tab:green", label="exact best")
            axis.set_title(f"{layer.name}\nrank correlation {_rank_correlation(a, b):.2f}", fontsize=9)
            axis.set_xlabel(f"exact {what}")
            axis.set_ylabel(f"MAESTRO {what}")
    axes[0][0].legend(fontsize=8)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
