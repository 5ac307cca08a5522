"""Proven searches, kept in the user's cache folder, so that no identical one is made again.

An entry is found only by a search that is equal in all that its outcome depends on: the layer's shape, the machine, the space, the
objective, the model, the searcher, its budget, seed and seeds, and the versions and code of the packages. It is never trusted
blindly: it has a checksum, and its mappings are evaluated again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

from mapsearch.formats.text import write_whole
from mapsearch.model.mapping import DIMS, MappingBatch
from mapsearch.model.plain import plain
from mapsearch.search.mappings.branch_and_bound import least_bound
from mapsearch.search.mappings.incumbent import Step
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.searcher import Certificate, Outcome
from mapsearch.search.mappings.task import Task
from mapsearch.search.pareto import Front

FOLDER = "MAPSEARCH_CACHE_DIR"  # the environment variable that names another folder
MOST = 20_000  # entries, some 10 kB each; the oldest make room for new ones
_ARRAYS = ("units", "spatial", "order", "size")
_PACKAGES = ("mapsearch", "numpy", "numba", "optuna")
_ROOMS = ("model", "spaces", "search")


@dataclass(frozen=True, slots=True)
class Proofs:
    """The kept searches in a folder; a `Memory`. Where the folder cannot be read or written, nothing is kept."""

    folder: Path

    @classmethod
    def of_user(cls) -> Proofs:
        """Those of the user."""
        chosen = os.environ.get(FOLDER)
        return cls((Path(chosen) if chosen else user_cache_path("mapsearch", appauthor=False)) / "proofs")

    def recall(self, task: Task) -> Outcome | None:
        """See `Memory`."""
        try:
            digest, text = self._file(task).read_text(encoding="utf-8").split("\n", 1)
            if digest != _digest(text):
                return None
            outcome = _outcome_of(json.loads(text))
            return outcome if _holds(outcome, task.problem) else None
        except (OSError, ValueError, KeyError, TypeError):  # none, or a damaged one
            return None

    def note(self, task: Task, outcome: Outcome) -> None:
        """See `Memory`."""
        text = json.dumps(_plain_of(outcome))
        file = self._file(task)
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, f"{_digest(text)}\n{text}")

    def entries(self) -> list[Path]:
        """The files of the entries, the oldest first."""
        with suppress(OSError):
            return sorted(self.folder.glob("*.json"), key=lambda file: (file.stat().st_mtime, file.name))
        return []

    def trim(self, most: int = MOST) -> None:
        """Remove the oldest entries beyond this number."""
        files = self.entries()
        for file in files[: max(0, len(files) - most)]:
            with suppress(OSError):
                file.unlink()

    def _file(self, task: Task) -> Path:
        return self.folder / f"{_key(task)}.json"


def _key(task: Task) -> str:
    """A digest of all that the outcome of a search depends on."""
    problem, space, seeds = task.problem, task.problem.space, task.seeds
    known = seeds.mappings.arrays if seeds.mappings is not None else ()
    parts = (
        code_digest(), space.layer.shape, replace(space.hardware, name=""), space.levels, space.tiles, space.constraints.levels,
        space.restriction, problem.model.name, problem.objective.text, problem.objective.clock_mhz, problem.power_mw,
        task.searcher, task.budget, task.seed, seeds.structures, [array.tolist() for array in known],
    )  # fmt: skip
    return _digest(repr(parts))


@cache
def code_digest() -> str:
    """A digest of the versions, and of the code by which mappings are searched and bounded."""
    files = sorted(file for room in _ROOMS for file in (Path(__file__).parents[1] / room).rglob("*.py"))
    code = sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    return f"{code} {[version(name) for name in _PACKAGES]}"


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _holds(outcome: Outcome, problem: Problem) -> bool:
    """Whether the mappings cost what the outcome says, and its bound lies between the whole space's and its value."""
    best, front = problem.score(outcome.batch).values, outcome.front
    costs = problem.model.evaluate(problem.space.layer, problem.space.hardware, front.batch)
    root, least = least_bound(problem), outcome.lower_bound
    return (
        best.tolist() == [outcome.value]
        and root is not None
        and least is not None
        and root <= least <= outcome.value
        and (len(front) == 0 or np.array_equal(costs.runtime_cycles, front.runtime_cycles))
        and (len(front) == 0 or np.array_equal(costs.energy_pj(), front.energy_pj))
    )


def _plain_of(outcome: Outcome) -> dict[str, Any]:
    front = outcome.front
    return {
        "batch": _plain_batch(outcome.batch),
        "front": {
            "batch": _plain_batch(front.batch),
            "runtime_cycles": front.runtime_cycles.tolist(),
            "energy_pj": front.energy_pj.tolist(),
        },
        **{name: getattr(outcome, name) for name in ("value", "lower_bound", "evaluations", "dropped", "refused", "seconds")},
        "trace": plain(outcome.trace),
        "proof": plain(outcome.proof),
    }


def _outcome_of(data: Mapping[str, Any]) -> Outcome:
    front = data["front"]
    runtime_cycles, energy_pj = np.array(front["runtime_cycles"], np.int64), np.array(front["energy_pj"], np.float64)
    return Outcome(
        batch=_batch_of(data["batch"]),
        front=Front(_batch_of(front["batch"]), runtime_cycles, energy_pj),
        **{name: data[name] for name in ("value", "lower_bound", "evaluations", "dropped", "refused", "seconds")},
        trace=tuple(Step(**step) for step in data["trace"]),
        proof=Certificate(**data["proof"]),
        finished=True,
    )


def _plain_batch(batch: MappingBatch) -> dict[str, Any]:
    return {"shape": batch.units.shape, **{name: getattr(batch, name).ravel().tolist() for name in _ARRAYS}}


def _batch_of(data: Mapping[str, Any]) -> MappingBatch:
    rows, levels = data["shape"]
    return MappingBatch(
        np.array(data["units"], np.int64).reshape(rows, levels),
        np.array(data["spatial"], np.int8).reshape(rows, levels),
        np.array(data["order"], np.int8).reshape(rows, levels, DIMS),
        np.array(data["size"], np.int64).reshape(rows, levels, DIMS),
    )
