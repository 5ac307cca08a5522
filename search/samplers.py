"""The searchers by the names that users select them by."""

from __future__ import annotations

from mapsearch.search.exact_search import BY_DEFAULT, TO_PROVE, ExactSearcher
from mapsearch.search.genetic import GeneticSearcher
from mapsearch.search.optuna_search import OptunaSearcher
from mapsearch.search.searcher import Sampler, Searcher


def searcher_of(sampler: Sampler) -> Searcher:
    """The searcher of a sampler."""
    match sampler:
        case Sampler.AUTO:
            return ExactSearcher(BY_DEFAULT)
        case Sampler.EXACT:
            return ExactSearcher(TO_PROVE)
        case Sampler.GENETIC:
            return GeneticSearcher()
        case _:
            return OptunaSearcher(sampler)
