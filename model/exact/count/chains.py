"""The states of a dim in closed form: of any dim that two levels at the most cut into smaller chunks.

The first of them cuts the dim into *blocks*, one for each of its units. So a *span* of blocks passes at a time; the last span may
have fewer of them, and a shorter one at its end. The second cuts each block into *chunks*, which its units share in *pieces*.

    extent 23, blocks of 4 for 3 units, chunks of 3:   31 31 31 | 31 31 3     whole spans 1, then 2 blocks and one of 3

As carries come outermost loop first, a dim passes through five stages, by the roles of its two loops (see `roles`).
"""

from __future__ import annotations

from mapsearch.model.compiled import inlined, spliced
from mapsearch.model.exact.workspace import State, Workspace

# Both loops INNER; the first OWN; it is OUTER and the second INNER; the second OWN; both OUTER.
BEGUN = 0
FIRST = 1
BETWEEN = 2
SECOND = 3
DONE = 4


@inlined
def _quotient(number: int, divisor: int) -> int:
    """The whole quotient of two lengths; by floats, of which the processor divides several at once, and exact below 2^53."""
    return int(number / divisor)


@inlined
def begin_chains(w: Workspace) -> None:
    """Chains without cuts."""
    c = w.chains
    for dim in range(8):
        c.cuts[dim], c.units[dim] = 0, 1
        c.size[dim] = c.chunk[dim] = c.piece[dim] = w.extents[dim]


@inlined
def cut(w: Workspace, level: int) -> None:
    """Let a level cut its tiles into w.sizes for w.shares."""
    c = w.chains
    for dim in range(8):
        size, share = w.sizes[level, dim], w.shares[level, dim]
        cuts = size < w.tiles[dim]
        first = cuts and c.cuts[dim] == 0
        within = min(c.size[dim], size * share) if cuts else c.chunk[dim]
        c.chunk[dim] = size if first else within
        c.units[dim] = share if first else c.units[dim]
        c.size[dim] = size if first else c.size[dim]
        c.piece[dim] = size
        c.cuts[dim] += int(cuts)


@inlined
def end_chains(w: Workspace) -> None:
    """Count the spans and chunks, once all cuts are there."""
    c = w.chains
    for dim in range(8):
        size, chunk = c.size[dim], c.chunk[dim]
        span = size * c.units[dim]
        c.stage[dim] = BEGUN if span < w.extents[dim] else BETWEEN
        spans, chunks = _quotient(w.extents[dim], span), _quotient(size, chunk)
        edge = w.extents[dim] - spans * span
        blocks = _quotient(edge, size)
        short = edge - blocks * size
        edge_size, extra = size if blocks > 0 else short, short if blocks > 0 else 0
        edge_chunks, extra_chunks = _quotient(edge_size, chunk), _quotient(extra, chunk)
        c.spans[dim], c.chunks[dim], c.rest[dim] = spans, chunks, size - chunks * chunk
        c.edge_units[dim], c.edge_size[dim], c.extra[dim] = max(blocks, 1), edge_size, extra
        c.edge_chunks[dim], c.edge_rest[dim] = edge_chunks, edge_size - edge_chunks * chunk
        c.extra_chunks[dim], c.extra_rest[dim] = extra_chunks, extra - extra_chunks * chunk


@inlined
def _pieces(length: int, piece: int) -> int:
    if length <= piece:
        return int(length > 0)
    return (length + piece - 1) // piece


@inlined
def _put(piece: int, state: State, steps: int, start: int, shift: int, blocks: int, block: int, extra: int) -> None:
    """A state with so many blocks that hold `block` each, and one more that holds `extra`; in the step before it was the same."""
    state.steps, state.start, state.shift = steps, start, shift
    state.blocks, state.block, state.extra = blocks, block, extra
    state.old_blocks, state.old_block, state.old_extra = blocks, block, extra
    state.new = state.old = min(piece, block)
    state.covered = blocks * block + extra
    state.active = blocks * _pieces(block, piece) + _pieces(extra, piece)


@inlined
def _came_from(piece: int, state: State, blocks: int, block: int, extra: int) -> None:
    """Say that in the step before there were other blocks."""
    state.old_blocks, state.old_block, state.old_extra = blocks, block, extra
    state.old = min(piece, block)


@spliced
def _first_loop(w: Workspace, dim: int, slot: int) -> int:
    """The states before the second loop turns: it goes from its last chunk back to its first."""
    c, states, extent = w.chains, w.states[slot], w.extents[dim]
    stage, chunk, piece = c.stage[dim], c.chunk[dim], c.piece[dim]
    last = c.rest[dim] if c.rest[dim] > 0 else chunk
    edge_last = c.edge_rest[dim] if c.edge_rest[dim] > 0 else min(chunk, c.edge_size[dim])
    extra_last = max(0, min(chunk, c.extra[dim] - c.edge_size[dim] + edge_last))
    if stage == BEGUN:
        if c.edge_size[dim] > 0:
            blocks, extra = c.edge_units[dim], extra_last
            at = extent - c.edge_units[dim] * c.edge_size[dim] - c.extra[dim] + c.edge_size[dim] - edge_last
            last = edge_last
        else:
            blocks, extra = c.units[dim], 0
            at = extent - c.units[dim] * c.size[dim] + c.size[dim] - last
        _put(piece, states[0], 1, 1, -at, c.units[dim], chunk, 0)
        _came_from(piece, states[0], blocks, last, extra)
        return 1
    between = stage == BETWEEN
    steps = c.spans[dim] - (0 if between else 1)
    shift = last - c.size[dim] + (0 if between else c.units[dim] * c.size[dim])
    count = 0
    if steps > 0:
        _put(piece, states[0], steps, int(between), shift, c.units[dim], chunk, 0)
        _came_from(piece, states[0], c.units[dim], last, 0)
        count = 1
    if c.edge_size[dim] > 0:
        start = int(between and count == 0)
        if between:
            shift = edge_last - c.edge_size[dim]
        _put(piece, states[count], 1, start, shift, c.edge_units[dim], min(chunk, c.edge_size[dim]), min(chunk, c.extra[dim]))
        if between:
            _came_from(piece, states[count], c.edge_units[dim], edge_last, extra_last)
        else:
            _came_from(piece, states[count], c.units[dim], last, 0)
        count += 1
    return count


@spliced
def _beside_shorter(w: Workspace, dim: int, slot: int, count: int, own: int) -> int:
    """Append the states, once the second loop turns, in which the shorter block at the end has something too."""
    c, states = w.chains, w.states[slot]
    chunk, piece, units, chunks = c.chunk[dim], c.piece[dim], c.edge_units[dim], c.extra_chunks[dim]
    if chunks > own:
        _put(piece, states[count], chunks - own, int(own == 0 and count == 0), own * chunk, units, chunk, chunk)
        count += 1
    if c.extra_rest[dim] > 0 and chunks >= own:
        block = min(chunk, c.edge_size[dim] - chunks * chunk)
        _put(piece, states[count], 1, int(own == 0 and count == 0), own * chunk, units, block, c.extra_rest[dim])
        if own == 1:
            _came_from(piece, states[count], units, chunk, chunk)
        count += 1
    return count


@spliced
def _second_loop(w: Workspace, dim: int, slot: int) -> int:
    """The states once the second loop turns, or stands still."""
    c, states = w.chains, w.states[slot]
    chunk, piece, units = c.chunk[dim], c.piece[dim], c.edge_units[dim]
    own = 1 if c.stage[dim] == SECOND else 0
    shift = own * chunk
    beside = c.extra_chunks[dim] + (1 if c.extra_rest[dim] > 0 else 0)  # chunks of the edge with some of the shorter block beside
    left = max(c.edge_chunks[dim] - max(beside, own), 0)
    steps = c.spans[dim] * (c.chunks[dim] - own)
    rests = c.spans[dim] if c.rest[dim] > 0 else 0
    edge_rests = 1 if c.edge_rest[dim] > 0 and c.edge_chunks[dim] >= max(beside, own) else 0
    if c.units[dim] == 1:  # all alike
        steps, left = steps + left, 0
        if c.edge_rest[dim] == c.rest[dim]:
            rests, edge_rests = rests + edge_rests, 0
    count = 0
    if steps > 0:
        _put(piece, states[0], steps, 1 - own, shift, c.units[dim], chunk, 0)
        count = 1
    if rests > 0:
        _put(piece, states[count], rests, 0, shift, c.units[dim], c.rest[dim], 0)
        _came_from(piece, states[count], c.units[dim], chunk if own == 1 else c.rest[dim], 0)
        count += 1
    if c.extra[dim] > 0:
        count = _beside_shorter(w, dim, slot, count, own)
    if left > 0:
        _put(piece, states[count], left, int(own == 0 and count == 0), shift, units, chunk, 0)
        count += 1
    if edge_rests > 0:
        _put(piece, states[count], 1, 0, shift, units, c.edge_rest[dim], 0)
        _came_from(piece, states[count], units, chunk if own == 1 else c.edge_rest[dim], 0)
        count += 1
    return count


@spliced
def chain_states(w: Workspace, dim: int, slot: int) -> int:
    """Write to w.states[slot] the states of a dim in its stage; returns how many there are."""
    return int(_first_loop(w, dim, slot) if w.chains.stage[dim] < SECOND else _second_loop(w, dim, slot))
