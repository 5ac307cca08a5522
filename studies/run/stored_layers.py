"""The structures that one of Optuna's samplers tries for a run's layers, in one of Optuna's storages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from mapsearch.search.mappings.optuna_search import NONE
from mapsearch.search.mappings.searcher import Outcome
from mapsearch.studies.proofs import code_digest
from mapsearch.studies.storages import Guard, opened_studies


class StoredLayers:
    """A study for each layer: its trials are the structures, which come once a search has ended.

    A study's name has the layer's and a digest of all that its trials depend on, so runs of the same search have the same studies,
    to which the first one's trials are added alone. A trial's value is the objective, its parameters are the structure, its user
    attributes the cycles and the energy; the study's is the lower bound. Structures without a mapping that fits are left out.
    """

    def __init__(self, url: str, title: str, config: Mapping[str, Any], layers: Sequence[str], objective: str) -> None:
        """Open the studies, see `opened_studies`; config: as `settings.record` makes it."""
        same = {key: value for key, value in config.items() if key != "versions"}
        digest = sha256(json.dumps({**same, "code": code_digest()}, sort_keys=True).encode()).hexdigest()[:8]
        studies = opened_studies(url, [f"{title}-{digest}/{layer}" for layer in layers], [objective])
        self._guarded = Guard()
        self._new = {layer: study for layer, study in zip(layers, studies, strict=True) if not study.get_trials(deepcopy=False)}

    def note(self, layer: str, outcome: Outcome) -> None:
        """Add the structures of a search; where the storage fails the run goes on without it, and says so once."""
        if layer not in self._new or not outcome.finished:  # --resume begins it anew
            return
        study = self._new[layer]
        self._guarded(lambda: study.set_user_attr("lower_bound", outcome.lower_bound))
        self._guarded(lambda: study.add_trials([trial for trial in outcome.structures if trial.values[0] < NONE]))
