"""Two runs side by side: the figures of each layer and of the network, and the differences between the runs' inputs.

In place of one of the runs there may be a mapping file, also one of another tool: its mappings count on the other run's machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Self, cast

from mapsearch.formats.mappings import load_network
from mapsearch.model.errors import InputError, show
from mapsearch.studies.evaluate import evaluate, load_mapped
from mapsearch.studies.recorded import load_run


@dataclass(frozen=True, slots=True)
class Figures:
    """The costs of a layer or a network."""

    runtime_cycles: int
    energy_pj: float
    edp_pj_cycles: float

    def over(self, other: Self) -> dict[str, float | None]:
        """Each figure over the other's; None where that is 0."""
        names = ("runtime_cycles", "energy_pj", "edp_pj_cycles")
        pairs = ((name, getattr(self, name), getattr(other, name)) for name in names)
        return {name: mine / others if others else None for name, mine, others in pairs}


@dataclass(frozen=True, slots=True)
class Row:
    """A layer of one or both runs; ratios: the second run's figures over the first's, where both have it."""

    layer: str
    count: int
    first: Figures | None
    second: Figures | None
    ratios: dict[str, float | None] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs: titles, differences of their inputs, layers in the order of the first run, and the networks' sums."""

    titles: tuple[str, str]
    differences: list[str]
    layers: list[Row]
    network: Row


@dataclass(frozen=True, slots=True)
class _Run:
    """A run to be compared; layers: by name, the number of runs, the MACs and the figures."""

    title: str
    complete: bool
    networks: dict[str, int]
    settings: dict[str, Any]
    hardware: dict[str, Any]
    layers: dict[str, tuple[int, int, Figures]]
    count: int
    totals: Figures


def compare_runs(first: Path, second: Path) -> Comparison:
    """The runs in two folders, or one and a mapping file; InputError where a folder holds no run, or no layer is common."""
    if first.is_file() and second.is_file():
        raise InputError(
            f"{first} and {second}: one of the two must be a run's folder; evaluate tells what the mappings of a file cost"
        )
    a = None if first.is_file() else _read(first)
    b = _read(second) if a is None or not second.is_file() else _evaluated(second, a, first)
    a = _evaluated(first, b, second) if a is None else a
    rows = [_row(name, a, b) for name in dict.fromkeys(chain(a.layers, b.layers))]
    if not any(row.ratios for row in rows):
        raise InputError(f"{first} and {second}: must have a layer in common, of one name and as many MACs, to be compared")
    whole = a.layers.keys() == b.layers.keys() or not (first.is_file() or second.is_file())  # a file may hold some layers only
    network = Row("network", a.count, a.totals, b.totals, b.totals.over(a.totals) if whole else None)
    return Comparison((a.title, b.title), list(_differences(a, b)), rows, network)


def _read(folder: Path) -> _Run:
    run = load_run(folder)
    layers = {
        layer.name: (
            layer.count,
            layer.metrics.macs,
            Figures(layer.metrics.runtime_cycles, layer.metrics.energy_pj.total, layer.metrics.edp_pj_cycles),
        )
        for layer in run.layers
    }
    totals = run.results.totals
    return _Run(
        run.title,
        run.results.complete,
        {network.name: network.weight for network in run.results.networks},
        run.config["settings"],
        run.config["hardware"],
        layers,
        totals.layers,
        Figures(totals.runtime_cycles, totals.energy_pj.total, totals.edp_pj_cycles),
    )


def _evaluated(file: Path, run: _Run, folder: Path) -> _Run:
    """The mappings of a file, as a run of as many of the layers of the run in a folder, on its machine."""
    theirs, machine = load_mapped(folder, None)
    costs = evaluate(file, machine, run.settings.get("model", "exact"))
    shapes = {mapped.layer.name: mapped.layer.shape for mapped in theirs.layers}
    layers: dict[str, tuple[int, int, Figures]] = {}
    for mapped, cost in zip(load_network(file).layers, costs, strict=True):
        own = mapped.layer
        alike = [name for name, shape in shapes.items() if shape == own.shape and name not in layers]
        name = own.name if own.name in alike or not alike else alike[0]
        count = run.layers[name][0] if name in alike else 1
        layers[name] = count, own.macs, Figures(cost.runtime_cycles, cost.energy_pj.total, cost.edp_pj_cycles)
    counts = [count for count, _, _ in layers.values()]
    cycles = sum(count * figures.runtime_cycles for count, _, figures in layers.values())
    energy_pj = sum(count * figures.energy_pj for count, _, figures in layers.values())
    totals = Figures(cycles, energy_pj, cycles * energy_pj)
    return replace(run, title=f"{file} on {machine.name}", complete=True, layers=layers, count=sum(counts), totals=totals)


def _row(name: str, a: _Run, b: _Run) -> Row:
    in_a, in_b = a.layers.get(name), b.layers.get(name)
    first, second = in_a[2] if in_a else None, in_b[2] if in_b else None
    same = in_a is not None and in_b is not None and in_a[1] == in_b[1]
    ratios = second.over(first) if first is not None and second is not None and same else None
    count = in_a[0] if in_a else in_b[0] if in_b else 0
    return Row(name, count, first, second, ratios)


def _differences(a: _Run, b: _Run) -> Iterator[str]:
    """The differences between the runs that their figures depend on, one line each."""
    for what, one, other in (
        ("networks", a.networks, b.networks),
        ("settings", a.settings, b.settings),
        ("hardware", a.hardware, b.hardware),
    ):
        yield from (f"{what}: {line}" for line in _changed(one, other))
    for run, which in ((a, "first"), (b, "second")):
        if not run.complete:
            yield f"the {which} run is not complete"
    for name, (count, macs, _) in a.layers.items():
        if name in b.layers and b.layers[name][:2] != (count, macs):
            yield f"layer {name}: {count:,} times {macs:,} MACs, and {b.layers[name][0]:,} times {b.layers[name][1]:,} MACs"


def _changed(one: Mapping[str, Any], other: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Keys, nested ones with dots between, whose values differ, with both values."""
    for key in dict.fromkeys(chain(one, other)):
        first: object = one.get(key)
        second: object = other.get(key)
        told = f"{prefix}{key} {show(first)}, and {show(second)}"
        if isinstance(first, Mapping) and isinstance(second, Mapping):
            parts, others = cast("Mapping[str, Any]", first), cast("Mapping[str, Any]", second)
            if parts.get("name") == others.get("name"):
                yield from _changed(parts, others, f"{prefix}{key}.")
            else:  # two technologies, say, of which no figure is alike
                yield f"{prefix}{key} {show(parts.get('name'))}, and {show(others.get('name'))}"
        elif first != second:
            yield told
