"""Optuna proposes machines: a point of a hardware space, that is, an index on each axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import optuna
from numpy.typing import NDArray

from mapsearch.search.mappings.optuna_search import NONE
from mapsearch.spaces.machines.space import HardwareSpace

Point = tuple[int, ...]


class MachineSampler:
    """TPE for one objective, NSGA-II for several; proposals may come again, and may be over the budget."""

    def __init__(self, space: HardwareSpace, objectives: int, seed: int, population: int, first: Sequence[Point]) -> None:
        """population: of NSGA-II, and the number of TPE's random proposals. first: points that it proposes before all others."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler: optuna.samplers.BaseSampler
        if objectives == 1:
            sampler = optuna.samplers.TPESampler(n_startup_trials=population, seed=seed)
        else:
            sampler = optuna.samplers.NSGAIISampler(population_size=population, seed=seed)
        self._axes = space.axes
        self._study = optuna.create_study(sampler=sampler, directions=[optuna.study.StudyDirection.MINIMIZE] * objectives)
        for point in first:
            self._study.enqueue_trial({axis.key: place for axis, place in zip(space.axes, point, strict=True)})

    def ask(self) -> tuple[optuna.Trial, Point]:
        """A proposal, for which `tell` must be called."""
        trial = self._study.ask()
        return trial, tuple(trial.suggest_int(axis.key, 0, len(axis.values) - 1) for axis in self._axes)

    def tell(self, trial: optuna.Trial, values: NDArray[np.float64]) -> None:
        """Report a proposal's objectives, float64[m], or lower bounds of them; infinite where it has none."""
        self._study.tell(trial, np.clip(values, -NONE, NONE).tolist())
