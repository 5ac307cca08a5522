"""What other tools' mappers find, beside the proven optimum: measures it and writes its section of docs/search.md.

    python benchmarks/peer_mappers.py --zigzag ZZ_VENV/bin/python --accelforge AF_VENV/bin/python

Each tool runs as a process of its own, in the Python that has it (`pip install zigzag-dse six`; `pip install accelforge`), on the
layers and the machine of benchmarks/search_data/peers. mapsearch reads what it finds and evaluates it in its exact model. Rows are
kept in benchmarks/search_data/peer_mappers.csv as they come, and only what has none is measured. Recorded rows stay beside them.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path

from peer_files import accelforge_files, zigzag_files
from records import measure, read_rows
from tables import table

from mapsearch.formats.directives import Network, print_network
from mapsearch.formats.mappings import load_network, read_network
from mapsearch.formats.text import write_whole
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.formats.yaml.layer_sets import load_layer_set
from mapsearch.model.errors import InputError
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import encode
from mapsearch.studies.compare.program import run_in

DATA = Path(__file__).parent / "search_data"
PAGE = Path(__file__).parents[1] / "docs" / "search.md"
PEERS = DATA / "peers"
ROWS = DATA / "peer_mappers.csv"
HEADING = "## Other tools' mappers\n"
OURS = "mapsearch"

_INTRO = """\
What the mappers of other tools find for four layers on one machine, by EDP in pJ x cycles: 256 PEs with an L1 of 512 B each, an L2
of 128 KiB, both double-buffered, 16 B a cycle off-chip, words of one byte for 1, 10 and 200 pJ. "Own" is what the tool says of its
mapping. Our importers read that mapping, the exact model evaluates it, and it is set against the optimum that
`mapsearch run --tiles divisors --gap 0` proves. Seconds are those of the CPU, with the start of the tool.
"""
_NOTES = """\
Each tool looks for the least EDP of its own model, and not of ours. As a double-buffered memory has room for tiles of half its
size, ZigZag and AccelForge get memories of half the size. ZigZag searches by LOMA (`lpf_limit=6`, `temporal_mapping_type="even"`)
and chooses what it spreads over 16 x 16 PEs; AccelForge runs in one process. Recorded rows were measured elsewhere, when the energy
still had reads of zeros from the L1, and are set against the optimum of that energy; Timeloop was built without optimisation there.
All chunks divide their tiles, in ours too. Made by `python benchmarks/peer_mappers.py`; the rows with their mappings are in
`benchmarks/search_data/peer_mappers.csv`, machine and layers in `benchmarks/search_data/peers/`.
"""


@dataclass(frozen=True, slots=True)
class PeerRow:
    """What one tool found for a layer.

    settings: of its mapper, "" for those that the page tells. cpu_seconds: of its process. own_edp, edp: of the mapping in the
    tool's model and in ours. optimum: of recorded rows, as proven then. All NaN where not known. mapping: as directives in one
    line, "" where there is none; note: why.
    """

    tool: str
    version: str
    settings: str
    layer: str
    cpu_seconds: float
    own_edp: float
    edp: float
    optimum: float
    mapping: str
    note: str

    @property
    def recorded(self) -> bool:
        """Whether it was measured elsewhere, when the energy still had reads of zeros from the L1."""
        return isfinite(self.optimum)


@dataclass(frozen=True, slots=True)
class Case:
    """One layer for one tool; command: what runs the tool. limit: CPU seconds."""

    tool: str
    layer: Layer
    command: str
    limit: float


@dataclass(frozen=True, slots=True)
class Found:
    """What a run of a tool left: its version, its own EDP, and the file of its mapping."""

    version: str
    own_edp: float
    file: Path


def _zigzag(case: Case, folder: Path, hardware: Hardware) -> Found:
    for name, text in zigzag_files(case.layer, hardware).items():
        write_whole(folder / name, text)
    said = run_in(folder, [case.command, "zigzag_mapper.py"], "ZigZag", case.limit * 20)
    return _found(said, folder / "out" / "layer_complete.json")


def _accelforge(case: Case, folder: Path, hardware: Hardware) -> Found:
    for name, text in accelforge_files(case.layer, hardware, case.limit).items():
        write_whole(folder / name, text)
    said = run_in(folder, [case.command, "accelforge_mapper.py"], "AccelForge", case.limit * 20)
    return _found(said, folder / "found.yaml")


def _ours(case: Case, folder: Path, hardware: Hardware) -> Found:
    del hardware  # the same file is named
    what = [f"{PEERS / 'layers.yaml'}:{case.layer.name}", "--hardware", str(PEERS / "machine.yaml"), "--tiles", "divisors"]
    how = ["--gap", "0", "--jobs", "1", "--no-cache", "--quiet", "--out", "run"]
    run_in(folder, [case.command, "-m", "mapsearch", "run", *what, *how], OURS, case.limit * 20)
    return Found("", nan, folder / "run" / "network.m")


def _found(said: str, file: Path) -> Found:
    version, own_edp = said.split()[-2:]
    return Found(version, float(own_edp), file)


RUNS: Mapping[str, Callable[[Case, Path, Hardware], Found]] = {OURS: _ours, "ZigZag": _zigzag, "AccelForge": _accelforge}


def main() -> None:
    """Measure what has no row, telling each on standard error, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--zigzag", metavar="PYTHON", help="a Python that has zigzag-dse")
    parser.add_argument("--accelforge", metavar="PYTHON", help="a Python that has accelforge")
    parser.add_argument("--limit", type=float, default=300.0, help="CPU seconds of AccelForge for a layer (default: 300)")
    parser.add_argument("--data", type=Path, default=ROWS, help="the rows (default: benchmarks/search_data/peer_mappers.csv)")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page with the section (default: docs/search.md)")
    args = parser.parse_args()
    commands = {OURS: sys.executable, "ZigZag": args.zigzag, "AccelForge": args.accelforge}
    for row in measure_all(args.data, {tool: command for tool, command in commands.items() if command}, args.limit):
        print(row.tool, row.layer, f"{row.edp:.4g} {row.cpu_seconds:.1f} s", row.note, file=sys.stderr)
    write_section(read_rows(args.data, PeerRow), args.page)


def measure_all(path: Path, commands: Mapping[str, str], limit: float) -> Iterator[PeerRow]:
    """Measure what the file has no row of, one after the other."""
    done = {(row.tool, row.layer) for row in read_rows(path, PeerRow) if not row.recorded}
    cases = [
        Case(tool, unique.layer, command, limit)
        for tool, command in commands.items()
        for unique in load_layer_set(str(PEERS / "layers.yaml")).unique
        if (tool, unique.layer.name) not in done
    ]
    return measure(path, PeerRow, cases, _measured, 1)


def _measured(case: Case) -> PeerRow:
    hardware = load_hardware(str(PEERS / "machine.yaml"))
    before = _children_seconds()
    with tempfile.TemporaryDirectory() as name:
        try:
            found = RUNS[case.tool](case, Path(name), hardware)
        except InputError as error:
            seconds = _children_seconds() - before
            note = f"no answer in {case.limit:.0f} s" if seconds >= case.limit else str(error)
            return PeerRow(case.tool, "", "", case.layer.name, seconds, nan, nan, nan, "", note)
        seconds = _children_seconds() - before
        try:
            mapping, note = _as_ours(found.file, case.layer), ""
        except InputError as error:
            mapping, note = "", str(error).removeprefix(f"{found.file}: ")
    value = edp(mapping, hardware) if mapping else nan
    return PeerRow(case.tool, found.version, "", case.layer.name, seconds, found.own_edp, value, nan, mapping, note)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _as_ours(file: Path, layer: Layer) -> str:
    """A mapping that a tool found for a layer, as directives in one line; InputError where it is none of ours."""
    [mapped] = load_network(file).layers
    if mapped.layer.extents != layer.extents:
        raise InputError(f"must be a mapping of {layer.extents}, got {mapped.layer.extents}")
    return " ".join(print_network(Network("found", (mapped,))).split())


def edp(text: str, hardware: Hardware) -> float:
    """The EDP of the mapping of one layer in directive text, in the exact model, in pJ x cycles."""
    [mapped] = read_network(text.encode(), "found.m").layers
    found = ExactModel().evaluate(mapped.layer, hardware, encode([mapped.mapping], mapped.layer, hardware.shape)).report(0)
    return found.runtime_cycles * found.energy_pj.total


def write_section(rows: list[PeerRow], page: Path) -> None:
    """Write the section into the page, in place of the one that it has."""
    before, _, after = page.read_text(encoding="utf-8").partition(HEADING)
    rest = after[after.find("\n## ") + 1 :] if "\n## " in after else ""
    optima = {row.layer: row.edp for row in rows if row.tool == OURS}
    by_layer = [row for layer in optima for row in rows if row.layer == layer]
    shown = [
        (row.layer, _tool(row), f"{row.cpu_seconds:.1f}" if isfinite(row.cpu_seconds) else "", *_values(row, optima))
        for row in by_layer
    ]
    columns = ("layer", "mapper", "CPU s", "own EDP", "in our model", "of the optimum")
    write_whole(page, f"{before}{HEADING}\n{_INTRO}\n{table(columns, shown)}\n{_NOTES}\n{rest}")


def _tool(row: PeerRow) -> str:
    more = "; ".join(filter(None, ("recorded" if row.recorded else "", row.settings)))
    return " ".join(filter(None, (row.tool, row.version, more and f"({more})")))


def _values(row: PeerRow, optima: Mapping[str, float]) -> tuple[str, str, str]:
    optimum = row.optimum if row.recorded else optima.get(row.layer, nan)
    own = f"{row.own_edp:.3e}" if isfinite(row.own_edp) else ""
    if not isfinite(row.edp):
        return own, row.note, ""
    return own, f"{row.edp:.3e}", "optimal, proven" if row.tool == OURS else f"{row.edp / optimum:.2f} x"


if __name__ == "__main__":
    main()
