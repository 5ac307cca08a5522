"""What `mapsearch evaluate` shows: of several layers a table each of costs, energies and words, of one a figure a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from mapsearch.model.tensors import Tensor
from mapsearch.output import Cell, write, write_table
from mapsearch.studies.gaps import MappingGap
from mapsearch.studies.shown import EDP, ENERGY, PARTS, PE_USE, bound_text, gap_text

Cost = Mapping[str, Any]


def _sum(values: Sequence[float], _: Sequence[int]) -> Cell:
    return sum(values)


def _most(values: Sequence[float], _: Sequence[int]) -> Cell:
    return max(values)


def _mean(values: Sequence[float], cycles: Sequence[int]) -> Cell:
    """Over the time."""
    return sum(value * time for value, time in zip(values, cycles, strict=True)) / sum(cycles)


def _edp(edps: Sequence[float], cycles: Sequence[int]) -> Cell:
    """The sum of the energies times that of the cycles."""
    return sum(edp / time if time else 0.0 for edp, time in zip(edps, cycles, strict=True)) * sum(cycles)


def _nothing(_values: Sequence[Any], _cycles: Sequence[int]) -> Cell:
    return ""


class _Column(NamedTuple):
    """A figure: its header, its place in what a model tells, with dots, its scale, and how layers come together."""

    header: str
    place: str
    together: Callable[[Sequence[Any], Sequence[int]], Cell] = _sum
    scale: float = 1


# A model tells of these what it has.
_COSTS = (
    _Column("cycles", "runtime_cycles"),
    _Column(ENERGY, "energy_pj.total", scale=1e-6),
    _Column("energy [MACs]", "energy_macs"),
    _Column(EDP, "edp_pj_cycles", _edp),
    _Column("power [mW]", "power_mw", _mean),
    _Column("dynamic [mW]", "dynamic_mw", _mean),
    _Column(PE_USE, "utilization", _mean, 100),
    _Column("active PEs", "active_pes", _nothing),
    _Column("bound by", "bound_by", _nothing),
)
_SIZES = (
    _Column("MACs", "macs"),
    _Column("MACs of the layer", "layer_macs"),
    _Column("steps", "steps"),
    _Column("L1 need [B]", "l1_need_bytes", _most),
    _Column("L2 need [B]", "l2_need_bytes", _most),
)
_ZEROS = (
    _Column("MACs skipped", "sparse.skipped_macs"),
    _Column("MACs gated", "sparse.gated_macs"),
    _Column("compute over\nbalanced compute", "sparse.imbalance", _mean),
    _Column("cycles\nif balanced", "sparse.balanced_runtime_cycles"),
    _Column("NoC [bits]", "sparse.noc_bits"),
    _Column("off-chip [bits]", "sparse.offchip_bits"),
)
_ENERGIES = tuple(_Column(name, f"energy_pj.{part}", scale=1e-6) for part, name in PARTS.items())
# Words by tensor, which stands in the place of {}; a place without one holds outputs.
_ARRAY_WORDS = (
    _Column("L2→L1", "l2_to_l1_words.{}"),
    _Column("into L1s", "l1_fill_words.{}"),
    _Column("partial\nsums read", "psum_read_words"),
    _Column("L1→L2", "output_write_words"),
    _Column("L2 reads", "{}_l2_read_words"),
    _Column("L2 writes", "{}_l2_write_words"),
    _Column("L1 reads", "{}_l1_read_words"),
    _Column("L1 writes", "{}_l1_write_words"),
)
_OFFCHIP_WORDS = (_Column("from off-chip", "offchip_read_words.{}"), _Column("to off-chip", "offchip_write_words"))


def print_evaluation(costs: Sequence[Cost], hardware: str, model: str) -> None:
    """Costs, energies and words of each layer of a directive file."""
    first = costs[0]
    machine = f": {_size(first)}, leakage {first['leakage_mw']:.4g} mW" if "leakage_mw" in first else ""
    write(f"hardware {hardware}, model {model}{machine}")
    write("")
    if len(costs) == 1:
        _write_figures(first)
    else:
        for title, columns in (("Costs", _COSTS), ("Sizes", _SIZES), ("Zeros", _ZEROS), ("Energy by part [µJ]", _ENERGIES)):
            if _held(columns, first):
                _write_layers(title, columns, costs)
        write("each layer once: a directive file does not say how often a layer of the network runs")
        write("")
    _write_words("Words between L2 and L1", _ARRAY_WORDS, costs)
    _write_words("Words between off-chip memory and L2", _OFFCHIP_WORDS, costs)


def print_gaps(layers: Sequence[str], gaps: Sequence[MappingGap], objective: str) -> None:
    """How far each layer's mapping is from the best at the most."""
    rows: list[tuple[Cell, ...]] = []
    for layer, each in zip(layers, gaps, strict=True):
        bound = "" if each.lower_bound is None else each.lower_bound
        rows.append((layer, each.objective, each.best_objective, bound, gap_text(each.gap)))
    write_table(f"Gap of {objective}", ("layer", "mapping", "best known", "lower bound", "gap"), rows)


def _size(cost: Cost) -> str:
    return f"area {cost['area_mm2']:.4g} mm²" if "area_mm2" in cost else f"{cost['dsp']:,} DSPs, {cost['bram_18k']:,} block RAMs"


def _write_figures(cost: Cost) -> None:
    """One layer's figures, each on a line with its unit."""
    rows: list[tuple[Cell, ...]] = []
    parts = [column._replace(header=f"energy of {column.header} [µJ]") for column in _ENERGIES]
    for column in _held([*_COSTS, *parts, *_SIZES, *_ZEROS], cost):
        name, _, unit = column.header.partition(" [")
        rows.append((name.replace("\n", " "), _cell(column, cost), unit.removesuffix("]")))
    write_table("", (cost["layer"], "value", "unit"), rows)


def _write_layers(title: str, columns: Sequence[_Column], costs: Sequence[Cost]) -> None:
    """A row for each layer, and one for all of them."""
    held = _held(columns, costs[0])
    cycles = [cost["runtime_cycles"] for cost in costs]
    rows = [(cost["layer"], *(_cell(column, cost) for column in held)) for cost in costs]
    together = [column.together([_cell(column, cost) for cost in costs], cycles) for column in held]
    write_table(title, ("layer", *(column.header for column in held)), [*rows, ("each layer once", *together)])


def _write_words(title: str, columns: Sequence[_Column], costs: Sequence[Cost]) -> None:
    """A row for each tensor of each layer."""
    labels = [tensor.label for tensor in Tensor]
    held = _held(columns, costs[0])
    rows: list[tuple[Cell, ...]] = []
    for cost in costs:
        for label in labels:
            words = (
                _cell(column._replace(place=column.place.format(label)), cost)
                if "{}" in column.place or label == labels[-1]
                else ""
                for column in held
            )
            rows.append((cost["layer"] if label == labels[0] else "", label, *words))
    if held:
        write_table(title, ("layer", "tensor", *(column.header for column in held)), rows)


def _held(columns: Iterable[_Column], cost: Cost) -> list[_Column]:
    """Those that the model tells."""
    return [column for column in columns if _at(cost, column.place.format(Tensor.WEIGHT.label)) is not None]


def _cell(column: _Column, cost: Cost) -> Cell:
    value = _at(cost, column.place)
    if isinstance(value, str):
        return bound_text(value)
    whole = isinstance(value, int) and column.scale == 1
    return value if whole else float(value) * column.scale


def _at(cost: Cost, place: str) -> Any:  # noqa: ANN401 whatever the model tells
    """What stands at a place, keys joined by dots; None where nothing does."""
    at: Any = cost
    for key in place.split("."):
        at = cast("Cost", at).get(key) if isinstance(at, Mapping) else None
    return at
