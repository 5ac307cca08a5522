"""One HTML page with all about a run: its pictures, its layers, and what it takes to repeat it; it loads nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from mapsearch.studies.recorded import Recorded
from mapsearch.studies.results import LayerResult, NetworkSums

_STYLE = """\
body { font: 14px/1.5 sans-serif; color: #222; background: #fff; max-width: 1000px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 20px; } h2 { font-size: 16px; margin-top: 2em; border-bottom: 1px solid #ccc; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 12px; white-space: nowrap; }
th, td { padding: 1px 10px 1px 0; text-align: right; border-bottom: 1px solid #eee; }
th:first-child, td:first-child, .text td { text-align: left; }
.text td { white-space: normal; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; }
"""
_COLUMNS = (
    "layer",
    "count",
    "MACs",
    "cycles",
    "energy [µJ]",
    "EDP [pJ x cycles]",
    "objective",
    "gap",
    "PE utilization",
    "bound by",
    "number",
)

_NETWORK_COLUMNS = ("network", "weight", "layers", "MACs", "cycles", "energy [µJ]", "EDP [pJ x cycles]", "PE utilization")


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
        _section("Layers", _table(_COLUMNS, [_row(number, layer) for number, layer in enumerate(run.layers, start=1)])),
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
        f"{totals.layers} layers, {totals.macs:,} MACs, PE utilization {totals.utilization:.1%}",
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
        f"{network.utilization:.1%}",
    ]


def _row(number: int, layer: LayerResult) -> list[str]:
    metrics = layer.metrics
    return [
        layer.name,
        str(layer.count),
        f"{metrics.macs:,}",
        f"{metrics.runtime_cycles:,}",
        f"{metrics.energy_pj.total / 1e6:,.4g}",
        f"{metrics.edp_pj_cycles:.4g}",
        f"{layer.objective:.4g}",
        "" if layer.gap is None else f"{layer.gap:.2%}",
        "" if metrics.utilization is None else f"{metrics.utilization:.1%}",
        metrics.bound_by or "",
        str(number),
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
    lines = "".join(f"<tr><td>{escape(key)}</td><td>{escape(_shown(value))}</td></tr>\n" for key, value in data.items())
    return f'<table class="text">\n{lines}</table>\n'


def _shown(value: object) -> str:
    match value:
        case None:
            return "none"
        case str():
            return value
        case _:
            return json.dumps(value)
