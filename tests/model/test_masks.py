"""Masks: costs where each zero of a layer is known, against the walk, and against the measured cycles of a chip's PE."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import DENSITIES, cases, sparse_machines

from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.cost import Count, Fit
from mapsearch.model.errors import HardwareError, InputError, LayerError
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Array, Hardware, Run
from mapsearch.model.layer import Layer
from mapsearch.model.layers import conv, gemm
from mapsearch.model.mapping import Directive, MapKind, Mapping, encode
from mapsearch.model.masks import Masks, mask_shape
from mapsearch.model.moved_bits import Moved
from mapsearch.model.reference.numpy_model import NumpyModel
from mapsearch.model.reference.simulator import Simulator
from mapsearch.model.reference.walk import WALK_LIMIT
from mapsearch.model.sparsity import DENSE, UNCODED, Coding, Format, Sparse, uniform
from mapsearch.model.tensors import Dim, Tensor

OPERANDS = (Tensor.WEIGHT, Tensor.INPUT)
DATA = Path(__file__).parents[1] / "data" / "eyeriss_v2_pe"
# One PE of one MAC, which takes no time for a zero of either operand.
PE = load_hardware("edge,pes=1,l1.bytes=1000000000,l2.bytes=1000000000,sparse.skip=[weight, input]")
# By the densities alone: what Sparseloop publishes for these layers.
EXPECTED = {"L07": 1_592_158, "L13": 1_114_008, "L21": 1_610_614, "L25": 926_942, "L27": 729_810}


@st.composite
def masked_cases(draw: st.DrawFn) -> tuple[Masks, Hardware, list[Mapping]]:
    """A layer with masks of W, I or both, a machine that skips, gates or neither, with any formats, and mappings."""
    layer, hardware, mappings = draw(cases())
    layer = replace(layer, sparsity=uniform(output=draw(DENSITIES)), zero_macs=0)
    hardware = draw(sparse_machines(hardware, layer))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weight, inputs = (_drawn(rng, layer, tensor) if draw(st.integers(0, 3)) else None for tensor in OPERANDS)
    return Masks(layer, weight, inputs), replace(hardware, run=None if hardware.sparse.skip else hardware.run), mappings


def _drawn(rng: np.random.Generator, layer: Layer, tensor: Tensor) -> np.ndarray:
    mask = rng.random(mask_shape(layer, tensor)) < rng.random()
    mask.flat[0] = True
    return mask


def check(case: tuple[Masks, Hardware, list[Mapping]]) -> None:
    """Every count is the walk's, and so are all bits that move."""
    masks, hardware, mappings = case
    layer, batch = masks.counted_layer, encode(mappings, masks.layer, hardware.shape)
    if int(batch.units.prod(axis=1).max()) * layer.macs * 2 > WALK_LIMIT:  # surely short enough
        return
    want, got = Simulator(masks).evaluate(layer, hardware, batch), NumpyModel(masks).evaluate(layer, hardware, batch)
    assert got.fit.tolist() == want.fit.tolist()
    assert got.counts.tolist() == want.counts.tolist()
    assert got.moved is not None
    assert want.moved is not None
    assert got.moved.tolist() == want.moved.tolist()


@settings(max_examples=50, deadline=None)
@given(masked_cases())
def test_counts_by_masks_equal_the_walk(case: tuple[Masks, Hardware, list[Mapping]]) -> None:
    """On random layers, machines and mappings, each integer is that of plain loops over every MAC."""
    check(case)


@pytest.mark.nightly
@settings(max_examples=20_000, deadline=None)
@given(masked_cases())
def test_counts_by_masks_equal_the_walk_nightly(case: tuple[Masks, Hardware, list[Mapping]]) -> None:
    """The same on many more."""
    check(case)


def eyeriss(name: str) -> tuple[Masks, int]:
    """The masks of a layer of the Eyeriss V2 PE, a 1x1 convolution, and its measured cycles."""
    data = np.load(DATA / f"eyeriss_v2_pe_{name}.npz")
    weight, inputs = (
        np.unpackbits(data[key])[: data[shape].prod()].reshape(data[shape]).astype(bool)
        for key, shape in (("weight_kc", "weight_shape"), ("input_pc", "input_shape"))
    )
    (k, c), p = weight.shape, len(inputs)
    return Masks(conv(name, k, c, 1, outputs=(1, p)), weight.reshape(1, k, c, 1, 1), inputs.T.reshape(1, 1, c, 1, p)), int(
        data["cycles"]
    )


def one_pe(k: int, x: int) -> Mapping:
    """Tiles of k filters and x outputs, one after the other, on one PE."""
    return Mapping(((Directive(MapKind.TEMPORAL, k, Dim.K), Directive(MapKind.TEMPORAL, x, Dim.X)),))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_cycles_of_the_eyeriss_v2_pe(name: str) -> None:
    """By its masks a layer takes the very cycles that were measured, in one tile or many; by densities, what Sparseloop expects.

    Sparseloop takes densities of two decimals, and rounds up on its way, so that it may be a cycle above.
    """
    masks, cycles = eyeriss(name)
    layer = masks.counted_layer
    for mapping in (one_pe(512, 1024), one_pe(7, 5)):
        got = NumpyModel(masks).evaluate(layer, PE, encode([mapping], layer, PE.shape))
        assert got.fit[0] == Fit.LEGAL
        assert got[Count.COMPUTE_CYCLES][0] == cycles
    by_density = replace(masks.layer, sparsity=uniform(*(round(each, 2) for each in layer.density)))
    expected = ExactModel().evaluate(by_density, PE, encode([one_pe(512, 1024)], layer, PE.shape))
    assert 0 <= EXPECTED[name] - expected[Count.COMPUTE_CYCLES][0] <= 1


def test_energy_goes_by_the_macs_that_are_done() -> None:
    """A gate spares the MACs that have a zero, of which masks tell the number and densities the expectation."""
    masks, cycles = eyeriss("L27")
    machine = replace(PE, sparse=Sparse(gate=frozenset(OPERANDS)))
    layer = masks.counted_layer
    report = NumpyModel(masks).evaluate(layer, machine, encode([one_pe(512, 1024)], layer, machine.shape)).report(0)
    dense = replace(masks.layer, sparsity=DENSE)
    whole = NumpyModel().evaluate(dense, machine, encode([one_pe(512, 1024)], layer, machine.shape)).report(0)
    assert report.effectual_macs == pytest.approx(cycles, rel=1e-12)
    assert report.energy_pj.parts["mac"] / whole.energy_pj.parts["mac"] == pytest.approx(cycles / layer.macs, rel=1e-12)
    assert report.runtime_cycles == whole.runtime_cycles


# One weight of 8 is not zero in the first row of five, none in the second.
FEW = np.array([[False, False, True, False, False], [False] * 5]).reshape(1, 2, 5, 1, 1)


@pytest.mark.parametrize(
    ("coding", "bits"),
    [
        (Format(), (40, 40)),
        (Format(Coding.IDEAL), (8, 0)),
        (Format(Coding.BITMASK), (13, 5)),
        (Format(Coding.COORDINATE, 3), (11, 0)),
        # Pairs of up to 2^2 words: zeros 0 and 1 with word 2, and zeros 3 to 6, of which the last is in the second row.
        (Format(Coding.RLE, 2), (10, 10)),
        # 3 bits for a place in a row of five, and 1 for the number of non-zeros up to it, which is at most 1.
        (Format(Coding.CSR), (12, 1)),
    ],
    ids=lambda value: str(value) if isinstance(value, Format) else "",
)
def test_bits_of_each_row_of_weights(coding: Format, bits: tuple[int, int]) -> None:
    """Each filter's weights cross in the bits of those that are stored, not in those of the average word."""
    layer = gemm("g", 3, 2, 5)
    masks, pair = Masks(layer, FEW), (coding, Format(), Format())
    machine = replace(PE, bits=(8, 8, 8), sparse=Sparse(frozenset({Tensor.WEIGHT}), formats=(UNCODED, pair, UNCODED, pair)))
    both, first = (Mapping(((Directive(MapKind.TEMPORAL, size, Dim.K), Directive(MapKind.TEMPORAL, 3, Dim.X)),)) for size in (2, 1))
    for mapping, apart in ((both, False), (first, True)):
        costs = NumpyModel(masks).evaluate(masks.counted_layer, machine, encode([mapping], layer, machine.shape))
        assert costs.moved is not None
        total = sum(bits) if apart or coding.coding is not Coding.CSR else 13
        assert costs.moved[0, [Moved.NOC, Moved.NOC_FILL], Tensor.WEIGHT].tolist() == [total] * 2
        assert costs.moved[0, Moved.OFFCHIP, Tensor.WEIGHT] == total
    report = costs.report(0)
    assert report.sparse is not None
    assert report.sparse.noc_bits == sum(bits) + 15 * 8 + 6 * 8
    average = ExactModel().evaluate(masks.counted_layer, machine, encode([first], layer, machine.shape)).report(0)
    price = machine.technology.offchip_pj_per_bit
    changed = report.energy_pj.parts["offchip"] - average.energy_pj.parts["offchip"]
    assert average.sparse is not None
    assert changed == pytest.approx((report.sparse.offchip_bits - average.sparse.offchip_bits) * price, abs=1e-9 * price)


def test_drawn_masks_take_as_long_as_is_expected() -> None:
    """Over masks drawn at random, cycles by masks are those by densities, within three standard errors and 1 %."""
    layer = gemm("g", 64, 32, 64, sparsity=uniform(0.25))
    machine = load_hardware("edge,pes=8,simd=1,l1.bytes=1000000000,l2.bytes=1000000000,sparse.skip=[weight]")
    mapping = Mapping(((Directive(MapKind.TEMPORAL, 16, Dim.X), Directive(MapKind.SPATIAL, 4, Dim.K)),))
    batch, rng = encode([mapping], layer, machine.shape), np.random.default_rng(5)
    drawn: list[float] = []
    for _ in range(200):
        weight = rng.permutation(32 * 64) < 512
        masks = Masks(replace(layer, sparsity=DENSE), weight.reshape(mask_shape(layer, Tensor.WEIGHT)))
        drawn.append(NumpyModel(masks).evaluate(masks.counted_layer, machine, batch)[Count.COMPUTE_CYCLES][0])
    expected = ExactModel().evaluate(layer, machine, batch)[Count.COMPUTE_CYCLES][0]
    assert abs(np.mean(drawn) - expected) <= 3 * np.std(drawn) / np.sqrt(len(drawn)) + 0.01 * expected


def test_macs_without_a_zero() -> None:
    """They are those of plain loops; inputs that a stride skips count neither among the MACs nor in the density."""
    layer = conv("c", 2, 2, 2, outputs=(2, 1), stride=3)
    rng = np.random.default_rng(1)
    weight, inputs = (rng.random(mask_shape(layer, tensor)) < 0.6 for tensor in OPERANDS)
    masks = Masks(layer, weight, inputs)
    each = [
        (bool(weight[0, k, c, r, s]), bool(inputs[0, 0, c, 3 * y + r, s]))
        for k, c, r, s, y in np.ndindex(2, 2, 2, 2, 2)
    ]  # fmt: skip
    both = sum(has_weight and has_input for has_weight, has_input in each)
    assert masks.counted_layer.effectual == (sum(w for w, _ in each), sum(i for _, i in each), both)
    touched = inputs[:, :, :, [0, 1, 3, 4]]
    assert masks.counted_layer.sparsity[Tensor.INPUT].density == pytest.approx(touched.mean())


@pytest.mark.parametrize(
    ("weight", "text"),
    [
        (np.ones((1, 3, 2, 1, 1), bool), "mask of weight must have the shape G K C R S = (1, 2, 3, 1, 1), got (1, 3, 2, 1, 1)"),
        (np.zeros((1, 2, 3, 1, 1), bool), "mask of weight must have a word that is not zero"),
    ],
)
def test_masks_that_break_a_law(weight: np.ndarray, text: str) -> None:
    """A mask has the layer's shape, both of which are told, and some non-zero."""
    with pytest.raises(LayerError) as caught:
        Masks(gemm("g", 4, 2, 3), weight)
    assert str(caught.value) == f"layer g: {text}"


def test_what_is_not_counted_by_masks() -> None:
    """Each in one line: a sparse operand without a mask, another layer's masks, instructions, and too many boxes."""
    layer = gemm("g", 4, 2, 3, sparsity=uniform(0.5, 0.5))
    mask = np.ones((1, 2, 3, 1, 1), bool)
    with pytest.raises(LayerError, match=r"^layer g: input must have a mask as well, or be dense, got 0\.5$"):
        _ = Masks(layer, mask).counted_layer
    masks = Masks(replace(layer, sparsity=DENSE), mask)
    with pytest.raises(LayerError, match=r"^layer h: its masks are of a layer with other sizes, .* 3, .*, got .* 4, "):
        NumpyModel(masks).as_counted(gemm("h", 4, 2, 4))
    machine = replace(PE, array=Array(1, 1), run=Run(Dim.K, 2, 1))
    with pytest.raises(HardwareError, match=r"masks are not counted in instructions; leave array\.run out$"):
        NumpyModel(masks).evaluate(masks.counted_layer, machine, encode([one_pe(1, 1)], layer, machine.shape))
    large = gemm("l", 2**14, 2**12, 1)
    with pytest.raises(InputError, match=r"counted for at most 33554432 steps x PEs, got 67108864; use larger tiles$"):
        NumpyModel(Masks(large)).evaluate(large, PE, encode([one_pe(1, 1)], large, PE.shape))
