"""The pictures of a run as files, and a page that holds them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mapsearch.formats.text import in_file_name, write_files
from mapsearch.model.errors import InputError
from mapsearch.studies.density import DensityStudy
from mapsearch.studies.pictures import convergence, densities, energy, fronts, machines, roofline
from mapsearch.studies.pictures.html import Shown
from mapsearch.studies.pictures.page import page
from mapsearch.studies.pictures.style import Drawing, as_png, as_svg, fix_layout, with_told
from mapsearch.studies.recorded import Recorded, load_run
from mapsearch.studies.show.lines import nest_text
from mapsearch.studies.show.nest import shown_layers

_DRAWN: tuple[tuple[str, str, Callable[[Recorded], Drawing]], ...] = (
    ("energy", "Energy by part", energy.draw),
    ("roofline", "Roofline", roofline.draw),
    ("network_front", "Pareto front of the network", fronts.draw_network),
    ("fronts", "Pareto fronts of the layers", fronts.draw),
    ("machines", "Pareto front of machines", machines.draw),
    ("convergence", "Convergence", convergence.draw),
)


@dataclass(frozen=True, slots=True)
class Album:
    """The files written, the page last, and a line for whatever is left out."""

    paths: tuple[Path, ...]
    left_out: tuple[str, ...]


def draw_album(run_folder: Path, out: Path | None = None, suffix: str = "png") -> Album:
    """Draw what a run's folder has figures for, as PNG or SVG files in `out` (default: pictures/ in the folder) and a page.

    Each file is whole or not there. Raises InputError where the folder holds no run with a mapping, or `out` is not writable.
    """
    run = load_run(run_folder)
    files, left_out = _drawn(run, run_folder, suffix)
    return Album(tuple(write_files(run_folder / "pictures" if out is None else out, files)), tuple(left_out))


def draw_densities(study: DensityStudy, out: Path, suffix: str) -> Path:
    """Draw `densities` as a PNG or SVG file in `out`; InputError where that is not writable."""
    drawing, name = densities.draw(study), f"density_{in_file_name(study.layer)}"
    fix_layout(drawing.figure)
    content = as_svg(drawing.figure, name) if suffix == "svg" else as_png(drawing.figure)
    [path] = write_files(out, {f"{name}.{suffix}": content})
    return path


def _drawn(run: Recorded, run_folder: Path, suffix: str) -> tuple[dict[str, str | bytes], list[str]]:
    """The files by name, the page last, and the lines on what is left out."""
    files: dict[str, str | bytes] = {}
    shown: list[Shown] = []
    left_out: list[str] = []
    for name, title, draw in _DRAWN:
        drawing = draw(run)
        if drawing.note:
            left_out.append(drawing.note)
        if drawing.figure is not None:
            fix_layout(drawing.figure)
            svg = as_svg(drawing.figure, name)
            files[f"{name}.{suffix}"] = svg if suffix == "svg" else as_png(drawing.figure)
            shown.append(Shown(title, with_told(svg, drawing.figure, drawing.told)))
    files["report.html"] = page(run, shown, left_out, _nests(run, run_folder))
    return files, left_out


def _nests(run: Recorded, run_folder: Path) -> list[tuple[str, str]]:
    """The layers' names with the loop nests of their mappings, or with why there is none."""
    nests: list[tuple[str, str]] = []
    for layer in run.layers:
        try:
            [nest] = shown_layers(run_folder / layer.mapping_file, hardware=run.hardware)
            text = nest_text(nest)
        except InputError as error:
            text = str(error)
        nests.append((layer.name, text))
    return nests
