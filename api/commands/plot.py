"""`mapsearch plot`: pictures of a run, or of what zeros are worth."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from mapsearch.arguments import Subparsers, by_law
from mapsearch.output import Cell, say, write, write_json, write_table
from mapsearch.studies.declared import FOLDER, whole

if TYPE_CHECKING:
    from mapsearch.studies.density import DensityStudy

_SEARCH = ("hardware", "objective", "evaluations")  # options of --density alone


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "plot",
        help="pictures of a run: fronts, convergence, energy, roofline; or of a layer over its density",
        description="Draws the run in a folder, done or not: energy by part, roofline, Pareto fronts and convergence as PNG or SVG "
        "files, and report.html, a page that holds them with a table of the layers. With --density it searches mappings of one "
        "layer at 12 densities of its weights, and draws cycles and energy of the best: on the machine, which must skip or gate "
        "zeros, and on the same machine if it made nothing of them, or only gated them, and what is lost to load imbalance. Needs "
        "matplotlib (pip install '.[plots]').",
    )
    parser.add_argument("source", metavar="RUN", help="the folder that mapsearch run wrote; with --density a layer, SET:NAME")
    parser.add_argument("--density", action="store_true", help="draw cycles and energy of a layer over its density")
    parser.add_argument("--hardware", metavar="H", help="of --density: a machine that skips or gates zeros")
    parser.add_argument("--objective", metavar="O", help="of --density: what mappings are searched for (default: edp)")
    parser.add_argument(
        "--evaluations", type=by_law(whole(1)), metavar="N", help="of --density: of each of its 13 searches (default: 40000)"
    )
    parser.add_argument(
        "--out",
        type=by_law(FOLDER),
        metavar="DIR",
        help="the folder to write to (default: pictures/ in the run's folder, or here)",
    )
    parser.add_argument("--format", choices=("png", "svg"), default="png", metavar="F", help="png or svg (default: png)")
    parser.add_argument("--json", action="store_true", help="print the files' names, and what is left out or drawn, as JSON")


def run(args: Namespace) -> int:
    """Write the pictures and print their names, and a line for what is left out."""
    from mapsearch.model.errors import InputError
    from mapsearch.model.extras import require

    require("a picture", "plots", "matplotlib")
    if args.density:
        return _draw_densities(args)
    for option in _SEARCH:
        if getattr(args, option) is not None:
            raise InputError(f"--{option} goes with --density, as a run has its own; leave it out")

    from mapsearch.studies.pictures.album import draw_album

    album = draw_album(Path(args.source), Path(args.out) if args.out is not None else None, args.format)
    if args.json:
        write_json({"written": [str(path) for path in album.paths], "left_out": album.left_out})
        return 0
    for line in album.left_out:
        write(f"left out: {line}")
    for path in album.paths:
        write(f"written: {path}")
    return 0


def _draw_densities(args: Namespace) -> int:
    from mapsearch.studies.density import DENSITIES, density_study, load_layer
    from mapsearch.studies.pictures.album import draw_densities

    layer, search = load_layer(args.source), {key: getattr(args, key) for key in _SEARCH if getattr(args, key) is not None}
    say(f"searching mappings of {args.source} at {len(DENSITIES)} densities")
    study, out = density_study(layer, **search), Path(args.out or "pictures")
    if args.json:
        path = draw_densities(study, out, args.format)
        write_json({"written": [str(path)], "left_out": [], "density": study.to_dict()})
        return 0
    _write_densities(study)
    write(f"written: {draw_densities(study, out, args.format)}")
    return 0


def _write_densities(study: DensityStudy) -> None:
    """A row for each density: the cycles and the energy of each machine, and of the last what is lost to load imbalance."""
    *_, own = study.lines.values()
    skips = own[0].balanced_runtime_cycles is not None
    rows: list[list[Cell]] = []
    for number, last in enumerate(own):
        points = [line[number] for line in study.lines.values()]
        lost: list[Cell] = [100 * (1 - (last.balanced_runtime_cycles or 0) / last.runtime_cycles)] if skips else []
        cycles: list[Cell] = [point.runtime_cycles for point in points]
        rows.append([last.density, *cycles, *lost, *(point.energy_pj / 1e6 for point in points)])
    of_cycles, of_energies = ([f"{name}\n[{unit}]" for name in study.lines] for unit in ("cycles", "µJ"))
    write(f"{study.layer} on {study.hardware}, best mappings found for {study.objective}, by the density of its {study.operand}s")
    write_table("", ("density", *of_cycles, *(["lost to\nimbalance [%]"] if skips else []), *of_energies), rows)
