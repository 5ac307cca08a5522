"""The tables of an input pipeline."""

from __future__ import annotations

from mapsearch.output import Cell, write, write_prose, write_table
from mapsearch.studies.feed.feed import Epoch, Feed, StorageCase
from mapsearch.studies.shown import number_text

_STAGES = ("fetch", "prep", "link", "accelerator")  # in the order of the way of a sample


def print_feed(found: Feed) -> None:
    """The rates of the stages, what they come to, and what would end the stalls."""
    own, *others = found.cases
    write_prose(f"{found.title}, fed by {found.pipeline}")
    first, later = own.first.rates_per_s.to_dict(), own.steady.rates_per_s.to_dict()
    rows: list[list[Cell]] = [[stage, first[stage], later[stage], *_note(own, stage)] for stage in _STAGES]
    write_table("", ("stage", "first epoch [samples/s]", "later [samples/s]", ""), rows)
    for line in told(found):
        write_prose(line, indent=9)
    if own.what_if:
        _print_needed(own)
    if others:
        _print_compared(found)


def told(found: Feed) -> list[str]:
    """What the rates come to, in lines."""
    own, *_ = found.cases
    step = f"{found.accelerators} accelerators x batch {found.batch}" if found.accelerators > 1 else f"batch {found.batch}"
    passes = f", {found.passes:g} passes a step" if found.passes != 1 else ""
    useful = f"{own.useful_runtime_cycles:,} cycles ({own.useful_runtime_ms:.4g} ms)"
    return [
        f"network: {step}, {found.runtime_cycles:,} cycles ({found.runtime_ms:.4g} ms) a forward pass{passes}",
        f"cache:   room for {found.cached_share:.1%} of the samples, hits {own.steady.hit_ratio:.1%} after the first epoch",
        _epoch("first:", own.first),
        _epoch("later:", own.steady),
        f"mapping: a faster one gains until it takes {useful} a forward pass, and nothing below that; mapsearch run "
        f"--until-runtime {own.useful_runtime_cycles} stops there"
        if found.runtime_cycles > own.useful_runtime_cycles
        else f"mapping: a faster one gains nothing; one that takes up to {useful} a forward pass does as well",
    ]


def _epoch(name: str, epoch: Epoch) -> str:
    return (
        f"{name:8} {number_text(epoch.throughput_per_s)} samples a second, bound by {epoch.bound_by}; an epoch of "
        f"{_time(epoch.seconds)}, of which accelerators wait {epoch.stall.prep:.1%} for prep or link and {epoch.stall.fetch:.1%} "
        "for the fetch"
    )


def _note(case: StorageCase, stage: str) -> list[Cell]:
    bound = [name for name, epoch in (("the first epoch", case.first), ("the later ones", case.steady)) if epoch.bound_by == stage]
    return [f"bounds {' and '.join(bound)}" if bound else ""]


def _time(seconds: float) -> str:
    for unit_s, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:.3g} {unit}"
    return f"{seconds:.3g} s"


def _print_needed(case: StorageCase) -> None:
    rows: list[list[Cell]] = [
        [
            word,
            f"{number_text(each.now)} {each.unit}",
            f"{number_text(each.needed)} {each.unit}" if each.needed is not None else "no amount",
            each.throughput_per_s,
            each.why or "",
        ]
        for word, each in case.what_if.items()
    ]
    write("")
    write_table("What hides the fetch or the prep behind all else", ("", "now", "needed", "then [samples/s]", ""), rows)


def _print_compared(found: Feed) -> None:
    rows: list[list[Cell]] = [
        [
            case.storage,
            case.first.throughput_per_s,
            case.steady.throughput_per_s,
            case.steady.bound_by,
            100 * case.steady.stall.fetch,
            _time(case.steady.seconds),
            case.useful_runtime_ms,
        ]
        for case in found.cases
    ]
    columns = (
        "storage",
        "first epoch [samples/s]",
        "later [samples/s]",
        "bound by",
        "fetch stall [%]",
        "epoch",
        "useful runtime [ms]",
    )
    write_table("Storages", columns, rows)
