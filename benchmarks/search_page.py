"""Tables and picture of docs/search.md from what search_quality.py measured."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from math import inf, isfinite
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from records import read_rows
from search_proofs import FILE as PROOFS
from search_proofs import MACHINES, SETS, ProofRow
from search_samplers import AT_EVALUATIONS, AT_SECONDS, BUDGETS, LAYERS, SECONDS, SamplerRow
from search_samplers import FILE as SAMPLED
from tables import table

from mapsearch.formats.text import write_whole
from mapsearch.studies.bench import processor, versions

PAGE = Path(__file__).parents[1] / "docs" / "search.md"
HEADING = "## How good it is\n"
CLOSE = 0.01  # of the optimum

_PROOFS = """\
### Proofs

The search for a gap of 0 (`--gap 0`) of at most {limit:.0f} s a layer and, apart from it, the default search, both on one core and
from the start. A gap is an objective over the proven lower bound, less 1: the best mapping is at most so far from the optimum.
"""
_SAMPLERS = """\
### Samplers

{count} layers of five sets on {machines} machines, {seeds} seeds each: {layers}. The default evaluations are those of
60 trials and the last search from their best (`auto` spends its proof's besides); of time each sampler has {seconds:.0f} s.
"""

Layer = tuple[str, str, str]  # hardware, set, layer


def write_page(data: Path, page: Path) -> None:
    """Replace what stands from the heading on, and draw the picture beside the page."""
    proofs, samples = read_rows(data / PROOFS, ProofRow), read_rows(data / SAMPLED, SamplerRow)
    head, _, _ = page.read_text(encoding="utf-8").partition(HEADING)
    parts = [head + HEADING, _made(), _proofs(proofs), _default(proofs)]
    if samples:
        parts.append(_samplers(proofs, samples))
        _draw(proofs, samples, page.with_suffix(".png"))
    parts.append(_layers(proofs))
    write_whole(page, "\n".join(parts))


def _made() -> str:
    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    return (
        f"Measured by `python benchmarks/search_quality.py` on {processor()} with {os.cpu_count()} cores, "
        f"{platform.system()}; {packages}. EDP, two levels, balanced tiles. The rows are in `benchmarks/search_data/`.\n"
    )


def _proofs(proofs: Sequence[ProofRow]) -> str:
    rows: list[tuple[str | int | float, ...]] = []
    for hardware in MACHINES:
        for layer_set in SETS:
            some = [row for row in proofs if (row.hardware, row.layer_set) == (hardware, layer_set)]
            if some:
                rows.append((f"{hardware}, {layer_set}", *_summary(some)))
    gap_0 = ("proven", "median gap", "worst gap", "median s")
    columns = ("machine, layer set", "layers", *gap_0, "default: within 1 %", "worst gap", "median s")
    limit = max((row.limit_seconds for row in proofs), default=0.0)
    return f"{_PROOFS.format(limit=limit)}\n{table(columns, rows)}"


def _summary(rows: Sequence[ProofRow]) -> tuple[str | int | float, ...]:
    gaps, found = [row.gap for row in rows], [row.found_gap for row in rows]
    proven = sum(row.proven for row in rows)
    seconds, default = median(row.seconds for row in rows), median(row.default_seconds for row in rows)
    within = sum(gap <= CLOSE for gap in found)
    return (len(rows), proven, _percent(median(gaps)), _percent(max(gaps)), seconds, within, _percent(max(found)), default)


def _default(proofs: Sequence[ProofRow]) -> str:
    gaps = [row.found / row.best - 1 for row in proofs if row.proven]
    if not gaps:
        return ""
    close = sum(gap <= CLOSE for gap in gaps)
    optimal = sum(gap == 0 for gap in gaps)
    return (
        f"Of the {len(gaps)} layers whose optimum is proven, the default search (`auto`) found {optimal} optima, was within "
        f"1 % for {close} ({close / len(gaps):.0%}), and {_percent(max(gaps))} off at worst.\n"
    )


def _samplers(proofs: Sequence[ProofRow], samples: Sequence[SamplerRow]) -> str:
    best = _best(proofs, samples)
    optima = {_key(row) for row in proofs if row.proven}
    rows: list[tuple[str | int | float, ...]] = []
    for budget, samplers in BUDGETS.items():
        for sampler in samplers:
            some = [row for row in samples if (row.budget, row.sampler) == (budget, str(sampler))]
            known = [row.value / best[_key(row)] - 1 for row in some if _key(row) in optima]
            every = [row.value / best[_key(row)] - 1 for row in some]
            if known:
                effort = (median(row.evaluations for row in some), median(row.seconds for row in some))
                within = f"{sum(gap <= CLOSE for gap in known) / len(known):.0%}"
                figures = (_percent(median(known)), within, _percent(max(known)), _percent(median(every)), _percent(max(every)))
                rows.append((f"{budget}: {sampler}", *effort, *figures))
    known_columns = ("optimum known: median", "within 1 %", "worst")
    columns = ("sampler", "evaluations", "s", *known_columns, "all, to the best known: median", "worst")
    layers = ", ".join(f"{layer_set} {layer}" for layer_set, layer in LAYERS)
    intro = _SAMPLERS.format(
        count=len(LAYERS), machines=len(MACHINES), seeds=len({row.seed for row in samples}), layers=layers, seconds=SECONDS
    )
    return f"{intro}\n{table(columns, rows)}\n![Convergence of the samplers, and what is proven](search.png)\n"


def _key(row: ProofRow | SamplerRow) -> Layer:
    return (row.hardware, row.layer_set, row.layer)


def _best(proofs: Iterable[ProofRow], samples: Iterable[SamplerRow]) -> dict[Layer, float]:
    """The least objective known of each layer."""
    best: dict[Layer, float] = {}
    values = [*((_key(row), row.best) for row in proofs), *((_key(row), row.value) for row in samples)]
    for layer, value in values:
        best[layer] = min(best.get(layer, inf), value)
    return best


def _layers(proofs: Sequence[ProofRow]) -> str:
    parts: list[str] = ["### Layer by layer\n"]
    for hardware in MACHINES:
        for layer_set in SETS:
            rows = [
                (row.layer, _percent(row.found_gap), row.default_seconds, _percent(row.gap), row.seconds, row.bounded)
                for row in proofs
                if (row.hardware, row.layer_set) == (hardware, layer_set)
            ]
            if rows:
                columns = ("layer", "default: gap", "seconds", "gap 0: gap left", "seconds", "parts bounded")
                parts.append(f"#### {layer_set} on {hardware}\n\n{table(columns, rows)}")
    return "\n".join(parts)


def _draw(proofs: Sequence[ProofRow], samples: Sequence[SamplerRow], path: Path) -> None:
    mpl.use("Agg")  # no window
    plots: Any = plt  # its types are partly unknown
    best = _best(proofs, samples)
    figure, axes = plots.subplots(1, 3, figsize=(13, 4.2), constrained_layout=True)
    for axis, budget, at in ((axes[0], "default evaluations", AT_EVALUATIONS), (axes[1], "seconds", AT_SECONDS)):
        for sampler in BUDGETS[budget]:
            some = [row for row in samples if (row.budget, row.sampler) == (budget, str(sampler))]
            gaps = [[float(value) / best[_key(row)] - 1 for value in row.steps.split(";")] for row in some]
            medians = [median(column) for column in zip(*gaps, strict=True)]
            shown = [(x, 100 * y) for x, y in zip(at, medians, strict=False) if isfinite(y)]
            axis.plot([x for x, _ in shown], [y for _, y in shown], "o-", markersize=3, label=str(sampler))
        axis.set_xscale("log")
        axis.set_yscale("symlog", linthresh=0.1)
        axis.set_ylim(bottom=0)
        axis.set_xlabel(budget.removeprefix("default "))
        axis.set_ylabel("median gap to the best known [%]")
        axis.legend(fontsize=8)
    for hardware in MACHINES:
        gaps_left = sorted(100 * row.gap for row in proofs if row.hardware == hardware)
        axes[2].step(range(1, len(gaps_left) + 1), gaps_left, where="mid", label=hardware)
    axes[2].set_yscale("symlog", linthresh=0.1)
    axes[2].set_ylim(bottom=0)
    axes[2].set_xlabel("layers of five networks, sorted")
    axes[2].set_ylabel("gap left with --gap 0 [%]")
    axes[2].legend(fontsize=8)
    figure.savefig(path, dpi=110)


def _percent(gap: float) -> str:
    return f"{100 * gap:.2f} %"
