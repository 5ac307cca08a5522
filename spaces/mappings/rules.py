"""The settings of a space of mappings: levels, the rule for tile sizes, tools; without numpy, so that `--help` comes at once."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

MAX_LEVELS = 3


class TileRule(IntEnum):
    """Which sizes of a tile may be chosen.

    BALANCED: the smallest size for each trip count; DIVISORS: sizes that divide the tile; ALL: every size.
    """

    BALANCED = 0
    DIVISORS = 1
    ALL = 2


# What tools can express of our mappings, by the names of `laws.LAWS`.
TOOLS: Mapping[str, tuple[str, ...]] = {
    "timeloop": ("perfect", "even"),
    "accelforge": ("perfect", "even", "renewed"),
    "zigzag": ("perfect", "even"),
    "maestro": ("perfect", "even", "whole filters", "dividing", "single"),
}
