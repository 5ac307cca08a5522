"""The exact model and MAESTRO's side by side: each figure of a mapping, the ratio, and the causes of the difference.

The causes are the known faults of MAESTRO that apply to the mapping. MAESTRO's numbers are for the file as written, if it accepts
that, else for the mapping as `mapsearch export` writes it; where it takes neither, they are missing, and the cause says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from mapsearch.formats.directives import MappedLayer
from mapsearch.formats.maestro.mappings_in import read_written
from mapsearch.formats.mappings import WHAT, read_network
from mapsearch.formats.text import read_text
from mapsearch.model.errors import InputError
from mapsearch.model.evaluation import CountedEvaluation
from mapsearch.model.hardware import Hardware
from mapsearch.model.maestro.report import report
from mapsearch.model.maestro.source import Source
from mapsearch.model.maestro.translate import machine_of, source_of
from mapsearch.model.tensors import Dim
from mapsearch.studies.evaluate import HardwareSource, evaluate_text, mapping_files

_UNLIMITED = 2**31 - 1
_TENSORS = ("weight", "input")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a layer by both models, and MAESTRO's faults that make the difference.

    maestro: None where it does not take the mapping; the cause is then the reason.
    """

    layer: str
    metric: str
    exact: float
    maestro: float | None
    causes: tuple[str, ...]

    @property
    def cause(self) -> str:
        """All causes in one text, "" where there are none."""
        return "; ".join(self.causes)

    @property
    def ratio(self) -> float | None:
        """MAESTRO's figure over the exact one; None if that is 0, or MAESTRO has none."""
        return self.maestro / self.exact if self.exact and self.maestro is not None else None


def compare_models(source: Path, hardware: HardwareSource | None = None) -> list[Figure]:
    """The figures of each layer of a mapping file or of a run on a machine, as `evaluate` takes them.

    Raises InputError as `evaluate` does, or where MAESTRO has no such machine.
    """
    files, target = mapping_files(source, hardware)
    machine_of(target)  # MAESTRO has no such machine, whatever the mappings
    return [figure for file in files for figure in _compare(file, target)]


def _compare(file: Path, target: Hardware) -> Iterator[Figure]:
    text = read_text(file, WHAT)
    exact = evaluate_text(text, str(file), target, "exact")
    mapped = read_network(text.encode(), str(file)).layers
    for layer, written, ours in zip(mapped, _as_written(text, len(mapped)), exact, strict=True):
        assert isinstance(ours, CountedEvaluation)  # noqa: S101 the exact model's
        name, figures = layer.layer.name, ours.to_dict()
        try:
            source, theirs = _maestro(layer, written, target)
        except InputError as error:
            yield from (Figure(name, row.metric, _at(figures, row.exact), None, (str(error),)) for row in _ROWS)
            continue
        both = _Both(layer, target, source, ours, theirs)
        for row in _ROWS:
            one, other = _at(figures, row.exact), _at(theirs, row.maestro)
            yield Figure(name, row.metric, one, other, row.causes(both, one, other) if one != other else ())


def _at(figures: Mapping[str, Any], place: str) -> float:
    """The figure at a place, keys joined by dots; 0 at no place."""
    at: Any = figures if place else 0
    for key in place.split(".") if place else ():
        at = at[key]
    return float(at)


def _as_written(text: str, layers: int) -> Sequence[Source | None]:
    try:
        return read_written(text, "")
    except InputError:
        return [None] * layers


def _maestro(mapped: MappedLayer, written: Source | None, target: Hardware) -> tuple[Source, Mapping[str, Any]]:
    """MAESTRO's input and figures; InputError with the reason where it takes no such mapping."""
    if written is not None:
        try:
            return written, report(written, machine_of(target)).figures
        except InputError:  # for want of R and S beside Y' and X', say
            pass
    source = source_of(mapped.layer, mapped.mapping, target.shape)
    return source, report(source, machine_of(target)).figures


@dataclass(frozen=True, slots=True)
class _Both:
    """What the causes of differences depend on; each method gives those of one figure, of whose values it is told."""

    mapped: MappedLayer
    hardware: Hardware
    source: Source
    exact: CountedEvaluation
    maestro: Mapping[str, Any]

    def macs(self, _exact: float, _maestro: float) -> tuple[str, ...]:
        return _those(self._miscount())

    def runtime(self, _exact: float, maestro: float) -> tuple[str, ...]:
        freed = report(self.source, replace(machine_of(self.hardware), offchip_words=_UNLIMITED)).runtime_cycles
        return _those(
            self._miscount(),
            "off-chip words are charged in every step" if freed < maestro else "",
            "inner levels fill anew in each step, not overlapped" if len(self.source.levels) > 1 else "",
            "traffic off-chip is not waited for" if self.exact.offchip_cycles > self.exact.array_cycles else "",
            "partial sums are never read back" if self.exact.psum_read_words else "",
            "the first fill from off-chip is left out" if self.exact.fill_cycles else "",
        )

    def energy(self, _exact: float, _maestro: float) -> tuple[str, ...]:
        return _those(
            "fixed energies a word of any width",
            "no MACs, no off-chip memory",
            "no L1 accesses with two levels or more" if len(self.source.levels) > 1 else "",
        )

    def sent(self, exact: float, maestro: float) -> tuple[str, ...]:
        if exact == maestro:
            return ()
        more = "chunks at an edge are loaded whole" if maestro > exact else "reloads after an outer loop's step are missed"
        return _those(self._miscount(), more)

    def into(self, exact: float, maestro: float, tensor: str) -> tuple[str, ...]:
        sent = getattr(self.exact.l2_to_l1_words, tensor)
        return self.sent(sent, maestro) + _those("copies made by multicast are not counted" if exact > sent else "")

    def offchip(self, _exact: float, _maestro: float) -> tuple[str, ...]:
        return ("each tensor passes once, whatever the L2 holds",)

    def written(self, exact: float, maestro: float) -> tuple[str, ...]:
        more = "outputs are written in every step" if maestro > exact else "writes of some steps are missed"
        return _those(self._miscount(), more)

    def sums(self, _exact: float, _maestro: float) -> tuple[str, ...]:
        return ("partial sums are never read back",)

    def l1(self, _exact: float, _maestro: float) -> tuple[str, ...]:
        slides = self.mapped.layer.extents[Dim.R] * self.mapped.layer.extents[Dim.S] > 1
        return _those("outputs take the input's rows and columns" if slides else "", self._wide_words())

    def l2(self, _exact: float, _maestro: float) -> tuple[str, ...]:
        return _those("twice the words of the first step", self._wide_words())

    def _miscount(self) -> str:
        if self.maestro["macs"] == self.maestro["layer_macs"]:
            return ""
        return "strides are counted wrong" if self.source.stride else "chunks at an edge are lost or counted twice"

    def _wide_words(self) -> str:
        return "a word of any width counts as a byte" if self.hardware.bits != (8, 8, 8) else ""


def _those(*causes: str) -> tuple[str, ...]:
    return tuple(cause for cause in causes if cause)


class _Row(NamedTuple):
    """A figure: its name, its places in the models' figures (see `_at`), and the causes of a difference."""

    metric: str
    exact: str
    maestro: str
    causes: Callable[[_Both, float, float], tuple[str, ...]]


def _words(tensor: str) -> Iterator[_Row]:
    into = partial(_Both.into, tensor=tensor)
    yield _Row(f"{tensor} L2 -> L1 [words]", f"l2_to_l1_words.{tensor}", f"{tensor}_l2_read_words", _Both.sent)
    yield _Row(f"{tensor} into L1s [words]", f"l1_fill_words.{tensor}", f"{tensor}_l1_write_words", into)
    yield _Row(f"{tensor} from off-chip [words]", f"offchip_read_words.{tensor}", f"{tensor}_l2_write_words", _Both.offchip)


_ROWS = (
    _Row("MACs", "macs", "macs", _Both.macs),
    _Row("runtime [cycles]", "runtime_cycles", "runtime_cycles", _Both.runtime),
    _Row("energy [pJ]", "energy_pj.total", "energy_pj.total", _Both.energy),
    *(row for tensor in _TENSORS for row in _words(tensor)),
    _Row("output L1 -> L2 [words]", "output_write_words", "output_l2_write_words", _Both.written),
    _Row("partial sums read [words]", "psum_read_words", "", _Both.sums),
    _Row("L1 need [bytes]", "l1_need_bytes", "l1_need_bytes", _Both.l1),
    _Row("L2 need [bytes]", "l2_need_bytes", "l2_need_bytes", _Both.l2),
)
