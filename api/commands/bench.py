"""`mapsearch bench`: how many mappings a second this machine evaluates."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mapsearch.arguments import Subparsers
from mapsearch.output import write, write_json, write_prose, write_table

if TYPE_CHECKING:
    from mapsearch.studies.bench import Rates


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "bench",
        help="how many mappings a second this machine evaluates",
        description="Measures, on one core and eight reference layers, how many mappings a second the exact cost model evaluates "
        "with every count and the energies, how many its lower bound, how many times as fast as plain NumPy it is, and how long "
        "branch and bound takes to bound and drop one part of the space.",
    )
    parser.add_argument(
        "--seconds",
        type=_seconds,
        default=1.0,
        metavar="S",
        help="about how long to measure each layer, but once at the least, which takes up to a second (default: 1)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def _seconds(word: str) -> float:
    try:
        seconds = float(word)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise ArgumentTypeError(f"must be a number from 0 to 3600, got {word!r}")
    return seconds


def run(args: Namespace) -> int:
    """Print the rates."""
    from dataclasses import asdict

    from mapsearch.formats.yaml.hardware import load_hardware
    from mapsearch.progress import BenchProgress
    from mapsearch.studies import bench

    rates_of = bench.all_rates(load_hardware(bench.HARDWARE), args.seconds)
    with BenchProgress() as progress:
        found = {layer.name: rates for layer, rates in progress.measured(rates_of, len(bench.LAYERS))}
    if args.json:
        write_json(
            {
                "median": asdict(bench.median_rates(found)),
                "layers": [{"layer": name, **asdict(rates)} for name, rates in found.items()],
                "seed": bench.SEED,
                "hardware": bench.HARDWARE,
                "levels": 2,
                "tiles": "balanced",
                "mappings": bench.MAPPINGS,
                "yardstick_mappings": bench.YARDSTICK_MAPPINGS,
                "cores": 1,
                "processor": bench.processor(),
                "versions": bench.versions(),
            }
        )
    else:
        print_rates(found)
    return 0


def print_rates(found: Mapping[str, Rates]) -> None:
    """The rates of each layer, their median, and on what they were measured."""
    from mapsearch.studies import bench

    versions = ", ".join(f"{name} {version}" for name, version in bench.versions().items())
    write_prose(f"one core of {bench.processor()}; {versions}")
    write_prose(
        f"{bench.MAPPINGS:,} random two-level mappings a layer, balanced tiles (seed {bench.SEED}), hardware {bench.HARDWARE}"
    )
    write("speed-up: over plain NumPy; verdict: of branch and bound on one part of the space")
    write("")
    rows = [
        (
            name,
            round(rates.evaluations_per_second),
            round(rates.bound_evaluations_per_second),
            round(rates.yardstick_evaluations_per_second),
            round(rates.ratio_to_yardstick),
            round(rates.verdict_ns),
        )
        for name, rates in [*found.items(), ("median", bench.median_rates(found))]
    ]
    write_table("", ("layer", "evaluations [1/s]", "bounds [1/s]", "NumPy [1/s]", "speed-up", "verdict [ns]"), rows)
