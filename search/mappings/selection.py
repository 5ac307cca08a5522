"""Which mappings of a population become parents, and which children are new: compiled, since each generation asks for both."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, leaf
from mapsearch.model.mapping import MappingBatch
from mapsearch.model.records import Floats, Ints

Bytes = NDArray[np.int8]


def fittest(batch: MappingBatch, values: Floats, most: int, alike: int) -> NDArray[np.intp]:
    """The rows of the best mappings with finite objectives, float64[B], best first, at most `most`.

    One for each value, since copies would crowd out the rest; at most `alike` that share out the same dims over the same units.
    """
    rows = np.empty(most, np.intp)
    return rows[: _fittest(batch.units, batch.spatial, values, np.argsort(values, kind="stable"), alike, rows)]


@leaf
def _fittest(units: Ints, spatial: Bytes, values: Floats, order: NDArray[np.intp], alike: int, rows: NDArray[np.intp]) -> int:
    count = 0
    last = np.nan
    for row in order:
        if count == len(rows) or not np.isfinite(values[row]):
            break
        if values[row] == last:
            continue
        last = values[row]
        same = 0
        for k in range(count if alike < len(rows) else 0):
            same += int(_shares_alike(units, spatial, rows[k], row))
        if same < alike:
            rows[count] = row
            count += 1
    return count


@inlined
def _shares_alike(units: Ints, spatial: Bytes, one: np.intp, other: np.intp) -> bool:
    for level in range(units.shape[1]):
        if units[one, level] != units[other, level] or spatial[one, level] != spatial[other, level]:
            return False
    return True


class Known:
    """The mappings that a search has made, each by a number, which two that differ share with a probability of some 2^-60."""

    def __init__(self, levels: int, most: int) -> None:
        """most: how many mappings there will be."""
        self._weights = _weights(18 * levels)
        self._table = np.zeros(1 << (2 * most).bit_length(), np.int64)

    def new(self, batch: MappingBatch) -> NDArray[np.intp]:
        """The rows of the mappings that are not known yet, each once; they are then."""
        arrays = batch.arrays
        rows = np.empty(len(batch), np.intp)
        return rows[: _new(arrays.units, arrays.spatial, arrays.order, arrays.size, self._weights, self._table, rows)]


@cache
def _weights(count: int) -> Ints:
    """Odd random numbers, int64[count], always the same."""
    return np.random.default_rng(0).integers(np.iinfo(np.int64).max, size=count) | 1


@leaf
def _new(units: Ints, spatial: Bytes, order: Bytes, size: Ints, weights: Ints, table: Ints, rows: NDArray[np.intp]) -> int:
    """Write the rows to `rows` and their numbers to `table`, a power of two of places, of which 0 is an empty one."""
    count = 0
    for row in range(units.shape[0]):
        number, at = 1, 0
        for level in range(units.shape[1]):
            number += units[row, level] * weights[at] + spatial[row, level] * weights[at + 1]
            for dim in range(8):
                number += order[row, level, dim] * weights[at + 2 + dim] + size[row, level, dim] * weights[at + 10 + dim]
            at += 18
        number = number if number != 0 else 1
        place = (number ^ number >> 32) & len(table) - 1
        while table[place] != 0 and table[place] != number:
            place = (place + 1) & len(table) - 1
        if table[place] == 0:
            table[place] = number
            rows[count] = row
            count += 1
    return count
