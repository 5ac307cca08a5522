"""The plan of a run: its inputs loaded and checked, without the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from pathlib import Path

from mapsearch.formats.directives import MappedLayer, print_network
from mapsearch.formats.mixes import Mix, MixSource, load_mix
from mapsearch.formats.registry import FORMATS
from mapsearch.formats.seeds import check_any_seed, load_seeds, seeds_network, seeds_of
from mapsearch.formats.yaml.dataflows import classic_dataflows, load_held
from mapsearch.formats.yaml.layer_sets import UniqueLayer
from mapsearch.model.cost import CostModel
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware
from mapsearch.model.mapping import Mapping as LayerMapping
from mapsearch.model.registry import cost_model
from mapsearch.search.mappings.layers_job import LayersJob
from mapsearch.search.mappings.searchers import searcher_of
from mapsearch.search.mappings.task import Memory
from mapsearch.search.objectives.objective import Objective, objectives_of
from mapsearch.spaces.mappings.laws import restriction_for
from mapsearch.spaces.mappings.rules import TileRule
from mapsearch.studies.results import LeftOut
from mapsearch.studies.run.layer_results import SearchInputs
from mapsearch.studies.run.settings import Settings

_WARM_START = "warm_start.m"  # in the folder of a run


class Plan:
    """The settings, the layers as the cost model counts them, and what their searches start from.

    left_out: name and reason of each layer that the model does not take; InputError where it takes none.
    objective: by which each layer's own best mapping is chosen. With several objectives a layer has no single best mapping, so the
    one with the least EDP stands for its front. memory: keeps proven searches, if any does.
    """

    def __init__(
        self, settings: Settings, layers: MixSource | Mix, memory: Memory | None = None, resumed: Path | None = None
    ) -> None:
        self.settings, self._memory = settings, memory
        self.model: CostModel = cost_model(settings.model)
        self.format = FORMATS[self.model.format]
        mix = layers if isinstance(layers, Mix) else load_mix(layers, as_listed=self.model.restriction.as_listed)
        self.mix = mix.of_batch(settings.batch or 1)
        self.layers, self.left_out = _counted(self.mix, self.model)
        self.objectives = objectives_of(settings.objective)
        self.objective = self.objectives[0] if len(self.objectives) == 1 else Objective.of("edp")
        self._seeds = self._load_seeds(settings.warm_start, resumed)

    def _load_seeds(self, source: str | None, resumed: Path | None) -> list[MappedLayer]:
        """The mappings to start from, for layers of the set."""
        if source is None:
            return []
        path = Path(source)
        if resumed is not None and (resumed / _WARM_START).is_file():
            path = resumed / _WARM_START
        seeds = load_seeds(path)
        check_any_seed(path, [unique.layer for unique in self.layers], seeds)
        return seeds

    def compare_at(self, clock_mhz: float) -> None:
        """Let the objectives count the cycles of this clock that a runtime takes, so that machines of several are compared."""
        self.objectives = tuple(replace(each, clock_mhz=clock_mhz) for each in self.objectives)
        self.objective = replace(self.objective, clock_mhz=clock_mhz)

    def files(self) -> dict[str, str]:
        """The files of a run's inputs that its folder keeps: texts by file name."""
        if not self._seeds:
            return {}
        seeds = seeds_network(self.mix.name, [unique.layer for unique in self.layers], self._seeds)
        return {_WARM_START: print_network(seeds)}

    def inputs(self, hardware: Hardware) -> SearchInputs:
        """The inputs of the search on a machine."""
        return SearchInputs(self.mix, self.layers, hardware, self.settings, self.objectives, self.objective, self.format)

    def job(self, power_mw: float = inf) -> LayersJob:
        """The layers and the settings of their searches."""
        settings = self.settings
        held, levels = load_held(settings.dataflow, settings.constraints, settings.levels)
        return LayersJob(
            layers=tuple(unique.layer for unique in self.layers),
            counts=tuple(unique.count for unique in self.layers),
            model=self.model,
            objectives=self.objectives,
            objective=self.objective,
            levels=levels,
            tiles=TileRule[settings.tiles.upper()],
            constraints=held,
            restriction=self.model.restriction | restriction_for(settings.tools.split(",") if settings.tools else ()),
            dataflows=tuple(classic_dataflows()),
            seed_mappings=tuple(tuple(seeds_of(unique.layer, self._seeds)) for unique in self.layers),
            searcher=searcher_of(settings.sampler_used, self.objectives, settings.gap_used),
            seed=settings.seed,
            restarts=settings.restarts,
            power_mw=power_mw,
            memory=self._memory,
        )

    def free_job(self, known: Mapping[str, LayerMapping]) -> LayersJob:
        """The same layers, searched among all mappings whatever tools can express; known: mappings by layer, to start from."""
        job = self.job()
        seeds = zip((unique.layer.name for unique in self.layers), job.seed_mappings, strict=True)
        return replace(
            job,
            restriction=self.model.restriction,
            seed_mappings=tuple((*own, known[name]) if name in known else own for name, own in seeds),
        )


def _macs(macs: int | None) -> str:
    return "it may have MACs" if macs is None else f"it has {macs:,} MACs"


def _counted(mix: Mix, model: CostModel) -> tuple[list[UniqueLayer], list[LeftOut]]:
    counted: list[UniqueLayer] = []
    left_out = [
        LeftOut(each.name, f"operator {each.operator}: {_macs(each.macs)} that no layer type expresses")
        for member in mix.members
        for each in member.layers.unmapped
        if each.macs != 0
    ]
    for unique in mix.unique:
        try:
            counted.append(replace(unique, layer=model.as_counted(unique.layer)))
        except InputError as error:
            left_out.append(LeftOut(unique.layer.name, str(error)))
    if not counted:
        raise InputError(f"layer set {mix.name}: the cost model {model.name} takes none of its layers: {left_out[-1].reason}")
    return counted, left_out
