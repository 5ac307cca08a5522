"""The laws that a space may keep to, so that a tool can express each of its mappings.

They are laws on mappings alone. A tool may also refuse a layer, such as one of a type that it has not, or a machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mapsearch.model.cost import Restriction
from mapsearch.model.tensors import Dim
from mapsearch.spaces.mappings.rules import TOOLS

LAWS: Mapping[str, Restriction] = {
    "perfect": Restriction(perfect=True),
    "even": Restriction(even=True),
    "whole filters": Restriction(untiled=(Dim.R, Dim.S)),
    "dividing": Restriction(dividing=True),
    "single": Restriction(single=True),
    "renewed": Restriction(renewed=True),
}


def restriction_for(tools: Iterable[str]) -> Restriction:
    """What all of these tools, names of `TOOLS`, ask of a mapping."""
    asked = Restriction()
    for tool in tools:
        for law in TOOLS[tool]:
            asked |= LAWS[law]
    return asked
