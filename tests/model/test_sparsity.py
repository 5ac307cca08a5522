"""What a layer's zeros are, and the bits that a word takes in each format."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil

import pytest

from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.errors import HardwareError, LayerError
from mapsearch.model.layers import conv, gemm
from mapsearch.model.sparsity import DENSE, UNCODED, Coding, Format, Level, Pattern, Sparse, Uniform, uniform
from mapsearch.model.tensors import Dim, Tensor
from mapsearch.model.word_bits import word_bits

LAYER = conv("c", 8, 16, 3, outputs=5, sparsity=uniform(0.35, 0.275, 0.6))
MACHINE = replace(load_hardware("edge"), bits=(16, 16, 16))


def stored(code: Format, level: Level = Level.OFFCHIP) -> Sparse:
    """All tensors in one format at one level, as they are elsewhere."""
    return Sparse(formats=tuple((code,) * 3 if each is level else UNCODED for each in Level))  # type: ignore[arg-type]


def test_a_density_is_the_decimal_that_it_prints() -> None:
    """0.35 is 35/100, not the nearest binary fraction; a pattern's density is n/m."""
    assert Uniform(0.35).density == Fraction(35, 100)
    assert Pattern(2, 4, Dim.C).density == Fraction(1, 2)
    assert replace(LAYER, sparsity=(Pattern(2, 4, Dim.C), DENSE[1], Uniform(0.1))).density == (0.5, 1.0, 0.1)


def test_a_dense_layer_is_of_the_shape_that_it_always_was() -> None:
    """Seeds are drawn from a layer's shape, so densities stand in it as plain numbers; patterns make another shape."""
    assert LAYER.shape[-1] == (0.35, 0.275, 0.6)
    assert replace(LAYER, sparsity=(Pattern(2, 4, Dim.C), *DENSE[1:])).shape != replace(LAYER, sparsity=uniform(0.5)).shape


@pytest.mark.parametrize(
    ("code", "bits"),
    [
        (Format(), (16, 16, 16)),
        (Format(Coding.IDEAL), (0.35 * 16, 0.275 * 16, 0.6 * 16)),
        (Format(Coding.BITMASK), (1 + 0.35 * 16, 1 + 0.275 * 16, 1 + 0.6 * 16)),
        # 21 bits a pair; with d = 0.275, 0.27501 pairs a word: a run of 31 zeros is rare
        (Format(Coding.RLE, 5), tuple(21 * d / (1 - (1 - d) ** 32) for d in (0.35, 0.275, 0.6))),
        # with one bit every run of a zero ends: d / (1 - (1 - d)^2) = 1 / (2 - d) pairs a word
        (Format(Coding.RLE, 1), tuple(17 / (2 - d) for d in (0.35, 0.275, 0.6))),
        (Format(Coding.COORDINATE, 8), (0.35 * 24, 0.275 * 24, 0.6 * 24)),
        # rows of 16*3*3 = 144, 7*7 = 49 and 5*5 = 25 words; 403.2, 215.6 and 120 non-zeros
        (Format(Coding.CSR), (0.35 * 24 + 9 / 144, 0.275 * 22 + 8 / 49, 0.6 * 21 + 7 / 25)),
    ],
    ids=lambda value: str(value) if isinstance(value, Format) else "",
)
def test_bits_of_a_word(code: Format, bits: tuple[float, ...]) -> None:
    """Each format takes the bits of its formula, rounded up to 1/64 of a bit, and words elsewhere take theirs."""
    for level in Level:
        got = word_bits(LAYER, replace(MACHINE, sparse=stored(code, level)))
        assert got[level] == tuple(ceil(64 * each - 1e-9) for each in bits)
        assert {got[each] for each in Level if each is not level} == {(1024, 1024, 1024)}


def test_an_nm_format_has_an_index_in_the_group_for_each_word_kept() -> None:
    """2:4 weights of 16 bits take half of 18 bits; dense tensors are stored as they are; other zeros are refused."""
    machine = replace(MACHINE, sparse=stored(Format(Coding.NM), Level.L2))
    pruned = replace(LAYER, sparsity=(Pattern(2, 4, Dim.C), *DENSE[1:]))
    assert word_bits(pruned, machine)[Level.L2] == (9 * 64, 1024, 1024)
    with pytest.raises(LayerError) as caught:
        word_bits(LAYER, machine)
    assert str(caught.value) == (
        "layer c: weight must have a pattern n:m, as its format at l2 is nm, got density 0.35; use another format"
    )


def test_a_format_takes_more_than_a_dense_tensor_has() -> None:
    """A bitmask of dense words costs its bit; nothing is lost where a word is as it is."""
    dense = replace(LAYER, sparsity=DENSE)
    assert word_bits(dense, replace(MACHINE, sparse=stored(Format(Coding.BITMASK))))[Level.OFFCHIP] == (17 * 64,) * 3
    assert word_bits(dense, MACHINE) == ((1024,) * 3,) * 4


@pytest.mark.parametrize(
    ("pattern", "tensor", "text"),
    [
        (Pattern(5, 4, Dim.C), Tensor.WEIGHT, "pattern of weight must be n:m with n from 1 to m, got 5:4"),
        (Pattern(0, 4, Dim.C), Tensor.WEIGHT, "pattern of weight must be n:m with n from 1 to m, got 0:4"),
        (Pattern(2, 4, Dim.X), Tensor.WEIGHT, "pattern of weight must be along G, N, K, got M"),
        (Pattern(2, 4, Dim.R), Tensor.INPUT, "pattern of input must be along G, K, got R"),
        (Pattern(2, 4, Dim.C), Tensor.OUTPUT, "pattern of output must be along G, N, M, got K"),
        (Pattern(2, 4, Dim.C), Tensor.INPUT, "pattern of input: K = 30 is not a multiple of 4; pad the layer"),
    ],
)
def test_patterns_that_break_a_law(pattern: Pattern, tensor: Tensor, text: str) -> None:
    """A pattern is n of m along a dim that the tensor has and that is a multiple of m; a product has M, N and K."""
    sparsity = tuple(pattern if each is tensor else DENSE[each] for each in Tensor)
    with pytest.raises(LayerError) as caught:
        gemm("g", 8, 8, 30, sparsity=sparsity)  # type: ignore[arg-type]
    assert str(caught.value) == f"layer g: {text}"


def test_a_tensor_is_skipped_or_gated() -> None:
    """Not both, as a zero that takes no time is not gated."""
    with pytest.raises(HardwareError, match=r"^sparse\.skip and sparse\.gate both name weight; leave it out of one$"):
        Sparse(skip=frozenset({Tensor.WEIGHT}), gate=frozenset({Tensor.WEIGHT, Tensor.INPUT}))
