"""The text of a Python file around a nest: the functions that the nest calls."""

HEAD = '''
"""Computes the layer in the mapping's order, with what the L2 and each PE's L1 hold.

    output[n, g, k, y, x] += weight[g, k, c, r, s] * input[n, g, c, STRIDE_Y*y + DILATION_Y*r, STRIDE_X*x + DILATION_X*s]

`run(weight, input)` gives the output; the input includes its padding. `python FILE` computes the layer on made-up integers, holds
the result against the direct convolution, and prints a checksum and the words that moved.
"""

import sys
from functools import lru_cache, reduce
from typing import NamedTuple

import numpy as np

# The layer, then units of levels and chunk sizes of dims, both by level.'''

BEFORE = '''

class Buffer:
    """Words of one tensor: each at its coordinates, divided by the axis's step, modulo the axis's size."""

    def __init__(self, words, steps=(1, 1, 1, 1, 1)):
        self.words, self.steps = words, steps
        self.tile = NOTHING  # coordinates, by axis, of what it holds
        self.came = 0  # words that came in
        self.sent = 0  # words that went on to the PEs, one that several of them get in a step counted once
        self.last_sent = np.full(words.shape, -1)  # the step in which each word was


class Store(NamedTuple):
    """A memory's buffers."""

    weight: Buffer
    input: Buffer
    output: Buffer


NOTHING = (np.arange(0),) * 5


def whole(extent):
    """The range of all indices of a dim; a range is (start, stop)."""
    return 0, extent


def chunk(tile, size, number):
    """A chunk of a range: the last one may be shorter, and those past the end are empty."""
    start = tile[0] + number * size
    return start, max(start, min(start + size, tile[1]))


def trips(tile, size):
    """How many chunks a range has."""
    return -(-(tile[1] - tile[0]) // size)


def plain(indices):
    """The coordinates along an axis of one dim."""
    return np.arange(*indices)


def window(outputs, taps, stride, dilation):
    """The coordinates along an input's axis that these outputs and filter taps need."""
    return np.unique(stride * plain(outputs)[:, None] + dilation * plain(taps))


@lru_cache(maxsize=2**16)
def weight_tile(g, k, c, r, s):
    return plain(g), plain(k), plain(c), plain(r), plain(s)


@lru_cache(maxsize=2**16)
def input_tile(n, g, c, y, r, x, s):
    return plain(n), plain(g), plain(c), window(y, r, STRIDE_Y, DILATION_Y), window(x, s, STRIDE_X, DILATION_X)


@lru_cache(maxsize=2**16)
def output_tile(n, g, k, y, x):
    return plain(n), plain(g), plain(k), plain(y), plain(x)


def same(tile, other):
    return tile is other or all(np.array_equal(axis, before) for axis, before in zip(tile, other))


def is_empty(tile):
    return any(len(axis) == 0 for axis in tile)


def places(buffer, tile):
    return np.ix_(*(axis // step % size for axis, step, size in zip(tile, buffer.steps, buffer.words.shape)))


def count(buffer, new, source, there, step):
    """Count the words that come to a buffer: `new` says which of those at `there` in the source."""
    buffer.came += int(new.sum())
    first = new & (source.last_sent[there] != step)
    source.sent += int(first.sum())
    source.last_sent[there] = np.where(new, step, source.last_sent[there])


def fill(buffer, tile, source, step):
    """Fetch the words of a tile that are not there."""
    if same(tile, buffer.tile):
        return
    new = ~reduce(np.logical_and.outer, [np.isin(axis, before) for axis, before in zip(tile, buffer.tile)])
    here, there = places(buffer, tile), places(source, tile)
    buffer.words[here] = np.where(new, source.words[there], buffer.words[here])
    buffer.tile = tile
    count(buffer, new, source, there, step)


def forget(buffer):
    buffer.tile = NOTHING


def take(buffer, tile, source, step, partial_sums):
    """Begin on a tile of outputs: with their partial sums, which leave the source, so that one PE alone has them; or at zero."""
    here, there = places(buffer, tile), places(source, tile)
    buffer.words[here] = 0
    if partial_sums:
        buffer.words[here] = source.words[there]
        source.words[there] = 0
    buffer.tile = tile
    count(buffer, np.ones(buffer.words[here].shape, bool), source, there, step)


def give(buffer, target):
    """Add the outputs that a buffer holds to those of the target, and hold them no more."""
    target.words[places(target, buffer.tile)] += buffer.words[places(buffer, buffer.tile)]
    buffer.tile = NOTHING


def drain(l1, l2, memory):
    """Bring all outputs to memory."""
    for pe in l1:
        give(pe.output, l2.output)
    if l2.output is not memory.output:
        give(l2.output, memory.output)


def exchange_outputs(l1, l2, tile, memory, step):
    """Where the L2's tile of outputs changes, bring the old one to memory, and the new one's partial sums from there."""
    if not same(tile, l2.output.tile):
        drain(l1, l2, memory)
        take(l2.output, tile, memory.output, step, partial_sums=True)


def work(pe, l2, step, g, n, k, c, r, s, y, x):
    """What one PE does in a step: it fetches what its L1 lacks, and does the MACs of its chunks. It is idle where one is empty."""
    idle = any(start == stop for start, stop in (g, n, k, c, r, s, y, x))
    for buffer, tile, source in (
        (pe.weight, weight_tile(g, k, c, r, s), l2.weight),
        (pe.input, input_tile(n, g, c, y, r, x, s), l2.input),
    ):
        if is_empty(tile):
            forget(buffer)
        elif not idle:
            fill(buffer, tile, source, step)
    tile = output_tile(n, g, k, y, x)
    if not same(tile, pe.output.tile):
        give(pe.output, l2.output)
        if not idle:
            take(pe.output, tile, l2.output, step, REDUCTION)
    if not idle:
        multiply(pe, g, n, k, c, r, s, y, x)


def multiply(pe, g, n, k, c, r, s, y, x):
    """The MACs of one PE in a step, on what its L1 holds."""
    weights = pe.weight.words[places(pe.weight, weight_tile(g, k, c, r, s))]
    rows = STRIDE_Y * plain(y)[:, None] + DILATION_Y * plain(r)
    columns = STRIDE_X * plain(x)[:, None] + DILATION_X * plain(s)
    inputs = pe.input.words[places(pe.input, (plain(n), plain(g), plain(c), rows.ravel(), columns.ravel()))]
    inputs = inputs.reshape(*inputs.shape[:3], *rows.shape, *columns.shape)
    sums = places(pe.output, output_tile(n, g, k, y, x))
    pe.output.words[sums] += np.einsum("gkcrs,ngcyrxs->ngkyx", weights, inputs)


def run(weight, input, counts=None):
    """The output[N, G, K, Y, X] of weight[G, K, C, R, S] and input[N, G, C, ROWS, COLUMNS].

    counts: a dict to put the words moved in.
    """
    sums = np.result_type(weight, input, np.int64)
    output = np.zeros((N, G, K, Y, X), sums)
    memory = Store(Buffer(weight), Buffer(input), Buffer(output))'''

AFTER = '''    drain(l1, l2, memory)
    if counts is not None:
        counts.update(words_moved(memory, l2, l1))
    return output


def words_moved(memory, l2, l1):
    """Words by tensor, under the names of `mapsearch evaluate --json`."""
    fills, sent, offchip = {}, {}, {}
    for index, name in enumerate(Store._fields):
        fills[name] = sum(pe[index].came for pe in l1)
        sent[name] = l2[index].sent if MULTICAST or name == "output" else fills[name]
        through = sent[name] if REDUCTION or name != "output" else fills[name]
        offchip[name] = through if l2[index] is memory[index] else l2[index].came
    return {
        "l1_fill_words": fills,
        "l2_to_l1_words": sent,
        "offchip_read_words": {**offchip, "output": offchip["output"] - memory.output.words.size},
        "offchip_write_words": offchip["output"],
    }


def direct(weight, input):
    """The direct convolution."""
    output = np.zeros((N, G, K, Y, X), np.result_type(weight, input, np.int64))
    for r in range(R):
        for s in range(S):
            rows = slice(r * DILATION_Y, r * DILATION_Y + (Y - 1) * STRIDE_Y + 1, STRIDE_Y)
            columns = slice(s * DILATION_X, s * DILATION_X + (X - 1) * STRIDE_X + 1, STRIDE_X)
            output += np.einsum("gkc,ngcyx->ngkyx", weight[..., r, s], input[..., rows, columns])
    return output


def made_up(shape, seed):
    """Integers from -8 to 8."""
    numbers = np.arange(seed, seed + np.prod(shape, dtype=np.uint64), dtype=np.uint64)
    return ((numbers * 2654435761 % 2**32 >> 16) % 17).astype(np.int64).reshape(shape) - 8


def checksum(output):
    return int((output.reshape(-1) * (np.arange(output.size) % 1009 + 1)).sum())


def main():
    """Compute the layer on made-up integers; 1 where the result is not that of the direct convolution, else 0."""
    weight, input = made_up((G, K, C, R, S), 1), made_up((N, G, C, ROWS, COLUMNS), 2)
    counts = {}
    output = run(weight, input, counts)
    equal = np.array_equal(output, direct(weight, input))
    print(f"checksum {checksum(output)}, {'equal to' if equal else 'NOT'} the direct convolution")
    for name, words in counts.items():
        print(name, *((f"{tensor} {value}" for tensor, value in words.items()) if isinstance(words, dict) else [words]))
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
'''
