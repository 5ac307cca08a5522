"""Runs ZigZag, in the user's own Python, on exported mappings and compares its counts with ours, one by one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from mapsearch.formats.directives import Network
from mapsearch.formats.nest.counts import Case
from mapsearch.formats.text import read_text
from mapsearch.formats.zigzag.conventions import CONVENTIONS, read_counts
from mapsearch.formats.zigzag.out import PARTS, PROGRAM, RESULT, case_of, write_case
from mapsearch.model.hardware import Hardware
from mapsearch.studies.compare.comparison import Comparison
from mapsearch.studies.compare.counted import compared
from mapsearch.studies.compare.program import run_python


def verify(network: Network, hardware: Hardware, binary: Path, timeout_seconds: float) -> list[Comparison]:
    """Every count of the layers of a network beside ours; binary: a Python that has ZigZag.

    Raises InputError where a mapping cannot be exported, or the program cannot be run, takes longer than `timeout_seconds`, fails,
    or writes no result.
    """
    cases = [case_of(mapped, hardware) for mapped in network.layers]
    return [row for case in cases for row in _compare(case, binary, timeout_seconds)]


def _compare(case: Case, binary: Path, timeout_seconds: float) -> Iterator[Comparison]:
    where = f"{binary}: layer {case.nest.mapped.layer.name}"
    with tempfile.TemporaryDirectory(prefix="mapsearch-verify-") as name:
        folder = Path(name)
        for part, text in write_case(case).items():
            (folder / f"{part}.yaml").write_text(text, encoding="utf-8")
        run_python(folder, binary, PROGRAM, [f"{part}.yaml" for part in PARTS], "zigzag-dse", where, timeout_seconds)
        theirs = read_counts(read_text(folder / RESULT, "result of ZigZag"), f"{where}: {RESULT}")
    yield from compared(case, CONVENTIONS, theirs)
