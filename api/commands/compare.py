"""`mapsearch compare`: two runs, or a run and a mapping file, side by side."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from mapsearch.arguments import Subparsers
from mapsearch.output import Cell, write, write_json, write_prose, write_table

if TYPE_CHECKING:
    from mapsearch.studies.compare.runs import Comparison, Row

_FIGURES = ("runtime_cycles", "energy_pj", "edp_pj_cycles")


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "compare",
        help="two runs, or a run and a mapping file, side by side, layer by layer",
        description="Shows the cycles, energy and EDP of each layer and of the network in two runs, A and B, and B's over A's; "
        "above them, in what the runs differ. In place of one run there may be a mapping file of any tool: its mappings count on "
        "the other's machine, for its layers of the same shapes.",
    )
    parser.add_argument("first", metavar="RUN_A", help="the folder of a run, or a mapping file")
    parser.add_argument("second", metavar="RUN_B", help="the folder of another, or a mapping file")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    """Print the comparison."""
    from dataclasses import asdict

    from mapsearch.studies.compare.runs import compare_runs

    found = compare_runs(Path(args.first), Path(args.second))
    if args.json:
        write_json(asdict(found))
    else:
        _write(found)
    return 0


def _write(found: Comparison) -> None:
    for letter, title in zip("AB", found.titles, strict=True):
        write_prose(f"{letter}: {title}", indent=3)
    for line in found.differences:
        write_prose(f"   {line}", indent=6)
    write("")
    headers = ("cycles A", "cycles B", "cycles\nB/A", "energy A [µJ]", "energy B [µJ]", "energy\nB/A", "EDP\nB/A")
    write_table("", ("layer", "count", *headers), [_row(row) for row in (*found.layers, found.network)])
    for which, row_side in (("A", "second"), ("B", "first")):
        alone = [row.layer for row in found.layers if getattr(row, row_side) is None]
        if alone:
            write_prose(f"only in {which}: {', '.join(alone)}", indent=11)


def _row(row: Row) -> list[Cell]:
    sides = (row.first, row.second)
    cycles = [side.runtime_cycles if side is not None else "" for side in sides]
    energies_uj = [side.energy_pj / 1e6 if side is not None else "" for side in sides]
    ratios = ["" if each is None else each for each in (row.ratios or dict.fromkeys(_FIGURES)).values()]
    return [row.layer, row.count, *cycles, ratios[0], *energies_uj, *ratios[1:]]
