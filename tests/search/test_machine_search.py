"""The search for a machine: what mapping every machine finds, within the limits, whatever the jobs, also after a stop."""

from __future__ import annotations

import signal
import time
from math import inf, isfinite

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_machines import UNREFINED, Notes, begun, exhaustive, job_of, searched, space_of, told

from mapsearch.model.area import area_by_part, power_mw
from mapsearch.model.errors import InputError
from mapsearch.search.machines.candidate import Least, MappedNetwork
from mapsearch.search.machines.sampler import Point
from mapsearch.search.machines.search import BATCH, MOST_MACHINES, TO_THE_END, Allowance, check_space
from mapsearch.search.machines.stages import Stage
from mapsearch.search.pareto import non_dominated
from mapsearch.search.processes import Processes
from mapsearch.spaces.machines.space import Axis, HardwareSpace, Limits

SOME_MW = 60.0  # above what leaks of the smallest machines and below what the best one draws


@pytest.mark.parametrize(
    ("objective", "power_mw", "allowance"),
    [
        ("edp", inf, TO_THE_END),
        ("edp", SOME_MW, UNREFINED),
        ("latency", inf, UNREFINED),
        ("latency", SOME_MW, UNREFINED),
        ("energy", SOME_MW, UNREFINED),
        ("energy_pj + 100 * runtime_cycles", inf, UNREFINED),
    ],
)
def test_it_finds_what_mapping_every_machine_finds(objective: str, power_mw: float, allowance: Allowance) -> None:
    """At its end none is open, the best has the least objective of all, and no dropped one's bound is above what it comes to."""
    values = exhaustive(objective, power_mw)
    search = searched(objective, Limits(power_mw=power_mw), allowance=allowance)
    assert search.best is not None
    assert search.best.values[0] == min(values.values())
    assert search.best.stage == Stage.FULL
    assert any(machine.dropped for machine in search.machines.values()) or objective == "energy"  # whose bounds are near each other
    for point, machine in search.machines.items():
        assert machine.dropped or machine.stage == Stage.FULL
        assert machine.bound[0] <= values[point]
        if machine.stage == Stage.FULL:
            assert machine.values[0] == values[point]


@given(st.floats(0.004, 0.03), st.floats(10, 400), st.sampled_from(["edp", "latency", "energy"]))
@settings(max_examples=5, deadline=None)
def test_no_design_is_over_the_budget(area_mm2: float, limit_mw: float, objective: str) -> None:
    """Under any limits and objective, every machine mapped is within the area, and each of its mappings within the power."""
    search = searched(objective, Limits(area_mm2=area_mm2, power_mw=limit_mw), allowance=Allowance(2, ((Stage.QUICK, 2),)))
    assert search.over + len(search.machines) == 8
    for machine in search.machines.values():
        assert area_by_part(machine.hardware).total <= area_mm2
        if machine.mapped is not None and isfinite(machine.values[0]):
            runtime = machine.mapped.runtime_cycles.astype(np.int64)
            assert (power_mw(machine.hardware, machine.mapped.energy_pj, runtime) <= limit_mw).all()


def test_the_number_of_jobs_changes_nothing() -> None:
    """Two processes give the same machines, mappings and bounds as one."""
    allowance = Allowance(2, ((Stage.REFINED, 1), (Stage.QUICK, 2), (Stage.FULL, 1)))
    one, two = (searched("edp", Limits(), allowance=allowance, jobs=jobs) for jobs in (1, 2))
    assert told(one) == told(two)


def test_it_goes_on_after_a_stop() -> None:
    """A search that is interrupted and goes on with its notes ends as one that is not, and maps nothing again."""
    notes = Notes()
    job, space = job_of("edp"), space_of(Limits())
    first = begun(job, space, notes)

    def interrupt(_: Stage) -> None:
        raise KeyboardInterrupt

    first.run(UNREFINED, Processes(1), None, interrupt)
    assert first.stopped
    assert first.best is not None
    before = notes.noted
    assert before > 0
    again, whole = searched("edp", Limits(), notes=notes), Notes()
    assert told(again) == told(searched("edp", Limits(), notes=whole))
    assert notes.noted == whole.noted


def test_a_stop_as_the_last_machine_of_a_batch_ends_is_a_stop() -> None:
    """A kill that comes when a batch has nothing left to tick ends the search, and what the batch found is kept."""

    class Stopping(Notes):
        def note(self, point: Point, stage: Stage, mapped: MappedNetwork) -> None:
            super().note(point, stage, mapped)
            if self.noted == BATCH:
                signal.raise_signal(signal.SIGTERM)

    notes = Stopping()
    search = searched("edp", Limits(), notes=notes)
    assert search.stopped
    assert notes.noted == BATCH == sum(machine.mapped is not None for machine in search.machines.values())


def test_the_front_of_several_objectives() -> None:
    """No machine of the front is worse than another that was mapped, and a dropped one is worse than one of them in its bounds."""
    search = searched("latency,energy,area-delay", Limits())
    values = np.stack([machine.values for machine in search.front()])
    assert len(non_dominated(values)) == len(values)
    for machine in search.machines.values():
        assert (values <= (machine.bound if machine.dropped else machine.values)).all(axis=1).any() or machine in search.front()


def test_a_timeout_still_maps_the_best_fully() -> None:
    """Where there is no time, one machine is mapped, quickly and then as a run of its own would."""
    search = begun(job_of("edp"), space_of(Limits()), Notes(), time.monotonic())
    stages: list[Stage] = []
    search.run(UNREFINED, Processes(1), None, stages.append)
    search.map_best(Processes(1), None, stages.append)
    assert sum(machine.mapped is not None for machine in search.machines.values()) == 1
    assert stages == [Stage.QUICK, Stage.FULL]
    assert search.best is not None
    assert search.best.stage == Stage.FULL


def test_bounds_of_the_network() -> None:
    """Bounds of the layers' own objectives make the network's larger, where they say more, and no model without them has any."""
    job, hardware = job_of("edp"), space_of(Limits()).largest
    least = Least.on(job, hardware)
    [alone] = least.values(job, hardware)
    [better] = least.values(job, hardware, np.array([1e9, 1e9]))
    assert 0 < alone < better
    assert better == pytest.approx((2 * 1e9**0.5 + 1e9**0.5) ** 2)


def test_the_better_of_two_is_no_worse_than_either() -> None:
    """The network's value of the layers' better mappings may be worse than before, as its sums count; then it stays as it was."""
    job, hardware, rng = job_of("edp"), space_of(Limits()).largest, np.random.default_rng(0)
    drawn: list[MappedNetwork] = []
    for _ in range(40):
        problems = [job.problem(index, hardware) for index in range(2)]
        batches = [problem.space.draw([problem.space.fitting], 1, rng) for problem in problems]
        mappings = tuple(batch.decode(0, layer) for batch, layer in zip(batches, job.layers, strict=True))
        drawn.append(MappedNetwork.of(job, hardware, mappings, np.zeros(2)))
    pairs = [(one, other) for one in drawn for other in drawn]
    better = [float(one.better_of(other, job).values(job)[0]) for one, other in pairs]
    assert all(value <= min(one.values(job)[0], other.values(job)[0]) for value, (one, other) in zip(better, pairs, strict=True))


def test_too_many_machines() -> None:
    """A space that cannot be looked at machine by machine is refused in one line."""
    many = HardwareSpace("many", space_of(Limits()).base, (Axis("pes", tuple(range(1, MOST_MACHINES + 2))),), Limits())
    with pytest.raises(InputError, match=r"^hardware space many: must have at most 200,000 machines, got 200,001; use "):
        check_space(many)
