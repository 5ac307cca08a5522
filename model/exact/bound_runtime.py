"""The least cycles: of compute, of the network and of the off-chip memory, from the words that move at least."""

from __future__ import annotations

from mapsearch.model.compiled import inlined
from mapsearch.model.exact import machine as hw
from mapsearch.model.exact.bound_state import Bytes, Ints, Scratch
from mapsearch.model.exact.window import tile_words


@inlined
def _unit0(w: Scratch, units: Ints, spatial: Bytes, size: Ints, b: int, dim: int, more: int) -> float:
    """The least sum over the steps of unit 0's chunk lengths of a dim, if levels to come share it out over `more` units."""
    below, deep = more, (w.known[dim] if more > 1 else 0)  # units that a tile is shared out over further on
    for level in range(w.chosen):
        if spatial[b, level] == dim:
            if level >= w.known[dim]:
                below *= units[b, level]
                deep = w.known[dim]
            elif w.share[dim, level] > 1:
                below *= w.share[dim, level]
                deep = max(deep, level + 1)
    many, total, tile = 1.0, 0.0, w.extents[dim]
    for level in range(deep):
        share, chunk = w.share[dim, level], size[b, level, dim]
        below //= share
        whole = tile // (share * chunk)
        rest = tile - whole * share * chunk
        if rest > 0:
            total += many * ((min(chunk, rest) + below - 1) // below)
        many *= whole
        tile = chunk
    return float(total + many * ((tile + below - 1) // below))


@inlined
def _compute(w: Scratch, units: Ints, spatial: Bytes, size: Ints, b: int) -> float:
    """The least MACs of unit 0. A level shares out one dim, so those to come gain at most what the best dim does in each."""
    open_units, left = w.pes, w.levels - w.chosen
    for level in range(w.chosen):
        open_units //= units[b, level]
    macs, gain = 1.0, 1.0
    for i in range(w.n_dims):
        dim = w.dims[i]
        alone = _unit0(w, units, spatial, size, b, dim, 1)
        macs *= alone
        if left > 0 and open_units > 1:
            gain = max(gain, alone / _unit0(w, units, spatial, size, b, dim, open_units))
    return float(macs / min(gain**left, float(open_units)) if left > 0 else macs)


@inlined
def least_cycles(w: Scratch, units: Ints, spatial: Bytes, size: Ints, b: int) -> float:
    """The least cycles, from the words in w."""
    machine = w.machine
    compute = _compute(w, units, spatial, size, b) / machine[hw.SIMD]
    reduction = machine[hw.REDUCTION] == 1
    words = w.words if machine[hw.MULTICAST] == 1 else w.fills
    ingress = words[0] * machine[hw.BITS] + words[1] * machine[hw.BITS + 1]
    written = (w.words[2] if reduction else w.fills[2]) * machine[hw.BITS + 2]
    if reduction:
        ingress += (w.words[2] - w.whole[2]) * machine[hw.BITS + 2]
    ingress, egress = ingress / machine[hw.NOC_BITS], written / machine[hw.NOC_BITS]
    latency = machine[hw.NOC_LATENCY]
    array = max(compute + 2.0 * latency, ingress + latency, egress + latency)
    if machine[hw.L1_DOUBLED] == 1:
        array = compute + ingress + egress
    words_w, words_i, _ = tile_words(w.chunk, w.windows[0, 0], w.windows[0, 1], w.windows[1, 0], w.windows[1, 1])
    first = float(words_w) * machine[hw.BITS] + float(words_i) * machine[hw.BITS + 1]
    width = machine[hw.OFFCHIP_BITS]
    return float(machine[hw.OFFCHIP_LATENCY] + first / width + max(array, w.offchip[0] / width))
