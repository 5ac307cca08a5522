"""The kernel's work space: one record, made for a layer type on a machine and overwritten by every mapping."""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Annotated, Protocol

from mapsearch.model.maestro.source import DIMS, MAX_CLUSTERS
from mapsearch.model.records import Floats, Ints, record
from mapsearch.model.tensors import Dim

MAX_LEVELS = MAX_CLUSTERS + 1
MAX_DIRECTIVES = 10  # of a level; a level has at most nine dims, and a file may map one twice
MASKS = 2**MAX_DIRECTIVES
STATES = 3  # of a directive at the most
INIT, STEADY, EDGE = 0, 1, 2

# Kinds of units. The first unit of a level has all that is MAPPED of a dim, each other one has UNIQUE more than the one before;
# _EDGE is what is left of that at an edge.
MAPPED, MAPPED_EDGE, UNIQUE, UNIQUE_EDGE = 0, 1, 2, 3
KINDS = 4

INPUT, WEIGHT, OUTPUT = 0, 1, 2
OPERANDS = 3

# What becomes of a mapping.
DONE, DIVIDES_BY_ZERO, NOTHING_NEW, OVERFLOWS = 0, 1, 2, 3


class Delay(Protocol):
    """Cycles of what a step waits for, over the steps of level 0; a sum in place of the average until the end."""

    least: float
    most: float
    average: float


class Figures(Protocol):
    """What one mapping gives; those of tensors are of input, weight, output."""

    macs: float
    runtime_cycles: float
    l2_size: Annotated[Floats, OPERANDS]
    l1_size: Annotated[Floats, OPERANDS]
    l2_write: Annotated[Floats, OPERANDS]
    l2_read: Annotated[Floats, OPERANDS]
    l1_write: Annotated[Floats, OPERANDS]
    l1_read: Annotated[Floats, OPERANDS]
    peak_bandwidth: float
    average_bandwidth: float
    offchip_bandwidth: float
    ingress: Delay
    egress: Delay
    compute: Delay
    active_pes: float
    intensity: float


class Product(Protocol):
    """A product over directives of what each contributes."""

    times: float  # steps
    held: Annotated[Floats, 2, 2]  # what a unit has of inputs and of weights: with full chunks, with what is left at an edge
    written: Annotated[Floats, KINDS]  # outputs of each kind of unit
    macs: Annotated[Floats, 3]  # of the first unit, the first with an edge, another with an edge


class Run(Protocol):
    """A level's sums over its cases."""

    steps: float
    cycles: float
    busy: float  # PEs times steps
    cases: float  # that count


class Workspace(Protocol):
    """What the kernels work on."""

    levels: int
    source_dims: Annotated[Ints, len(Dim)]  # the SourceDim of each Dim, or -1
    pes: int
    simd: float
    noc_words: float
    noc_latency: float
    offchip_words: float
    rank: Annotated[Ints, OPERANDS, DIMS]  # place of a dim among those of a tensor, or -1
    extents: Annotated[Ints, DIMS]  # of the layer, 1 where it has no such dim
    units: Annotated[Ints, MAX_LEVELS]  # of each level
    count: Annotated[Ints, MAX_LEVELS]  # directives of each level
    dim: Annotated[Ints, MAX_LEVELS, MAX_DIRECTIVES]  # of a directive at a level
    spatial: Annotated[Ints, MAX_LEVELS, MAX_DIRECTIVES]  # 1 where it is a SpatialMap
    size: Annotated[Ints, MAX_LEVELS, MAX_DIRECTIVES]
    offset: Annotated[Ints, MAX_LEVELS, MAX_DIRECTIVES]
    static: Annotated[Ints, MAX_LEVELS, DIMS]  # the dims' sizes from the full tiles of the level above
    tiles: Annotated[Floats, MAX_LEVELS, MAX_DIRECTIVES, KINDS]  # of a directive at a level
    made: Annotated[Floats, MAX_LEVELS, MAX_DIRECTIVES, KINDS]  # the same of its dim as outputs count it
    # The last directive of the same dim, whose tile and state the program takes where a file maps a dim twice.
    like: Annotated[Ints, MAX_LEVELS, MAX_DIRECTIVES]
    edge_units: Annotated[Ints, MAX_LEVELS]  # of a level
    shared: Annotated[Ints, MAX_LEVELS, 2]  # SpatialMaps of a level, at most two, or -1
    carrier: Annotated[Ints, MAX_LEVELS, OPERANDS]  # of a level and tensor: the SpatialMap whose state counts, or -1
    actual: Annotated[Ints, DIMS]  # the dims' sizes in the case of the level above
    states: Annotated[Ints, MAX_DIRECTIVES]  # of each directive of the level at work: how many
    times: Annotated[Floats, MAX_DIRECTIVES, STATES]  # steps in a state
    kind: Annotated[Ints, MAX_DIRECTIVES, STATES]  # of a state: INIT, STEADY, EDGE
    edge: Annotated[Ints, MAX_DIRECTIVES, STATES]  # 1 where a state is an edge
    double_edge: Annotated[Ints, MAX_DIRECTIVES, STATES]  # 1 where its last unit has an edge of its own
    unrolled: Annotated[Ints, MAX_DIRECTIVES]  # 1 where the directive never advances
    turning: Annotated[Ints, MAX_DIRECTIVES]  # directives with more than one state
    n_turning: int
    at: Annotated[Ints, MAX_DIRECTIVES]  # the state that each directive is in
    # By turning directive and state: directives at an edge, among it and those before it up to the last turning one.
    bits: Annotated[Ints, MAX_DIRECTIVES, STATES]
    masks: Annotated[Ints, MAX_DIRECTIVES + 1]  # of the bits so far
    factors: Annotated[MutableSequence[Product], MAX_DIRECTIVES * STATES]  # by turning directive and state
    # By turning directive, state, tensor and kind of unit: what comes in where it is the last to change.
    change: Annotated[Floats, MAX_DIRECTIVES, STATES, 2, KINDS]
    first: Annotated[Floats, 2, KINDS]  # by tensor and kind of unit: what comes in where none changes
    products: Annotated[Sequence[Product], MAX_DIRECTIVES + 1]  # of the factors so far
    reached: Annotated[Ints, MAX_LEVELS, MASKS]  # cases that a level is asked for: bits of the directives above that are at an edge
    n_reached: Annotated[Ints, MAX_LEVELS]
    stamp: Annotated[Ints, MAX_LEVELS, MASKS]  # of a case that is in `reached` for the present mapping
    now: int
    runtime: Annotated[Floats, MAX_LEVELS, MASKS]  # of a case
    active: Annotated[Floats, MAX_LEVELS, MASKS]  # PEs of a case
    skipped: Annotated[Ints, MAX_LEVELS, MASKS]  # cases at the level that were left out before the first that counts
    below: Annotated[Ints, MAX_LEVELS, MASKS]  # the first case that it asked the next level for
    run: Run  # of the level at work
    figures: Figures


WORKSPACE, FIGURES = record(Workspace), record(Figures)
