"""How many mappings a second the exact cost model evaluates on one core, with every count on.

    python benchmarks/throughput.py [--seconds S]

Random two-level mappings with balanced tiles, drawn as the search draws them, on the preset `edge`. For each layer the
median over the repeats that fit in S seconds; compilation and drawing are not timed. Then, on a small layer, how many
times faster that is than the simulator, the walk with plain sets that the counts are tested against.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from statistics import median
from time import perf_counter

import numpy as np

from mapsearch.model.cost import CostModel, Fit
from mapsearch.model.exact.model import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.mapping import MappingBatch
from mapsearch.model.simulator import Simulator
from mapsearch.spaces.space import Space
from mapsearch.studies.hardware_files import load_hardware

CONV, DSCONV, GEMM = LayerType.CONV, LayerType.DSCONV, LayerType.GEMM
# Extents are those of G, N, K, C, R, S, Y', X'.
LAYERS = (
    Layer("ResNet-18 conv1, 7x7 stride 2", CONV, (1, 1, 64, 3, 7, 7, 112, 112), (2, 2)),
    Layer("3x3 64->64, 56x56", CONV, (1, 1, 64, 64, 3, 3, 56, 56)),
    Layer("3x3 64->128 stride 2, 28x28", CONV, (1, 1, 128, 64, 3, 3, 28, 28), (2, 2)),
    Layer("1x1 64->128 stride 2, 28x28", CONV, (1, 1, 128, 64, 1, 1, 28, 28), (2, 2)),
    Layer("MobileNet depthwise 3x3, 32 at 112x112", DSCONV, (32, 1, 1, 1, 3, 3, 112, 112)),
    Layer("MobileNet depthwise 3x3, 1024 at 7x7", DSCONV, (1024, 1, 1, 1, 3, 3, 7, 7)),
    Layer("BERT 512x768x768", GEMM, (1, 1, 768, 768, 1, 1, 1, 512)),
    Layer("GPT-2 decode 1x768x3072", GEMM, (1, 1, 3072, 768, 1, 1, 1, 1)),
)
SMALL = Layer("3x3 4->4, 4x4", CONV, (1, 1, 4, 4, 3, 3, 4, 4))
SAMPLE = 4000
SEED = 0


def rates(model: CostModel, layer: Layer, hardware: Hardware, batch: MappingBatch, seconds: float) -> Iterator[float]:
    """Evaluations a second of one repeat after the other, three at least."""
    model.evaluate(layer, hardware, batch[:1])  # compiles
    begin, repeats = perf_counter(), 0
    while repeats < 3 or perf_counter() - begin < seconds:
        start = perf_counter()
        model.evaluate(layer, hardware, batch)
        yield len(batch) / (perf_counter() - start)
        repeats += 1


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Evaluations a second and core of the exact cost model.")
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each layer (default: %(default)s)")
    seconds: float = parser.parse_args().seconds
    hardware, exact = load_hardware("edge"), ExactModel()
    print(f"{'layer':40}{'evaluations/s':>15}{'spread':>16}{'legal':>8}")
    for layer in LAYERS:
        batch = Space(layer, hardware).sample(SAMPLE, np.random.default_rng(SEED))
        legal = int((exact.evaluate(layer, hardware, batch).fit == Fit.LEGAL).sum())
        found = list(rates(exact, layer, hardware, batch, seconds))
        spread = f"{min(found):,.0f}-{max(found):,.0f}"
        print(f"{layer.name:40}{median(found):15,.0f}{spread:>16}{legal / SAMPLE:8.1%}", flush=True)
    small = load_hardware({"pes": 16})
    batch = Space(SMALL, small).sample(20, np.random.default_rng(SEED))
    fast, slow = (median(rates(model, SMALL, small, batch, 0)) for model in (exact, Simulator()))
    print(f"\n{SMALL.name} on {small.pes} PEs: exact {fast:,.0f} a second, simulator {slow:,.1f}: {fast / slow:,.0f} times faster")


if __name__ == "__main__":
    main()
