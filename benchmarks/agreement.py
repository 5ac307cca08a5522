"""Compares the model of MAESTRO with recorded runs of the published program, and writes the table of docs/agreement.md.

Run as `python benchmarks/agreement.py`; other files of recorded runs may be named, whose tables are only printed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))  # where the recorded runs and their reader are

from maestro_rows import RECORDED, Row, compared, equal, figures_of, recorded_rows  # noqa: E402 after the path to them
from tables import table  # noqa: E402 likewise

from mapsearch.model.errors import InputError  # noqa: E402 likewise

PAGE = ROOT / "docs" / "agreement.md"
_HEAD = """# Agreement with the published MAESTRO

Recorded runs of the open-source MAESTRO (github.com/maestro-project/maestro, commit 4eb08d17) on mappings made for the purpose,
`tests/data/maestro_runs.csv`, against `--model maestro`. A row is equal where every number that the program printed, 67 of them,
is equal to a relative 1e-9; a row that the program rejected or crashed on must be an error here. Rows in which the program's own
behaviour is undefined are left out. Made by `python benchmarks/agreement.py`.

"""
_COLUMNS = ("group", "rows with numbers", "of them equal", "numbers compared", "rejected or crashed", "of them an error")


def main() -> None:
    """Write or print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="CSV files like tests/data/maestro_runs.csv")
    parser.add_argument("--out", type=Path, default=PAGE, help="the page to write (default: docs/agreement.md)")
    args = parser.parse_args()
    for path in args.files:
        print(f"{path.name}\n\n{agreement(path)}")
    if not args.files:
        args.out.write_text(_HEAD + agreement(RECORDED), encoding="utf-8")


def agreement(path: Path) -> str:
    """The table of a file."""
    groups: dict[str, list[int]] = {}
    for row in recorded_rows(path):
        if row["ub_flag"] == "":
            counts = groups.setdefault(row["group"].split(":")[0], [0] * 5)
            for k, more in enumerate(_outcome(row)):
                counts[k] += more
    groups = dict(sorted(groups.items()))
    groups["**all**"] = [sum(counts) for counts in zip(*groups.values(), strict=True)]
    return table(_COLUMNS, [[group, *counts] for group, counts in groups.items()])


def _outcome(row: Row) -> tuple[int, int, int, int, int]:
    """What a row adds to the columns."""
    if row["status"] == "ok":
        try:
            pairs = compared(row)
        except InputError:
            return 1, 0, 0, 0, 0
        return 1, int(all(equal(*pair) for pair in pairs.values())), len(pairs), 0, 0
    try:
        figures_of(row)
    except InputError:
        return 0, 0, 0, 1, 1
    return 0, 0, 0, 1, 0


if __name__ == "__main__":
    main()
