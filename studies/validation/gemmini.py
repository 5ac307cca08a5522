"""The suite of Gemmini: cycles of mappings that its RTL ran, and the order of the mappings of one layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import mean, median

from mapsearch.formats.directives import MappedLayer
from mapsearch.formats.measured import GemminiRow, read_measured, shipped_machine
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.evaluation import CountedEvaluation
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.mapping import Directive, MapKind, Mapping
from mapsearch.model.tensors import Dim
from mapsearch.studies.batch import evaluate_batch
from mapsearch.studies.validation.outcome import Column, Figure, Outcome, Table, Value, network_of, percent_off
from mapsearch.studies.validation.ranks import ordered_pairs, rank_correlation
from mapsearch.studies.validation.words import TOLD

# Loops in the order in which Gemmini's driver runs those over tiles, by the names of the rows.
_DIMS = {"N": Dim.N, "Q": Dim.Y, "P": Dim.X, "K": Dim.K, "S": Dim.R, "R": Dim.S, "C": Dim.C}
_SIDE = 16  # of the array
_FAR = 40.0  # percent; rows that are off by more are named


@dataclass(frozen=True, slots=True)
class RtlRow:
    """A row with its mapping and costs."""

    row: GemminiRow
    mapped: MappedLayer
    costs: CountedEvaluation

    @property
    def error(self) -> float:
        """The runtime against the measured cycles, in percent."""
        return percent_off(self.costs.runtime_cycles, self.row.rtl_cycles)


@cache
def rtl() -> Hardware:
    """The machine that ran the rows."""
    return load_hardware(shipped_machine("gemmini_rtl"))


def mapped(row: GemminiRow) -> MappedLayer:
    """The row's mapping as directives.

    Level 0 walks over the tiles, each of which is a call of the loop unit. In a tile, blocks of 16 x 16 weights go to the PEs
    one after the other, C along the rows and K along the columns, and all pixels of the tile pass through a block.
    """
    extents = (1, row.N, row.K, row.C, row.S, row.R, row.Q, row.P)
    layer = Layer(f"row {row.id}", LayerType.CONV, extents, (row.stride, row.stride))
    tiles = {name: 1 if name == "N" else int(getattr(row, f"tile_{name.lower()}")) for name in _DIMS}
    outer = tuple(Directive(MapKind.TEMPORAL, tiles[name], dim) for name, dim in _DIMS.items() if tiles[name] < layer.extents[dim])
    blocks = (
        Directive(MapKind.SPATIAL, 1, Dim.K),
        Directive(MapKind.TEMPORAL, 1, Dim.R),
        Directive(MapKind.TEMPORAL, 1, Dim.S),
        Directive(MapKind.TEMPORAL, _SIDE, Dim.C),
    )
    return MappedLayer(layer, Mapping((outer, blocks, (Directive(MapKind.SPATIAL, 1, Dim.C),)), (_SIDE, _SIDE)))


def cycles(data: Path | None) -> Outcome:
    """The suite."""
    found = read_measured(GemminiRow, data)
    rows = [_costed(row) for row in found.rows]
    measured = [each.row.rtl_cycles for each in rows]
    macs = [each.mapped.layer.macs for each in rows]
    ours = _Metrics.of(rows, lambda each: each.costs.runtime_cycles)
    theirs = _Metrics.of(rows, lambda each: each.row.timeloop_cycles)
    above = sum(each.costs.array_cycles > each.row.rtl_cycles for each in rows)
    far = sorted((each for each in rows if abs(each.error) > _FAR), key=lambda each: -abs(each.error))
    return Outcome(
        suite="gemmini",
        told=TOLD["gemmini"].format(
            rows=len(rows), layers=len({_shape(each) for each in rows}), easy=rank_correlation(macs, measured)
        ),
        fitted="nothing",
        misses=tuple(f"{each.mapped.layer.name} ({each.error:+.0f} %): {_reason(each)}" for each in far),
        figures=(
            Figure("rank correlation", ours.rho, least=0.985, digits=4, beside=f"Timeloop: {theirs.rho:.4f}"),
            Figure("median error", ours.median, "%", most=14.0, beside=f"Timeloop: {theirs.median:.1f} %"),
            Figure("mean error", ours.mean, "%", most=18.0, beside=f"Timeloop: {theirs.mean:.1f} %"),
            Figure("pairs in right order", ours.right, "%", least=70.0, beside=_of_pairs(ours.counts[0], theirs.counts[0], theirs)),
            Figure("pairs in wrong order", ours.wrong, "%", most=12.5, beside=_of_pairs(ours.counts[1], theirs.counts[1], theirs)),
            Figure(
                "rank correlation of cycles a MAC", ours.rho_a_mac, least=0.85, digits=2, beside=f"Timeloop: {theirs.rho_a_mac:.2f}"
            ),
            Figure("rows with array above measured", above, most=0, digits=0),
        ),
        table=_table(rows),
        sources=((GemminiRow.file, found.head),),
        machine=rtl(),
        network=network_of("gemmini", [each.mapped for each in rows]),
    )


@dataclass(frozen=True, slots=True)
class _Metrics:
    """How well predictions agree: errors and shares in percent; counts: pairs in the right and wrong order, tied ones, all."""

    rho: float
    rho_a_mac: float
    median: float
    mean: float
    right: float
    wrong: float
    counts: tuple[int, int, int]

    @classmethod
    def of(cls, rows: Sequence[RtlRow], predict: Callable[[RtlRow], int]) -> _Metrics:
        pairs = [(predict(each), each.row.rtl_cycles) for each in rows]
        macs = [each.mapped.layer.macs for each in rows]
        a_mac = [[pair[side] / count for pair, count in zip(pairs, macs, strict=True)] for side in (0, 1)]
        errors = [abs(percent_off(*pair)) for pair in pairs]
        groups: dict[object, list[tuple[float, float]]] = {}
        for each, pair in zip(rows, pairs, strict=True):
            groups.setdefault(_shape(each), []).append(pair)
        found = ordered_pairs([*groups.values()])
        return cls(
            rank_correlation(*zip(*pairs, strict=True)), rank_correlation(*a_mac), median(errors), mean(errors),
            found.share(found.right), found.share(found.wrong), found,
        )  # fmt: skip


def _of_pairs(ours: int, theirs: int, found: _Metrics) -> str:
    return f"{ours} of {sum(found.counts)}; Timeloop: {theirs}"


def _shape(each: RtlRow) -> object:
    return each.mapped.layer.shape


def _costed(row: GemminiRow) -> RtlRow:
    found = mapped(row)
    costs = evaluate_batch(found.layer, rtl(), [found.mapping], jobs=1).evaluation(0)
    assert isinstance(costs, CountedEvaluation)  # noqa: S101 the exact model's
    return RtlRow(row, found, costs)


def _reason(each: RtlRow) -> str:
    """What is known of a row that is far off."""
    row = each.row
    if row.K < 4:
        return f"outputs of {row.K} channels, whose stores to one line of memory wait for each other."
    if row.C == 1:
        return "inputs of 1 channel: each pixel is a transfer."
    if not each.mapped.mapping.levels[0]:
        return "one tile, for which all of memory is cold."
    if row.K % 2048 == 0 and row.tile_k < row.K:
        return f"rows of weights lie {row.K:,} bytes apart, in the same bank of the DRAM."
    return "not explained."


def _table(rows: Sequence[RtlRow]) -> Table:
    columns = (
        Column("row", "row"), Column("layer", "layer"), Column("tile", "tile"), Column("measured_cycles", "measured [cycles]"),
        Column("predicted_cycles", "predicted [cycles]"), Column("error_percent", "error [%]", "+.1f"),
        Column("timeloop_cycles", "Timeloop [cycles]"), Column("timeloop_error_percent", "error [%]", "+.1f"),
        Column("array_cycles", "array alone [cycles]"),
    )  # fmt: skip
    return Table(columns, [_row(each) for each in rows])


def _row(each: RtlRow) -> tuple[Value, ...]:
    row = each.row
    stride = f" /{row.stride}" if row.stride > 1 else ""
    sizes = [f"{row.C}→{row.K} {row.S}x{row.R} {row.Q}x{row.P}{stride}"]
    sizes.append(f"{row.tile_c}→{row.tile_k} {row.tile_s}x{row.tile_r} {row.tile_q}x{row.tile_p}")
    return (
        row.id, *sizes, row.rtl_cycles, each.costs.runtime_cycles, each.error,
        row.timeloop_cycles, percent_off(row.timeloop_cycles, row.rtl_cycles), each.costs.array_cycles,
    )  # fmt: skip
