"""The searchers by the names that users select them by."""

from __future__ import annotations

from mapsearch.search.exact_search import ExactSearcher
from mapsearch.search.optuna_search import OptunaSearcher
from mapsearch.search.searcher import Sampler, Searcher


def searcher_of(sampler: Sampler) -> Searcher:
    """The searcher of a sampler."""
    return ExactSearcher() if sampler is Sampler.EXACT else OptunaSearcher(sampler)
