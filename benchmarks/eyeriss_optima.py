"""Searches the fastest mappings of the Eyeriss chip's VGG-16 layers on the machine that stands for the chip, within its limits.

Run as `python benchmarks/eyeriss_optima.py`; it writes formats/data/validation/eyeriss_optima.csv, which docs/validation.md shows.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import mapsearch
from mapsearch.model.evaluation import CountedEvaluation
from mapsearch.model.sparsity import DENSE
from mapsearch.studies.validation.eyeriss import VGG16, ChipLayer, chip, layers_of
from mapsearch.studies.validation.eyeriss_counts import sums_mb

FILE = Path(__file__).parents[1] / "formats" / "data" / "validation" / "eyeriss_optima.csv"
CONSTRAINTS, LEVELS = "eyeriss", 3
_HEAD = """# The fastest mappings found of layers of the Eyeriss chip on its preset, and lower bounds over all; not measured.
# Source: python benchmarks/eyeriss_optima.py, objective latency, constraints {constraints}, {levels} levels,
# at most {seconds:g} s each. Cycles are of the whole batch.
# sums_mb: what partial sums and outputs move between L2 and L1s, in MB of 2^20 bytes.
network,layer,runtime_cycles,lower_bound_cycles,bound_by,sums_mb
"""


def main() -> None:
    """Search each layer; layers of one shape once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="for each layer at the most (default: 60)")
    args = parser.parse_args()
    text, known = _HEAD.format(constraints=CONSTRAINTS, levels=LEVELS, seconds=args.seconds), dict[object, str]()
    for layer in layers_of(VGG16, None):
        shape = layer.mapped.layer.extents
        if shape not in known:
            known[shape] = _searched(layer, args.seconds)
        text += f"{layer.row.network},{layer.row.layer},{known[shape]}\n"
        print(text.splitlines()[-1])
    FILE.write_text(text, encoding="utf-8")


def _searched(layer: ChipLayer, seconds: float) -> str:
    """The last four cells of a layer's row."""
    dense = replace(layer.mapped.layer, sparsity=DENSE)  # zeros cost no time
    found = mapsearch.search_layer(
        dense, chip(), objective="latency", constraints=CONSTRAINTS, levels=LEVELS, timeout_seconds=seconds, gap=0.01
    )
    costs = found.evaluation
    assert isinstance(costs, CountedEvaluation)  # noqa: S101 the exact model's
    return f"{costs.runtime_cycles},{int(found.lower_bound or 1)},{costs.bound_by},{sums_mb(costs):.1f}"


if __name__ == "__main__":
    main()
