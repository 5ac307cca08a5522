"""Searches that prove their answer: Optuna's TPE for a good mapping, then branch and bound from there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from mapsearch.search.branch_and_bound import Limit, branch_and_bound, least_bound
from mapsearch.search.objective import Problem
from mapsearch.search.optuna_search import OptunaSearcher
from mapsearch.search.searcher import Budget, Outcome, Sampler
from mapsearch.spaces.space import Structure

# What branch and bound may take for a layer where there is no timeout: to prove the optimum, or as much as makes a default run.
# The latter, some two seconds, is counted in parts, so that a run gives the same on any machine.
TO_PROVE = Limit(seconds=60.0)
BY_DEFAULT = Limit(parts=4_000_000)


class ExactSearcher:
    """The optimum with its proof, or at the limit the best so far and a lower bound; the start alone where there is no bound."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit

    def search(
        self, problem: Problem, budget: Budget, seed: Sequence[int], starts: Sequence[Structure], tick: Callable[[int], bool]
    ) -> Outcome:
        """See `Searcher`; half of a timeout is for the start, the rest for the proof, whatever the limit."""
        began = time.monotonic()
        limit, timeout = self._limit, budget.timeout_seconds
        if timeout is not None:
            budget = replace(budget, timeout_seconds=timeout / 2)
        start = OptunaSearcher(Sampler.TPE).search(problem, budget, seed, starts, tick)
        if least_bound(problem) is None:
            return start
        if timeout is not None:
            limit = Limit(seconds=max(0.0, timeout - (time.monotonic() - began)))
        proof = branch_and_bound(problem, start.batch, start.value, limit, partial(tick, budget.trials))
        found = [
            (start.evaluations + costed, start.dropped + pruned, start.refused, value) for costed, pruned, value in proof.trace
        ]
        return Outcome(
            batch=proof.batch,
            value=proof.value,
            lower_bound=proof.lower_bound,
            evaluations=start.evaluations + proof.costed,
            dropped=start.dropped + proof.pruned,
            refused=start.refused,
            seconds=time.monotonic() - began,
            trace=(*start.trace, *found),
            finished=start.finished and not tick(budget.trials),
        )
