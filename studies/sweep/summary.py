"""The results of a sweep as plain data: counts, optima with their mappings, rates; and the Pareto front as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mapsearch.formats.directives import MappedLayer, Network, print_network
from mapsearch.model.area import AREA, BRAM, DSP
from mapsearch.model.hardware import Width
from mapsearch.model.plain import Plain
from mapsearch.search.designs.front import DesignFront, sizes
from mapsearch.search.designs.sweep import Counted
from mapsearch.spaces.machines.space import Value
from mapsearch.studies.sweep.parts import Pair
from mapsearch.studies.sweep.plan import SweepPlan


@dataclass(frozen=True, slots=True)
class SweptDesign(Plain):
    """A valid design: its machine, the number of its mapping, its figures, and the mapping as a directive file's text.

    values: by the keys of the hardware space's further axes. area_mm2: None on an FPGA, which has dsp and bram_18k.
    """

    values: dict[str, Value]
    mapping: int
    pes: int
    l1_bytes: int
    l2_bytes: int
    noc_bytes_per_cycle: Width
    offchip_bytes_per_cycle: Width
    runtime_cycles: int
    throughput_gmacs_per_s: float
    energy_pj: float
    area_mm2: float | None = field(default=None, kw_only=True)
    dsp: int | None = field(default=None, kw_only=True)
    bram_18k: int | None = field(default=None, kw_only=True)
    power_mw: float
    directives: str

    optional: ClassVar[frozenset[str]] = frozenset({"area_mm2", "dsp", "bram_18k"})

    def to_dict(self) -> dict[str, Any]:
        """See `Plain`; each axis under a key of its own."""
        figures = Plain.to_dict(self)
        return {**figures.pop("values"), **figures}


@dataclass(frozen=True, slots=True)
class SweptPair(Plain):
    """What a sweep found for one dataflow and layer.

    mappings: of the dataflow, on any number of PEs. done: designs of the finished parts; of these, costed in full, valid, and
    left_out by reason. front: designs on the Pareto front. optima: the best designs, by what they are best in; {} where none is
    valid.
    """

    dataflow: str
    layer: str
    mappings: int
    done: int
    costed: int
    valid: int
    left_out: dict[str, int]
    front: int
    optima: dict[str, SweptDesign]


@dataclass(frozen=True, slots=True)
class SweepSummary(Plain):
    """What a sweep found: summary.json.

    record: the inputs, as config.json has them. designs: in all; done, costed, valid, left_out: see `SweptPair`, of all pairs.
    seconds: of this start, which the rates are of. complete: False after an interrupt.
    """

    record: dict[str, Any]
    folder: str
    complete: bool
    done: int
    costed: int
    valid: int
    left_out: dict[str, int]
    seconds: float
    designs_per_second: float
    valid_per_second: float
    pairs: tuple[SweptPair, ...]

    @property
    def designs(self) -> int:
        """Designs in all."""
        return int(self.record["designs"])

    @property
    def sizes(self) -> tuple[str, ...]:
        """The fields of a design that say what its machine takes of a chip."""
        return (DSP, BRAM) if "fpga" in self.record["sweep"]["hardware"] else (AREA,)

    def to_dict(self) -> dict[str, Any]:
        """See `Plain`; the inputs' keys stand first."""
        data = Plain.to_dict(self)
        return {**data.pop("record"), **data}


class Swept:
    """A sweep's counts and front for one pair, while it works."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.counted = Counted()
        self.front = DesignFront()


def summary_of(
    plan: SweepPlan,
    found: Sequence[Swept],
    record: Mapping[str, Any],
    *,
    complete: bool,
    work: Counted,
    seconds: float,
    folder: Path,
) -> SweepSummary:
    """The summary of what was found until now; work: what was costed in these seconds."""
    total = Counted()
    for each in found:
        total.add(each.counted)
    return SweepSummary(
        dict(record),
        str(folder),
        complete,
        *_counts(plan, total),
        seconds,
        work.designs / seconds,
        work.valid / seconds,
        tuple(
            SweptPair(
                each.pair.dataflow,
                each.pair.variants.layer.name,
                each.pair.variants.count,
                *_counts(plan, each.counted),
                len(each.front.designs),
                _optima(plan, each),
            )
            for each in found
        ),
    )


def _counts(plan: SweepPlan, counted: Counted) -> tuple[int, int, int, dict[str, int]]:
    """The counts, without reasons that such machines do not have."""
    absent = {AREA, DSP, BRAM}.difference(plan.fields)
    left_out = {reason: count for reason, count in counted.left_out.items() if reason not in absent}
    return counted.designs, counted.costed, counted.valid, left_out


def _optima(plan: SweepPlan, found: Swept) -> dict[str, SweptDesign]:
    """The best designs by name; of equal ones the least in energy and size, and so on. All of them stand on the front."""
    front = found.front.designs
    if not len(front):
        return {}
    slowness, energy, size = -front["throughput_gmacs_per_s"], front["energy_pj"], sizes(front)
    orders = {
        "throughput": (*size, energy, slowness),
        "energy": (*size, slowness, energy),
        "energy-delay": (*size, slowness, energy / front["throughput_gmacs_per_s"]),
    }
    return {name: _design(plan, found.pair, front[int(np.lexsort(keys)[0])]) for name, keys in orders.items()}


def _design(plan: SweepPlan, pair: Pair, row: np.void) -> SweptDesign:
    mapping = plan.mapping(pair, int(row["pes"]), int(row["mapping"]))
    text = print_network(Network(pair.dataflow, (MappedLayer(pair.variants.layer, mapping),)))
    return SweptDesign(_axes(plan, row), **_figures(plan, row), directives=text)


def _axes(plan: SweepPlan, row: np.void) -> dict[str, Value]:
    values, _ = plan.grid.settings[int(row["setting"])]
    return dict(zip(plan.grid.keys, values, strict=True))


def _figures(plan: SweepPlan, row: np.void) -> dict[str, Any]:
    """The fields of a design but its setting."""
    return {key: row[key].astype(kind).item() for key, kind in plan.fields.items() if key != "setting"}


def front_as_csv(plan: SweepPlan, found: Sequence[Swept]) -> str:
    """The Pareto front of every pair over throughput, energy and size, fastest first."""
    text = io.StringIO()
    keys = ["dataflow", "layer", *plan.grid.keys, *(key for key in plan.fields if key != "setting")]
    writer = csv.DictWriter(text, keys, lineterminator="\n")
    writer.writeheader()
    for each in found:
        writer.writerows(
            {**each.pair.names, **_axes(plan, design), **_figures(plan, design)} for design in _rows(each.front.designs)
        )
    return text.getvalue()


def _rows(designs: NDArray[np.void]) -> list[np.void]:
    return [designs[row] for row in range(len(designs))]
