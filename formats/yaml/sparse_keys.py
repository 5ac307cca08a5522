"""The keys under `sparse` in a hardware file: what a machine makes of zeros."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt

from mapsearch.formats.yaml.plain import Keys
from mapsearch.model.sparsity import Coding, Format, Formats, Level, Sparse
from mapsearch.model.tensors import Tensor

_Operands = Annotated[list[Literal["weight", "input"]], Field(examples=["[input]"])]
# A run's length takes at most 8 bits, since its exact mean has 2^bits digits; a coordinate takes at most 16.
_Format = Annotated[
    str,
    Field(
        pattern=r"^(none|ideal|bitmask|rle[1-8]|coordinate([1-9]|1[0-6])|csr|nm)$",
        description="none, ideal, bitmask, rleN (N = 1 to 8 bits), coordinateN (N = 1 to 16), csr or nm",
    ),
]


class _FormatKeys(Keys):
    weight: _Format = "none"
    input: _Format = "none"
    output: _Format = "none"

    def formats(self) -> Formats:
        return _format(self.weight), _format(self.input), _format(self.output)


class _LevelKeys(Keys):
    l1: _FormatKeys = _FormatKeys()
    noc: _FormatKeys = _FormatKeys()
    l2: _FormatKeys = _FormatKeys()
    offchip: _FormatKeys = _FormatKeys()


class _LanesKeys(Keys):
    weight: PositiveInt
    input: PositiveInt


class SparseKeys(Keys):
    """All of the keys, each of which may be left out."""

    skip: _Operands = []
    gate: _Operands = []
    format: _LevelKeys = _LevelKeys()
    balanced: bool = False
    lanes: _LanesKeys | None = None

    def sparse(self) -> Sparse:
        """What they say; HardwareError where they break a law."""
        stated = self.format
        skip, gate = (frozenset(Tensor[each.upper()] for each in names) for names in (self.skip, self.gate))
        formats = (stated.l1.formats(), stated.noc.formats(), stated.l2.formats(), stated.offchip.formats())
        return Sparse(skip, gate, formats, self.balanced, None if self.lanes is None else (self.lanes.weight, self.lanes.input))


def _format(name: str) -> Format:
    coding = name.rstrip("0123456789")
    return Format(Coding(coding), int(name[len(coding) :] or 0))


def sparse_to_dict(sparse: Sparse) -> dict[str, Any]:
    """The keys, without those that say what is meant where they are left out."""
    operands = {key: [each.label for each in sorted(named)] for key, named in (("skip", sparse.skip), ("gate", sparse.gate))}
    formats = {
        level.label: {tensor.label: str(each) for tensor, each in zip(Tensor, stated, strict=True) if each != Format()}
        for level, stated in zip(Level, sparse.formats, strict=True)
    }
    stated = {
        **operands,
        "format": {level: each for level, each in formats.items() if each},
        "balanced": sparse.balanced,
        "lanes": dict(zip(("weight", "input"), sparse.lanes or (), strict=False)),
    }
    return {key: value for key, value in stated.items() if value}
