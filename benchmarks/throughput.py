"""How many mappings a second one core evaluates: exactly, by the bound, in plain NumPy, by the simulator, and as MAESTRO does.

`mapsearch bench` measures the first three for a user; here they stand beside the simulator and one another.
"""

from __future__ import annotations

from functools import partial
from statistics import median

import numpy as np
from tables import table

from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.cost import Fit
from mapsearch.model.exact import ExactModel
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.maestro.model import MaestroModel
from mapsearch.model.reference.simulator import Simulator
from mapsearch.spaces.mappings.space import Space
from mapsearch.studies import bench

SMALL = Layer("3x3 4->4, 4x4", LayerType.CONV, (1, 1, 4, 4, 3, 3, 4, 4))


def throughput(seconds: float) -> str:
    """A row for each reference layer."""
    found = {layer.name: rates for layer, rates in bench.all_rates(load_hardware(bench.HARDWARE), seconds)}
    rows = [
        (
            name,
            round(rates.evaluations_per_second),
            round(rates.bound_evaluations_per_second),
            round(rates.verdict_ns),
            round(rates.yardstick_evaluations_per_second),
            round(rates.ratio_to_yardstick),
        )
        for name, rates in [*found.items(), ("**median**", bench.median_rates(found))]
    ]
    return (
        "## Mappings a second\n\n"
        f"{bench.MAPPINGS:,} random legal mappings a layer, of two levels with balanced tiles, seed {bench.SEED}, on the preset "
        f"`{bench.HARDWARE}`; one core, every count and the energies. The bound is a lower bound of runtime and energy. The "
        "verdict is what branch and bound takes to make, bound and, mostly, drop one part of the space. Plain "
        "NumPy is the same cost model written over NumPy arrays, one mapping at a time. "
        "`mapsearch bench` measures these on your machine.\n\n"
        + table(("layer", "exact /s", "bound /s", "verdict, ns", "plain NumPy /s", "exact : NumPy"), rows)
    )


def simulator(repeats: int) -> str:
    """A sentence on the walk with plain sets that the counts are tested against."""
    hardware = load_hardware({"pes": 16})
    batch = bench.sample(SMALL, hardware, 20)
    rates: list[float] = []
    for model in (ExactModel(), Simulator()):
        bench.count_all(model, SMALL, hardware, batch[:1])
        call = partial(bench.count_all, model, SMALL, hardware, batch)
        rates.append(len(batch) / median(bench.seconds_of(call) for _ in range(repeats)))
    exact, walk = rates
    row = (f"{SMALL.name}, {hardware.pes} PEs", round(exact), walk, round(exact / walk))
    return (
        "## Against the simulator\n\n"
        "The simulator walks every time step with plain sets; the exact model gives the same integers in closed form.\n\n"
        + table(("layer", "exact /s", "simulator /s", "exact : simulator"), [row])
    )


def maestro(repeats: int) -> str:
    """A row for each reference layer, as MAESTRO counts it: with a stride of 1."""
    hardware, model = load_hardware(bench.HARDWARE), MaestroModel()
    rows: list[tuple[str, int, float]] = []
    for reference in bench.LAYERS:
        layer = model.as_counted(reference)
        batch = Space(layer, hardware, restriction=model.restriction).sample(bench.MAPPINGS, np.random.default_rng(bench.SEED))
        bench.count_all(model, layer, hardware, batch[:1])
        seconds = median(bench.seconds_of(partial(bench.count_all, model, layer, hardware, batch)) for _ in range(repeats))
        refused = float((model.evaluate(layer, hardware, batch).fit == Fit.REFUSED).mean())
        rows.append((layer.name, round(len(batch) / seconds), 100 * refused))
    rates = median(rate for _, rate, _ in rows)
    return (
        "## MAESTRO's model\n\n"
        "The same with `--model maestro`: all that the program prints, of mappings that it can express, strides taken as 1. "
        "The published program itself evaluates 16 to 860 mappings a second. The last column is the share that the guard refuses, "
        "as MAESTRO would miscount them.\n\n"
        + table(("layer", "mappings /s", "refused [%]"), [*rows, ("**median**", round(rates), median(share for *_, share in rows))])
    )
