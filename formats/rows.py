"""Rows of our layer-set files, as readers of other formats make them: keys that have their defaults are left out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]


_DEFAULTS: Row = {
    "batch": 1, "count": 1, "groups": 1, "stride": 1, "dilation": 1, "padding": 0, "output_padding": 0, "weights": "parameters",
}  # fmt: skip


def compact(row: Row) -> Row:
    """The row without the keys that have their defaults."""
    return {key: value for key, value in row.items() if value != _DEFAULTS.get(key)}


def pair(rows: int, columns: int) -> int | list[int]:
    """The value of a key for rows and columns: one number where both are equal."""
    return rows if rows == columns else [rows, columns]


def convolution_type(groups: int, k: int, c: int) -> Row:
    """The type and channels of a convolution with `k` filters and `c` input channels in each group."""
    if groups == 1:
        return {"type": "CONV", "K": k, "C": c}
    if c == 1:
        return {"type": "DSCONV", "G": groups} | ({"K": k} if k > 1 else {})
    return {"type": "NGCONV", "groups": groups, "K": groups * k, "C": groups * c}


def named(rows: Iterable[Row]) -> list[Row]:
    """The rows with names that our files may have, each different."""
    taken: set[str] = set()
    named: list[Row] = []
    for row in rows:
        wanted = re.sub(r"[^A-Za-z0-9_./-]+", "_", row["name"]).strip("/") or "layer"
        name, number = wanted, 2
        while name in taken:
            name, number = f"{wanted}_{number}", number + 1
        taken.add(name)
        named.append(row | {"name": name})
    return named
