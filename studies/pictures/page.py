"""One HTML page with all about a run: its pictures, its layers, and what it takes to repeat it; it loads nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import cast

from mapsearch.studies.recorded import Recorded
from mapsearch.studies.results import LayerResult, NetworkSums
from mapsearch.studies.shown import EDP, ENERGY, PE_USE, bound_text, gap_text

_STYLE = """\
body { font: 14px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; color: #222; background: #fff; }
body { max-width: 1000px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 20px; } h2 { font-size: 16px; margin-top: 2em; border-bottom: 1px solid #ccc; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 12px; white-space: nowrap; }
th, td { padding: 1px 10px 1px 0; text-align: right; border-bottom: 1px solid #eee; }
th:first-child, td:first-child, .text td { text-align: left; }
.text td { white-space: normal; overflow-wrap: anywhere; }
.text td:first-child { white-space: nowrap; overflow-wrap: normal; }
svg { width: 100%; height: auto; }
"""
_NETWORK_COLUMNS = ("network", "weight", "layers", "MACs", "cycles", ENERGY, EDP, PE_USE)
_OWN = ("latency", "energy", "edp")  # objectives that have a column anyway


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture on the page: its heading, and its SVG file."""

    title: str
    svg: str


def page(run: Recorded, pictures: Sequence[Shown], left_out: Sequence[str]) -> str:
    """The page's HTML; `left_out` are lines on what is not in the pictures."""
    config = run.config
    parts = [
        _network(run),
        *(_section(each.title, each.svg[each.svg.index("<svg") :]) for each in pictures),
        _section("Networks, all runs of each", _table(_NETWORK_COLUMNS, map(_network_row, run.results.networks)))
        if len(run.results.networks) > 1
        else "",
        _section("Left out", _list([*left_out, *(f"{each.name}: {each.reason}" for each in run.results.left_out)])),
        _section("Layers", _layers(run)),
        _section("Settings", _pairs({"layer_set": config["layer_set"], **config["settings"]})),
        _section("Hardware", _pairs(config["hardware"])),
        _section("Versions", _pairs(config.get("versions", {}))),
    ]
    title = escape(run.title)
    head = f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n<style>\n{_STYLE}</style>\n'
    return f"{head}</head>\n<body>\n<h1>{title}</h1>\n{''.join(part for part in parts if part)}</body>\n</html>\n"


def _network(run: Recorded) -> str:
    totals = run.results.totals
    lines = [
        f"{totals.layers} layers, {totals.macs:,} MACs, PE use {totals.utilization:.1%}",
        f"{totals.runtime_cycles:,} cycles, which are {totals.runtime_ms:.4g} ms at {run.hardware.clock_mhz:g} MHz",
        f"{totals.energy_pj.total / 1e6:,.5g} µJ, EDP {totals.edp_pj_cycles:.5g} pJ x cycles",
        f"{totals.evaluations:,} mappings evaluated in {totals.seconds:.1f} s over all processes",
        *([] if run.results.complete else ["the run was stopped before its end"]),
    ]
    return _list(lines)


def _network_row(network: NetworkSums) -> list[str]:
    return [
        network.name,
        str(network.weight),
        str(network.layers),
        f"{network.macs:,}",
        f"{network.runtime_cycles:,}",
        f"{network.energy_pj.total / 1e6:,.4g}",
        f"{network.edp_pj_cycles:.4g}",
        f"{100 * network.utilization:.1f}",
    ]


def _layers(run: Recorded) -> str:
    """The table of layers, with the objective where no other column has it, and the numbers of the roofline."""
    objective = ["objective"] if run.results.objective not in _OWN else []
    columns = ("layer", "count", "MACs", "cycles", ENERGY, EDP, *objective, "gap", PE_USE, "bound by", "number")
    rows = [[*_row(layer, objective=bool(objective)), str(number)] for number, layer in enumerate(run.layers, start=1)]
    return _table(columns, rows)


def _row(layer: LayerResult, *, objective: bool) -> list[str]:
    metrics = layer.metrics
    return [
        layer.name,
        str(layer.count),
        f"{metrics.macs:,}",
        f"{metrics.runtime_cycles:,}",
        f"{metrics.energy_pj.total / 1e6:,.4g}",
        f"{metrics.edp_pj_cycles:.4g}",
        *([f"{layer.objective:.4g}"] if objective else []),
        gap_text(layer.gap),
        "" if metrics.utilization is None else f"{100 * metrics.utilization:.1f}",
        bound_text(metrics.bound_by),
    ]


def _section(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{content}" if content else ""


def _list(lines: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>\n" for line in lines)
    return f"<ul>\n{items}</ul>\n" if items else ""


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n{lines}</table></div>\n'


def _pairs(data: Mapping[str, object]) -> str:
    lines = "".join(f"<tr><td>{escape(key)}</td><td>{escape(_shown(value))}</td></tr>\n" for key, value in _flat(data))
    return f'<table class="text">\n{lines}</table>\n'


def _flat(data: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Keys with their values; what holds mappings itself has a row for each of its keys."""
    for key, value in data.items():
        parts: Mapping[str, object] = cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}
        if any(isinstance(part, Mapping) for part in parts.values()):
            yield from _flat(parts, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _shown(value: object) -> str:
    match value:
        case None:
            return "none"
        case str():
            return value
        case dict():
            return ", ".join(f"{key} {_shown(part)}" for key, part in cast("dict[str, object]", value).items())
        case _:
            return json.dumps(value)
