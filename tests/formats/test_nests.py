"""Mappings exported as code compute the layer, bit for bit, and move as many words as the exact model counts."""

from __future__ import annotations

import re
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
from nests import COMPILER, Computed, Ints, compiled, convolved, names_of, operands, run_c, run_python, text_of
from strategies import ample, layers, machines, mappings, plain_machines

from mapsearch.formats.directives import MappedLayer, Network, parse
from mapsearch.formats.registry import FORMATS
from mapsearch.model.cost import Fit
from mapsearch.model.errors import InputError, MappingError
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Directive, Mapping, encode
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


def _assert_right(case: Case, weight: Ints, input_: Ints, computed: Computed) -> None:
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
@settings(max_examples=40, deadline=None)
def test_a_c_nest_computes_the_layer(folder: Path, case: Case, seed: int) -> None:
    """The same of the C file, which compiles without a warning."""
    assume(_fits(*case))
    weight, input_ = operands(case[0], seed)
    g, n, k, _, _, _, y, x = case[0].extents
    _assert_right(case, weight, input_, run_c(text_of("c", *case), folder, weight, input_, (n, g, k, y, x)))


def _assert_runs(layer: Layer, *level: Directive) -> None:
    """Of one level on two PEs."""
    case = layer, replace(MACHINE, pes=2), Mapping((level,))
    weight, input_ = operands(layer, 0)
    _assert_right(case, weight, input_, run_python(text_of("python", *case), weight, input_))


def test_a_pe_that_waits_keeps_its_window() -> None:
    """A PE without a third channel idles for a pass of Y', and then fetches only the rows that it has not kept from before."""
    _assert_runs(layer_of(K=3, R=2, Y=4), temporal(1, Dim.R), spatial(1, Dim.K), temporal(2, Dim.Y))


@pytest.mark.parametrize(("outer", "shared"), [(Dim.Y, Dim.K), (Dim.K, Dim.Y), (Dim.C, Dim.Y)])
def test_a_pe_without_a_chunk_lets_go(outer: Dim, shared: Dim) -> None:
    """A PE that has no words of a tensor for a step fetches them again after it, though they are those that it had before."""
    _assert_runs(layer_of(**{outer.name: 2, shared.name: 3}), temporal(1, outer), spatial(1, shared))


# Layers whose names and tiles are odd, and what is drawn of them.
NAME = 'a "name" of\nlines, \\ and \u2028 */ ??/\\'
ODD = replace(layer_of((2, 3), (3, 2), G=2, N=2, K=5, C=3, R=3, S=2, Y=7, X=5), name=NAME)
ODDLY = Mapping(
    (
        (spatial(2, Dim.K), temporal(3, Dim.Y), temporal(2, Dim.C)),
        (temporal(2, Dim.X), spatial(1, Dim.Y), temporal(2, Dim.R)),
    ),
    (2,),
)
FOUR = replace(MACHINE, pes=4, name=NAME)


def test_a_python_file_is_a_program(tmp_path: Path) -> None:
    """It compares itself with the direct convolution, and prints a checksum and the words; names of any characters do no harm."""
    file = tmp_path / "nest.py"
    file.write_text(text_of("python", ODD, FOUR, ODDLY))
    done = subprocess.run((sys.executable, str(file)), capture_output=True, text=True, check=True)  # noqa: S603 our own text
    names = names_of(file.read_text())
    g, n, k, c, r, s, _, _ = ODD.extents
    weight, input_ = names["made_up"]((g, k, c, r, s), 1), names["made_up"]((n, g, c, ODD.input_rows, ODD.input_columns), 2)
    checksum = names["checksum"](convolved(ODD, weight, input_))
    counts = ExactModel().evaluate(ODD, FOUR, encode([ODDLY], ODD, FOUR.pes)).report(0)
    words = counts.l1_fill_words
    lines = done.stdout.splitlines()
    assert lines[0] == f"checksum {checksum}, equal to the direct convolution"
    assert lines[1] == f"l1_fill_words weight {words.weight} input {words.input} output {words.output}"
    assert lines[4] == f"offchip_write_words {counts.offchip_write_words}"


@needs_compiler
def test_a_c_file_is_the_same_program(folder: Path) -> None:
    """It prints the lines that the Python file prints."""
    program = compiled(text_of("c", ODD, FOUR, ODDLY), folder, "-O2")
    file = folder / "nest.py"
    file.write_text(text_of("python", ODD, FOUR, ODDLY))
    printed = [
        subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 our own text
        for command in ((str(program),), (sys.executable, str(file)))
    ]
    assert printed[0] == printed[1]


def test_a_program_tells_a_wrong_result(capsys: pytest.CaptureFixture[str]) -> None:
    """After a change that breaks the nest, it says so and ends with 1."""
    text = text_of("python", ODD, FOUR, ODDLY)
    assert names_of(text)["main"]() == 0
    assert names_of(text.replace("weights, inputs)", "weights, inputs + 1)"))["main"]() == 1
    assert "NOT the direct convolution" in capsys.readouterr().out


def test_real_numbers_stay_real() -> None:
    """Operands with fractions give sums with fractions, and small integers do not overflow."""
    weight, input_ = operands(ODD, 0)
    run = names_of(text_of("python", ODD, FOUR, ODDLY))["run"]
    expected = convolved(ODD, weight, input_)
    assert np.array_equal(run(weight / 4, input_), expected / 4)
    assert np.array_equal(run(weight.astype(np.int8), input_.astype(np.int8)), expected)


@pytest.mark.parametrize("language", ["python", "c"])
def test_a_file_for_each_layer(language: str) -> None:
    """Names of files are legal and differ, also where those of the layers do not."""
    network = Network("net", tuple(MappedLayer(replace(ODD, name=name), ODDLY) for name in ("a/b", "a/b", "..", "n" * 300)))
    suffix = FORMATS[language].suffixes[0]
    stems = ["01_a_b", "02_a_b", "03_..", f"04_{'n' * 80}"]
    assert list(FORMATS[language].write_network(network, FOUR)) == [f"{stem}{suffix}" for stem in stems]


@pytest.mark.parametrize("language", ["python", "c"])
@pytest.mark.parametrize(
    ("directives", "message"),
    [
        ("TemporalMap(1,1) K", "net:1: layer a, innermost level: L1 needs 2092 bytes (2 x for double buffering)"),
        ("SpatialMap(1,1) K SpatialMap(1,1) C", "net:1: layer a, level 0: SpatialMap(1,1) C: a level has at most one SpatialMap"),
        ("Cluster(1,P) Cluster(1,P) Cluster(1,P) Cluster(1,P)", "net:1: layer a: a mapping has at most 4 levels, got 5"),
    ],
)
def test_a_mapping_that_cannot_run_is_refused(language: str, directives: str, message: str) -> None:
    """An error names the file, the layer and the law: a nest has the buffers of its machine."""
    text = f"Network n {{ Layer a {{ Type: FC Dimensions {{ K: 4, C: 522 }} Dataflow {{ {directives} }} }} }}"
    with pytest.raises(InputError, match=re.escape(message)):
        FORMATS[language].write_network(parse(text, "net"), replace(MACHINE, pes=1))
