"""Runs Timeloop's model on exported mappings and compares its counts with ours, one by one."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mapsearch.formats.directives import Network
from mapsearch.formats.nest.counts import Case
from mapsearch.formats.timeloop.conventions import conventions_of
from mapsearch.formats.timeloop.document import document, levels_of
from mapsearch.formats.timeloop.names import SPACES
from mapsearch.formats.timeloop.out import EXACT_SWITCHES, case_of, switches_of, write_case
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware
from mapsearch.model.tensors import Tensor
from mapsearch.studies.compare.comparison import Comparison
from mapsearch.studies.compare.counted import compared
from mapsearch.studies.compare.program import run_in

_STATS = "timeloop-model.stats.txt"
_W, _I, _O = Tensor
_L1, _L2, _DRAM = range(3)
# Where Timeloop counts the words of our figures: of a tensor, at the level that keeps it, in an access.
_WORDS = {
    "l2_to_l1_words.weight": (_W, _L2, "reads"),
    "l2_to_l1_words.input": (_I, _L2, "reads"),
    "l1_fill_words.weight": (_W, _L1, "fills"),
    "l1_fill_words.input": (_I, _L1, "fills"),
    "psum_read_words": (_O, _L2, "reads"),
    "output_write_words": (_O, _L2, "updates"),
    "offchip_read_words.weight": (_W, _DRAM, "reads"),
    "offchip_read_words.input": (_I, _DRAM, "reads"),
    "offchip_read_words.output": (_O, _DRAM, "reads"),
    "offchip_write_words": (_O, _DRAM, "updates"),
}
_TOTALS = {"macs": "Computes", "mac_cycles": "Cycles"}


def verify(network: Network, hardware: Hardware, binary: Path, timeout_seconds: float) -> list[Comparison]:
    """Timeloop's counts of the layers beside ours, with what its conventions make of ours.

    Raises InputError where a mapping cannot be exported, or the program cannot be run, takes longer than `timeout_seconds`, fails,
    or writes no statistics.
    """
    cases = [case_of(mapped, hardware) for mapped in network.layers]
    return [row for case in cases for row in _compare(case, binary, timeout_seconds)]


def _compare(case: Case, binary: Path, timeout_seconds: float) -> list[Comparison]:
    rows: list[Comparison] = []
    for switches in dict.fromkeys((switches_of(case), EXACT_SWITCHES)):  # the second way is right and slow
        theirs = _run(case, switches, binary, timeout_seconds)
        rows = list(compared(case, conventions_of(case), theirs))
        if all(row.equal or row.explained for row in rows):
            break
    return rows


def _run(case: Case, switches: tuple[str, ...], binary: Path, timeout_seconds: float) -> Mapping[str, int]:
    """Timeloop's counts by our figures."""
    where = f"{binary}: layer {case.nest.mapped.layer.name}"
    with tempfile.TemporaryDirectory(prefix="mapsearch-verify-") as name:
        folder = Path(name)
        (folder / "layer.yaml").write_text(write_case(case), encoding="utf-8")
        run_in(folder, [str(binary), "layer.yaml"], where, timeout_seconds, dict.fromkeys(switches, "1"))
        try:
            text = (folder / _STATS).read_text(encoding="utf-8", errors="replace")
        except OSError:
            raise InputError(f"{where}: the program must write {_STATS}, and wrote none") from None
    counts, keys = _counts(text), document(case.nest, case.hardware, case.depths)
    places = dict(_TOTALS)
    for figure, (tensor, level, access) in _WORDS.items():
        places[figure] = f"{access} of {levels_of(keys, tensor)[level]} {SPACES[tensor]}"
    for place in places.values():
        if place not in counts:
            raise InputError(f"{where}: {_STATS} must tell {place}, and does not")
    return {figure: counts[place] for figure, place in places.items()}


_LINE = re.compile(
    r"=== (?P<level>\S+) ===|    (?P<tensor>\w+):|\s+Utilized instances \(\w+\)\s*:\s*(?P<units>[\d.e+]+)"
    r"|\s+Scalar (?P<access>\w+) \(per-instance\)\s*:\s*(?P<words>[\d.e+]+)|(?P<total>Cycles|Computes)\s*[:=]\s*(?P<number>\d+)"
)


def _counts(text: str) -> dict[str, int]:
    """The accesses of each level and tensor, those of all instances together, and totals, of a statistics file."""
    found: dict[str, int] = {}
    level, place, units = "", "", 1.0
    for match in filter(None, map(_LINE.match, text.splitlines())):
        if match["level"]:
            level = match["level"]
        elif match["tensor"]:
            place, units = f"{level} {match['tensor']}", 1.0
        elif match["units"]:
            units = float(match["units"])
        elif match["access"]:
            found[f"{match['access']} of {place}"] = round(float(match["words"]) * units)
        else:
            found[match["total"]] = int(match["number"])
    return found
