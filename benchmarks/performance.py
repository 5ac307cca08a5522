"""Measures everything that docs/performance.md tells, and writes the page: `python benchmarks/performance.py`.

It takes a few minutes and wants a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from growth import growth
from resources import memory, start_up, two_processes
from throughput import maestro, simulator, throughput

from mapsearch.formats.text import write_whole
from mapsearch.studies.bench import processor, versions

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"


def main() -> None:
    """Write the page, naming on standard error what is being measured."""
    parser = argparse.ArgumentParser(description="Measures everything that docs/performance.md tells, and writes the page.")
    parser.add_argument("--out", type=Path, default=PAGE, help="the page to write (default: docs/performance.md)")
    parser.add_argument("--quick", action="store_true", help="measure once and little, but no start: a check, not figures")
    args = parser.parse_args()
    full: tuple[Callable[[], str], ...] = (
        lambda: throughput(seconds=4),
        lambda: simulator(repeats=7),
        lambda: maestro(repeats=7),
        lambda: growth(repeats=7),
        lambda: two_processes(repeats=7, batches=50),
        lambda: start_up(repeats=3),
        lambda: memory(mappings=1_000_000),
    )
    quick: tuple[Callable[[], str], ...] = (
        lambda: throughput(seconds=0),
        lambda: simulator(repeats=1),
        lambda: maestro(repeats=1),
        lambda: growth(repeats=1),
        lambda: two_processes(repeats=1, batches=1),
        lambda: memory(mappings=10_000),
    )
    parts: list[str] = [_head(quick=args.quick)]
    for measure in quick if args.quick else full:
        parts.append(measure())
        print(parts[-1].partition("\n")[0].removeprefix("## "), "measured", file=sys.stderr)
    write_whole(args.out, "\n".join(parts))


def _head(*, quick: bool) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    made = "python benchmarks/performance.py"
    return (
        "# Performance\n\n"
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {processor()} with {os.cpu_count()} cores, {platform.system()} "
        f"{platform.machine()}; {packages}. "
        f"`{made}` measures again and writes this page (a few minutes; the machine should be idle)."
        + (" **Made with `--quick`: the figures mean nothing.**" if quick else "")
        + " Where a figure is measured several times, the median stands here.\n"
    )


if __name__ == "__main__":
    main()
