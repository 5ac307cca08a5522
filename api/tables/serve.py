"""What `mapsearch serve` shows: tables of service times, latencies, and what each way gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import comb

from mapsearch.model.english import counted
from mapsearch.output import Cell, write, write_prose, write_table
from mapsearch.studies.serve.figures import Response, percentile_name
from mapsearch.studies.serve.results import WAYS, Capacity, QueueResult, ServeResults, SharingResult
from mapsearch.studies.serve.shown import WAYS_TITLE, ways_table
from mapsearch.studies.shown import number_text
from mapsearch.tables.hours import hour_lines, print_hours


def print_service(results: ServeResults, pictures: Iterable[str] = (), *, saved: bool = True) -> None:
    """The service times, the latencies of each way of sharing, what the ways give, and where everything is, if it was saved.

    pictures: the names of their files.
    """
    if results.complete:
        _print_tenants(results)
        rows = [row for way, sharing in results.sharing.items() for row in _latencies(results, WAYS[way], sharing)]
        columns = ("sharing", "tenant", "machine", "load [%]", "batch", "p50 [ms]", "p95 [ms]", "p99 [ms]", "SLO [ms]", "")
        write_table("Response times", columns, rows)
        write_table(WAYS_TITLE, *ways_table(results))
        print_hours(results)
        for line in lines(results):
            write_prose(line, indent=9)
    if saved:
        names = ["results.json", *pictures, "runs/"] if results.complete else ["runs/"]
        write(f"written: {results.folder} ({', '.join(names)})")
    if not results.complete:
        write(f"stopped before the end; go on with: mapsearch serve --out {results.folder} --resume")


def _print_tenants(results: ServeResults) -> None:
    sizes = sorted({int(size) for tenant in results.tenants for size in tenant.service_ms})
    ends = sizes if len(sizes) < 4 else [sizes[0], sizes[-1]]
    rows: list[list[Cell]] = []
    for tenant in results.tenants:
        times: list[Cell] = [tenant.service_ms.get(str(size), "") for size in ends]
        energies: list[Cell] = [tenant.energy_uj.get(str(size), "") for size in (ends[0], ends[-1])]
        rows.append([tenant.name, tenant.rate_per_s, *times, *energies[: len(ends)]])
    titles = [f"batch of {size} [ms]" for size in ends]
    energy = [f"energy at {size} [µJ]" for size in dict.fromkeys((ends[0], ends[-1]))]
    hours = ""
    if results.busiest_s is not None:
        begin, end = (each / 3600 for each in results.busiest_s)
        hours = f", in the busiest hours of the traces, {begin:g} to {end:g}"
    write_table(f"Tenants on {results.hardware}{hours}", ("tenant", "requests [1/s]", *titles, *energy), rows)


def _latencies(results: ServeResults, way: str, sharing: SharingResult) -> Iterator[list[Cell]]:
    for queue in sharing.tenants:
        tenant = next(each for each in results.tenants if each.name == queue.name)
        values = queue.response_ms.values
        slo = "" if tenant.slo_ms is None else f"{percentile_name(tenant.percentile)} {tenant.slo_ms:g}"
        wide = f"wide: {_interval(queue.response_ms, tenant.percentile)}" if queue.response_ms.wide else ""
        figures: list[Cell] = [values.get(name, "") for name in ("p50", "p95", "p99")]
        yield [
            way,
            queue.name,
            queue.machine,
            100 * queue.load,
            queue.mean_batch,
            *figures,
            slo,
            " ".join(filter(None, (queue.held, wide))),
        ]


def _interval(response: Response, percentile: float) -> str:
    name = percentile_name(percentile)
    if response.interval is None:
        return f"{name} of {counted(response.requests, 'request')}"
    low, high = response.interval[name]
    return f"{name} {number_text(low)} to {number_text(high)}"


def lines(results: ServeResults) -> Iterator[str]:
    """Sentences below the tables."""
    partition = results.sharing.get("partition")
    if partition is not None and partition.shares is not None:
        parts = sum(partition.shares.values())
        ways = f"of {counted(comb(parts - 1, len(partition.shares) - 1), 'way')} to share {parts} parts out"
        best = f"the best {ways}" if partition.load < 1 else f"{ways} none keeps up with these rates, and this one carries the most"
        yield f"parts:   {_shares(partition.shares)}; {best}"
    for way, each in results.sharing.items():
        if each.capacity is not None:
            yield f"load:    {WAYS[way]}: {_capacity(each.capacity)}"
    for way, each in results.sharing.items():
        checked = [queue for queue in each.tenants if queue.theory_ms is not None]
        if checked:
            yield f"check:   {WAYS[way]}: mean waits {', '.join(map(_check, checked))}"
    yield from hour_lines(results)
    for note in results.notes:
        yield f"note:    {note}"


def _check(queue: QueueResult) -> str:
    return f"{queue.name} {number_text(queue.wait_ms)} ms, {number_text(queue.theory_ms or 0.0)} ms by queueing theory"


def _shares(shares: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {share}" for name, share in shares.items())


def _capacity(capacity: Capacity) -> str:
    broken = f"; beyond, {' and '.join(capacity.first_broken)} fails first" if capacity.first_broken else ""
    if not capacity.max_load_factor:
        return f"the SLOs hold at no load{broken}"
    shares = "" if capacity.shares is None else f", with {_shares(capacity.shares)}"
    return f"the SLOs hold up to {capacity.max_load_factor:.3g} times these rates, load {capacity.load:.3g}{shares}{broken}"
