"""A run's results so far: a row and directive files for each layer, added as searches end, read back on resuming, and saved."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.mappings import read_network
from mapsearch.formats.mixes import Mix
from mapsearch.formats.registry import Format
from mapsearch.formats.yaml.layer_sets import UniqueLayer
from mapsearch.model.english import counted
from mapsearch.model.errors import InputError
from mapsearch.model.evaluation import Evaluation
from mapsearch.model.hardware import Hardware
from mapsearch.model.mapping import Mapping as LayerMapping
from mapsearch.model.registry import cost_model
from mapsearch.search.mappings.searcher import Certificate, Outcome
from mapsearch.search.objectives.objective import Objective
from mapsearch.search.pareto import Front
from mapsearch.studies.co_design.results import CoDesignResult
from mapsearch.studies.evaluate import evaluate_text
from mapsearch.studies.folder import ANEW, NETWORK, RunFolder, front_name, mapping_name
from mapsearch.studies.results import FreeResult, LayerResult, LeftOut, NetworkSums, RunResults, Totals
from mapsearch.studies.run.fronts import LayerFront, Together, choose_together, front_network, layer_front, read_front
from mapsearch.studies.run.network_totals import fields_of, gap_to, greatest_bound, objective_of, sums, totals
from mapsearch.studies.run.settings import Settings

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SearchInputs:
    """The inputs of a search: the layers of one network, or of a mix of several, on a machine.

    layers: of the mix, as the cost model counts them. objectives: as the user gave them; objective: by which each layer's own best
    mapping is chosen.
    """

    mix: Mix
    layers: Sequence[UniqueLayer]
    hardware: Hardware
    settings: Settings
    objectives: tuple[Objective, ...]
    objective: Objective
    format: Format


class LayerResults:
    """The layers' results."""

    def __init__(self, inputs: SearchInputs, left_out: Sequence[LeftOut]) -> None:
        """No results yet."""
        self._inputs = inputs
        self._co_design: CoDesignResult | None = None
        self._stopped = False
        self._left_out: list[LeftOut] = []
        self._rows: dict[str, LayerResult] = {}
        self._texts: dict[str, dict[str, str]] = {}  # of each layer, by file name
        self._fronts: dict[str, LayerFront] = {}
        for layer in left_out:
            self._leave_out(layer)

    def note_machine(self, co_design: CoDesignResult, *, stopped: bool) -> None:
        """Add the results of the search for the machine; stopped: whether that was stopped early."""
        self._co_design, self._stopped = co_design, stopped

    def row(self, layer: str) -> LayerResult | None:
        """The result of a layer, or None."""
        return self._rows.get(layer)

    def _leave_out(self, layer: LeftOut) -> None:
        self._left_out.append(layer)
        _LOG.info("%s is left out: %s", layer.name, layer.reason)

    def go_on_from(self, folder: RunFolder) -> None:
        """Take the finished layers from the folder; InputError where a row is damaged or its mapping gives other figures."""
        layers = {mapping_name(index + 1, each.layer.name): each for index, each in enumerate(self._inputs.layers)}
        for row, texts in folder.finished():
            if row.mapping_file not in layers:
                raise InputError(f"{folder.path}/{row.mapping_file}: is no mapping file of this run; {ANEW}")
            unique = layers[row.mapping_file]
            self._check(row, texts, folder)
            self._rows[row.name], self._texts[row.name] = replace(row, runs=unique.runs), texts
            if row.front_file is not None:
                where = f"{folder.path}/{row.front_file}"
                self._fronts[row.name] = read_front(texts[row.front_file], where, unique.layer, row.front)

    def _check(self, row: LayerResult, texts: Mapping[str, str], folder: RunFolder) -> None:
        """Raise InputError unless the figures of a row are those of its mappings."""
        inputs, where = self._inputs, f"{folder.path}/{row.mapping_file}"
        [metrics] = evaluate_text(texts[row.mapping_file], where, inputs.hardware, inputs.settings.model)
        value = objective_of(metrics, inputs.objective, inputs.hardware)
        gap = gap_to(row.lower_bound, value)
        _check_recorded((_figures(metrics), value, gap), (_figures(row.metrics), row.objective, row.gap), where)
        if row.lower_bound is not None and row.lower_bound > value:
            raise InputError(f"{where}: lower_bound must be at most the objective {value}, got {row.lower_bound}; {ANEW}")
        if row.front_file is not None:
            where = f"{folder.path}/{row.front_file}"
            points = evaluate_text(texts[row.front_file], where, inputs.hardware, inputs.settings.model)
            found = [(point.runtime_cycles, point.energy_pj.total) for point in points]
            _check_recorded(found, [(point.runtime_cycles, point.energy_pj) for point in row.front], where)

    def note(self, index: int, outcomes: Sequence[Outcome]) -> None:
        """Make the row of a layer from its searches so far: the best mapping, with the figures of its exported text.

        A layer is left out if all its searches ended without a mapping that the model vouches for and that has a finite objective.
        """
        inputs, unique = self._inputs, self._inputs.layers[index]
        best = min(outcomes, key=lambda outcome: outcome.value)
        finished = len(outcomes) == inputs.settings.restarts and all(outcome.finished for outcome in outcomes)
        if len(best.batch) == 0:
            if finished:
                self._leave_out(LeftOut(unique.layer.name, _why_none(outcomes)))
            return
        mapped = MappedLayer(unique.layer, best.batch.decode(0, unique.layer))
        name = mapping_name(index + 1, unique.layer.name)
        text = inputs.format.mapping_text(Network(inputs.mix.name, (mapped,)), inputs.hardware)
        [metrics] = evaluate_text(text, name, inputs.hardware, inputs.settings.model)
        if objective_of(metrics, inputs.objective, inputs.hardware) != best.value:
            raise AssertionError(f"{name}: the exported mapping gives other figures than the search did; please report this")
        self._texts[unique.layer.name] = {name: text}
        front = self._note_front(index, [outcome.front for outcome in outcomes])
        lower_bound = greatest_bound(outcomes)
        self._rows[unique.layer.name] = LayerResult(
            name=unique.layer.name,
            names=unique.names,
            count=unique.count,
            runs=unique.runs,
            objective=best.value,
            lower_bound=lower_bound,
            gap=gap_to(lower_bound, best.value),
            evaluations=sum(outcome.evaluations for outcome in outcomes),
            dropped=sum(outcome.dropped for outcome in outcomes),
            refused=sum(outcome.refused for outcome in outcomes),
            seconds=sum(outcome.seconds for outcome in outcomes),
            finished=finished,
            mapping_file=name,
            front_file=front_name(index + 1, unique.layer.name) if front is not None else None,
            front=front.points if front is not None else (),
            metrics=metrics,
            trace=best.trace,
            proof=_certificate(best, inputs.settings),
        )

    def mappings(self) -> dict[str, LayerMapping]:
        """The best mappings so far, by layer."""
        return {
            row.name: read_network(self._texts[row.name][row.mapping_file].encode(), row.mapping_file).layers[0].mapping
            for row in self._ordered()
        }

    def note_free(self, index: int, outcomes: Sequence[Outcome]) -> None:
        """Add to the row of a layer what is best among all mappings, whatever the run's tools can express."""
        layer, hardware = self._inputs.layers[index].layer, self._inputs.hardware
        best = min(outcomes, key=lambda outcome: outcome.value)
        if layer.name not in self._rows or len(best.batch) == 0:
            return
        metrics = cost_model(self._inputs.settings.model).evaluate(layer, hardware, best.batch[:1]).report(0)
        free = FreeResult(metrics.runtime_cycles, metrics.energy_pj.total, best.value, greatest_bound(outcomes))
        self._rows[layer.name] = replace(self._rows[layer.name], free=free)

    def _note_front(self, index: int, fronts: Sequence[Front]) -> LayerFront | None:
        """Keep the joint front of a layer's searches, and its file's text; None if the objective uses only cycles or energy."""
        layer = self._inputs.layers[index].layer
        joined = reduce(lambda one, other: one.join(other.batch, other.runtime_cycles, other.energy_pj), fronts)
        if len(joined) == 0:
            return None
        front = layer_front(layer, joined, self._inputs.objectives, self._inputs.hardware)
        self._fronts[layer.name] = front
        name = front_name(index + 1, layer.name)
        self._texts[layer.name][name] = self._inputs.format.mapping_text(
            front_network(self._inputs.mix.name, front), self._inputs.hardware
        )
        return front

    def results(self, path: Path) -> RunResults:
        """The content of results.json for the run's folder at `path`."""
        inputs, in_order = self._inputs, [unique.layer.name for unique in self._inputs.layers]
        rows = self._ordered()
        compared = inputs.settings.tools is None or self._co_design is not None
        done = {row.name for row in rows if row.finished and (compared or row.free is not None)}
        done |= {layer.name for layer in self._left_out}
        all_sums = totals(rows, inputs.hardware, inputs.objective)
        network = self._together(rows, all_sums)
        return RunResults(
            complete=done.issuperset(in_order) and not self._stopped,
            folder=str(path),
            objective=inputs.settings.objective,
            seed=inputs.settings.seed,
            totals=all_sums,
            networks=self._networks(rows),
            network=network.choice if network is not None else None,
            left_out=tuple(self._left_out),
            layers=tuple(rows),
            co_design=self._co_design,
        )

    def _ordered(self) -> list[LayerResult]:
        names = [unique.layer.name for unique in self._inputs.layers]
        return [self._rows[name] for name in names if name in self._rows]

    def _networks(self, rows: Sequence[LayerResult]) -> tuple[NetworkSums, ...]:
        """The sums of each network of the mix."""
        found: list[NetworkSums] = []
        for number, member in enumerate(self._inputs.mix.members):
            own = [row for row in rows if row.runs[number]]
            added = sums(own, [row.runs[number] for row in own], self._inputs.hardware, self._inputs.objective)
            found.append(NetworkSums(**fields_of(added), name=member.layers.name, weight=member.weight))
        return tuple(found)

    def _together(self, rows: Sequence[LayerResult], own_best: Totals) -> Together | None:
        """The network's mapping chosen from its layers' fronts; None if a layer has no front or the own best mappings do better."""
        inputs = self._inputs
        fronts = [self._fronts[row.name] for row in rows if row.name in self._fronts]
        if not fronts or len(fronts) < len(rows) or not inputs.objective.never_falls:
            return None
        counts = [row.count for row in rows]
        return choose_together(fronts, counts, inputs.objectives, inputs.objective, inputs.hardware, own_best)

    def save(self, folder: RunFolder, layers: Iterable[str]) -> None:
        """Write the files of some layers, and the results of all."""
        for layer in layers:
            for name, text in self._texts[layer].items():
                folder.save_mapping(name, text)
        folder.save_results(self.results(folder.path))

    def save_all(self, folder: RunFolder) -> None:
        """Write everything."""
        self.save(folder, self._texts)
        rows, inputs = self._ordered(), self._inputs
        network = self._together(rows, totals(rows, inputs.hardware, inputs.objective))
        if network is not None:
            folder.save_mapping(NETWORK, inputs.format.mapping_text(Network(inputs.mix.name, network.layers), inputs.hardware))


def _why_none(outcomes: Sequence[Outcome]) -> str:
    """The reason why a layer has no mapping after all its searches."""
    evaluations, refused = sum(outcome.evaluations for outcome in outcomes), sum(outcome.refused for outcome in outcomes)
    why = f"{refused:,} refused, {evaluations - refused:,} without a finite objective or too large for L1 or L2"
    hint = "use more trials, larger buffers or another model"
    return f"the cost model vouches for none of {counted(evaluations, 'mapping')} ({why}); {hint}"


def _certificate(best: Outcome, settings: Settings) -> Certificate | None:
    """What is proven of a layer, and what was asked; a search that ended before its proof has bounded one part, the space."""
    proof, asked = best.proof, settings.until_runtime
    if asked is None:
        return proof
    if proof is None and best.finished and best.lower_bound is not None:
        left = int(best.lower_bound < best.value)
        proof = Certificate(best.lower_bound, settings.gap_used, 0, 1, 1 - left, 0, 0, left, 0.0)
    return proof and replace(proof, until_runtime_cycles=asked)


def _figures(metrics: Evaluation) -> dict[str, Any]:
    """The figures of a mapping as a file keeps them, without the layer's name."""
    read_back: dict[str, Any] = json.loads(json.dumps(metrics.to_dict()))
    return {key: value for key, value in read_back.items() if key != "layer"}


def _check_recorded(found: object, recorded: object, where: str) -> None:
    if found != recorded:
        raise InputError(f"{where}: evaluates to other figures than were recorded; {ANEW}")
