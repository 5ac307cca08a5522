"""Exact search: the space is split into parts with lower bounds on the objective; parts that cannot beat the incumbent are dropped.

A part is a partly chosen mapping (`spaces.mappings.completion`). The part with the least bound is opened first. The least bound of
all parts that are left is a lower bound of the whole space; once none is left, the best mapping is the optimum. Parts that could be
better by no more than a wanted gap are not opened until a smaller gap is wanted.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import BoundedModel
from mapsearch.model.errors import InputError
from mapsearch.model.limit import NO_LIMIT, CostLimit
from mapsearch.model.mapping import MappingBatch
from mapsearch.search.mappings.incumbent import Incumbent
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.searcher import Certificate, Limit
from mapsearch.spaces.mappings.completion import Completion
from mapsearch.spaces.mappings.partial import Partial, join_parts

Floats = NDArray[np.float64]

# Parts opened at a time, normally and where too many are kept; and parts whose children are held against the same incumbent.
BLOCK = 4096
FEW = 64
GROUP = 512
# The most parts kept, some 250 bytes each. Above that, the most complete are opened first, a few at a time: they leave the fewest.
MOST_PARTS = 2_000_000


def check_bounded(problem: Problem) -> None:
    """Raise InputError where the model has no lower bound, or the objective cannot be bounded by it."""
    if not isinstance(problem.model, BoundedModel):
        raise InputError(
            f"the cost model {problem.model.name} has no lower bound, which an exact search needs; use another sampler or model"
        )
    if not problem.objective.never_falls:
        raise InputError(
            f"the objective {problem.objective.text!r} is not proven to grow with runtime and energy, as an exact search needs; "
            "use another sampler or objective"
        )


def least_bound(problem: Problem) -> float | None:
    """A quick lower bound of the objective over the whole space; None where the model or the objective has none."""
    if not problem.bounded:
        return None
    return float(problem.bound(Completion(problem.space).begin().batch[:1])[0])


def branch_and_bound(incumbent: Incumbent, limit: Limit, stop: Callable[[], bool]) -> Certificate:
    """Improve the incumbent to the optimum of its problem, or as far as the limit and `stop` allow."""
    search = BranchAndBound(incumbent)
    search.run(limit, stop)
    return search.certificate()


@dataclass(order=True, frozen=True, slots=True)
class _Block:
    """Parts with neighbouring bounds, in ascending order."""

    least: float
    number: int
    parts: Partial = field(compare=False)
    bounds: Floats = field(compare=False)
    open_sizes: int = field(compare=False)


class BranchAndBound:
    """An exact search that improves an incumbent, and can go on where it ended.

    The result depends on the clock only through `Limit.seconds` and `stop`.
    """

    def __init__(self, incumbent: Incumbent) -> None:
        check_bounded(incumbent.problem)
        self._incumbent, self._problem = incumbent, incumbent.problem
        self._completion = Completion(incumbent.problem.space)
        self._blocks: list[_Block] = []
        self._numbers = count()
        self._limited, self._within = math.inf, NO_LIMIT
        self._parts = self._opened = self._bounded = self._pruned = self._costed = 0
        self._seconds, self._gap, self._proven = 0.0, 0.0, -math.inf
        begin = self._completion.begin()
        self._keep(begin, self._problem.bound(begin.batch))
        self._note_bound()

    @property
    def lower_bound(self) -> float:
        """No mapping of the space has a smaller objective."""
        return min(self._proven, self._incumbent.value)

    @property
    def bounded(self) -> int:
        """The number of parts bounded so far."""
        return self._bounded

    @property
    def gap(self) -> float:
        """The most that a mapping may be better, as a share of the lower bound; at most 1, and 1 where that is not above 0."""
        least = self.lower_bound
        return min(self._incumbent.value / least - 1, 1.0) if 0 < least < math.inf else 1.0

    def within(self, gap: float) -> bool:
        """Whether no mapping is better than the incumbent by more than the gap."""
        return self.lower_bound >= self._goal(gap)

    def _note_bound(self) -> None:
        """Note what is proven now: a part may have a lower bound than the part that it comes from, so the largest one counts."""
        self._proven = max(self._proven, self._blocks[0].least if self._blocks else math.inf)

    def _goal(self, gap: float) -> float:
        """The bound from which on a part need not be opened."""
        value = self._incumbent.value
        return value - abs(value) * gap / (1 + gap) if math.isfinite(value) else value

    def run(self, limit: Limit, stop: Callable[[], bool], gap: float = 0.0) -> None:
        """Improve the incumbent until none is better by more than the gap, as far as the limit and `stop` allow."""
        self._gap = gap
        began, before = self._incumbent.seconds, self._bounded
        while not self.within(gap) and limit.used(self._incumbent.seconds - began, self._bounded - before) < 1 and not stop():
            self._open(self._next())
            self._note_bound()
        if self.within(0.0):  # no part that is left can hold a better mapping
            self._prune(self._parts)
            self._blocks, self._parts = [], 0
        self._seconds += self._incumbent.seconds - began

    def certificate(self, wanted_gap: float = 0.0) -> Certificate:
        """The lower bound so far, and the counts; wanted_gap: that was asked for."""
        left = sum(int(np.searchsorted(block.bounds, self._incumbent.value)) for block in self._blocks)
        return Certificate(
            self.lower_bound, wanted_gap, self._opened, self._bounded, self._pruned, self._completion.unfit, self._costed, left,
            self._seconds,
        )  # fmt: skip

    def _prune(self, parts: int) -> None:
        self._pruned += parts
        self._incumbent.dropped += parts

    def _next(self) -> _Block:
        """Take out the block with the least bound, or, where too many parts are kept, of the most complete parts."""
        if self._parts <= MOST_PARTS:
            block = heapq.heappop(self._blocks)
            most = BLOCK
        else:
            most, goal = FEW, self._goal(self._gap)
            block = min((each for each in self._blocks if each.least < goal), key=lambda each: (each.open_sizes, each.least))
            self._blocks.remove(block)
            heapq.heapify(self._blocks)
        most = min(most, int(np.searchsorted(block.bounds, self._goal(self._gap))))
        if len(block.parts) > most:
            left, bounds = block.parts[most:], block.bounds[most:]
            rest = replace(block, least=float(bounds[0]), number=next(self._numbers), parts=left, bounds=bounds)
            heapq.heappush(self._blocks, rest)
            block = replace(block, parts=block.parts[:most], bounds=block.bounds[:most])
        self._parts -= len(block.parts)
        return block

    def _open(self, block: _Block) -> None:
        parts = block.parts[: int(np.searchsorted(block.bounds, self._incumbent.value))]
        self._prune(len(block.parts) - len(parts))
        self._opened += len(parts)
        for first in range(0, len(parts), GROUP):
            self._open_group(parts[first : first + GROUP])

    def _open_group(self, parts: Partial) -> None:
        hopes, bounds = [parts[:0]], [np.empty(0)]
        limit = self._limit()
        for children in self._completion.children(parts):
            least = self._problem.bound(children.batch, limit)
            rows = np.flatnonzero(least < self._incumbent.value)
            hopes.append(children[rows])
            bounds.append(least[rows])
            self._bounded += len(children)
            self._prune(len(children) - len(rows))
        found, least = join_parts(hopes), np.concatenate(bounds)
        whole = self._completion.whole(found)
        if whole.any():
            self._cost(found.batch[whole], least[whole])
            found, least = found[~whole], least[~whole]
        self._keep(found, least)

    def _limit(self) -> CostLimit:
        """The costs that are of use against the incumbent."""
        if self._limited != self._incumbent.value:
            self._limited = self._incumbent.value
            self._within = self._problem.limit(self._limited)
        return self._within

    def _cost(self, batch: MappingBatch, bounds: Floats) -> None:
        """Cost whole mappings, those with the least bounds first."""
        order = np.argsort(bounds, kind="stable")
        for first in range(0, len(order), BLOCK):
            rows = order[first : first + BLOCK]
            rows = rows[bounds[rows] < self._incumbent.value]
            if len(rows) == 0:
                return
            self._incumbent.score(batch[rows])
            self._costed += len(rows)

    def _keep(self, parts: Partial, bounds: Floats) -> None:
        order = np.argsort(bounds, kind="stable")
        order = order[bounds[order] < self._incumbent.value]
        for first in range(0, len(order), BLOCK):
            rows = order[first : first + BLOCK]
            some = parts[rows]
            open_sizes = int((some.batch.size[0] <= 0).sum())
            heapq.heappush(self._blocks, _Block(float(bounds[rows[0]]), next(self._numbers), some, bounds[rows], open_sizes))
            self._parts += len(rows)
