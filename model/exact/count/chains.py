"""The states of a dim in closed form: of any dim that two levels at the most cut into smaller chunks.

The first of them cuts the dim into *blocks*, one for each of its units. So a *span* of blocks passes at a time, of which the last may
have fewer blocks, and a shorter one at its end. The second cuts each block into *chunks*, which its units share in *pieces*.

    extent 23, blocks of 4 for 3 units, chunks of 3:   31 31 31 | 31 31 3     whole spans 1, then 2 blocks and one of 3

As carries come outermost loop first, a dim passes through five stages, by the roles of its two loops (see `roles`).
"""

from __future__ import annotations

from mapsearch.model.compiled import inlined, leaf
from mapsearch.model.exact.workspace import Chain, State, Workspace

# Both loops INNER; the first OWN; it is OUTER and the second INNER; the second OWN; both OUTER.
BEGUN = 0
FIRST = 1
BETWEEN = 2
SECOND = 3
DONE = 4


@inlined
def begin_chain(chain: Chain, extent: int) -> None:
    """A chain without cuts."""
    chain.cuts, chain.units, chain.size, chain.chunk, chain.piece = 0, 1, extent, extent, extent


@inlined
def cut(chain: Chain, size: int, units: int) -> None:
    """Let a level cut what there is into pieces of a size, for so many units."""
    if chain.cuts == 0:
        chain.units, chain.size, chain.chunk = units, size, size
    else:
        chain.chunk = min(chain.size, size * units)
    chain.piece = size
    chain.cuts += 1


@inlined
def end_chain(chain: Chain, extent: int) -> None:
    """Count the spans and chunks, once all cuts are there."""
    size, chunk = chain.size, chain.chunk
    span = size * chain.units
    chain.spans = extent // span
    edge = extent - chain.spans * span
    chain.stage = BEGUN if span < extent else BETWEEN
    chain.chunks = size // chunk
    chain.rest = size - chain.chunks * chunk
    blocks = edge // size
    short = edge - blocks * size
    if blocks > 0:
        chain.edge_units, chain.edge_size, chain.extra = blocks, size, short
        chain.edge_chunks, chain.edge_rest = chain.chunks, chain.rest
        chain.extra_chunks = short // chunk
        chain.extra_rest = short - chain.extra_chunks * chunk
    else:
        chain.edge_units, chain.edge_size, chain.extra = 1, short, 0
        chain.edge_chunks = short // chunk
        chain.edge_rest = short - chain.edge_chunks * chunk
        chain.extra_chunks = chain.extra_rest = 0


@inlined
def _pieces(length: int, piece: int) -> int:
    if length <= piece:
        return int(length > 0)
    return (length + piece - 1) // piece


@inlined
def _put(c: Chain, state: State, steps: int, start: int, shift: int, blocks: int, block: int, extra: int) -> None:
    """A state with so many blocks that hold `block` each, and one more that holds `extra`; in the step before it was the same."""
    state.steps, state.start, state.shift = steps, start, shift
    state.blocks, state.block, state.extra = blocks, block, extra
    state.old_blocks, state.old_block, state.old_extra = blocks, block, extra
    state.new = state.old = min(c.piece, block)
    state.covered = blocks * block + extra
    state.active = blocks * _pieces(block, c.piece) + _pieces(extra, c.piece)


@inlined
def _came_from(c: Chain, state: State, blocks: int, block: int, extra: int) -> None:
    """Say that in the step before there were other blocks."""
    state.old_blocks, state.old_block, state.old_extra = blocks, block, extra
    state.old = min(c.piece, block)


@inlined
def _first_loop(w: Workspace, c: Chain, slot: int, extent: int) -> int:
    """The states before the second loop turns: it goes from its last chunk back to its first."""
    states, stage, chunk = w.states[slot], c.stage, c.chunk
    last = c.rest if c.rest > 0 else chunk
    edge_last = c.edge_rest if c.edge_rest > 0 else min(chunk, c.edge_size)
    extra_last = max(0, min(chunk, c.extra - c.edge_size + edge_last))
    if stage == BEGUN:
        if c.edge_size > 0:
            blocks, last, extra, end = c.edge_units, edge_last, extra_last, c.edge_size
        else:
            blocks, extra, end = c.units, 0, c.size
        at = extent - (c.edge_units * c.edge_size + c.extra if c.edge_size > 0 else c.units * c.size) + end - last
        _put(c, states[0], 1, 1, -at, c.units, chunk, 0)
        _came_from(c, states[0], blocks, last, extra)
        return 1
    between = stage == BETWEEN
    steps = c.spans - (0 if between else 1)
    shift = last - c.size + (0 if between else c.units * c.size)
    count = 0
    if steps > 0:
        _put(c, states[0], steps, int(between), shift, c.units, chunk, 0)
        _came_from(c, states[0], c.units, last, 0)
        count = 1
    if c.edge_size > 0:
        start = int(between and count == 0)
        if between:
            shift = edge_last - c.edge_size
        _put(c, states[count], 1, start, shift, c.edge_units, min(chunk, c.edge_size), min(chunk, c.extra))
        if between:
            _came_from(c, states[count], c.edge_units, edge_last, extra_last)
        else:
            _came_from(c, states[count], c.units, last, 0)
        count += 1
    return count


@inlined
def _second_loop(w: Workspace, c: Chain, slot: int) -> int:
    """The states once the second loop turns, or stands still."""
    states, chunk, units = w.states[slot], c.chunk, c.edge_units
    own = 1 if c.stage == SECOND else 0
    shift = own * chunk
    begun = c.extra_chunks + (1 if c.extra_rest > 0 else 0)  # chunks of the edge's blocks that have one of the shorter block beside
    left = max(c.edge_chunks - max(begun, own), 0)
    steps = c.spans * (c.chunks - own)
    rests = c.spans if c.rest > 0 else 0
    edge_rests = 1 if c.edge_rest > 0 and c.edge_chunks >= max(begun, own) else 0
    if c.units == 1:  # all alike
        steps += left
        left = 0
        if c.edge_rest == c.rest:
            rests += edge_rests
            edge_rests = 0
    count = 0
    if steps > 0:
        _put(c, states[0], steps, 1 - own, shift, c.units, chunk, 0)
        count = 1
    if rests > 0:
        _put(c, states[count], rests, 0, shift, c.units, c.rest, 0)
        if own == 1:
            _came_from(c, states[count], c.units, chunk, 0)
        count += 1
    if c.extra_chunks > own:
        _put(c, states[count], c.extra_chunks - own, int(own == 0 and count == 0), shift, units, chunk, chunk)
        count += 1
    if c.extra_rest > 0 and c.extra_chunks >= own:
        block = min(chunk, c.edge_size - c.extra_chunks * chunk)
        _put(c, states[count], 1, int(own == 0 and count == 0), shift, units, block, c.extra_rest)
        if own == 1:
            _came_from(c, states[count], units, chunk, chunk)
        count += 1
    if left > 0:
        _put(c, states[count], left, int(own == 0 and count == 0), shift, units, chunk, 0)
        count += 1
    if edge_rests > 0:
        _put(c, states[count], 1, 0, shift, units, c.edge_rest, 0)
        if own == 1:
            _came_from(c, states[count], units, chunk, 0)
        count += 1
    return count


@leaf
def chain_states(w: Workspace, dim: int, slot: int) -> int:
    """Write to w.states[slot] the states of a dim in its stage; returns how many there are."""
    if w.chains[dim].stage < SECOND:
        return int(_first_loop(w, w.chains[dim], slot, w.extents[dim]))
    return int(_second_loop(w, w.chains[dim], slot))
