"""The mappings of tests/data/peer_counts.json, with what mapsearch and other tools' programs count of them."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from mapsearch.formats.directives import MappedLayer, parse
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.hardware import Hardware

_FILE = Path(__file__).parents[1] / "data" / "peer_counts.json"


@lru_cache
def peer_cases() -> dict[str, dict[str, Any]]:
    """The cases by name; not to be changed."""
    return {case["name"]: case for case in json.loads(_FILE.read_text(encoding="utf-8"))["cases"]}


def mapped_layer(case: dict[str, Any]) -> MappedLayer:
    """The layer of a case with its mapping."""
    [mapped] = parse(case["directives"], case["name"]).layers
    return mapped


def hardware_of(case: dict[str, Any]) -> Hardware:
    """The machine of a case, with the energies of the default technology."""
    return load_hardware({"name": case["name"], **case["hardware"]})
