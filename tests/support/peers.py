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


def recorded_output(case: dict[str, Any], tool: str) -> str:
    """What AccelForge prints, or what ZigZag writes, of a recorded case."""
    found = case[tool]
    if tool == "accelforge":
        bits = {name: count * (1 if name.startswith("MAC|") else 8) for name, count in found["actions"].items()}
        return json.dumps({"cycles": found["latency"], **bits})
    names = {"to_below": "rd_out_to_low", "from_below": "wr_in_by_low", "to_above": "rd_out_to_high", "from_above": "wr_in_by_high"}
    words = {
        operand: [{names[way]: count for way, count in levels[level].items()} for level in ("L1", "L2", "DRAM")]
        for operand, levels in found["words"].items()
    }
    extents = {dim: int(extent) for dim, extent in case["layer"]["extents"].items()}
    loops = {operand: [[f"(K, {int(found['ideal_temporal_cycle'])})"], [], []] for operand in words}
    layer = {"name": "layer", "equation": "", "loop_dimensions": extents}
    return json.dumps({
        "inputs": {"layer": layer, "temporal_mapping": loops, "spatial_mapping": loops},
        "outputs": {"memory": {"word_accesses": words}},
    })  # fmt: skip
