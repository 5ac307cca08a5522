"""The settings of a space of mappings: levels and the rule for tile sizes; without numpy, so that `--help` comes at once."""

from __future__ import annotations

from enum import IntEnum

MAX_LEVELS = 3


class TileRule(IntEnum):
    """Which sizes of a tile may be chosen.

    BALANCED: the smallest size for each trip count; DIVISORS: sizes that divide the tile; ALL: every size.
    """

    BALANCED = 0
    DIVISORS = 1
    ALL = 2
