"""Zeros that take no time: the most non-zeros to be expected in a step, and what words of a sparse tensor take on their way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from by_hand import MACHINE, layer_of, spatial, temporal
from scipy.stats import binom, hypergeom  # type: ignore[import-untyped]

from mapsearch.model.cost import Count
from mapsearch.model.counted_costs import CountedCosts
from mapsearch.model.exact import ExactModel
from mapsearch.model.exact.count.zeros import expected_most
from mapsearch.model.hardware import Buffer, Buffering, Hardware, Noc, Offchip
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Mapping, encode
from mapsearch.model.reference import zeros as literal
from mapsearch.model.sparsity import DENSE, UNCODED, Coding, Format, Formats, Pattern, Sparse, Sparsities, Sparsity, uniform
from mapsearch.model.tensors import Dim, Tensor

WIDE = replace(MACHINE, pes=8, array=None, noc=Noc(2**20), offchip=Offchip(2**20, 0), l1=Buffer(2**30), l2=Buffer(2**30))
BOTH = frozenset({Tensor.WEIGHT, Tensor.INPUT})
GEMM = layer_of(K=16, C=64, X=32)
ON_EIGHT = Mapping(((spatial(2, Dim.K), temporal(4, Dim.X)),), ())  # eight tiles of 2 x 64 weights, one of inputs

# scipy has no types.
_HYPERGEOM: Any = hypergeom
_BINOM: Any = binom


def of_weight(sparsity: Sparsity) -> Sparsities:
    return sparsity, DENSE[1], DENSE[2]


def skipping(*tensors: Tensor) -> Hardware:
    return replace(WIDE, sparse=Sparse(skip=frozenset(tensors)))


def costs(layer: Layer, hardware: Hardware, mapping: Mapping = ON_EIGHT) -> CountedCosts:
    return ExactModel().evaluate(layer, hardware, encode([mapping], layer, hardware.pes))


@pytest.mark.parametrize(
    ("words", "nonzeros", "tile", "tiles"),
    [(600, 150, 40, 7), (100, 99, 50, 16), (10**5, 30000, 576, 1024), (10**6, 3000, 1000, 2**20), (64, 8, 60, 3), (5, 1, 1, 2)],
)
def test_the_most_to_be_expected_is_a_sum_over_the_hypergeometric_distribution(
    words: int, nonzeros: int, tile: int, tiles: int
) -> None:
    """It is the sum over j of 1 - F(j)^tiles, to nine digits."""
    above = _HYPERGEOM.sf(np.arange(tile), words, nonzeros, tile)
    expected = -np.expm1(tiles * np.log1p(-np.minimum(above, 1 - 1e-16))).sum()
    assert expected_most(words, nonzeros, tile, tiles) == pytest.approx(expected, rel=1e-9)
    if words < 10**4:
        assert literal.expected_most(words, nonzeros, tile, tiles) == pytest.approx(expected, rel=1e-10)


def test_a_tensor_far_larger_than_its_tiles_is_binomial() -> None:
    """The sum holds for the largest layers too, where each word of a tile is as good as drawn on its own."""
    above = _BINOM.sf(np.arange(576), 576, 0.5)
    expected = -np.expm1(1024 * np.log1p(-np.minimum(above, 1 - 1e-16))).sum()
    assert expected_most(2**40, 2**39, 576, 1024) == pytest.approx(expected, rel=1e-8)


def test_one_tile_has_the_layers_share() -> None:
    """A lone PE that skips both operands takes the MACs that are left, rounded up once: nothing is lost to imbalance."""
    layer = replace(GEMM, sparsity=uniform(0.35, 0.6))
    lone = Mapping(((temporal(16, Dim.K),),), ())
    found = costs(layer, replace(skipping(*BOTH), pes=1), lone)
    assert found[Count.COMPUTE_CYCLES].item() == -(-GEMM.macs * 35 * 6 // 1000)  # 358.4 weights, on average


# Latencies over the dense one of the dual-side sparse tensor core (DSTC), by the densities of A and B: its paper's Fig. 21, as read
# off in the artifact of Sparseloop (MICRO 2022), fig13_dstc_setup/scripts/baseline.yaml.
DSTC = {
    (1.0, 1.0): 1.0, (0.9, 1.0): 0.904, (0.7, 1.0): 0.717, (0.5, 1.0): 0.585, (0.3, 1.0): 0.420,
    (1.0, 0.4): 0.543, (0.9, 0.4): 0.500, (0.7, 0.4): 0.396, (0.5, 0.4): 0.322, (0.3, 0.4): 0.239,
}  # fmt: skip


def test_lanes_of_a_sparse_tensor_core() -> None:
    """In tiles of 32 x 32 and lanes of 8 x 16, latencies are off those published of DSTC by at most 8 % on average."""
    machine = replace(WIDE, pes=1, simd=128, sparse=Sparse(skip=BOTH, lanes=(16, 8)))
    mapping = Mapping(((temporal(32, Dim.K), temporal(32, Dim.X), temporal(32, Dim.C)),))
    layer = layer_of(K=256, C=256, X=256)
    dense = costs(layer, machine, mapping)[Count.COMPUTE_CYCLES].item()
    assert dense == layer.macs // 128
    errors: list[float] = []
    for (a, b), published in DSTC.items():
        sparse = replace(layer, sparsity=uniform(b, a))
        errors.append(abs(costs(sparse, machine, mapping)[Count.COMPUTE_CYCLES].item() / dense / published - 1))
    assert np.mean(errors) <= 0.08


def test_lanes_that_are_not_full() -> None:
    """Without a skip too each reduction index takes whole turns: 5 weights in lanes of 4 times 3 inputs in lanes of 2."""
    machine = replace(WIDE, pes=1, simd=8, sparse=Sparse(lanes=(4, 2)))
    found = costs(layer_of(K=5, C=7, X=3), machine, Mapping(((temporal(5, Dim.K),),)))
    assert found[Count.COMPUTE_CYCLES].item() == 7 * 2 * 2


def test_a_pattern_along_lanes_fills_them_evenly() -> None:
    """With 2:4 along K, 32 weights of a reduction index have 16 non-zeros for certain: one turn of 16 lanes; along C they vary."""
    machine = replace(WIDE, pes=1, simd=16, sparse=Sparse(skip=frozenset({Tensor.WEIGHT}), lanes=(16, 1)))
    lone = Mapping(((temporal(32, Dim.K),),))
    layers = (replace(layer_of(K=32, C=64, X=8), sparsity=of_weight(Pattern(2, 4, along))) for along in (Dim.K, Dim.C))
    even, varied = (costs(layer, machine, lone)[Count.COMPUTE_CYCLES].item() for layer in layers)
    assert even == 64 * 8
    assert 1.3 * even < varied < 2 * even


def test_drawn_zeros_take_as_long_as_is_expected() -> None:
    """Of weights drawn at random, the fullest tile has as many as expected, within three standard errors and 1 %."""
    rng = np.random.default_rng(0)
    draws = np.array([rng.permutation(1024).reshape(8, 128) < 256 for _ in range(400)]).sum(axis=2).max(axis=1)
    expected = expected_most(1024, 256, 128, 8)
    assert abs(draws.mean() - expected) <= 3 * draws.std() / 20 + 0.01 * expected


@pytest.mark.parametrize(("kept", "group"), [(1, 2), (2, 4), (1, 4), (3, 4)])
def test_a_pattern_takes_its_share_of_the_time(kept: int, group: int) -> None:
    """Where whole groups are in each tile, n:m takes exactly n/m of the dense compute, on any number of PEs."""
    dense = costs(GEMM, skipping(Tensor.WEIGHT))[Count.COMPUTE_CYCLES].item()
    layer = replace(GEMM, sparsity=of_weight(Pattern(kept, group, Dim.C)))
    assert costs(layer, skipping(Tensor.WEIGHT))[Count.COMPUTE_CYCLES].item() * group == dense * kept
    assert costs(layer, skipping(Tensor.INPUT))[Count.COMPUTE_CYCLES].item() == dense


def test_two_of_four_halves_a_compute_bound_product() -> None:
    """With 2:4 weights of whole groups a GEMM whose steps all wait for compute takes half the cycles, to the cycle."""
    layer = layer_of(K=64, C=128, X=64)
    mapping = Mapping(((spatial(8, Dim.K), temporal(32, Dim.C), temporal(16, Dim.X)),), ())
    machine = replace(skipping(Tensor.WEIGHT), noc=Noc(2**20, 1), l1=Buffer(2**30, Buffering.DOUBLE))
    dense, sparse = (
        costs(replace(layer, sparsity=sparsity), machine, mapping) for sparsity in (DENSE, of_weight(Pattern(2, 4, Dim.C)))
    )
    assert sparse.report(0).bound_by == "compute"
    for count in (Count.COMPUTE_CYCLES, Count.COMPUTE_BOUND_CYCLES):
        assert 2 * sparse[count].item() == dense[count].item()


def test_a_tile_that_cuts_groups_waits_for_its_fullest() -> None:
    """Tiles of 6 of C with 2:4 have one whole group and half of another, which may have both or none of its non-zeros."""
    layer = replace(GEMM, sparsity=of_weight(Pattern(2, 4, Dim.C)))
    cut = Mapping(((temporal(6, Dim.C), spatial(1, Dim.K)),), ())
    found = costs(layer, replace(skipping(Tensor.WEIGHT), pes=16), cut)[Count.COMPUTE_CYCLES].item()
    half = GEMM.macs // 16 // 2 // MACHINE.simd
    assert half < found < 2 * half


def test_more_tiles_wait_longer() -> None:
    """At one density, the more tiles there are and the smaller they are, the longer the array waits for the fullest."""
    layer = replace(GEMM, sparsity=uniform(0.25))
    cycles: list[int] = []
    for size in (16, 8, 4, 2):  # on 1, 2, 4 and 8 PEs
        found = costs(layer, skipping(Tensor.WEIGHT), Mapping(((spatial(size, Dim.K),),), ()))
        cycles.append(found[Count.COMPUTE_CYCLES].item() * 16 // size)
    assert cycles == sorted(set(cycles))


@pytest.mark.parametrize("coding", [Coding.BITMASK, Coding.IDEAL])
def test_formats_shrink_what_crosses(coding: Coding) -> None:
    """Weights of 8 bits at density 1/4 cross in 2 bits (3 with a bit mask), and outputs of 16 bits at density 1/2 in 8 (9)."""
    more = 1 if coding is Coding.BITMASK else 0
    formats: Formats = (Format(coding), Format(), Format(coding))
    layer = replace(GEMM, sparsity=uniform(0.25, 1.0, 0.5))
    slow = replace(WIDE, bits=(8, 8, 16), offchip=Offchip(1, 0), sparse=Sparse(formats=(UNCODED, UNCODED, UNCODED, formats)))
    found = costs(layer, slow)
    assert found[Count.OFFCHIP_CYCLES].item() == (1024 * (2 + more) + 2048 * 8 + 512 * (8 + more)) // 8
    assert found[Count.L2_NEED_W].item() == 1024  # any part of a tensor may be dense


def test_partial_sums_have_all_of_their_bits() -> None:
    """Outputs that come back to be added to cross the network as they are; each leaves in its format once."""
    formats: Formats = (Format(), Format(), Format(Coding.IDEAL))
    layer = replace(GEMM, sparsity=uniform(output=0.5))
    again = Mapping(((temporal(32, Dim.C), spatial(2, Dim.K), temporal(4, Dim.X)),), ())
    slow = replace(
        WIDE, bits=(1, 1, 16), l1=Buffer(2**30, Buffering.SINGLE), noc=replace(WIDE.noc, bytes_per_cycle=1024, wires=(512, 510, 2))
    )
    packed = replace(slow, sparse=Sparse(formats=(UNCODED, formats, UNCODED, UNCODED)))
    dense, sparse = (costs(layer, each, again) for each in (slow, packed))
    assert sparse[Count.OUTPUT_WRITE].item() == 2 * 512
    assert dense[Count.EGRESS_BOUND_CYCLES].item() - sparse[Count.EGRESS_BOUND_CYCLES].item() == 512 * 8 // (8 * 2)


def test_a_pattern_takes_less_room() -> None:
    """Weights of 8 bits with 2:4 take 5 bits with their places, in the L1 and in the L2, as each group does."""
    packed: Formats = (Format(Coding.NM), Format(), Format())
    layer = replace(GEMM, sparsity=of_weight(Pattern(2, 4, Dim.C)))
    machine = replace(WIDE, bits=(8, 8, 16), sparse=Sparse(formats=(packed, UNCODED, packed, UNCODED)))
    found = costs(layer, machine)
    assert found[Count.L1_NEED_W].item() == 2 * 128 * 5 // 8
    assert found[Count.L2_NEED_W].item() == 1024 * 5 // 8


def test_an_evaluation_says_what_zeros_change() -> None:
    """Bits by level, skipped and gated MACs, and how much longer the array computes than if non-zeros were spread evenly."""
    masked: Formats = (Format(Coding.BITMASK), Format(), Format())
    sparse = Sparse(frozenset({Tensor.WEIGHT}), frozenset({Tensor.INPUT}), (UNCODED, UNCODED, UNCODED, masked))
    layer = replace(GEMM, sparsity=uniform(0.25, 0.5))
    found = costs(layer, replace(WIDE, bits=(8, 8, 16), sparse=sparse)).report(0)
    assert found.sparse is not None
    assert found.sparse.to_dict()["bits_per_word"]["offchip"] == {"weight": 3.0, "input": 8.0, "output": 16.0}
    assert found.sparse.offchip_bits == 1024 * 3 + 2048 * 8 + 512 * 16
    assert found.sparse.noc_bits == 1024 * 8 + 2048 * 8 + 512 * 16
    assert (found.sparse.skipped_macs, found.sparse.gated_macs) == (0.75 * layer.macs, 0.125 * layer.macs)
    assert found.sparse.imbalance == pytest.approx(expected_most(1024, 256, 128, 8) / 32, rel=0.01)
    assert found.sparse.source == "uniform"
    assert costs(layer, WIDE).report(0).sparse is None
