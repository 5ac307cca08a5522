"""The searcher for each sampler."""

from __future__ import annotations

from mapsearch.model.errors import InputError
from mapsearch.search.mappings.anytime import BY_DEFAULT, TO_PROVE, AnytimeSearcher
from mapsearch.search.mappings.fronts import STEERED, FrontSearcher
from mapsearch.search.mappings.genetic import GeneticSearcher
from mapsearch.search.mappings.optuna_search import OptunaSearcher
from mapsearch.search.mappings.sampler_names import GAP, Sampler
from mapsearch.search.mappings.searcher import Searcher
from mapsearch.search.objectives.objective import Objective


def searcher_of(sampler: Sampler, objectives: tuple[Objective, ...], gap: float = GAP) -> Searcher:
    """The searcher of a sampler, for one objective or several; InputError where the sampler has none for several.

    gap: at which the proof of `auto` ends.
    """
    if len(objectives) > 1:
        if sampler not in STEERED:
            raise InputError(
                f"the sampler {sampler} searches for one objective, not a front; use {', '.join(STEERED)}, or one objective"
            )
        return FrontSearcher(objectives, sampler)
    match sampler:
        case Sampler.AUTO if gap > 0:
            return AnytimeSearcher(gap, BY_DEFAULT)
        case Sampler.AUTO | Sampler.EXACT:
            return AnytimeSearcher(0.0, TO_PROVE)
        case Sampler.GENETIC:
            return GeneticSearcher()
        case _:
            return OptunaSearcher(sampler)
