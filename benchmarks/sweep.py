"""How fast and in how much memory `mapsearch sweep` goes through the paper's designs; prints the figures of docs/sweep.md.

taskset -c 1 python benchmarks/sweep.py
"""

from __future__ import annotations

import resource
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import process_time

from tables import table

from mapsearch.formats.yaml.sweeps import load_study
from mapsearch.search.designs.front import DesignFront
from mapsearch.search.designs.sweep import Counted, machine_tables
from mapsearch.studies.drawn_sweep import sweep
from mapsearch.studies.sweep.plan import SweepPlan

STUDY = "maestro_paper"
REPEATS = 5


def costed_only() -> tuple[float, float, Counted]:
    """CPU seconds to cost every design of the study and to keep its fronts, without saving, and without the fronts too."""
    plan, counted, seconds = SweepPlan(load_study(STUDY)), Counted(), [0.0, 0.0]
    stretches = [stretch for part in plan.parts for stretch in part.stretches]
    for number, front in enumerate((DesignFront(), None)):
        counted = Counted()
        machine_tables.cache_clear()
        began = process_time()
        for stretch in stretches:
            for block in stretch.blocks(counted):
                if front is not None:
                    front.add(block)
        seconds[number] = process_time() - began
    return seconds[0], seconds[1], counted


class Clock:
    """When the first design was begun and the last one saved, in CPU seconds."""

    def __init__(self) -> None:
        self.first = self.last = 0.0

    def opened(self, folder: Path) -> None:
        """Nothing yet."""

    def began(self, plan: SweepPlan) -> None:  # noqa: ARG002 a SweepWatcher's
        """Start."""
        self.first = process_time()

    def advanced(self, designs: int, valid: int) -> None:  # noqa: ARG002 a SweepWatcher's
        """Go on."""
        self.last = process_time()


def saved() -> tuple[float, float, float, float]:
    """CPU seconds until all designs are saved and of the whole sweep, seconds that its rates are of, and MB of what it wrote."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        began = process_time()
        summary = sweep(STUDY, out=Path(folder) / "sweep", jobs=1, watcher=clock)
        seconds = process_time() - began
        written = sum(file.stat().st_size for file in (Path(folder) / "sweep" / "designs").iterdir())
    return clock.last - clock.first, seconds, summary.seconds, written / 1e6


def main() -> None:
    """Measure and print."""
    saved()  # compiles, and loads what is loaded late
    runs = [saved() for _ in range(REPEATS)]
    until_saved, whole, work, megabytes = (median(values) for values in zip(*runs, strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # before any other measurement adds to it
    costings = [costed_only() for _ in range(REPEATS)]
    with_front, without = median(each[0] for each in costings), median(each[1] for each in costings)
    counted = costings[0][2]
    rows = [
        ("costed", without, counted.designs / without / 1e6, counted.valid / without / 1e6),
        ("costed, the front kept", with_front, counted.designs / with_front / 1e6, counted.valid / with_front / 1e6),
        ("costed, the front kept, and saved", until_saved, counted.designs / until_saved / 1e6, counted.valid / until_saved / 1e6),
        ("the whole command: saved, summed up and drawn", whole, counted.designs / whole / 1e6, counted.valid / whole / 1e6),
    ]
    sys.stdout.write(
        f"{counted.designs:,} designs, {counted.valid:,} of them valid; CPU seconds on one core, the median of {REPEATS}.\n\n"
        + table(("", "s", "million designs /s", "million valid /s"), rows)
        + f"\nPeak memory {peak:,.0f} MiB; {megabytes:.1f} MB of Parquet. By the clock, up to the last part saved, as the command "
        f"tells its rate: {counted.designs / work / 1e6:,.0f} million designs a second.\n"
    )


if __name__ == "__main__":
    main()
