"""ZigZag's equations, such as O[b][k][oy]+=W[k][c][fy]*I[b][c][iy] with the relation iy=2*oy+1*fy, as operands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mapsearch.formats.einsums import NoLayerError, Operand, Rank, Structure, structure_of
from mapsearch.model.errors import InputError, show

_OPERAND = r"(\w+)((?:\[\w+\])+)"
_EQUATION = re.compile(rf"{_OPERAND}(\+?=){_OPERAND}([*+]){_OPERAND}")
_TERM = re.compile(r"(?:(\d{1,9})\*)?([a-z]\w*)")


@dataclass(frozen=True, slots=True)
class Equation:
    """An equation of three operands.

    place: where it stands, for errors. sizes: of the dims, by their names in small letters. operator: between the two operands.
    """

    place: str
    text: str
    sizes: Mapping[str, int]
    output: Operand
    weights: Operand
    inputs: Operand
    assignment: str
    operator: str

    def structure(self) -> Structure:
        """The parts that the dims play; InputError where no layer type has them."""
        try:
            return structure_of(self.sizes, self.weights, self.inputs, self.output)
        except NoLayerError as error:
            raise InputError(f"{self.place}: no layer type expresses {show(self.text)}: {error}") from None


def read_equation(place: str, text: str, relations: Sequence[str], sizes: Mapping[str, int]) -> Equation:
    """The equation of a text; sizes: of the dims. Raises InputError, which begins with `place`, where it is none."""
    equation = text.replace(" ", "")
    match = _EQUATION.fullmatch(equation)
    if match is None or len({match[1], match[4], match[7]}) < 3:
        raise InputError(f"{place}: equation must be of three operands, such as O[b][k]+=W[k][c]*I[b][c], got {show(equation)}")
    small = {dim.lower(): size for dim, size in sizes.items()}
    sums = _relations(place, relations)
    output, one, other = (_operand(place, match[at], small, sums) for at in (2, 5, 8))
    weights, inputs = (one, other) if match[4] == "W" else (other, one)
    return Equation(place, equation, small, output, weights, inputs, match[3], match[6])


def _relations(place: str, relations: Sequence[str]) -> dict[str, Rank]:
    """The sums that stand for a dim of the input, by its name."""
    found: dict[str, Rank] = {}
    for each in relations:
        name, _, total = each.replace(" ", "").lower().partition("=")
        terms = [_TERM.fullmatch(part) for part in total.split("+")]
        if not name or None in terms:
            raise InputError(f"{place}: a dimension relation must be such as ix=2*ox+1*fx, got {show(each)}")
        found[name] = [(match[2], int(match[1] or 1)) for match in terms if match is not None]
    return found


def _operand(place: str, text: str, sizes: Mapping[str, int], relations: Mapping[str, Rank]) -> Operand:
    ranks = [relations.get(dim, [(dim, 1)]) for dim in re.findall(r"\w+", text.lower())]
    for dim in (dim for rank in ranks for dim, _ in rank):
        if dim not in sizes:
            raise InputError(f"{place}: dim {show(dim)} must have a size in loop_dims and loop_sizes")
    return ranks
