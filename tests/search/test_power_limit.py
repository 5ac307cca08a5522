"""A limit on the power that mappings draw: none above it has an objective, and lower bounds hold for those within it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from by_hand import MACHINE, layer_of
from every_mapping import as_batch, every_mapping
from hypothesis import given, reject
from hypothesis import strategies as st
from strategies import cases

from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.area import leakage_by_part, least_cycles_within, power_mw
from mapsearch.model.cost import Fit
from mapsearch.model.errors import InputError
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Buffer, Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Mapping, encode
from mapsearch.search.mappings.branch_and_bound import branch_and_bound
from mapsearch.search.mappings.incumbent import Incumbent
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.searcher import Limit
from mapsearch.search.objectives.objective import Objective
from mapsearch.spaces.mappings.space import Space

EXACT = ExactModel()
SPACE = Space(layer_of(K=4, C=3, X=4), replace(load_hardware("edge"), pes=4, l1=Buffer(24), l2=Buffer(120)))
EVERY = as_batch(SPACE, every_mapping(SPACE))
COSTS = EXACT.evaluate(SPACE.layer, SPACE.hardware, EVERY)
LEGAL = COSTS.fit == Fit.LEGAL
POWER_MW = power_mw(SPACE.hardware, COSTS.energy_pj(), np.maximum(COSTS.runtime_cycles, 1))
LIMITS = np.quantile(POWER_MW[LEGAL], (0.0, 0.02, 0.2, 0.6, 1.0)).tolist()


@pytest.mark.parametrize("limit_mw", LIMITS)
@pytest.mark.parametrize("text", ["edp", "latency", "energy"])
def test_branch_and_bound_finds_the_best_within_the_power(text: str, limit_mw: float) -> None:
    """The optimum that is proven is the least objective of all mappings that fit and draw no more than the limit."""
    objective = Objective.of(text)
    values = objective.value(COSTS.runtime_cycles, COSTS.energy_pj(), SPACE.layer.macs, SPACE.hardware)
    expected = values[LEGAL & (limit_mw >= POWER_MW)].min()
    incumbent = Incumbent(Problem(SPACE, EXACT, objective, limit_mw))
    proof = branch_and_bound(incumbent, Limit(), lambda: False)
    assert incumbent.value == expected
    assert proof.proven
    assert proof.lower_bound == expected


def test_no_mapping_is_within_too_little_power() -> None:
    """Where leakage alone takes more than the limit, no mapping has an objective, and bounds say so."""
    problem = Problem(SPACE, EXACT, Objective.of("energy_pj * runtime_cycles"), leakage_by_part(SPACE.hardware).total * 0.99)
    assert np.isinf(problem.score(EVERY).values).all()
    assert problem.bound(EVERY).min() > 2.0**61


@given(cases(), st.floats(0.05, 1.5), st.sampled_from(["edp", "latency", "energy", "area-delay"]))
def test_what_is_scored_is_within_the_power(case: tuple[Layer, Hardware, list[Mapping]], share: float, text: str) -> None:
    """Of any mappings those, and only those, that fit and draw no more have a value: not less than their bound."""
    layer, hardware, mappings = case
    batch = encode(mappings, layer, hardware.pes)
    costs = EXACT.evaluate(layer, hardware, batch)
    power = power_mw(hardware, costs.energy_pj(), np.maximum(costs.runtime_cycles, 1))
    limit_mw = share * float(power.max())
    try:
        problem = Problem(Space(layer, hardware, levels=1), EXACT, Objective.of(text), limit_mw)
    except InputError:  # nothing fits
        reject()
    values = problem.score(batch).values
    assert np.isfinite(values).tolist() == ((costs.fit == Fit.LEGAL) & (power <= limit_mw)).tolist()
    assert (problem.bound(batch) <= values).all()


@given(st.floats(1, 1e9), st.floats(0.01, 2.0))
def test_cycles_that_the_power_takes(energy_pj: float, share: float) -> None:
    """A mapping that has fewer cycles than its energy takes draws more than the limit."""
    leakage = leakage_by_part(MACHINE).total
    limit_mw = leakage * (1 + share)
    [least] = least_cycles_within(MACHINE, np.array([energy_pj]), limit_mw).tolist()
    assert least >= 1
    assert power_mw(MACHINE, energy_pj, least + 1) <= limit_mw * (1 + 1e-9)
    if least > 1:
        assert power_mw(MACHINE, energy_pj, least - 1) > limit_mw


@given(cases(), st.integers(1, 64), st.integers(1, 64))
def test_wider_buses_never_cost_more(case: tuple[Layer, Hardware, list[Mapping]], noc: int, offchip: int) -> None:
    """With wider buses no mapping takes more cycles, and each takes the same energy: what bounds the widest bounds all."""
    layer, hardware, mappings = case
    wider = replace(
        hardware,
        noc=replace(hardware.noc, bytes_per_cycle=round(hardware.noc.bytes_per_cycle + noc, 3)),
        offchip=replace(hardware.offchip, bytes_per_cycle=round(hardware.offchip.bytes_per_cycle + offchip, 3)),
    )
    batch = encode(mappings, layer, hardware.pes)
    costs, cheaper = (EXACT.evaluate(layer, each, batch) for each in (hardware, wider))
    legal = costs.fit == Fit.LEGAL
    assert (cheaper.fit == costs.fit).all()
    assert (cheaper.runtime_cycles <= costs.runtime_cycles)[legal].all()
    assert (cheaper.energy_pj() == costs.energy_pj())[legal].all()
