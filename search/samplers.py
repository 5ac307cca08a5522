"""The searchers by the names that users select them by."""

from __future__ import annotations

from mapsearch.model.errors import InputError
from mapsearch.search.exact_search import BY_DEFAULT, TO_PROVE, ExactSearcher
from mapsearch.search.front_search import STEERED, FrontSearcher
from mapsearch.search.genetic import GeneticSearcher
from mapsearch.search.objective import Objective
from mapsearch.search.optuna_search import OptunaSearcher
from mapsearch.search.searcher import Sampler, Searcher


def searcher_of(sampler: Sampler, objectives: tuple[Objective, ...]) -> Searcher:
    """The searcher of a sampler, for one objective or several; InputError where the sampler has none for several."""
    if len(objectives) > 1:
        if sampler not in STEERED:
            raise InputError(
                f"the sampler {sampler} searches for one objective, not a front; use {', '.join(STEERED)}, or one objective"
            )
        return FrontSearcher(objectives, sampler)
    match sampler:
        case Sampler.AUTO:
            return ExactSearcher(BY_DEFAULT)
        case Sampler.EXACT:
            return ExactSearcher(TO_PROVE)
        case Sampler.GENETIC:
            return GeneticSearcher()
        case _:
            return OptunaSearcher(sampler)
