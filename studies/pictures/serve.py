"""The pictures and the page of a service: latencies of each way of sharing, latencies over load, and the parts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

from mapsearch.studies.pictures.hours import draw_hours
from mapsearch.studies.pictures.html import Shown, bullets, document, pictures, section, table
from mapsearch.studies.pictures.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    ROW_INCHES,
    SKY,
    SMALL,
    TINY,
    Axes,
    Figure,
    as_png,
    as_svg,
    fitted,
    fix_layout,
    new_figure,
    scale_log,
    tidy,
)
from mapsearch.studies.serve.figures import percentile_name
from mapsearch.studies.serve.results import REPORT, WAYS, ServeResults, SharingResult, TenantResult
from mapsearch.studies.serve.shown import WAYS_TITLE, ways_table
from mapsearch.studies.shown import number_text

_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY)
_SHOWN = ("p50", "p95", "p99")


def serve_files(results: ServeResults, lines: Sequence[str], suffix: str) -> dict[str, str | bytes]:
    """The pictures, as PNG or SVG files, and a page with them, by file name; lines: what the page says first."""
    drawn = {"latencies": ("Latencies of each way of sharing", draw_latencies(results))}
    if any(sharing.capacity is not None for sharing in results.sharing.values()):
        drawn["load"] = ("Latencies over load", draw_load(results))
    partition = results.sharing.get("partition")
    if partition is not None and any(each.worst is not None for each in partition.compositions or ()):
        drawn["parts"] = ("Parts of the machine", draw_parts(results, partition))
    if results.hours is not None:
        drawn["hours"] = ("Load and machines over the hours", draw_hours(results, results.hours))
    files: dict[str, str | bytes] = {}
    shown: list[Shown] = []
    for name, (title, figure) in drawn.items():
        fix_layout(figure)
        svg = as_svg(figure, name)
        files[f"{name}.{suffix}"] = svg if suffix == "svg" else as_png(figure)
        shown.append(Shown(title, svg))
    columns = ("sharing", "tenant", "machine", "load", "requests", *_SHOWN, "SLO", "")
    rows = [row for way, sharing in results.sharing.items() for row in _rows(results, WAYS[way], sharing)]
    titles, ways = ways_table(results)
    given = [[number_text(cell) if isinstance(cell, float) else str(cell) for cell in row] for row in ways]
    tables = [section("Response times in ms", table(columns, rows)), section(WAYS_TITLE, table(titles, given))]
    parts = [bullets(lines), *pictures(shown), *tables]
    return {**files, REPORT: document(_title(results), parts)}


def draw_latencies(results: ServeResults) -> Figure:
    """For each way of sharing and tenant a line from its p50 to its p99, and the SLO."""
    rows = [(way, queue) for way, sharing in results.sharing.items() for queue in sharing.tenants]
    figure = new_figure(ROW_INCHES * 1.8 * len(rows) + 1.2, _title(results))
    axis = figure.subplots()
    for row, (_, queue) in enumerate(rows):
        tenant, colour = _tenant(results, queue.name)
        values = queue.response_ms.values
        if not values:
            continue
        axis.plot([values["p50"], values["p99"]], [row, row], color=colour, linewidth=1)
        for name, marker in zip(_SHOWN, "|oD", strict=True):
            axis.plot(values[name], row, marker, color=colour, markersize=6 if name == "p50" else 4)
        name = percentile_name(tenant.percentile)
        text = f"{name} {number_text(values[name])} ms"
        axis.annotate(text, (values["p50"], row), (-6, 0), textcoords="offset points", ha="right", va="center", fontsize=TINY)
        if tenant.slo_ms is not None:
            axis.plot([tenant.slo_ms] * 2, [row - 0.4, row + 0.4], color=BLACK, linewidth=1.5)
    axis.set_yticks(range(len(rows)), [f"{WAYS[way]}: {fitted(queue.name, 24)}" for way, queue in rows])
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.margins(x=0.2)
    axis.set_xlabel("response time: | p50, o p95, diamond p99; the black line is the SLO", fontsize=SMALL)
    tidy(axis)
    _scale_ms(axis.xaxis)
    return figure


def draw_load(results: ServeResults) -> Figure:
    """For each way of sharing the percentile of each tenant over the factor on all rates, with SLOs, and the largest factor."""
    ways = [(way, sharing) for way, sharing in results.sharing.items() if sharing.capacity is not None]
    figure = new_figure(4.2, _title(results))
    axes: Sequence[Axes] = figure.subplots(1, len(ways), sharey=True, squeeze=False)[0]
    for axis, (way, sharing) in zip(axes, ways, strict=True):
        capacity = sharing.capacity
        if capacity is None:
            continue
        for tenant in results.tenants:
            _, colour = _tenant(results, tenant.name)
            points = [(point.factor, point.latency_ms[tenant.name]) for point in capacity.curve]
            label = f"{fitted(tenant.name, 20)}, {percentile_name(tenant.percentile)}"
            axis.plot(*zip(*points, strict=True), "o-", color=colour, markersize=3, linewidth=1, label=label)
            if tenant.slo_ms is not None:
                axis.axhline(tenant.slo_ms, color=colour, linewidth=0.8, linestyle="--")
        axis.axvline(1.0, color=GREY, linewidth=0.8)
        if capacity.max_load_factor:
            axis.axvline(capacity.max_load_factor, color=BLACK, linewidth=0.8, linestyle=":")
        shares = "" if capacity.shares is None else f", {' + '.join(map(str, capacity.shares.values()))}"
        axis.set_title(f"{WAYS[way]}{shares}: up to {capacity.max_load_factor:.3g} times the rates", fontsize=SMALL)
        axis.set_xlabel("factor on all rates", fontsize=SMALL)
        tidy(axis)
        _scale_ms(axis.yaxis)
    axes[0].set_ylabel("response time; dashed: its SLO", fontsize=SMALL)
    axes[0].legend(fontsize=TINY)
    return figure


def draw_parts(results: ServeResults, partition: SharingResult) -> Figure:
    """The parts of the machine that each tenant has, in the best ways to share them out, the chosen one first."""
    tried = [each for each in partition.compositions or () if each.worst is not None][:12]
    figure = new_figure(ROW_INCHES * 1.8 * len(tried) + 1.2, _title(results))
    axis = figure.subplots()
    for row, composition in enumerate(tried):
        left = 0
        for tenant, share in zip(results.tenants, composition.shares, strict=True):
            axis.barh(row, share, left=left, color=_tenant(results, tenant.name)[1], height=0.75, edgecolor="white")
            text = f"{fitted(tenant.name, 16)} {share}"
            axis.annotate(text, (left + share / 2, row), ha="center", va="center", fontsize=TINY, color="white")
            left += share
    held = {True: "SLOs hold", False: "SLOs broken", None: ""}
    labels = [f"{held[each.slos_met]}, worst {number_text(each.worst or 0.0)}" for each in tried]
    axis.set_yticks(range(len(tried)), labels)
    axis.set_ylim(len(tried) - 0.4, -0.6)
    axis.set_xlabel("parts of the machine; worst: the largest ratio of a percentile to its SLO", fontsize=SMALL)
    axis.xaxis.get_major_locator().set_params(integer=True)
    tidy(axis)
    axis.grid(visible=False, axis="y")
    return figure


def _title(results: ServeResults) -> str:
    return f"Service {results.name}: {', '.join(tenant.name for tenant in results.tenants)} on {results.hardware}"


def _tenant(results: ServeResults, name: str) -> tuple[TenantResult, str]:
    """A tenant and its colour."""
    return next((each, colour) for each, colour in zip(results.tenants, cycle(_COLOURS), strict=False) if each.name == name)


def _scale_ms(line: Axes) -> None:
    scale_log(line)
    line.set_major_formatter("{x:g} ms")


def _rows(results: ServeResults, way: str, sharing: SharingResult) -> list[list[str]]:
    rows: list[list[str]] = []
    for queue in sharing.tenants:
        tenant, _ = _tenant(results, queue.name)
        values = [number_text(queue.response_ms.values.get(name, 0.0)) for name in _SHOWN]
        slo = "" if tenant.slo_ms is None else f"{percentile_name(tenant.percentile)} {tenant.slo_ms:g}"
        rows.append([way, queue.name, queue.machine, f"{queue.load:.1%}", f"{queue.requests:,}", *values, slo, queue.held])
    return rows
