"""`mapsearch validate`: the exact model held against measured chips, and a technology fitted to a chip of the user's own."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mapsearch.arguments import Subparsers
from mapsearch.model.english import counted
from mapsearch.model.errors import InputError
from mapsearch.output import say, write, write_json, write_table

if TYPE_CHECKING:
    from mapsearch.studies.validation.fit import Fit
    from mapsearch.studies.validation.outcome import Outcome

PAGE = Path("docs") / "validation.md"


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "validate",
        help="the exact model held against measured chips",
        description="Holds the exact model against chips that were measured, each figure against a bar; or, with --fit, fits a "
        "technology to the energies of a chip of your own.",
    )
    parser.add_argument(
        "suites",
        nargs="*",
        metavar="SUITE",
        help="eyeriss-alexnet, eyeriss-vgg16, eyeriss-traffic, eyeriss-power, eyeriss-search, gemmini, zhang-fpga15, or "
        "tpu-v6e, whose rows are not shipped; each is shown row by row (default: all that have rows, in short); "
        "with --fit, a file of rows",
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="a folder with rows of your own, in files named like the shipped ones"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the page to a file; with --fit, the fitted technology")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="write the mappings as directive files, and their machines")
    parser.add_argument("--json", action="store_true", help="print all figures and rows as JSON")
    parser.add_argument(
        "--check",
        action="store_true",
        help=f"exit with code 1 where a bar is missed or, of a run of all shipped rows, the page ({PAGE}, or --out) is not what "
        "would be written",
    )
    parser.add_argument("--fit", choices=("technology",), metavar="WHAT", help="technology: fit prices to measured energies")
    parser.add_argument("--hardware", metavar="H", help="with --fit: the machine, as for mapsearch evaluate (default: edge)")


def run(args: Namespace) -> int:
    """Print the figures; 0, or 1 where --check finds something wrong."""
    if args.fit is not None:
        return _fit(args)
    if args.hardware is not None:
        raise InputError("--hardware is the machine of a --fit; the suites have machines of their own")
    from mapsearch.formats.text import write_files
    from mapsearch.studies.validation import kept_files, validate
    from mapsearch.studies.validation.page import page

    outcomes = validate(args.suites, args.data)
    if args.keep is not None:
        write_files(args.keep, kept_files(outcomes))
    if args.out is not None and not args.check:
        write_files(args.out.parent, {args.out.name: page(outcomes)})
    if args.json:
        write_json({"met": all(outcome.met for outcome in outcomes), "suites": [outcome.to_dict() for outcome in outcomes]})
    else:
        _print(outcomes, rows=bool(args.suites))
    if not args.check:
        return 0
    whole = not args.suites and args.data is None
    right = not whole or _is_written(args.out, page(outcomes))
    return 0 if right and all(outcome.met for outcome in outcomes) else 1


def _is_written(path: Path | None, text: str) -> bool:
    """Whether the page is what would be written; the page of the repository counts only where it is there."""
    if path is None and not PAGE.is_file():
        say(f"no {PAGE} here to compare with")
        return True
    from mapsearch.formats.text import read_text

    found = read_text(path or PAGE, "page") == text
    if not found:
        say(f"{path or PAGE} is not what would be written; write it by mapsearch validate --out {path or PAGE}")
    return found


def _print(outcomes: Sequence[Outcome], *, rows: bool) -> None:
    from mapsearch.studies.validation.page import FIGURES, figure_rows

    write_table("", FIGURES, figure_rows(outcomes, "NO"))
    for outcome in outcomes if rows else ():
        columns = [column.title for column in outcome.table.columns]
        write_table(outcome.suite, columns, outcome.table.shown())
    bars = [figure.met for outcome in outcomes for figure in outcome.figures if figure.bar]
    write(f"{counted(len(bars), 'bar')}, {bars.count(True)} met, {bars.count(False)} missed")


def _fit(args: Namespace) -> int:
    """Fit a technology and print it beside its errors."""
    if len(args.suites) != 1:
        raise InputError(f"--fit takes one file of rows, got {len(args.suites)}")
    if args.data is not None or args.keep is not None or args.check:
        raise InputError("--fit takes --hardware, --out and --json; leave out --data, --keep and --check")
    import yaml

    from mapsearch.formats.text import write_files
    from mapsearch.formats.yaml.technology import technology_to_dict
    from mapsearch.studies.evaluate import machine
    from mapsearch.studies.validation.fit import fit_technology

    found = fit_technology(Path(args.suites[0]), machine(args.hardware or "edge"))
    if args.out is not None:
        text = yaml.safe_dump(technology_to_dict(found.technology), sort_keys=False)
        rows = counted(len(found.layers), "row")
        write_files(args.out.parent, {args.out.name: f"# Fitted to {rows} of {args.suites[0]}\n{text}"})
    if args.json:
        write_json(found.to_dict())
    else:
        _print_fit(found)
    return 0


def _print_fit(found: Fit) -> None:
    from mapsearch.studies.validation.fit import CONSTANT
    from mapsearch.studies.validation.outcome import mean_and_worst

    prices = [(name, factor, "times its price") for name, factor in found.factors.items() if name != CONSTANT]
    write_table("Fitted", ("part", "factor", ""), [*prices, ("constant power", found.factors[CONSTANT], "mW")])
    rows = list(zip(found.layers, found.measured_uj, found.errors, found.held_out, strict=True))
    write_table("Rows", ("layer", "measured [µJ]", "error [%]", "held out [%]"), rows)
    for what, errors in (("fitted", found.errors), ("held out, each row by the fit to all others", found.held_out)):
        mean, worst = mean_and_worst(errors)
        write(f"{what}: mean error {mean:.1f} %, worst {worst:.1f} %")
