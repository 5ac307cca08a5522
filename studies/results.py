"""A run's results as typed data: the one place where the keys of results.json and results.csv are declared, but for `co_design`.

`RunResults.to_dict` is the content of results.json, key by key in the order of the fields; results.csv has a column for each figure
of `LayerResult`. `results_reader.read_results` reads equal results back, or names the first error in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from importlib import import_module
from typing import Any, ClassVar, Literal, cast

from pydantic import FiniteFloat

from mapsearch.model.errors import InputError
from mapsearch.model.evaluation import Evaluation
from mapsearch.model.plain import Plain
from mapsearch.model.sparse_figures import SparseSums
from mapsearch.search.mappings.incumbent import Step
from mapsearch.search.mappings.searcher import Certificate
from mapsearch.studies.co_design.results import CoDesignResult
from mapsearch.studies.result_fields import Count, Energies, Figures, Positive, Seconds
from mapsearch.studies.shown import EDP, ENERGY, gap_text


@dataclass(frozen=True, slots=True)
class FrontPoint(Plain):
    """A mapping on a layer's Pareto front: its cycles and energy, and the values of the run's objectives."""

    runtime_cycles: Positive
    energy_pj: FiniteFloat
    objectives: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FreeResult(Plain):
    """The best mapping of a layer among all, also those that the tools of the run cannot express.

    objective: its value. lower_bound: no mapping at all has less; None where there is no bound.
    """

    runtime_cycles: Positive
    energy_pj: FiniteFloat
    objective: FiniteFloat
    lower_bound: FiniteFloat | None


@dataclass(frozen=True, slots=True)
class LayerResult(Plain):
    """The best mapping of a layer.

    names: of all layers of its shape; in a mix, they begin with the network's name. count: how often the layer runs; runs: the same
    for each network. objective: the mapping's value. lower_bound: no mapping of the space has less; None where there is no bound.
    gap: objective / lower_bound - 1. evaluations: mappings costed. dropped: mappings and parts of the space left out by a lower
    bound. refused: evaluations that the cost model does not vouch for. seconds: of all searches. finished: False where a search was
    stopped. mapping_file, front_file: relative to the run's folder; no front if the objective uses only cycles or only energy.
    metrics: as `evaluate` gives them. trace: a step for each better mapping found. proof: the counts of an exact search.
    free: of a run for tools, what is best without their laws.
    """

    name: str
    names: tuple[str, ...]
    count: Positive
    runs: tuple[Count, ...]
    objective: FiniteFloat
    lower_bound: FiniteFloat | None
    gap: FiniteFloat | None
    evaluations: Count
    dropped: Count
    refused: Count
    seconds: Seconds
    finished: bool
    mapping_file: str
    front_file: str | None
    front: tuple[FrontPoint, ...]
    metrics: Figures
    trace: tuple[Step, ...]
    proof: Certificate | None
    free: FreeResult | None = None

    optional: ClassVar[frozenset[str]] = frozenset({"free"})

    def to_dict(self) -> dict[str, Any]:
        """See `Plain`; the metrics are without the layer's name."""
        return {**Plain.to_dict(self), "metrics": _without_layer(self.metrics)}


def _without_layer(metrics: Evaluation) -> dict[str, Any]:
    return {key: value for key, value in metrics.to_dict().items() if key != "layer"}


@dataclass(frozen=True, slots=True)
class Sums(Plain):
    """Sums over layers, each as often as it runs, one after the other.

    runtime_ms: at the machine's clock. energy_pj: the parts that all layers have. edp_pj_cycles: (sum of energies) * (sum of
    runtimes); sum_of_layer_edps_pj_cycles: the sum of the layers' own EDPs. objective: over these sums; None where it is not
    finite. lower_bound: of the objective, for any choice of the layers' mappings; gap: objective / lower_bound - 1; None where not
    known. utilization: MACs over the most that all PEs could do in the runtime. sparse: None where zeros spare no MAC.
    """

    layers: Count
    unique_layers: Count
    macs: Count
    runtime_cycles: Count
    runtime_ms: FiniteFloat
    energy_pj: Energies
    edp_pj_cycles: FiniteFloat
    objective: FiniteFloat | None
    lower_bound: FiniteFloat | None
    gap: FiniteFloat | None
    sum_of_layer_edps_pj_cycles: FiniteFloat
    utilization: FiniteFloat
    sparse: SparseSums | None = field(default=None, kw_only=True)

    optional: ClassVar[frozenset[str]] = frozenset({"sparse"})


@dataclass(frozen=True, slots=True)
class Totals(Sums):
    """Sums over all layers, and the counts of their searches, each search once; seconds: over all processes.

    free_objective: of a run for tools, over the sums of what is best without their laws; None where not known.
    """

    evaluations: Count
    dropped: Count
    refused: Count
    seconds: Seconds
    free_objective: FiniteFloat | None = None

    optional: ClassVar[frozenset[str]] = Sums.optional | {"free_objective"}


@dataclass(frozen=True, slots=True)
class NetworkSums(Sums):
    """Sums over the layers of one network of a mix, for all of its runs; weight: the number of its runs."""

    name: str
    weight: Positive

    def to_dict(self) -> dict[str, Any]:
        """See `Plain`; name and weight come first."""
        return {"name": self.name, "weight": self.weight, **Plain.to_dict(self)}


@dataclass(frozen=True, slots=True)
class NetworkPoint(Plain):
    """A choice of the layers' mappings and the network's sums; points: for each layer, the number of its front's point, from 1."""

    runtime_cycles: Positive
    energy_pj: FiniteFloat
    points: tuple[Positive, ...]
    objectives: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class NetworkChoice(Plain):
    """The layers' mappings chosen together, for the least objective of the network's sums.

    gain: the network's objective with each layer's own best mapping over the objective here, - 1. gap: the objective over the
    network's lower bound, - 1. points: for each layer, the number of its front's point, from 1. front: with several objectives, the
    network's Pareto front.
    """

    mapping_file: str
    objective: FiniteFloat
    gain: FiniteFloat
    gap: FiniteFloat | None
    runtime_cycles: Positive
    energy_pj: FiniteFloat
    points: tuple[Positive, ...]
    front: tuple[NetworkPoint, ...] | None = None

    optional: ClassVar[frozenset[str]] = frozenset({"front"})


@dataclass(frozen=True, slots=True)
class LeftOut(Plain):
    """A layer without a mapping, and the reason."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunResults(Plain):
    """What a run found: results.json.

    complete: False after an interrupt. objective: as given. network: the layers' mappings chosen together; None where a layer has
    no front, or each layer's own best mapping does better. co_design: of a run that searched the machine too.
    """

    complete: bool
    folder: str
    objective: str
    seed: Count
    totals: Totals
    networks: tuple[NetworkSums, ...]
    network: NetworkChoice | None
    left_out: tuple[LeftOut, ...]
    layers: tuple[LayerResult, ...]
    co_design: CoDesignResult | None = None

    def to_dict(self) -> dict[str, Any]:
        """See `Plain`; a run on one machine has no key co_design."""
        data = Plain.to_dict(self)
        found = data.pop("co_design")
        first = {key: data.pop(key) for key in ("complete", "folder", "objective", "seed", "totals", "networks", "network")}
        return {**first, **({} if found is None else {"co_design": found}), **data}

    def rows(self) -> list[dict[str, Any]]:
        """A flat row for each layer, as results.csv has them: nested keys are joined by dots."""
        return [_flat({key: value for key, value in layer.to_dict().items() if key not in _NESTED}) for layer in self.layers]

    def to_frame(self, library: Literal["pandas", "polars"] = "pandas") -> Any:  # noqa: ANN401 neither is a dependency
        """`rows` as a DataFrame of pandas or polars; InputError where that is not installed."""
        try:
            frames = import_module(library)
        except ImportError:
            raise InputError(f"a frame needs the package {library}, which is not installed; pip install {library}") from None
        return frames.DataFrame(self.rows())

    def _repr_html_(self) -> str:
        """The layers as a table, for notebooks."""
        rows = [
            (
                layer.name,
                f"{layer.count}",
                f"{layer.metrics.runtime_cycles:,}",
                f"{layer.metrics.energy_pj.total / 1e6:,.4g}",
                f"{layer.metrics.edp_pj_cycles:.4g}",
                gap_text(layer.gap),
            )
            for layer in self.layers
        ]
        head = "".join(f"<th>{escape(column)}</th>" for column in ("layer", "count", "cycles", ENERGY, EDP, "gap"))
        body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


_NESTED = ("names", "runs", "trace", "proof", "front")  # of a layer, not in its flat row


def _flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys joined by dots; `metrics` leaves no trace in the names."""
    flat: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, Mapping):
            flat |= _flat(cast("Mapping[str, Any]", value), prefix if key == "metrics" else f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
