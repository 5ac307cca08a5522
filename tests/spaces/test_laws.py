"""The laws of tools that whole mappings are looked at for."""

from __future__ import annotations

import numpy as np
import pytest

from mapsearch.formats.accelforge.out import case_of, write_case
from mapsearch.formats.directives import MappedLayer
from mapsearch.formats.nest.buffers import l2_depths
from mapsearch.formats.nest.loop_nest import loop_nest
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.formats.yaml.layer_sets import load_layer_set
from mapsearch.model.cost import Fit
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import MappingBatch
from mapsearch.model.tensors import TOUCHES, Tensor
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.objectives.objective import Objective
from mapsearch.spaces.mappings.laws import restriction_for
from mapsearch.spaces.mappings.space import Space

EDGE = load_hardware("edge")
LAYERS = [
    load_layer_set(network).unique[number].layer for network, number in (("resnet18", 1), ("mobilenet_v2", 3), ("bert_base", 1))
]


def _accelforges(layer: Layer) -> tuple[Space, MappingBatch]:
    """The space of mappings for AccelForge, and some that fit."""
    space = Space(layer, EDGE, restriction=restriction_for(["accelforge"]))
    batch = space.sample(250, np.random.default_rng(1))
    return space, batch[ExactModel().evaluate(layer, EDGE, batch).fit == Fit.LEGAL]


def _renews(mapped: MappedLayer, hardware: Hardware) -> bool:
    """The law as it is told, loop by loop."""
    nest = loop_nest(mapped, hardware.shape)
    deepest = max(l2_depths(nest, hardware))
    inside = [cut.dim for cut in nest.cuts if cut.loops and cut not in nest.outer[:deepest]]
    last = [cut.dim for cut in nest.outer[:deepest][-1:]]
    return deepest == 0 or all(any(TOUCHES[tensor, dim] for dim in last + inside) for tensor in Tensor)


def test_lawful_mappings_renew_tiles() -> None:
    """A mapping is lawful just where L1s get another tile of each tensor with each trip outside the L2's tiles."""
    seen: set[bool] = set()
    for layer in LAYERS:
        space, batch = _accelforges(layer)
        told = [_renews(MappedLayer(layer, batch.decode(row, layer)), EDGE) for row in range(len(batch))]
        assert space.lawful(batch).tolist() == told
        assert Space(layer, EDGE).lawful(batch).all()
        seen |= set(told)
    assert seen == {True, False}


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_accelforge_expresses_what_is_lawful(layer: Layer) -> None:
    """AccelForge's file of a lawful mapping can be written."""
    space, batch = _accelforges(layer)
    lawful = batch[space.lawful(batch)][:20]
    assert all(write_case(case_of(MappedLayer(layer, lawful.decode(row, layer)), EDGE)) for row in range(len(lawful)))


def test_what_is_not_lawful_has_no_score() -> None:
    """Its objective is infinite, and it counts as refused; others score as in the free space."""
    space, batch = _accelforges(LAYERS[2])
    lawful = space.lawful(batch)
    scores = Problem(space, ExactModel(), Objective.of("edp")).score(batch)
    free = Problem(Space(LAYERS[2], EDGE), ExactModel(), Objective.of("edp")).score(batch)
    assert scores.refused == np.count_nonzero(~lawful)
    assert np.isinf(scores.values[~lawful]).all()
    assert (scores.values[lawful] == free.values[lawful]).all()
