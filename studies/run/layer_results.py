"""What a run has found so far: a row and directive files for each layer, noted as searches end, resumed and saved."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from math import isfinite
from pathlib import Path
from typing import Any

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.networks import Mix
from mapsearch.formats.registry import Format
from mapsearch.formats.yaml.layer_sets import UniqueLayer
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware
from mapsearch.search.mappings.searcher import Outcome
from mapsearch.search.objectives.objective import Objective
from mapsearch.search.pareto import Front
from mapsearch.studies.evaluate import evaluate_text
from mapsearch.studies.folder import NETWORK, RunFolder, front_name, mapping_name
from mapsearch.studies.run.fronts import LayerFront, Together, choose_together, front_network, layer_front, read_front
from mapsearch.studies.run.network_totals import objective_of, sums, totals
from mapsearch.studies.run.settings import Settings

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SearchInputs:
    """What is searched: the layers of one network, or of a mix of several, on a machine.

    layers: of the mix, as the cost model counts them. objectives: as the user gave them; objective: what each layer's own best
    mapping has the least of.
    """

    mix: Mix
    layers: Sequence[UniqueLayer]
    hardware: Hardware
    settings: Settings
    objectives: tuple[Objective, ...]
    objective: Objective
    format: Format


class Found:
    """The layers' results."""

    def __init__(self, work: SearchInputs, left_out: Sequence[Mapping[str, str]], more: Mapping[str, Any] | None = None) -> None:
        """No results yet; more: what results.json holds besides."""
        self._work = work
        self._more = more or {}
        self._left_out: list[Mapping[str, str]] = []
        self._rows: dict[str, dict[str, Any]] = {}
        self._texts: dict[str, dict[str, str]] = {}  # of each layer, by file name
        self._fronts: dict[str, LayerFront] = {}
        for layer in left_out:
            self._leave_out(layer)

    def row(self, layer: str) -> Mapping[str, Any] | None:
        """The result of a layer, where there is one."""
        return self._rows.get(layer)

    def _leave_out(self, layer: Mapping[str, str]) -> None:
        self._left_out.append(layer)
        _LOG.info("%s is left out: %s", layer["name"], layer["reason"])

    def go_on_from(self, folder: RunFolder) -> None:
        """Take the layers that are done from the folder."""
        layers = {mapping_name(index + 1, each.layer.name): each for index, each in enumerate(self._work.layers)}
        for name, (row, texts) in folder.finished().items():
            mapping_file, front_file = row["mapping_file"], row["front_file"]
            if mapping_file not in layers:
                raise InputError(f"{folder.path}/{mapping_file}: is no mapping file of this run; start anew in another folder")
            where = f"{folder.path}/{mapping_file}"
            [metrics] = evaluate_text(texts[mapping_file], where, self._work.hardware, self._work.settings.model)
            del metrics["layer"]
            _check_recorded(metrics, row.get("metrics"), where)
            unique = layers[mapping_file]
            self._rows[name], self._texts[name] = row | {"runs": list(unique.runs)}, texts
            if front_file is not None:
                where = f"{folder.path}/{front_file}"
                costs = evaluate_text(texts[front_file], where, self._work.hardware, self._work.settings.model)
                figures = [(cost["runtime_cycles"], cost["energy_pj"]["total"]) for cost in costs]
                _check_recorded(figures, [(point["runtime_cycles"], point["energy_pj"]) for point in row["front"]], where)
                self._fronts[name] = read_front(texts[front_file], where, unique.layer, row["front"])

    def note(self, index: int, outcomes: Sequence[Outcome]) -> None:
        """Make the row of a layer from its searches so far: the best one's mapping, as its exported text evaluates.

        A layer for which they all ended with none, as the model vouches for none or none has a finite objective, is left out.
        """
        unique = self._work.layers[index]
        best = min(outcomes, key=lambda outcome: outcome.value)
        finished = len(outcomes) == self._work.settings.restarts and all(outcome.finished for outcome in outcomes)
        evaluations = sum(outcome.evaluations for outcome in outcomes)
        if len(best.batch) == 0:
            if finished:
                refused = sum(outcome.refused for outcome in outcomes)
                why = f"{refused:,} refused, {evaluations - refused:,} without a finite objective or too large for L1 or L2"
                hint = "use more trials, larger buffers or another model"
                reason = f"the cost model vouches for none of {evaluations:,} mappings ({why}); {hint}"
                self._leave_out({"name": unique.layer.name, "reason": reason})
            return
        mapped = MappedLayer(unique.layer, best.batch.decode(0, unique.layer))
        name = mapping_name(index + 1, unique.layer.name)
        text = self._work.format.mapping_text(Network(self._work.mix.name, (mapped,)), self._work.hardware)
        [metrics] = evaluate_text(text, name, self._work.hardware, self._work.settings.model)
        del metrics["layer"]
        if objective_of(metrics, self._work.objective, self._work.hardware) != best.value:
            raise AssertionError(f"{name}: the exported mapping gives other figures than the search did; please report this")
        self._texts[unique.layer.name] = {name: text}
        front = self._note_front(index, [outcome.front for outcome in outcomes])
        bounds = [outcome.lower_bound for outcome in outcomes if outcome.lower_bound is not None and isfinite(outcome.lower_bound)]
        lower_bound = max(bounds, default=None)
        self._rows[unique.layer.name] = {
            "name": unique.layer.name,
            "names": list(unique.names),
            "count": unique.count,
            "runs": list(unique.runs),
            "objective": best.value,
            "lower_bound": lower_bound,
            "gap": best.value / lower_bound - 1 if lower_bound is not None and lower_bound > 0 else None,
            "evaluations": evaluations,
            "dropped": sum(outcome.dropped for outcome in outcomes),
            "refused": sum(outcome.refused for outcome in outcomes),
            "seconds": sum(outcome.seconds for outcome in outcomes),
            "finished": finished,
            "mapping_file": name,
            "front_file": front_name(index + 1, unique.layer.name) if front is not None else None,
            "front": list(front.points) if front is not None else [],
            "metrics": metrics,
            "trace": [asdict(step) for step in best.trace],
            "proof": asdict(best.proof) if best.proof is not None else None,
        }

    def _note_front(self, index: int, fronts: Sequence[Front]) -> LayerFront | None:
        """Keep the front of a layer, of all its searches, and its file's text; None where the objective takes only one figure."""
        layer = self._work.layers[index].layer
        joined = reduce(lambda one, other: one.join(other.batch, other.runtime_cycles, other.energy_pj), fronts)
        if len(joined) == 0:
            return None
        front = layer_front(layer, joined, self._work.objectives, self._work.hardware)
        self._fronts[layer.name] = front
        name = front_name(index + 1, layer.name)
        self._texts[layer.name][name] = self._work.format.mapping_text(
            front_network(self._work.mix.name, front), self._work.hardware
        )
        return front

    def results(self, path: Path) -> dict[str, Any]:
        """What results.json of the run's folder at `path` holds.

        `complete` (False after an interrupt), `folder`, `objective` (as given), `seed`, `totals` (see `totals.totals`), `networks`
        (`name` and `weight` of each network, and what all its runs add to the totals, see `totals.sums`), `network` (the layers'
        mappings chosen together, see `fronts.choose_together`, or None), `left_out` (`name` and `reason` of each layer that has no
        mapping, which the logger of this module tells too), and `layers`. Each of those has

        - `name`, `names` (of all layers of its shape; of several networks, they begin with the network's), `count`, `runs` (each
          network's part of the count), `finished` (False where its search was stopped),
        - `objective` (its value), `lower_bound` (no mapping of the space has less; None where there is no bound), `gap`
          (objective / lower_bound - 1), `metrics` (as `evaluate` gives them), `mapping_file`,
        - `front` (see `fronts.layer_front`) and `front_file` (None where the objective takes only one of cycles and energy),
        - `evaluations` (mappings costed), `dropped` (left out for their lower bound), `refused` (of the evaluations, those that the
          cost model does not vouch for), `seconds`,
        - `trace` (`evaluations`, `dropped`, `refused`, `seconds`, `objective` wherever a better mapping was found) and `proof`
          (what an exact search went through, see `search.searcher.Certificate`; None where there was none).
        """
        in_order = [unique.layer.name for unique in self._work.layers]
        rows = [self._rows[name] for name in in_order if name in self._rows]
        done = {row["name"] for row in rows if row["finished"]} | {layer["name"] for layer in self._left_out}
        all_sums = totals(rows, self._work.hardware, self._work.objective)
        network = self._together(rows, all_sums)
        return {
            "complete": done.issuperset(in_order),
            "folder": str(path),
            "objective": self._work.settings.objective,
            "seed": self._work.settings.seed,
            "totals": all_sums,
            "networks": self._networks(rows),
            "network": network.told if network is not None else None,
            **self._more,
            "left_out": self._left_out,
            "layers": rows,
        }

    def _networks(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The sums of each network of the mix."""
        told: list[dict[str, Any]] = []
        for number, member in enumerate(self._work.mix.members):
            own = [{**row, "count": row["runs"][number]} for row in rows if row["runs"][number]]
            figures = sums(own, self._work.hardware, self._work.objective)
            told.append({"name": member.layers.name, "weight": member.weight, **figures})
        return told

    def _together(self, rows: Sequence[Mapping[str, Any]], own_best: Mapping[str, Any]) -> Together | None:
        """The network's mapping chosen from its layers' fronts; None where a layer has none, or their own best ones do better."""
        fronts = [self._fronts[row["name"]] for row in rows if row["name"] in self._fronts]
        if not fronts or len(fronts) < len(rows) or not self._work.objective.never_falls or own_best["objective"] is None:
            return None
        counts = [row["count"] for row in rows]
        return choose_together(fronts, counts, self._work.objectives, self._work.objective, self._work.hardware, own_best)

    def save(self, folder: RunFolder, layers: Iterable[str]) -> None:
        """Write the files of some layers, and the results of all."""
        for layer in layers:
            for name, text in self._texts[layer].items():
                folder.save_mapping(name, text)
        folder.save_results(self.results(folder.path))

    def save_all(self, folder: RunFolder) -> None:
        """Write everything."""
        self.save(folder, self._texts)
        rows = [self._rows[unique.layer.name] for unique in self._work.layers if unique.layer.name in self._rows]
        network = self._together(rows, totals(rows, self._work.hardware, self._work.objective))
        if network is not None:
            folder.save_mapping(
                NETWORK, self._work.format.mapping_text(Network(self._work.mix.name, network.layers), self._work.hardware)
            )


def _check_recorded(found: object, recorded: object, where: str) -> None:
    if found != recorded:
        raise InputError(f"{where}: evaluates to other figures than were recorded; start anew in another folder")
