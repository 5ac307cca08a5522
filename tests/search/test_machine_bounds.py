"""Bounds on many machines at once: those of each alone, in the machines' order, whatever the processes."""

from __future__ import annotations

import numpy as np
import pytest
from small_machines import job_of, space_of

from mapsearch.search.machines.bounds import OF_A_TASK, bounds_on, widest_bounds
from mapsearch.search.machines.candidate import Least
from mapsearch.search.processes import Processes
from mapsearch.spaces.machines.space import Limits


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_bounds_of_each_alone(jobs: int) -> None:
    """More machines than a task takes have, in their order, the bounds that each has by itself."""
    job, machines = job_of("edp"), [hardware for _, hardware in space_of(Limits()).within_limits()]
    many = [machines[number % len(machines)] for number in range(OF_A_TASK + 3)]
    for hardware, found in zip(many, bounds_on(job, many, Processes(jobs), None), strict=True):
        alone = Least.on(job, hardware)
        np.testing.assert_array_equal(found.runtime_cycles, alone.runtime_cycles)
        np.testing.assert_array_equal(found.energy_pj, alone.energy_pj)


def test_the_widest_costs_no_more() -> None:
    """Each point has the bounds of the machine with the widest buses and else the same; they are at most its own."""
    job, space = job_of("edp"), space_of(Limits())
    points = dict(space.within_limits())
    found = widest_bounds(space, list(points), job, Processes(1), None)
    assert set(found) == set(points)
    for point, hardware in points.items():
        own = Least.on(job, hardware)
        assert (found[point].runtime_cycles <= own.runtime_cycles).all()
        assert (found[point].energy_pj <= own.energy_pj).all()
