"""The kernel's work space: one record, made for a layer type on a machine and overwritten by every mapping."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.maestro.source import DIMS, MAX_CLUSTERS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MAX_LEVELS = MAX_CLUSTERS + 1
MAX_DIRECTIVES = 10  # of a level; a level has at most nine dims, and a file may map one twice
MASKS = 2**MAX_DIRECTIVES
STATES = 3  # of a directive at the most
INIT, STEADY, EDGE = 0, 1, 2

# Columns of a directive's tile numbers: of its dim, then of the dim as outputs count it. The first unit of a level has all that is
# MAPPED, each other one has UNIQUE more than the one before; _EDGE is what is left of that at an edge. So a column is also a
# kind of unit: the first, the first with an edge, another, another with an edge.
MAPPED, MAPPED_EDGE, UNIQUE, UNIQUE_EDGE = 0, 1, 2, 3
OUT_MAPPED, OUT_MAPPED_EDGE, OUT_UNIQUE, OUT_UNIQUE_EDGE = 4, 5, 6, 7
KINDS = 4
TILE_COLUMNS = 2 * KINDS

# Columns of a product over the directives, see `cases`.
FACTORS = 12

INPUT, WEIGHT, OUTPUT = 0, 1, 2
OPERANDS = 3

# Columns of what one mapping gives; those of tensors are three each: input, weight, output.
MACS, RUNTIME, L2_SIZE, L1_SIZE, L2_WRITE, L2_READ, L1_WRITE, L1_READ = 0, 1, 2, 5, 8, 11, 14, 17
PEAK_BANDWIDTH, AVERAGE_BANDWIDTH, OFFCHIP_BANDWIDTH = 20, 21, 22
INGRESS, EGRESS, COMPUTE = 23, 26, 29  # delays: least, most, average
ACTIVE_PES, INTENSITY = 32, 33
FIGURES = 34

# What becomes of a mapping.
DONE, DIVIDES_BY_ZERO, NOTHING_NEW, OVERFLOWS = 0, 1, 2, 3


class Workspace(Protocol):
    """The record's fields, with their shapes in `WORKSPACE`."""

    levels: int
    simd: float
    noc_words: float
    noc_latency: float
    offchip_words: float
    rank: Ints  # place of a dim among those of a tensor, or -1
    extents: Ints  # of the layer, 1 where it has no such dim
    units: Ints  # of each level
    count: Ints  # directives of each level
    dim: Ints  # of a directive at a level
    spatial: Ints  # 1 where it is a SpatialMap
    size: Ints
    offset: Ints
    static: Ints  # the dims' sizes from the full tiles of the level above
    tiles: Floats  # of a directive at a level, see the columns above
    like: Ints  # the last directive of the same dim, whose tile and state the program takes where a file maps a dim twice
    edge_units: Ints  # of a level
    shared: Ints  # SpatialMaps of a level, at most two, or -1
    carrier: Ints  # of a level and tensor: the SpatialMap whose state counts, or -1
    actual: Ints  # the dims' sizes in the case of the level above
    states: Ints  # of each directive of the level at work: how many
    times: Floats  # steps in a state
    kind: Ints  # of a state: INIT, STEADY, EDGE
    edge: Ints  # 1 where a state is an edge
    double_edge: Ints  # 1 where its last unit has an edge of its own
    unrolled: Ints  # 1 where the directive never advances
    turning: Ints  # directives with more than one state
    n_turning: int
    at: Ints  # the state that each directive is in
    bits: Ints  # by turning directive and state: directives at an edge, among it and those before it up to the last turning one
    masks: Ints  # of the bits so far
    factors: Floats  # by turning directive and state
    change: Floats  # by turning directive, state, tensor and kind of unit: what comes in where it is the last to change
    first: Floats  # by tensor and kind of unit: what comes in where none changes
    products: Floats  # of the factors so far
    reached: Ints  # cases that a level is asked for: bits of the directives above that are at an edge
    n_reached: Ints
    stamp: Ints  # of a case that is in `reached` for the present mapping
    now: int
    runtime: Floats  # of a case
    active: Floats  # PEs of a case
    skipped: Ints  # cases at the level that were left out before the first that counts
    below: Ints  # the first case that it asked the next level for
    out: Floats


def _fields() -> list[tuple[str, type] | tuple[str, type, tuple[int, ...]]]:
    level = (MAX_LEVELS, MAX_DIRECTIVES)
    return [
        ("levels", np.int64),
        ("simd", np.float64),
        ("noc_words", np.float64),
        ("noc_latency", np.float64),
        ("offchip_words", np.float64),
        ("rank", np.int64, (OPERANDS, DIMS)),
        ("extents", np.int64, (DIMS,)),
        ("units", np.int64, (MAX_LEVELS,)),
        ("count", np.int64, (MAX_LEVELS,)),
        ("dim", np.int64, level),
        ("spatial", np.int64, level),
        ("size", np.int64, level),
        ("offset", np.int64, level),
        ("static", np.int64, (MAX_LEVELS, DIMS)),
        ("tiles", np.float64, (*level, TILE_COLUMNS)),
        ("like", np.int64, level),
        ("edge_units", np.int64, (MAX_LEVELS,)),
        ("shared", np.int64, (MAX_LEVELS, 2)),
        ("carrier", np.int64, (MAX_LEVELS, OPERANDS)),
        ("actual", np.int64, (DIMS,)),
        ("states", np.int64, (MAX_DIRECTIVES,)),
        ("times", np.float64, (MAX_DIRECTIVES, STATES)),
        ("kind", np.int64, (MAX_DIRECTIVES, STATES)),
        ("edge", np.int64, (MAX_DIRECTIVES, STATES)),
        ("double_edge", np.int64, (MAX_DIRECTIVES, STATES)),
        ("unrolled", np.int64, (MAX_DIRECTIVES,)),
        ("turning", np.int64, (MAX_DIRECTIVES,)),
        ("n_turning", np.int64),
        ("at", np.int64, (MAX_DIRECTIVES,)),
        ("bits", np.int64, (MAX_DIRECTIVES, STATES)),
        ("masks", np.int64, (MAX_DIRECTIVES + 1,)),
        ("factors", np.float64, (MAX_DIRECTIVES, STATES, FACTORS)),
        ("change", np.float64, (MAX_DIRECTIVES, STATES, 2, KINDS)),
        ("first", np.float64, (2, KINDS)),
        ("products", np.float64, (MAX_DIRECTIVES + 1, FACTORS)),
        ("reached", np.int64, (MAX_LEVELS, MASKS)),
        ("n_reached", np.int64, (MAX_LEVELS,)),
        ("stamp", np.int64, (MAX_LEVELS, MASKS)),
        ("now", np.int64),
        ("runtime", np.float64, (MAX_LEVELS, MASKS)),
        ("active", np.float64, (MAX_LEVELS, MASKS)),
        ("skipped", np.int64, (MAX_LEVELS, MASKS)),
        ("below", np.int64, (MAX_LEVELS, MASKS)),
        ("out", np.float64, (FIGURES,)),
    ]


WORKSPACE = np.dtype(_fields(), align=True)
