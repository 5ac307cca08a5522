"""Mappings and their machine as files of another tool, all that it can express of them, or what is most like them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.registry import FORMATS, Files, Format
from mapsearch.model.errors import InputError, MappingError
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.mapping import encode
from mapsearch.model.plain import Plain
from mapsearch.spaces.mappings.laws import restriction_for
from mapsearch.spaces.mappings.rules import MAX_LEVELS, TOOLS, TileRule
from mapsearch.spaces.mappings.space import Space
from mapsearch.studies.evaluate import HardwareSource, load_mapped
from mapsearch.studies.results import LeftOut


@dataclass(frozen=True, slots=True)
class Mended(Plain):
    """A layer that is exported with the most similar mapping that the tool can express, for the reason given.

    The ratios are its costs over those of the mapping that it stands for, by the exact model.
    """

    name: str
    reason: str
    runtime_ratio: float
    energy_ratio: float


@dataclass(frozen=True, slots=True)
class Expressed:
    """What a tool can express of a network; left_out: the layers that it cannot."""

    network: Network
    mended: tuple[Mended, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class Exported:
    """The files by name, and of which layers they are."""

    files: Files
    expressed: Expressed


def export(source: Path, to: str, hardware: HardwareSource | None = None, *, nearest: bool = False) -> Exported:
    """The files of a format for the layers of a mapping file or of a run, and its machine.

    hardware: see `load_mapped`. nearest: see `expressible`. Raises MappingError with the reason where no layer can be expressed.
    """
    if nearest and to not in TOOLS:
        raise InputError(f"nearest mappings are those by the laws of a tool, one of {', '.join(TOOLS)}, got {to}; leave it out")
    (network, target), form = load_mapped(source, hardware), FORMATS[to]
    found = expressible(network, target, form, nearest=nearest)
    files = form.write_network(found.network, target) | form.write_hardware(target)
    stem = source.resolve().stem
    return Exported({f"{stem}_{name}": content for name, content in files.items()}, found)


def expressible(network: Network, hardware: Hardware, form: Format, *, nearest: bool = False) -> Expressed:
    """The layers that a format can express, and the others; MappingError where it can express none.

    nearest: whether the most similar mapping stands for one that it cannot, where it can express that.
    """
    taken: list[MappedLayer] = []
    mended: list[Mended] = []
    left_out: list[LeftOut] = []
    for mapped in network.layers:
        name, reason = mapped.layer.name, _why_not(mapped, hardware, form)
        likes = _likes(mapped, hardware, form.name) if reason and nearest else ()
        like = next((each for each in likes if not _why_not(each, hardware, form)), None)
        if not reason:
            taken.append(mapped)
        elif like is not None:
            taken.append(like)
            mended.append(Mended(name, reason, *_ratios(like, mapped, hardware)))
        else:
            left_out.append(LeftOut(name, reason))
    if not taken:
        more = f"; nor can {form.name} express any other of the {len(left_out)} layers" if len(left_out) > 1 else ""
        raise MappingError(f"{left_out[0].reason}{more}")
    return Expressed(Network(network.name, tuple(taken)), tuple(mended), tuple(left_out))


def _why_not(mapped: MappedLayer, hardware: Hardware, form: Format) -> str:
    """Why a format cannot express a mapping; "" where it can."""
    try:
        form.write_network(Network("", (mapped,)), hardware)
    except MappingError as error:
        return str(error)
    return ""


def _likes(mapped: MappedLayer, hardware: Hardware, tool: str) -> Iterator[MappedLayer]:
    """The mapping that is most like a given one among those by the laws of a tool, if there are any."""
    levels = len(mapped.mapping.levels)
    if levels > MAX_LEVELS:
        return
    try:
        space = Space(mapped.layer, hardware, levels, TileRule.DIVISORS, restriction=restriction_for([tool]))
    except InputError:  # none fits
        return
    found = space.adopt([mapped.mapping])
    for row in range(len(found)):
        yield replace(mapped, mapping=found.decode(row, mapped.layer), places=None)


def _ratios(mended: MappedLayer, mapped: MappedLayer, hardware: Hardware) -> tuple[float, float]:
    """Cycles and energy over those of the mapping that is mended."""
    batches = (encode([each.mapping], mapped.layer, hardware.shape) for each in (mended, mapped))
    after, before = (ExactModel().evaluate(mapped.layer, hardware, batch).report(0) for batch in batches)
    return after.runtime_cycles / before.runtime_cycles, after.energy_pj.total / before.energy_pj.total
