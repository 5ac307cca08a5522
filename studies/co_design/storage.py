"""A co-design's machines in one of Optuna's storages, where a dashboard shows them and other processes take them over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import numpy as np
import optuna

from mapsearch.model.errors import InputError
from mapsearch.search.machines.candidate import MappedNetwork
from mapsearch.search.machines.sampler import Point
from mapsearch.search.machines.search import Notebook
from mapsearch.search.machines.stages import Stage
from mapsearch.search.mappings.layers_job import LayersJob
from mapsearch.spaces.machines.space import HardwareSpace
from mapsearch.studies.co_design.notes import network_of, texts_of
from mapsearch.studies.proofs import code_digest
from mapsearch.studies.storages import Guard, opened_studies


class StoredStudy:
    """A `Notebook` over another one, which is a study in a storage too: each mapped machine is a trial.

    The study's name has a digest of all that figures and bounds of machines depend on but the seed, versions and code included, so
    runs of one co-design, also with other seeds, share a study, and others never do. A trial's parameters are the machine's values;
    its user attributes are the stage, the network's cycles, energy and lower bounds, and the layers' mappings.
    """

    def __init__(self, url: str, title: str, config: Mapping[str, Any], space: HardwareSpace, job: LayersJob) -> None:
        """Open the study, or begin it.

        url: see `opened_studies`. config: as `settings.record` makes it.
        """
        self._space, self._job = space, job
        self._notes: Notebook | None = None
        self._read, self._guarded = 0, Guard()
        self._known: dict[tuple[Point, Stage], MappedNetwork] = {}
        settings = {**config["settings"], "seed": None}
        same = {key: config[key] for key in ("layer_set", "layers", "constraints", "hardware_space")}
        # Of other code no lower bound is to be trusted.
        content = json.dumps({**same, "settings": settings, "code": code_digest()}, sort_keys=True)
        digest = sha256(content.encode()).hexdigest()[:8]
        self.name = f"{title}-{digest}"
        [self._study] = opened_studies(url, [self.name], [objective.text for objective in job.objectives])

    def over(self, notes: Notebook) -> StoredStudy:
        """The same, over a notebook that is asked first and told everything."""
        self._notes = notes
        return self

    def recall(self, point: Point, stage: Stage) -> MappedNetwork | None:
        """See `Notebook`."""
        found = self._notes.recall(point, stage) if self._notes is not None else None
        if found is None:
            self._refresh()
            found = self._known.get((point, stage))
        return found

    def note(self, point: Point, stage: Stage, mapped: MappedNetwork) -> None:
        """See `Notebook`; where the storage fails the search goes on without it, and says so once."""
        if self._notes is not None:
            self._notes.note(point, stage, mapped)
        values = mapped.values(self._job)
        self._refresh()
        known = self._known.get((point, stage))
        if not np.isfinite(values).all() or (known is not None and (known.values(self._job) <= values).all()):
            return
        runtime_cycles, energy_pj = mapped.sums(self._job)
        attributes = {
            "stage": stage.name.lower(),
            "runtime_cycles": int(runtime_cycles),
            "energy_pj": energy_pj,
            "layers_lower_bounds": [float(each) if np.isfinite(each) else None for each in mapped.lower_bounds],
            "mappings": texts_of(self._job, mapped),
        }
        axes = list(zip(self._space.axes, point, strict=True))
        trial = optuna.trial.create_trial(
            params={axis.key: axis.values[place] for axis, place in axes},
            distributions={axis.key: optuna.distributions.CategoricalDistribution(axis.values) for axis, _ in axes},
            values=values.tolist(),
            user_attrs=attributes,
        )
        self._guarded(lambda: self._study.add_trial(trial))

    def _refresh(self) -> None:
        """Take over the machines that were added to the study since the last time."""
        trials: list[optuna.trial.FrozenTrial] = []
        self._guarded(lambda: trials.extend(self._study.get_trials(deepcopy=False)[self._read :]))
        self._read += len(trials)
        for trial in trials:
            try:
                point = tuple(axis.values.index(trial.params[axis.key]) for axis in self._space.axes)
                stage = Stage[str(trial.user_attrs["stage"]).upper()]
                bounds = [-np.inf if each is None else each for each in trial.user_attrs["layers_lower_bounds"]]
                where = f"study {self.name}, trial {trial.number}"
                self._known[point, stage] = network_of(
                    self._job, self._space.at(point), trial.user_attrs["mappings"], bounds, where
                )
            except (InputError, KeyError, ValueError, TypeError):
                continue  # a trial of somebody else's
