"""What a hardware file says of zeros."""

from __future__ import annotations

from typing import Any

import pytest

from mapsearch.cli import main
from mapsearch.formats.yaml.hardware import hardware_to_dict, load_hardware
from mapsearch.model.errors import HardwareError
from mapsearch.model.sparsity import NOTHING_SPARED, Coding, Format, Level, Sparse
from mapsearch.model.tensors import Tensor


def test_keys_of_zeros() -> None:
    """What is left out is stored as it is, and no zero is spared; single keys may follow a name."""
    assert load_hardware("edge").sparse == NOTHING_SPARED
    sparse = load_hardware("edge,sparse.gate=[weight],sparse.format.l2.input=coordinate16").sparse
    assert sparse.gate == {Tensor.WEIGHT}
    assert sparse.formats[Level.L2] == (Format(), Format(Coding.COORDINATE, 16), Format())
    lanes = load_hardware("edge,simd=128,sparse.lanes.weight=16,sparse.lanes.input=8")
    assert lanes.sparse.lanes == (16, 8)
    assert load_hardware(hardware_to_dict(lanes)) == lanes
    assert load_hardware("edge,sparse.skip=[weight],sparse.balanced=true").sparse == Sparse(
        frozenset({Tensor.WEIGHT}), balanced=True
    )
    assert Sparse(gate=sparse.gate) == load_hardware({"sparse": {"gate": ["weight"]}}).sparse


def test_the_command_shows_what_a_machine_makes_of_zeros(capsys: pytest.CaptureFixture[str]) -> None:
    """`mapsearch hardware` names the operands, whether their work is balanced, and the formats of each level."""
    assert main(["hardware", "edge,sparse.gate=[input, weight],sparse.format.noc.weight=rle5"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["zeros", "gated", "weight,", "input"] in rows
    assert main(["hardware", "edge,sparse.skip=[input],sparse.balanced=true"]) == 0
    assert "zeros skipped are shared out evenly" in " ".join(capsys.readouterr().out.split())
    assert ["format", "at", "noc", "rle5/none/none", "weight/input/output"] in rows


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            {"sparse": {"format": {"l3": {"weight": "csr"}}}},
            "unknown key sparse.format.l3; the keys are l1, noc, l2, offchip",
        ),
        (
            {"sparse": {"gate": ["input"], "balanced": True}},
            "sparse.balanced needs zeros that take no time; name an operand in sparse.skip",
        ),
        ({"sparse": {"gate": True}}, "sparse.gate must be a list such as [input], got True"),
        ({"sparse": {"gate": ["output"]}}, "sparse.gate.0 must be 'weight' or 'input', got 'output'"),
        ({"sparse": {"gate": ["input"], "skip": ["input"]}}, "sparse.skip and sparse.gate both name input; leave it out of one"),
        ({"sparse": {"lanes": {"weight": 16, "input": 8}}}, "sparse.lanes of weight x input must be simd, 1, got 16 x 8"),
        ({"sparse": {"lanes": {"weight": 16}}}, "sparse.lanes.input is missing"),
        (
            {"sparse": {"format": {"noc": {"weight": "rle"}}}},
            "noc.weight must be none, ideal, bitmask, rleN (N = 1 to 8 bits), coordinateN (N = 1 to 16), csr or nm, got 'rle'",
        ),
    ],
)
def test_refusals(data: dict[str, Any], text: str) -> None:
    """One line names the key, the law and the value."""
    with pytest.raises(HardwareError) as caught:
        load_hardware(data)
    assert text in str(caught.value)
