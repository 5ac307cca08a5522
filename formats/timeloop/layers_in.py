"""Timeloop's problem files as layers, one each; a folder of them is a network."""

from __future__ import annotations

import re
from pathlib import Path

from mapsearch.formats.einsums import row_of
from mapsearch.formats.registry import Choices, take_no_choices
from mapsearch.formats.rows import named
from mapsearch.formats.text import decode
from mapsearch.formats.timeloop.problem_in import read_problem
from mapsearch.formats.yaml.plain import parse_mapping

_PROBLEM = re.compile(rb"^(problem|\"problem\")\s*:", re.MULTILINE)


def recognises(name: str, data: bytes) -> bool:  # noqa: ARG001 the content tells
    """Whether a line of the text begins with `problem:`."""
    return _PROBLEM.search(data) is not None


def read_layers(data: bytes, where: str, choices: Choices) -> dict[str, object]:
    """See `LayersImporter`."""
    take_no_choices(choices, where)
    problem = read_problem(parse_mapping(decode(data, where, "problem"), where, "problem: {...}"), where)
    name = Path(where).stem
    row = {"name": name} | row_of(problem.structure)
    return {"title": name, "source": f"{Path(where).name}, a problem of Timeloop's", "layers": named([row])}
