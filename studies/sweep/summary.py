"""The results of a sweep as plain data: counts, optima with their mappings, rates; and the Pareto front as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapsearch.formats.directives import MappedLayer, Network, print_network
from mapsearch.search.designs.front import DesignFront
from mapsearch.search.designs.sweep import Counted
from mapsearch.search.designs.walk import DESIGN
from mapsearch.studies.sweep.plan import Pair, SweepPlan


class Swept:
    """The results of one pair: its counts, and the front of its designs."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.counted = Counted()
        self.front = DesignFront()


def summary_of(
    plan: SweepPlan,
    found: Sequence[Swept],
    record: Mapping[str, Any],
    *,
    complete: bool,
    work: Counted,
    seconds: float,
    folder: Path,
) -> dict[str, Any]:
    """The content of summary.json.

    designs: of the whole sweep; done: of the finished parts, with their numbers `left_out` by reason, `costed` and `valid`. work:
    the counts of these seconds, from which the rates follow. optima: of each pair, with every figure and the mapping; of equal
    throughput, the one with the least energy and area, and so on. front: the number of designs on it.
    """
    total = Counted()
    for each in found:
        total.add(each.counted)
    return {
        **record,
        "folder": str(folder),
        "complete": complete,
        **_counts(total),
        "seconds": seconds,
        "designs_per_second": work.designs / seconds,
        "valid_per_second": work.valid / seconds,
        "pairs": [
            {
                **each.pair.names,
                "mappings": each.pair.variants.count,
                **_counts(each.counted),
                "front": len(each.front.designs),
                "optima": _optima(plan, each),
            }
            for each in found
        ],
    }


def _counts(counted: Counted) -> dict[str, Any]:
    counts = asdict(counted)
    return {"done": counts.pop("designs"), **counts}


def _optima(plan: SweepPlan, found: Swept) -> dict[str, Any]:
    """The best designs by name, all of which are on the front; empty if no design is valid."""
    front = found.front.designs
    if not len(front):
        return {}
    slowness, energy, area = -front["throughput_gmacs_per_s"], front["energy_pj"], front["area_mm2"]
    orders = {
        "throughput": (area, energy, slowness),
        "energy": (area, slowness, energy),
        "energy-delay": (area, slowness, energy / front["throughput_gmacs_per_s"]),
    }
    return {name: _told(plan, found.pair, front[int(np.lexsort(keys)[0])]) for name, keys in orders.items()}


def _told(plan: SweepPlan, pair: Pair, design: np.void) -> dict[str, Any]:
    mapping = plan.mapping(pair, int(design["pes"]), int(design["mapping"]))
    text = print_network(Network(pair.dataflow, (MappedLayer(pair.variants.layer, mapping),)))
    return {**_figures(plan, design), "directives": text}


def _figures(plan: SweepPlan, design: np.void) -> dict[str, Any]:
    """The axes and the figures of a design."""
    values, _ = plan.grid.settings[int(design["setting"])]
    figures = {key: design[key].item() for key in DESIGN.fields or () if key != "setting"}
    return {**dict(zip(plan.grid.keys, values, strict=True)), **figures}


def front_as_csv(plan: SweepPlan, found: Sequence[Swept]) -> str:
    """The Pareto front of every pair over throughput, energy and area, fastest first."""
    text = io.StringIO()
    keys = ["dataflow", "layer", *plan.grid.keys, *(key for key in DESIGN.fields or () if key != "setting")]
    writer = csv.DictWriter(text, keys, lineterminator="\n")
    writer.writeheader()
    for each in found:
        writer.writerows({**each.pair.names, **_figures(plan, design)} for design in _rows(each.front.designs))
    return text.getvalue()


def _rows(designs: NDArray[np.void]) -> list[np.void]:
    return [designs[row] for row in range(len(designs))]
