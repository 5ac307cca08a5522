"""Mappings exported as code compute the layer, bit for bit, and move as many words as the exact model counts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from by_hand import MACHINE, counts_of, layer_of, spatial, temporal
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nests import COMPILER, Computed, compiled, convolved, operands, python_nest, run_c, run_python, text_of
from strategies import ample, layers, machines, mappings, plain_machines

from mapsearch.model.cost import Fit
from mapsearch.model.errors import MappingError
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Mapping, encode
from mapsearch.model.tensors import Dim

needs_compiler = pytest.mark.skipif(COMPILER is None, reason="needs a C compiler named cc")
Case = tuple[Layer, Hardware, Mapping]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A layer, a machine whose L1 has room for anything, and a mapping of one to three levels."""
    layer, hardware = draw(layers()), draw(plain_machines() | machines())
    mapping = draw(mappings(layer, hardware.pes, draw(st.integers(1, 3))))
    return layer, replace(hardware, l1=ample(hardware).l1), mapping


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder for the compiler's files."""
    with TemporaryDirectory() as name:
        yield Path(name)


def _fits(layer: Layer, hardware: Hardware, mapping: Mapping) -> bool:
    return bool(ExactModel().evaluate(layer, hardware, encode([mapping], layer, hardware.pes)).fit[0] == Fit.LEGAL)


def _assert_right(case: Case, weight: np.ndarray, input_: np.ndarray, computed: Computed) -> None:
    layer, hardware, mapping = case
    assert computed.output.dtype == np.int64
    assert np.array_equal(computed.output, convolved(layer, weight, input_))
    counts = counts_of(layer, hardware, mapping)
    assert computed.words == {count: counts[count] for count in computed.words}


@given(cases(), st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_a_python_nest_computes_the_layer(case: Case, seed: int) -> None:
    """The output is the direct convolution's; the words that move are the exact model's; what does not fit is refused."""
    if not _fits(*case):
        with pytest.raises(MappingError, match="L2 needs"):
            text_of("python", *case)
        case = case[0], ample(case[1]), case[2]
    weight, input_ = operands(case[0], seed)
    _assert_right(case, weight, input_, run_python(text_of("python", *case), weight, input_))


@needs_compiler
@given(case=cases(), seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_a_c_nest_computes_the_layer(folder: Path, case: Case, seed: int) -> None:
    """The same of the C file, which compiles without a warning."""
    assume(_fits(*case))
    weight, input_ = operands(case[0], seed)
    g, n, k, _, _, _, y, x = case[0].extents
    _assert_right(case, weight, input_, run_c(text_of("c", *case), folder, weight, input_, (n, g, k, y, x)))
