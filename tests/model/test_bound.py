"""The lower bound: never above what a mapping costs, nor above what any way to fill in its open parts costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prefixes import prefixes
from strategies import ample, cases

from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.formats.yaml.layer_sets import load_layer_set
from mapsearch.model.cost import BoundedModel, Count, Fit
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Mapping, MappingBatch, encode
from mapsearch.model.reference.simulator import Simulator
from mapsearch.model.sparsity import Sparse, uniform
from mapsearch.model.technology import PowerLaw
from mapsearch.model.tensors import Dim, Tensor
from mapsearch.spaces.mappings.rules import TileRule
from mapsearch.spaces.mappings.space import Space
from mapsearch.testing.small import TECHNOLOGY, layer_of, spatial, temporal

EXACT, SIMULATOR = ExactModel(), Simulator()
Drawn = tuple[Layer, Hardware, MappingBatch, MappingBatch]


def opened(batch: MappingBatch, sizes: np.ndarray, levels: np.ndarray) -> tuple[MappingBatch, MappingBatch]:
    """The batch, and the same with the sizes and levels open where the masks [B, L, 8] and [B, L] say so.

    What is open stands inside the rest of its level, and a size that is open leaves those further in open; of every other mapping,
    of a dim that is shared out and open only the place is open, and all further in.
    """
    sizes = np.logical_or.accumulate(sizes, axis=1)
    first = sizes & ~np.pad(sizes, ((0, 0), (1, 0), (0, 0)))[:, :-1]
    placeless = first & (np.arange(8) == batch.spatial[:, :, None]) & (np.arange(len(batch)) % 2 == 0)[:, None, None]
    inside = np.argsort(np.take_along_axis(sizes, batch.order.astype(np.int64), axis=2), axis=2, kind="stable")
    batch = replace(batch, order=np.take_along_axis(batch.order, inside, axis=2))
    return batch, replace(
        batch, size=np.where(placeless, -batch.size, np.where(sizes, 0, batch.size)), units=np.where(levels, 0, batch.units)
    )


@st.composite
def _drawn(draw: st.DrawFn) -> tuple[Layer, Hardware, MappingBatch]:
    """A layer, a machine, often with room and such that reads of L1s are most of the energy, and mappings."""
    layer, hardware, mappings = draw(cases())
    hardware = ample(hardware) if draw(st.booleans()) else hardware
    if draw(st.booleans()):
        technology = replace(TECHNOLOGY, l1=replace(TECHNOLOGY.l1, read_pj=PowerLaw(draw(st.sampled_from((5.0, 100.0))), 0.5)))
        gate = frozenset(draw(st.sets(st.sampled_from((Tensor.WEIGHT, Tensor.INPUT)))))
        hardware = replace(hardware, technology=technology, sparse=Sparse(gate=gate))
        layer = replace(layer, sparsity=uniform(0.5, draw(st.sampled_from((0.25, 1.0))), 0.75))
    return layer, hardware, encode(mappings, layer, hardware.shape)


@st.composite
def partly_open(draw: st.DrawFn) -> Drawn:
    """Such a layer, machine and mappings, and the mappings with some sizes and levels open (often none or all)."""
    layer, hardware, batch = draw(_drawn())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share = draw(st.sampled_from((0.0, 0.1, 0.5, 1.0)))
    sizes, levels = rng.random(batch.size.shape) < share, rng.random(batch.units.shape) < share * draw(st.sampled_from((0.0, 0.5)))
    return layer, hardware, *opened(batch, sizes, levels)


def check(drawn: Drawn) -> None:
    """No figure of the bound is above the simulator's."""
    layer, hardware, batch, partial = drawn
    costs = SIMULATOR.evaluate(layer, hardware, batch)
    legal = costs.fit == Fit.LEGAL
    energy = costs.energy_pj()
    for mappings in (batch, partial):
        bound = EXACT.bound(layer, hardware, mappings)
        assert (bound.runtime_cycles[legal] <= costs[Count.RUNTIME_CYCLES][legal]).all()
        assert (bound.energy_pj[legal] <= energy[legal]).all()


@settings(max_examples=300, deadline=None)
@given(partly_open())
def test_the_bound_is_never_above_the_simulator(drawn: Drawn) -> None:
    """For mappings of one to four levels, whole or with parts open, on machines of all flags."""
    check(drawn)


@pytest.mark.nightly
@settings(max_examples=20_000, deadline=None)
@given(partly_open())
def test_the_bound_is_never_above_the_simulator_in_many_cases(drawn: Drawn) -> None:
    """The same, over 20,000 cases."""
    check(drawn)


def check_prefixes(model: ExactModel | Simulator, layer: Layer, hardware: Hardware, batch: MappingBatch) -> int:
    """Of each prefix of the mappings that fit no figure of the bound is above what the model counts; returns how many there are."""
    costs = model.evaluate(layer, hardware, batch)
    legal = np.flatnonzero(costs.fit == Fit.LEGAL)
    if len(legal) == 0:
        return 0
    rows, parts = prefixes(batch[legal], layer)
    bound = EXACT.bound(layer, hardware, parts)
    assert (bound.runtime_cycles <= costs.runtime_cycles[legal][rows]).all()
    assert (bound.energy_pj <= costs.energy_pj()[legal][rows]).all()
    return len(rows)


@settings(max_examples=300, deadline=None)
@given(_drawn())
def test_no_prefix_of_choices_is_bounded_above_the_simulator(drawn: tuple[Layer, Hardware, MappingBatch]) -> None:
    """For mappings of one to four levels on machines of all flags, of which any number of branch and bound's choices is made."""
    check_prefixes(SIMULATOR, *drawn)


@pytest.mark.nightly
@settings(max_examples=20_000, deadline=None)
@given(_drawn())
def test_no_prefix_of_choices_is_bounded_above_the_simulator_in_many_cases(drawn: tuple[Layer, Hardware, MappingBatch]) -> None:
    """The same, over 20,000 cases."""
    check_prefixes(SIMULATOR, *drawn)


def _check_real_layers(every: int, count: int, densities: tuple[float, float] = (1.0, 1.0)) -> int:
    """Check prefixes of random mappings of every so-manieth layer of five sets, of one to three levels, on two machines.

    densities: of W and I, whose zeros the machines skip.
    """
    rng, checked, weight_and_input = np.random.default_rng(0), 0, (Tensor.WEIGHT, Tensor.INPUT)
    skip = frozenset(tensor for tensor, density in zip(weight_and_input, densities, strict=True) if density < 1.0)
    for name in ("mobilenet", "resnet18", "alexnet", "bert_base", "mobilenet_v2"):
        for machine in ("edge", "eyeriss"):
            hardware = replace(load_hardware(machine), sparse=Sparse(skip=skip))
            for index, unique in enumerate(load_layer_set(name).unique[::every]):
                layer = replace(unique.layer, sparsity=uniform(*densities))
                space = Space(layer, hardware, 1 + (index + 1) % 3, TileRule.ALL if index % 4 == 3 else TileRule.BALANCED)
                checked += check_prefixes(EXACT, layer, hardware, space.sample(count, rng))
    return checked


def test_no_prefix_of_choices_of_real_layers_is_bounded_above_the_exact_model() -> None:
    """Random mappings of every fifth layer of five sets, on two machines."""
    assert _check_real_layers(5, 5) > 1000


@pytest.mark.parametrize("densities", [(0.25, 1.0), (0.5, 0.1)])
def test_no_prefix_of_choices_of_sparse_layers_is_bounded_above_the_exact_model(densities: tuple[float, float]) -> None:
    """The same where zeros take no time, and PEs wait for the one with the most non-zeros."""
    assert _check_real_layers(5, 5, densities) > 1000


def test_the_bound_knows_of_load_imbalance() -> None:
    """64 PEs with 32 words of W each lose a part of their time; the bound of a mapping, whole or begun, sees the most of it."""
    layer = replace(layer_of(K=64, C=64, X=64), sparsity=uniform(0.25))
    edge = ample(load_hardware("edge"))
    wide = replace(edge, noc=replace(edge.noc, bytes_per_cycle=1024), offchip=replace(edge.offchip, bytes_per_cycle=1024))
    hardware = replace(wide, pes=64, sparse=Sparse(skip=frozenset({Tensor.WEIGHT})))
    mapping = Mapping(((spatial(1, Dim.K), temporal(32, Dim.C), temporal(64, Dim.X)),))
    whole = encode([mapping], layer, hardware.shape)
    begun = replace(whole, size=np.where(np.arange(8) == Dim.C, 0, whole.size))
    runtime_cycles = EXACT.evaluate(layer, hardware, whole).runtime_cycles[0]
    balanced = layer.macs / 64 / 4
    assert 1.8 * balanced < EXACT.bound(layer, hardware, whole).runtime_cycles[0] <= runtime_cycles
    assert 1.6 * balanced < EXACT.bound(layer, hardware, begun).runtime_cycles[0] <= runtime_cycles


@pytest.mark.nightly
def test_no_prefix_of_choices_of_real_layers_is_bounded_above_the_exact_model_at_length() -> None:
    """Of every layer of these sets 100 mappings."""
    assert _check_real_layers(1, 100) > 100_000


@pytest.mark.parametrize("levels", [1, 2, 3])
@pytest.mark.parametrize("name", ["resnet18", "mobilenet", "bert_base"])
def test_the_bound_of_real_layers_is_close_and_never_above(name: str, levels: int) -> None:
    """Over random mappings of each layer: at most the exact figures, and of half of them, more than two thirds of the EDP."""
    hardware = load_hardware("edge")
    shares: list[np.ndarray] = []
    for unique in load_layer_set(name).unique:
        layer = unique.layer
        batch = Space(layer, hardware, levels).sample(100, np.random.default_rng(1))
        costs, bound = EXACT.evaluate(layer, hardware, batch), EXACT.bound(layer, hardware, batch)
        runtime, energy = costs[Count.RUNTIME_CYCLES], costs.energy_pj()
        assert (bound.runtime_cycles <= runtime).all()
        assert (bound.energy_pj <= energy).all()
        shares.append(bound.runtime_cycles * bound.energy_pj / (runtime * energy))
    assert np.median(np.concatenate(shares)) > 2 / 3


def test_an_open_mapping_is_bounded_by_the_layer() -> None:
    """With all open, the bound is at least each MAC once on all PEs, and each tensor once across the off-chip memory."""
    layer, hardware = load_layer_set("resnet18").unique[1].layer, load_hardware("edge")
    batch = Space(layer, hardware).sample(1, np.random.default_rng(0))
    _, everything = opened(batch, np.ones(batch.size.shape, bool), np.ones(batch.units.shape, bool))
    bound = EXACT.bound(layer, hardware, everything)
    assert bound.runtime_cycles[0] >= layer.macs / (hardware.pes * hardware.simd)
    assert 0 < bound.energy_pj[0] <= EXACT.bound(layer, hardware, batch).energy_pj[0]


@pytest.mark.parametrize("shared", ["K", "C", "R"])
def test_the_bound_of_a_whole_mapping_has_the_starts_of_its_outputs(shared: str) -> None:
    """Where chunks divide their dims and no windows meet, the energy is the exact one, however many PEs sum up an output."""
    layer, edge = layer_of((2, 2), K=16, C=32, R=2, Y=8, X=8), load_hardware("edge")
    level0 = (temporal(4, Dim.X), temporal(8, Dim.C), temporal(8, Dim.K), temporal(4, Dim.Y))
    level1 = (spatial(1, Dim[shared]), temporal(2, Dim.Y))
    batch = encode([Mapping((level0, level1), (256,))], layer, edge.shape)
    bound, energy = EXACT.bound(layer, edge, batch), EXACT.evaluate(layer, edge, batch).energy_pj()
    assert bound.energy_pj == pytest.approx(energy, rel=1e-9)


def test_only_the_exact_model_is_bounded() -> None:
    """The simulator, too slow for a search, offers no bound."""
    assert isinstance(EXACT, BoundedModel)
    assert not isinstance(SIMULATOR, BoundedModel)
