"""The service times of a network on a machine or a share of it: one run for each batch size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from mapsearch.formats.mixes import Mix
from mapsearch.studies.results import RunResults


@dataclass(frozen=True)
class Service:
    """What a batch of a network costs on a machine.

    borders_s: by batch size, the seconds until the end of each layer, in the order in which they run, the last being the service
    time; runtime_ms is the same as the run has it. energy_pj: by batch size, of the batch. A batch of another size takes as long as
    the next larger one.
    """

    borders_s: Mapping[int, Sequence[float]]
    runtime_ms: Mapping[int, float]
    energy_pj: Mapping[int, float]

    @cached_property
    def _next(self) -> list[int]:
        """By the size of a batch, the size that was mapped and is next larger."""
        sizes = sorted(self.borders_s)
        return [next(size for size in sizes if size >= number) for number in range(sizes[-1] + 1)]

    def borders(self, batch: int) -> Sequence[float]:
        """See `Stream.borders_s`."""
        return self.borders_s[self._next[batch]]

    def seconds(self, batch: int) -> float:
        """The service time of a batch."""
        return self.borders(batch)[-1]

    def energy(self, batch: int) -> float:
        """In pJ, of a batch."""
        return self.energy_pj[self._next[batch]]

    @property
    def largest(self) -> int:
        """The largest batch."""
        return max(self.borders_s)

    @property
    def busy_s(self) -> float:
        """The seconds of the machine that a request takes in the largest batch."""
        return self.seconds(self.largest) / self.largest


def service_of(runs: Mapping[int, RunResults], mix: Mix, clock_mhz: float) -> Service:
    """The service of a network from its runs by batch size."""
    borders_s: dict[int, tuple[float, ...]] = {}
    runtime_ms: dict[int, float] = {}
    energy_pj: dict[int, float] = {}
    for batch, results in runs.items():
        ends = list(accumulate(_cycles(results, mix)))
        borders_s[batch] = tuple(end / (clock_mhz * 1e6) for end in ends)
        runtime_ms[batch] = ends[-1] / (clock_mhz * 1e3)
        energy_pj[batch] = results.totals.energy_pj.total if results.network is None else results.network.energy_pj
    return Service(borders_s, runtime_ms, energy_pj)


def _cycles(results: RunResults, mix: Mix) -> list[int]:
    """The cycles of each layer that the run mapped, in the order in which the network runs them."""
    chosen = [row.metrics.runtime_cycles for row in results.layers]
    if results.network is not None:
        points = results.network.points
        chosen = [row.front[point - 1].runtime_cycles for row, point in zip(results.layers, points, strict=True)]
    cycles = {name: each for row, each in zip(results.layers, chosen, strict=True) for name in row.names}
    several = len(mix.members) > 1
    return [
        cycles[name]
        for member in mix.members
        for _ in range(member.weight)
        for entry in member.layers.entries
        if (name := f"{member.layers.name}/{entry.layer.name}" if several else entry.layer.name) in cycles
        for _ in range(entry.count)
    ]
