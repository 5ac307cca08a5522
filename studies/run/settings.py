"""The settings of a run: checked before work starts, recorded, and compared when the run is resumed."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mapsearch.formats.yaml.constraints import constraints_to_dict
from mapsearch.formats.yaml.dataflows import load_held
from mapsearch.formats.yaml.hardware import hardware_space_to_dict, hardware_to_dict
from mapsearch.formats.yaml.layer_sets import UniqueLayer
from mapsearch.model.cost import BoundedModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.registry import cost_model
from mapsearch.search.mappings.fronts import STEERED
from mapsearch.search.mappings.optuna_search import check_installed
from mapsearch.search.mappings.sampler_names import GAP, PROVING_TRIALS, TRIALS, Sampler
from mapsearch.search.mappings.searcher import EVALUATIONS_PER_TRIAL, Budget
from mapsearch.search.mappings.searchers import searcher_of
from mapsearch.search.objectives.objective import Objective, objectives_of
from mapsearch.spaces.machines.space import HardwareSpace
from mapsearch.studies.declared import SettingError, known
from mapsearch.studies.run.options import SearchOptions

UNLIMITED_TRIALS = 100_000


class Settings(SearchOptions):
    """The settings that a run's results depend on; InputError where no search is possible with them.

    `SearchOptions` declares them; `mapsearch run --help` explains each.
    """

    __slots__ = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        sampler, objectives = Sampler(self.sampler), objectives_of(self.objective)
        check_installed(sampler)
        searcher_of(sampler, objectives)
        cost_model(self.model)
        load_held(self.dataflow, self.constraints, 0)
        self._check_proof("gap", without=self.gap is None)
        self._check_proof("until_runtime", without=self.until_runtime is None)

    def _check_proof(self, name: str, *, without: bool) -> None:
        """Raise SettingError where a setting that ends a proof is given to a search without one, or a gap to one of the optimum."""
        if without:
            return
        if name == "gap" and self.sampler == Sampler.EXACT and self.gap:
            raise SettingError(
                lambda called: f"{called('sampler')} exact proves the optimum; use sampler auto with {called('gap')}"
            )
        if not self.proves:
            several = len(objectives_of(self.objective)) > 1
            bounded = isinstance(cost_model(self.model), BoundedModel)
            why = (
                f"sampler {self.sampler}" if self.sampler not in (Sampler.AUTO, Sampler.EXACT)
                else "a number of evaluations" if self.evaluations is not None
                else "a search for several objectives" if several
                else f"objective {self.objective}, which may fall as runtime or energy grows," if bounded
                else f"model {self.model}"
            )  # fmt: skip
            raise SettingError(lambda called: f"{called(name)} ends a proof, but {why} has none; leave it out")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Settings:
        """The settings with these fields, paths as text; InputError for an unknown field."""
        known(cls, given)
        plain: dict[str, Any] = {key: str(value) if isinstance(value, Path) else value for key, value in given.items()}
        return cls(**plain)

    @property
    def sampler_used(self) -> Sampler:
        """The sampler that is really used: `auto` depends on the number of objectives and on a limit of evaluations."""
        sampler = Sampler(self.sampler)
        if len(objectives_of(self.objective)) > 1:
            return STEERED.get(sampler, sampler)
        return Sampler.GENETIC if sampler is Sampler.AUTO and self.evaluations is not None else sampler

    def budget(self, timeout_seconds: float | None) -> Budget:
        """The budget of one search, given its seconds."""
        if self.evaluations is not None:
            return Budget.within(self.evaluations // self.restarts, self.sampler_used, timeout_seconds)
        trials = PROVING_TRIALS if self.proves else TRIALS if self.timeout_seconds is None else UNLIMITED_TRIALS
        return Budget(self.trials or trials, EVALUATIONS_PER_TRIAL, timeout_seconds)

    @property
    def proves(self) -> bool:
        """Whether the search proves its answer."""
        return (
            self.sampler_used in (Sampler.AUTO, Sampler.EXACT)
            and isinstance(cost_model(self.model), BoundedModel)
            and Objective.of(self.objective).never_falls
        )

    @property
    def proposes_structures(self) -> bool:
        """Whether one of Optuna's samplers proposes the structures of mappings, for one objective."""
        return self.sampler_used not in (Sampler.AUTO, Sampler.EXACT, Sampler.GENETIC) and len(objectives_of(self.objective)) == 1

    @property
    def gap_used(self) -> float:
        """The gap at which a proof ends."""
        return GAP if self.gap is None else self.gap


def record(
    settings: Settings, sources: Mapping[str, int], layers: Sequence[UniqueLayer], hardware: Hardware | HardwareSpace
) -> dict[str, Any]:
    """The run as plain data, with all that is needed to repeat it: versions, settings, `hardware` or `hardware_space`, layers.

    sources: the layer sets and their weights, as `mixes.Mix.sources` has them. layers: as the cost model counts them.
    """
    held, _ = load_held(settings.dataflow, settings.constraints, settings.levels)
    packages = ("mapsearch", "numpy", "numba", "optuna", "joblib")
    data: dict[str, Any] = {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "settings": asdict(settings),
        "constraints": constraints_to_dict(held) if held.levels else None,
        "layer_set": sources,
        "layers": [_layer(unique) for unique in layers],
    }
    if isinstance(hardware, Hardware):
        data["hardware"] = hardware_to_dict(hardware)
    else:
        data["hardware_space"] = hardware_space_to_dict(hardware)
    as_read_back: dict[str, Any] = json.loads(json.dumps(data))
    return as_read_back


def _layer(unique: UniqueLayer) -> dict[str, Any]:
    runs = {"runs": unique.runs} if len(unique.runs) > 1 else {}  # in a mix, where other weights may give the same sum
    return {"names": unique.names, "count": unique.count, **runs, **unique.layer.to_dict()}
