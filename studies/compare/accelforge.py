"""Runs AccelForge, in the user's own Python, on exported mappings and compares its counts with ours, one by one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from mapsearch.formats.accelforge.conventions import CONVENTIONS, read_counts
from mapsearch.formats.accelforge.out import PROGRAM, case_of, write_case
from mapsearch.formats.directives import Network
from mapsearch.formats.nest.counts import Case
from mapsearch.model.hardware import Hardware
from mapsearch.studies.compare.comparison import Comparison
from mapsearch.studies.compare.counted import compared
from mapsearch.studies.compare.program import run_python


def verify(network: Network, hardware: Hardware, binary: Path, timeout_seconds: float) -> list[Comparison]:
    """Every count of the layers of a network beside ours; binary: a Python that has AccelForge.

    Raises InputError where a mapping cannot be exported, or the program cannot be run, takes longer than `timeout_seconds`, fails,
    or prints no counts.
    """
    cases = [case_of(mapped, hardware) for mapped in network.layers]
    return [row for case in cases for row in _compare(case, binary, timeout_seconds)]


def _compare(case: Case, binary: Path, timeout_seconds: float) -> Iterator[Comparison]:
    where = f"{binary}: layer {case.nest.mapped.layer.name}"
    with tempfile.TemporaryDirectory(prefix="mapsearch-verify-") as folder:
        Path(folder, "layer.yaml").write_text(write_case(case), encoding="utf-8")
        printed = run_python(Path(folder), binary, PROGRAM, ["layer.yaml"], "accelforge", where, timeout_seconds)
    last = printed.strip().rpartition("\n")[2]
    yield from compared(case, CONVENTIONS, read_counts(last, f"{where}: what AccelForge prints", case.hardware))
