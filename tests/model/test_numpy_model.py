"""The NumPy version of the cost model, the yardstick of speeds: it must count what the others count."""

from __future__ import annotations

import numpy as np
import pytest
from by_hand import layer_of
from hypothesis import HealthCheck, given, settings
from strategies import cases

from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.cost import Count, Fit
from mapsearch.model.counted_costs import CountedCosts
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Mapping, encode
from mapsearch.model.reference.numpy_model import NumpyModel
from mapsearch.model.reference.simulator import Simulator
from mapsearch.spaces.mappings.space import Space


def rows_of(costs: CountedCosts) -> list[dict[str, int | str]]:
    """Each mapping's fit and counts by name."""
    return [
        {"fit": Fit(int(fit)).name} | {count.name: int(row[count]) for count in Count}
        for fit, row in zip(costs.fit, costs.counts, strict=True)
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_it_counts_what_a_walk_counts(case: tuple[Layer, Hardware, list[Mapping]]) -> None:
    """Fit and every count of small random layers equal the simulator's, up to four levels."""
    layer, hardware, mappings = case
    batch = encode(mappings, layer, hardware.pes)
    costs = NumpyModel().evaluate(layer, hardware, batch)
    assert rows_of(costs) == rows_of(Simulator().evaluate(layer, hardware, batch))


@pytest.mark.parametrize("name", ["edge", "eyeriss", "gemmini"])
@pytest.mark.parametrize("levels", [2, 3])
def test_it_counts_what_the_compiled_model_counts(levels: int, name: str) -> None:
    """Fit and every count of ten random mappings of a large layer equal the exact model's, also with rooms and wires."""
    layer, hardware = layer_of((2, 2), K=128, C=64, R=3, S=3, Y=28, X=28), load_hardware(name)
    batch = Space(layer, hardware, levels).sample(10, np.random.default_rng(1))
    costs = NumpyModel().evaluate(layer, hardware, batch)
    assert rows_of(costs) == rows_of(ExactModel().evaluate(layer, hardware, batch))
    assert (costs.fit == Fit.LEGAL).any()


def test_a_batch_may_be_empty() -> None:
    """No mappings, no rows."""
    layer, hardware = layer_of(K=4, X=4), load_hardware("edge")
    batch = Space(layer, hardware).sample(1, np.random.default_rng(1))
    assert rows_of(NumpyModel().evaluate(layer, hardware, batch[:0])) == []
