"""What every cost model must do, and that the exact one counts what a walk over the steps counts."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from strategies import cases

from mapsearch.model.cost import Count, Fit
from mapsearch.model.exact.model import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Mapping, encode
from mapsearch.model.simulator import Simulator

Case = tuple[Layer, Hardware, list[Mapping]]

EXACT, SIMULATOR = ExactModel(), Simulator()


def _compare(case: Case) -> None:
    layer, hardware, mappings = case
    batch = encode(mappings, layer, hardware.pes)
    walked = SIMULATOR.evaluate(layer, hardware, batch)
    closed = EXACT.evaluate(layer, hardware, batch)
    assert [Fit(int(fit)).name for fit in closed.fit] == [Fit(int(fit)).name for fit in walked.fit]
    for row in range(len(batch)):
        differing = {
            count.name: (int(closed.counts[row, count]), int(walked.counts[row, count]))
            for count in Count
            if closed.counts[row, count] != walked.counts[row, count]
        }
        assert not differing, f"exact, simulated: {differing} of {mappings[row]}"


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_the_exact_model_equals_the_simulator(case: Case) -> None:
    """Every integer of the closed form equals a walk over the steps with plain sets."""
    _compare(case)
