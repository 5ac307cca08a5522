"""A mapping's loop nest, and a space-time diagram of its first steps: which PE holds which part of W, I and O.

The diagram follows the figures of MAESTRO's paper (see `mapsearch.studies.show.steps`): a row for each PE, a column for each step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from mapsearch.model.english import counted
from mapsearch.studies.pictures.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALE,
    SMALL,
    TINY,
    WIDTH_INCHES,
    Axes,
    Figure,
    as_png,
    as_svg,
    fitted,
    fix_layout,
    new_figure,
)
from mapsearch.studies.show.lines import Line, heading, nest_lines
from mapsearch.studies.show.nest import ShownNest
from mapsearch.studies.show.steps import Part, ShownStep

_COLOURS = {"weight": BLUE, "input": ORANGE, "output": GREEN}
_LINE, _ROW = 0.155, 0.17  # inches
_PALEST, _FULLEST = 0.12, 0.7  # shares of a colour, the rest white
_LETTER = 0.6 / 72  # width of a letter, in inches for each point of its height
_LEAST = 5.0  # points in which a part's text can be read
_MARGIN = 1.0  # inches, for the PEs' names

Key = tuple[tuple[str, tuple[int, ...]], ...]


def nest_picture(nest: ShownNest, suffix: str) -> str | bytes:
    """The picture of a nest with first steps as a file's content; suffix: .png or .svg."""
    figure = draw(nest)
    fix_layout(figure)
    return as_svg(figure, "nest") if suffix == ".svg" else as_png(figure)


def draw(nest: ShownNest) -> Figure:
    """The nest on top, and a panel for each tensor below."""
    steps: Sequence[ShownStep] = nest.first_steps or ()
    held = [_Held.of(name, steps) for name in nest.tensors]
    names = _step_names(nest, steps)
    first, second = heading(nest)
    lines = [Line(0, second), *nest_lines(nest)]
    heights = [_LINE * (len(lines) + 1), *[_ROW * max((len(step.pes) for step in steps), default=0) + 0.1] * len(nest.tensors)]
    letters = max(_LEAST * max(each.longest for each in held), TINY * max(len(line) for name in names for line in name.split("\n")))
    column = max((WIDTH_INCHES - _MARGIN) / len(steps), _LETTER * letters)
    width = _MARGIN + column * len(steps)
    figure = new_figure(sum(heights) + 1.7, first, width)
    text, *panels = figure.subplots(1 + len(nest.tensors), 1, height_ratios=heights)
    _write(text, lines, width)
    for panel, each in zip(panels, held, strict=True):
        _hold(panel, each, steps, min(TINY, column / (_LETTER * each.longest)))
    _name_steps(panels[-1], nest, steps, names)
    return figure


@dataclass(frozen=True, slots=True)
class _Held:
    """What PEs hold of a tensor: a row for each PE of its parts by steps, and what is written of each part.

    common: where all parts lie alike.
    """

    name: str
    rows: Sequence[Sequence[Part | None]]
    common: Mapping[str, tuple[int, ...]]
    texts: Mapping[Key, str]

    @classmethod
    def of(cls, name: str, steps: Sequence[ShownStep]) -> _Held:
        """Of a tensor in these steps."""
        rows = [[step.pes[row].holds[name] for step in steps] for row in range(len(steps[0].pes))]
        parts = {_key(part): part for row in rows for part in row if part is not None}
        first = min(parts, default=())
        common = {axis: span for axis, span in first if all((axis, span) in part for part in parts)}
        return cls(name, rows, common, {key: _text(parts[key], common) for key in sorted(parts)})

    @property
    def longest(self) -> int:
        """The letters of the longest text."""
        return max(map(len, self.texts.values()), default=1)


def _write(axis: Axes, lines: Sequence[Line], width: float) -> None:
    """The nest's lines, indented by the loops around them, with a bar beside all that stands in a loop; width: in inches."""
    axis.set_axis_off()
    axis.set(xlim=(0, width), ylim=(len(lines), 0))
    for row, line in enumerate(lines):
        axis.text(
            0.15 * line.depth, row + 0.5, fitted(line.text, 140), va="center", fontsize=TINY, family="monospace",
            color=BLACK if not line.tensor else _COLOURS[line.tensor], weight="bold" if line.tensor else "normal",
        )  # fmt: skip
    for depth in range(1, 1 + max(line.depth for line in lines)):
        inside = [row for row, line in enumerate(lines) if line.depth >= depth]
        axis.plot([0.15 * depth - 0.1] * 2, [inside[0], inside[-1] + 1], color=PALE, linewidth=1)


def _hold(axis: Axes, held: _Held, steps: Sequence[ShownStep], size: float) -> None:
    """A row for each PE, with a bar for as long as it holds the same part; equal parts have one colour."""
    every = list(held.texts)
    for row, parts in enumerate(held.rows):
        column = 0
        for part, group in groupby(parts):
            width = len(list(group))
            if part is not None:
                axis.add_patch(_bar(column, row, width, _colour(held.name, every.index(_key(part)), len(every))))
                axis.text(column + width / 2, row + 0.5, held.texts[_key(part)], ha="center", va="center", fontsize=size)
            column += width
        for column, step in enumerate(steps):
            if step.pes[row].idle:
                axis.add_patch(Rectangle((column, row), 1, 1, fill=False, hatch="////", edgecolor=GREY, linewidth=0))
    axis.set(xlim=(0, len(steps)), ylim=(len(held.rows), 0))
    axis.set_yticks(
        [row + 0.5 for row in range(len(held.rows))], [_pe(each.pe, each.units) for each in steps[0].pes], fontsize=TINY
    )
    axis.set_xticks([])
    axis.tick_params(length=0)
    axis.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axis.set_title(_title(held), fontsize=SMALL, loc="left", color=_COLOURS[held.name])


def _title(held: _Held) -> str:
    """How many words the PEs hold of a tensor, and where all parts lie alike."""
    words = {part.words for row in held.rows for part in row if part is not None} or {0}
    sizes = f"{min(words):,} to {max(words):,} words" if len(words) > 1 else counted(max(words), "word")
    everywhere = ", ".join(_axis_text(axis, span) for axis, span in held.common.items() if span != (0, 0))
    return f"{held.name}: {sizes} in a PE{f'; in all of them {everywhere}' if everywhere else ''}"


def _bar(column: int, row: int, width: int, colour: tuple[float, ...]) -> Rectangle:
    return Rectangle((column + 0.02, row + 0.06), width - 0.04, 0.88, facecolor=colour, edgecolor=GREY, linewidth=0.4)


def _colour(name: str, place: int, parts: int) -> tuple[float, ...]:
    share = _PALEST + (_FULLEST - _PALEST) * (place / (parts - 1) if parts > 1 else 0.3)
    return tuple(1 - share + share * each for each in to_rgb(_COLOURS[name]))


def _key(part: Part) -> Key:
    return tuple(part.axes.items())


def _text(part: Part, common: Mapping[str, tuple[int, ...]]) -> str:
    """Where a part lies along the axes in which parts differ."""
    return " ".join(_axis_text(name, span) for name, span in part.axes.items() if name not in common) or "the same"


def _axis_text(name: str, span: tuple[int, ...]) -> str:
    first, last, *step = span
    between = f"-{last}{f':{step[0]}' if step else ''}" if last > first else ""
    return f"{name} {first}{between}"


def _pe(number: int, units: Sequence[int]) -> str:
    return f"PE {number}" if len(units) == 1 else f"PE {number} ({'.'.join(map(str, units))})"


def _step_names(nest: ShownNest, steps: Sequence[ShownStep]) -> list[str]:
    """The number of each step, and where the loops stand that move, a line each."""
    moving = [place for place, indices in enumerate(zip(*(step.indices for step in steps), strict=True)) if len(set(indices)) > 1]
    loops = nest.over_time
    return [
        "\n".join([str(number), *(f"{loops[place].dim} #{step.indices[place]}" for place in moving)])
        for number, step in enumerate(steps)
    ]


def _name_steps(axis: Axes, nest: ShownNest, steps: Sequence[ShownStep], names: Sequence[str]) -> None:
    """Below each column its step."""
    axis.set_xticks([number + 0.5 for number in range(len(steps))], names, fontsize=TINY)
    axis.set_xlabel(
        f"the first {len(steps)} of {counted(nest.steps, 'step')}, and the index of each loop that moves, on "
        f"{len(steps[0].pes)} of {counted(nest.working_pes, 'PE')}; one bar: the same words stay; one colour: equal words; "
        "hatched: an idle PE",
        fontsize=SMALL,
    )
