"""The exact model and MAESTRO's side by side: each figure of a mapping, the ratio, and the causes of the difference.

The causes are the known faults of MAESTRO that apply to the mapping. MAESTRO's numbers are for the file as written, if it accepts
that, else for the mapping as `mapsearch export` writes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mapsearch.formats.directives import MappedLayer, parse
from mapsearch.formats.maestro.mappings_in import read_mappings
from mapsearch.formats.text import read_text
from mapsearch.model.errors import InputError
from mapsearch.model.evaluation import CountedEvaluation
from mapsearch.model.hardware import Hardware
from mapsearch.model.maestro.report import report
from mapsearch.model.maestro.source import Source
from mapsearch.model.maestro.translate import machine_of, source_of
from mapsearch.model.tensors import Dim
from mapsearch.studies.evaluate import HardwareSource, evaluate_text, machine

_UNLIMITED = 2**31 - 1
_AND = "; "  # between causes


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a layer by both models; cause: MAESTRO's fault that makes the difference, "" where there is none."""

    layer: str
    metric: str
    exact: float
    maestro: float
    cause: str

    @property
    def causes(self) -> list[str]:
        """Each cause by itself."""
        return self.cause.split(_AND) if self.cause else []

    @property
    def ratio(self) -> float | None:
        """MAESTRO's figure over the exact one; None if that is 0."""
        return self.maestro / self.exact if self.exact else None


def compare_models(path: Path, hardware: HardwareSource) -> list[Figure]:
    """The figures of each layer of a directive file; InputError as `evaluate` raises, or where MAESTRO cannot express a mapping."""
    text, target = read_text(path, "directive file"), machine(hardware)
    machine_of(target)  # MAESTRO has no such machine, whatever the mappings
    exact = evaluate_text(text, str(path), target, "exact")
    mapped = parse(text, str(path)).layers
    written = _as_written(text, len(mapped))
    found: list[Figure] = []
    for index, (layer, ours) in enumerate(zip(mapped, exact, strict=True)):
        source, theirs = _maestro(layer, written[index], target)
        assert isinstance(ours, CountedEvaluation)  # noqa: S101 the exact model's
        both = _Both(layer, target, source, ours, theirs)
        name = layer.layer.name
        found += (Figure(name, metric, float(a), float(b), cause if a != b else "") for metric, a, b, cause in both.rows())
    return found


def _as_written(text: str, layers: int) -> list[Source | None]:
    try:
        return [*read_mappings(text, "")]
    except InputError:
        return [None] * layers


def _maestro(mapped: MappedLayer, written: Source | None, target: Hardware) -> tuple[Source, Mapping[str, Any]]:
    """MAESTRO's input and figures."""
    if written is not None:
        try:
            return written, report(written, machine_of(target)).figures
        except InputError:  # for want of R and S beside Y' and X', say
            pass
    try:
        source = source_of(mapped.layer, mapped.mapping, target.shape)
        return source, report(source, machine_of(target)).figures
    except InputError as error:
        raise InputError(f"{mapped.place}{error}") from None


@dataclass(frozen=True, slots=True)
class _Both:
    mapped: MappedLayer
    hardware: Hardware
    source: Source
    exact: CountedEvaluation
    maestro: Mapping[str, Any]

    def rows(self) -> Iterator[tuple[str, float, float, str]]:
        """Metric, exact figure, MAESTRO's, and the cause of a difference."""
        exact, maestro = self.exact, self.maestro
        yield "MACs", exact.macs, maestro["macs"], self._miscount()
        yield "runtime [cycles]", exact.runtime_cycles, maestro["runtime_cycles"], self._runtime_cause()
        yield "energy [pJ]", exact.energy_pj.total, maestro["energy_pj"]["total"], self._energy_cause()
        for tensor in ("weight", "input"):
            sent, theirs = getattr(exact.l2_to_l1_words, tensor), maestro[f"{tensor}_l2_read_words"]
            cause = self._sent_cause(sent, theirs)
            yield f"{tensor} L2 -> L1 [words]", sent, theirs, cause
            into, theirs = getattr(exact.l1_fill_words, tensor), maestro[f"{tensor}_l1_write_words"]
            copies = "copies made by multicast are not counted" if into > sent else ""
            yield f"{tensor} into L1s [words]", into, theirs, _joined(cause, copies)
            read, theirs = getattr(exact.offchip_read_words, tensor), maestro[f"{tensor}_l2_write_words"]
            yield f"{tensor} from off-chip [words]", read, theirs, "each tensor passes once, whatever the L2 holds"
        written, theirs = exact.output_write_words, maestro["output_l2_write_words"]
        more = "outputs are written in every step" if theirs > written else "writes of some steps are missed"
        yield "output L1 -> L2 [words]", written, theirs, _joined(self._miscount(), more)
        yield "partial sums read [words]", exact.psum_read_words, 0, "partial sums are never read back"
        yield "L1 need [bytes]", exact.l1_need_bytes, maestro["l1_need_bytes"], self._l1_cause()
        yield (
            "L2 need [bytes]", exact.l2_need_bytes, maestro["l2_need_bytes"],
            _joined("twice the words of the first step", self._wide_words()),
        )  # fmt: skip

    def _miscount(self) -> str:
        if self.maestro["macs"] == self.maestro["layer_macs"]:
            return ""
        return "strides are counted wrong" if self.source.stride else "chunks at an edge are lost or counted twice"

    def _runtime_cause(self) -> str:
        machine_ = machine_of(self.hardware)
        freed = report(self.source, replace(machine_, offchip_words=_UNLIMITED)).runtime_cycles
        return _joined(
            self._miscount(),
            "off-chip words are charged in every step" if freed < self.maestro["runtime_cycles"] else "",
            "inner levels fill anew in each step, not overlapped" if len(self.source.levels) > 1 else "",
            "traffic off-chip is not waited for" if self.exact.offchip_cycles > self.exact.array_cycles else "",
            "partial sums are never read back" if self.exact.psum_read_words else "",
            "the first fill from off-chip is left out" if self.exact.fill_cycles else "",
        )

    def _energy_cause(self) -> str:
        return _joined(
            "fixed energies a word of any width",
            "no MACs, no off-chip memory",
            "no L1 accesses with two levels or more" if len(self.source.levels) > 1 else "",
        )

    def _sent_cause(self, ours: float, theirs: float) -> str:
        if ours == theirs:
            return ""
        more = "chunks at an edge are loaded whole" if theirs > ours else "reloads after an outer loop's step are missed"
        return _joined(self._miscount(), more)

    def _l1_cause(self) -> str:
        slides = self.mapped.layer.extents[Dim.R] * self.mapped.layer.extents[Dim.S] > 1
        return _joined("outputs take the input's rows and columns" if slides else "", self._wide_words())

    def _wide_words(self) -> str:
        return "a word of any width counts as a byte" if self.hardware.bits != (8, 8, 8) else ""


def _joined(*causes: str) -> str:
    return _AND.join(cause for cause in causes if cause)
