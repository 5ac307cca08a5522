"""The states of a dim in closed form.

That is any dim with two loops at the most, if no loop is inside a level that shares it out: its units always hold neighbouring
pieces of one chunk. The chunks of all units together form a chain: the first loop cuts the extent into *tiles*, of which the
last may be shorter; the second cuts each tile into *chunks*, likewise.

    extent 11, tiles of 4, chunks of 3:    3 1 | 3 1 | 3      tiles 2, edge 3; chunks 1, rest 1; of the edge: chunks 1, rest 0

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
    """A chain without loops."""
    chain.closed, chain.loops, chain.stage = True, 0, BEGUN
    chain.tile = chain.chunk = extent


@inlined
def add_loop(chain: Chain, chunk: int) -> None:
    """Let a loop of chunks of that length come next."""
    if chain.loops == 2:
        chain.closed = False
    elif chain.loops == 0:
        chain.tile = chunk
    chain.chunk = chunk
    chain.loops += 1


@inlined
def end_chain(chain: Chain, extent: int, piece: int) -> None:
    """Count the tiles and chunks, once all loops are there; piece: length of a unit's chunk."""
    chain.piece = piece
    chain.tiles = extent // chain.tile
    chain.edge = extent - chain.tiles * chain.tile
    chain.chunks = chain.tile // chain.chunk
    chain.rest = chain.tile - chain.chunks * chain.chunk
    chain.edge_chunks = chain.edge // chain.chunk
    chain.edge_rest = chain.edge - chain.edge_chunks * chain.chunk


@inlined
def _put(state: State, piece: int, steps: int, start: int, shift: int, covered: int, old_covered: int) -> None:
    state.steps, state.start, state.shift = steps, start, shift
    state.covered, state.old_covered = covered, old_covered
    state.new, state.old = min(piece, covered), min(piece, old_covered)
    state.active = 1 if covered <= piece else (covered + piece - 1) // piece


@leaf
def chain_states(w: Workspace, dim: int, slot: int) -> int:
    """Write to w.states[slot] the states of a dim in its stage; returns how many there are, at most three."""
    c, states = w.chains[dim], w.states[slot]
    stage, chunk, piece = c.stage, c.chunk, c.piece
    last = c.rest if c.rest > 0 else chunk  # chunk of a whole tile
    edge_last = c.edge_rest if c.edge_rest > 0 else chunk  # of the edge
    if stage == BEGUN:
        end = edge_last if c.edge > 0 else last
        _put(states[0], piece, 1, 1, end - w.extents[dim], chunk, end)
        return 1
    if stage < SECOND:  # the second loop goes back from its last chunk to its first
        between = stage == BETWEEN
        count = 0
        steps = c.tiles - (0 if between else 1)
        if steps > 0:
            _put(states[0], piece, steps, int(between), last - (c.tile if between else 0), chunk, last)
            count = 1
        if c.edge > 0:
            old = edge_last if between else last
            _put(states[count], piece, 1, 0, old - (c.edge if between else 0), min(chunk, c.edge), old)
            count += 1
        return count
    done = stage == DONE
    own = 0 if done else 1
    shift = 0 if done else chunk
    count = 0
    steps = c.tiles * (c.chunks - own) + max(c.edge_chunks - own, 0)
    if steps > 0:
        _put(states[0], piece, steps, 1 - own, shift, chunk, chunk)
        count = 1
    if c.rest > 0:
        steps = c.tiles + (1 if c.edge_rest == c.rest and c.edge_chunks >= own else 0)
        _put(states[count], piece, steps, 0, shift, c.rest, c.rest if done else chunk)
        count += 1
    if c.edge_rest > 0 and c.edge_rest != c.rest and c.edge_chunks >= own:
        _put(states[count], piece, 1, 0, shift, c.edge_rest, c.edge_rest if done else chunk)
        count += 1
    return count
