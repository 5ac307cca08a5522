"""Runs Timeloop's model on exported mappings and compares its counts with ours.

With edge chunks the input's words are compared only where no window slides: else nobody has worked out what Timeloop makes of them.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.timeloop.conventions import PADDED, expected_words, slides
from mapsearch.formats.timeloop.names import SPACES
from mapsearch.formats.timeloop.out import EXACT_SWITCHES, Exported, export, text_of
from mapsearch.model.errors import InputError
from mapsearch.model.evaluation import CountedEvaluation
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.mapping import encode
from mapsearch.model.tensors import Tensor
from mapsearch.studies.compare.comparison import Comparison
from mapsearch.studies.compare.program import run_in

_STATS = "timeloop-model.stats.txt"
_W, _I, _O = Tensor
_L1, _L2, _DRAM = range(3)


@dataclass(frozen=True, slots=True)
class _Words:
    """One of our counts of words, and where Timeloop counts it: the tensor, the level that keeps it, and the access."""

    figure: str
    tensor: Tensor
    level: int
    access: str
    ours: Callable[[CountedEvaluation], int]


_WORDS = (
    _Words("l2_to_l1_words.weight", _W, _L2, "reads", lambda costs: costs.l2_to_l1_words.weight),
    _Words("l2_to_l1_words.input", _I, _L2, "reads", lambda costs: costs.l2_to_l1_words.input),
    # Without reduction the L2 reads sums to add to them, which Timeloop counts alike.
    _Words("psum_read_words + l2_add_read_words", _O, _L2, "reads", lambda costs: costs.psum_read_words + costs.l2_add_read_words),
    _Words("output_write_words", _O, _L2, "updates", lambda costs: costs.output_write_words),
    _Words("l1_fill_words.weight", _W, _L1, "fills", lambda costs: costs.l1_fill_words.weight),
    _Words("l1_fill_words.input", _I, _L1, "fills", lambda costs: costs.l1_fill_words.input),
    _Words("offchip_read_words.weight", _W, _DRAM, "reads", lambda costs: costs.offchip_read_words.weight),
    _Words("offchip_read_words.input", _I, _DRAM, "reads", lambda costs: costs.offchip_read_words.input),
    _Words("offchip_read_words.output", _O, _DRAM, "reads", lambda costs: costs.offchip_read_words.output),
    _Words("offchip_write_words", _O, _DRAM, "updates", lambda costs: costs.offchip_write_words),
)


def verify(network: Network, hardware: Hardware, binary: Path, timeout_seconds: float) -> list[Comparison]:
    """Timeloop's counts of the layers beside ours, with what its conventions make of ours.

    Raises InputError where a mapping cannot be exported, or the program cannot be run, takes longer than `timeout_seconds`, fails,
    or writes no statistics.
    """
    return [row for mapped in network.layers for row in _compare(mapped, hardware, binary, timeout_seconds)]


def _compare(mapped: MappedLayer, target: Hardware, binary: Path, timeout_seconds: float) -> list[Comparison]:
    layer = export(mapped, target)
    rows: list[Comparison] = []
    for switches in dict.fromkeys((layer.switches, EXACT_SWITCHES)):  # the second way is right and slow
        theirs = _run(layer, target, switches, binary, timeout_seconds)
        rows = list(_rows(layer, target, theirs))
        if all(row.equal or row.explained for row in rows):
            break
    return rows


def _rows(layer: Exported, target: Hardware, theirs: Callable[[str, str], int]) -> Iterator[Comparison]:
    mapped, nest = layer.nest.mapped, layer.nest
    costs = ExactModel().evaluate(mapped.layer, target, encode([mapped.mapping], mapped.layer, target.shape)).report(0)
    expected = expected_words(nest, target, layer.depths[_I])
    for each in _WORDS:
        if each.tensor is not _I or expected or not slides(mapped.layer):
            level = layer.levels(each.tensor)[each.level]
            convention = expected.get(each.figure, (None, ""))
            counted = theirs(f"{level} {SPACES[each.tensor]}", each.access)
            yield Comparison(mapped.layer.name, each.figure, each.ours(costs), counted, *convention)
    yield Comparison(mapped.layer.name, "macs", costs.macs, theirs("", "Computes"))
    padded = prod(nest.tile) * prod(cut.trips for cut in nest.cuts)
    yield Comparison(mapped.layer.name, "mac_cycles", nest.mac_cycles, theirs("", "Cycles"), padded, PADDED)


def _run(
    layer: Exported, target: Hardware, switches: tuple[str, ...], binary: Path, timeout_seconds: float
) -> Callable[[str, str], int]:
    """Timeloop's count of a level and tensor, or of the whole where that is "", by name; InputError where it has none."""
    where = f"{binary}: layer {layer.nest.mapped.layer.name}"
    with tempfile.TemporaryDirectory(prefix="mapsearch-verify-") as name:
        folder = Path(name)
        (folder / "layer.yaml").write_text(text_of(layer, target), encoding="utf-8")
        run_in(folder, [str(binary), "layer.yaml"], where, timeout_seconds, dict.fromkeys(switches, "1"))
        try:
            text = (folder / _STATS).read_text(encoding="utf-8", errors="replace")
        except OSError:
            raise InputError(f"{where}: the program must write {_STATS}, and wrote none") from None
    counts = _counts(text)

    def count(place: str, name: str) -> int:
        try:
            return counts[place, name]
        except KeyError:
            told = f"{name} of {place}" if place else name
            raise InputError(f"{where}: {_STATS} must tell {told}, and does not") from None

    return count


_LINE = re.compile(
    r"=== (?P<level>\S+) ===|    (?P<tensor>\w+):|\s+Utilized instances \(\w+\)\s*:\s*(?P<units>[\d.e+]+)"
    r"|\s+Scalar (?P<access>\w+) \(per-instance\)\s*:\s*(?P<words>[\d.e+]+)|(?P<total>Cycles|Computes)\s*[:=]\s*(?P<number>\d+)"
)


def _counts(text: str) -> dict[tuple[str, str], int]:
    """The accesses of each level and tensor, those of all instances together, and totals, of a statistics file."""
    found: dict[tuple[str, str], int] = {}
    level, place, units = "", "", 1.0
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        if match["level"]:
            level, place = match["level"], ""
        elif match["tensor"]:
            place, units = f"{level} {match['tensor']}", 1.0
        elif match["units"]:
            units = float(match["units"])
        elif match["access"]:
            found[place, match["access"]] = round(float(match["words"]) * units)
        else:
            found["", match["total"]] = int(match["number"])
    return found
