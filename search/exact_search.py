"""A search that proves its answer: Optuna's TPE for a good mapping, then branch and bound from there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from mapsearch.search.branch_and_bound import branch_and_bound
from mapsearch.search.objective import Problem
from mapsearch.search.optuna_search import OptunaSearcher
from mapsearch.search.searcher import Budget, Outcome, Sampler
from mapsearch.spaces.space import Structure

# How long branch and bound may take for a layer where there is no timeout.
PROOF_SECONDS = 60.0


class ExactSearcher:
    """The optimum with its proof, or at the end of its time the best so far and a lower bound."""

    def search(
        self, problem: Problem, budget: Budget, seed: Sequence[int], starts: Sequence[Structure], tick: Callable[[int], bool]
    ) -> Outcome:
        """See `Searcher`; the trials and half of a timeout are for the start, the rest of the timeout for the proof."""
        began = time.monotonic()
        seconds = PROOF_SECONDS
        if budget.timeout_seconds is not None:
            budget = replace(budget, timeout_seconds=budget.timeout_seconds / 2)
        start = OptunaSearcher(Sampler.TPE).search(problem, budget, seed, starts, tick)
        if budget.timeout_seconds is not None:
            seconds = 2 * budget.timeout_seconds - (time.monotonic() - began)
        proof = branch_and_bound(problem, start.batch, start.value, max(0.0, seconds), partial(tick, budget.trials))
        evaluations, dropped = start.evaluations, start.dropped
        found = [(evaluations + costed, dropped + pruned, start.refused, value) for costed, pruned, value in proof.trace]
        return Outcome(
            batch=proof.batch,
            value=proof.value,
            lower_bound=proof.lower_bound,
            evaluations=evaluations + proof.costed,
            dropped=dropped + proof.pruned,
            refused=start.refused,
            seconds=time.monotonic() - began,
            trace=(*start.trace, *found),
            finished=start.finished and not tick(budget.trials),
        )
