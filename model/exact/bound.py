"""What a mapping costs at least: from its loops' trip counts alone, and for mappings of which only parts are chosen yet.

Compute: unit 0's MACs summed over the steps are a product over the dims. Words: each time that a loop which a tensor lacks turns
outside a loop that moves the tensor, all of it passes again. Off-chip: the same with the loops outside the depth at which the
tensor alone would fit the L2. Edge chunks and sliding windows are left out to the low side. Open parts count as the best that
could be chosen.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, kernel
from mapsearch.model.cost import Count
from mapsearch.model.energy import energy_coefficients
from mapsearch.model.exact import machine as hw
from mapsearch.model.exact.machine import MACHINE
from mapsearch.model.exact.residency import moves
from mapsearch.model.exact.window import tile_words
from mapsearch.model.exact.work import DIMS, MAX_LEVELS
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer, Tensor

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bytes = NDArray[np.int8]

# Sums and products of some ten float64 are off by less.
ROUNDING = 1 - 1e-13


class Scratch(Protocol):
    """The fields of `SCRATCH`."""

    levels: int
    pes: int
    extents: Ints
    windows: Ints  # (a, b) of rows and of columns
    machine: Ints
    dims: Ints  # those with more than one index
    n_dims: int
    lacks: Ints  # those of them that W, I, O have no axis of
    n_lacks: Ints
    has: Ints  # 1 where a loop of the dim, once turned, makes a tensor's words new
    whole: Floats  # words of W, I, O
    chosen: int  # outer levels whose units, spatial dim and order are chosen
    known: Ints  # of those, the outer ones at which a dim's size is chosen too
    share: Ints  # units that a dim is shared out over at a level
    place: Ints  # of a dim in its level's order
    last: Ints  # (level * 8 + place) * 8 + dim of the innermost loop that moves W, I, O, or -1
    chunk: Ints  # of level 0, all units together, 1 where open
    words: Floats  # L2 -> L1 of W, I, O
    fills: Floats  # of the L1s
    offchip: Floats  # into the L2


SCRATCH = np.dtype(
    [
        ("levels", np.int64),
        ("pes", np.int64),
        ("extents", np.int64, (DIMS,)),
        ("windows", np.int64, (2, 2)),
        ("machine", np.int64, (MACHINE,)),
        ("dims", np.int64, (DIMS,)),
        ("n_dims", np.int64),
        ("lacks", np.int64, (3, DIMS)),
        ("n_lacks", np.int64, (3,)),
        ("has", np.int64, (3, DIMS)),
        ("whole", np.float64, (3,)),
        ("chosen", np.int64),
        ("known", np.int64, (DIMS,)),
        ("share", np.int64, (DIMS, MAX_LEVELS)),
        ("place", np.int64, (DIMS, MAX_LEVELS)),
        ("last", np.int64, (3,)),
        ("chunk", np.int64, (DIMS,)),
        ("words", np.float64, (3,)),
        ("fills", np.float64, (3,)),
        ("offchip", np.float64, (3,)),
    ],
    align=True,
)


def make_scratch(
    levels: int, pes: int, extents: tuple[int, ...], windows: Ints, machine: Ints, whole: tuple[int, ...]
) -> NDArray[np.uint8]:
    """The bytes of a SCRATCH for the mappings of one layer on one machine; whole: words of W, I, O."""
    buffer = np.zeros(SCRATCH.itemsize, np.uint8)
    scratch = buffer.view(SCRATCH)
    scratch["levels"], scratch["pes"], scratch["extents"], scratch["windows"] = levels, pes, extents, windows
    scratch["machine"], scratch["whole"] = machine, whole
    dims = [dim for dim in range(DIMS) if extents[dim] > 1]
    scratch["n_dims"] = len(dims)
    scratch["dims"][0, : len(dims)] = dims
    for tensor in range(3):
        lacks = [dim for dim in dims if not moves(tensor, dim)]
        scratch["n_lacks"][0, tensor] = len(lacks)
        scratch["lacks"][0, tensor, : len(lacks)] = lacks
    for dim in range(DIMS):
        axis = dim % 2
        slides = dim >= 4 and extents[6 + axis] > windows[axis, 0] and extents[4 + axis] > windows[axis, 1]
        scratch["has"][0, :, dim] = [moves(0, dim), moves(1, dim) and not slides, moves(2, dim)]
    scratch["chunk"] = 1
    return buffer


def energy_terms(layer: Layer, hardware: Hardware) -> Floats:
    """float64[4, 3]: pJ per word of W, I, O into the L1s; by multicast from L2 to L1; into the L2; and [3, 0] the rest, once."""
    coefficients = energy_coefficients(layer, hardware)
    per = coefficients.per_count_pj.sum(axis=0)
    multicast, reduction = hardware.noc.multicast, hardware.noc.reduction
    terms = np.zeros((4, 3))
    terms[0, :2] = per[[Count.L1_FILL_W, Count.L1_FILL_I]]
    terms[1 if multicast else 0, :2] += per[[Count.L2_TO_L1_W, Count.L2_TO_L1_I]]
    terms[1 if reduction else 0, 2] = per[Count.OUTPUT_WRITE] + per[Count.PSUM_READ if reduction else Count.L2_ADD_READ]
    terms[2] = per[[Count.OFFCHIP_READ_W, Count.OFFCHIP_READ_I, Count.OFFCHIP_READ_O]]
    terms[2, 2] += per[Count.OFFCHIP_WRITE]
    not_read = per[Count.PSUM_READ if reduction else Count.L2_ADD_READ] + per[Count.OFFCHIP_READ_O]  # outputs begin at zero
    terms[3, 0] = coefficients.constant_pj.sum() - layer.words(Tensor.OUTPUT) * not_read
    return terms


@inlined
def _read(w: Scratch, units: Ints, spatial: Bytes, order: Bytes, size: Ints, b: int) -> None:
    """Write what is chosen of mapping b: chosen, known, share, place, chunk, last."""
    w.chosen = 0
    while w.chosen < w.levels and units[b, w.chosen] > 0:
        for place in range(8):
            w.place[order[b, w.chosen, place], w.chosen] = place
        w.chosen += 1
    last_w = last_i = last_o = -1
    for i in range(w.n_dims):
        dim = w.dims[i]
        w.known[dim] = 0
        w.chunk[dim] = 1
        tile = w.extents[dim]
        for level in range(w.chosen):
            chunk = size[b, level, dim]
            if chunk == 0:
                break
            w.known[dim] = level + 1
            share = 1
            if spatial[b, level] == dim and chunk < tile:
                share = min(units[b, level], (tile + chunk - 1) // chunk)
            w.share[dim, level] = share
            step = chunk * share
            if level == 0:
                w.chunk[dim] = min(step, tile)
            loop = (level * 8 + w.place[dim, level]) * 8 + dim if step < tile else -1
            last_w = max(last_w, loop if w.has[0, dim] == 1 else -1)
            last_i = max(last_i, loop if w.has[1, dim] == 1 else -1)
            last_o = max(last_o, loop if w.has[2, dim] == 1 else -1)
            tile = chunk
    w.last[0], w.last[1], w.last[2] = last_w, last_i, last_o


@inlined
def _turns(w: Scratch, size: Ints, b: int, dim: int, levels: int) -> tuple[float, float]:
    """At least so many (turns of a dim's loops in its outer `levels` levels, the same counted at each active unit)."""
    tile = w.extents[dim]
    turns, full, chunks, whole = 1.0, 1.0, 1.0, 1.0
    for level in range(w.known[dim]):
        chunk, share = size[b, level, dim], w.share[dim, level]
        if chunk < tile:
            pieces = (tile + chunk - 1) // chunk
            if level < levels:
                trips = pieces if share == 1 else (pieces + share - 1) // share
                turns += full * (trips - 1)
                full *= trips if tile == trips * chunk * share else trips - 1
                chunks += whole * (pieces - 1)
                whole *= pieces if tile == pieces * chunk else pieces - 1
            else:
                chunks += whole * (share - 1)
                whole *= max(1, share - 1)
        tile = chunk
    return turns, chunks


@inlined
def _moving_part(w: Scratch, size: Ints, b: int, dim: int, level: int) -> float:
    """The least part of a dim's coordinates that stand in tiles over which its loop at a level iterates."""
    tile, part = w.extents[dim], 1.0
    for above in range(level):
        chunk = size[b, above, dim]
        if chunk < tile:
            step = chunk * w.share[dim, above]
            part *= (tile // step) * step / tile
        tile = chunk
    return part


@inlined
def _tensor_words(w: Scratch, size: Ints, b: int, tensor: int) -> None:
    """Write the least words and fills of a tensor."""
    last = w.last[tensor]
    level, place = (last // 64, last // 8 % 8) if last >= 0 else (-1, -1)
    turns, copies = 1.0, 1.0
    for i in range(w.n_lacks[tensor]):
        dim = w.lacks[tensor, i]
        if w.known[dim] > 0:
            passed = level + 1 if level >= 0 and w.place[dim, level] < place else level
            more, active = _turns(w, size, b, dim, passed)
            turns *= more
            copies *= active
    part = _moving_part(w, size, b, last % 8, level) if level > 0 else 1.0
    w.words[tensor] = w.whole[tensor] * (1.0 + part * (turns - 1.0))
    w.fills[tensor] = w.whole[tensor] * (1.0 + part * (copies - 1.0))


@inlined
def _offchip(w: Scratch, order: Bytes, b: int, tensor: int) -> None:
    """Write the least words of a tensor that come into the L2, had it the L2 for itself."""
    w.offchip[tensor] = w.whole[tensor]
    if w.chosen == 0 or w.whole[tensor] * w.machine[hw.BITS + tensor] <= 8.0 * w.machine[hw.L2_BYTES]:
        return
    kept = w.whole[tensor]  # at least so many words stay in the L2 while the loops so far stand still
    turns, passes = 1.0, 1.0
    room = 8.0 * w.machine[hw.L2_BYTES] / (w.machine[hw.BITS + tensor] * w.machine[hw.L2_DOUBLED])
    for place in range(8):
        dim = order[b, 0, place]
        chunk, extent = w.chunk[dim], w.extents[dim]
        if chunk >= extent:
            continue
        if w.known[dim] == 0:
            if moves(tensor, dim):
                break  # a size to come may make the tensor fit from here on
            continue
        if moves(tensor, dim):
            kept *= chunk / extent
            if w.has[tensor, dim] == 1:
                passes = turns
            if kept <= room:
                break
        else:
            turns *= (extent + chunk - 1) // chunk
    w.offchip[tensor] = w.whole[tensor] * passes


@inlined
def _unit0(w: Scratch, units: Ints, spatial: Bytes, size: Ints, b: int, dim: int) -> float:
    """The least sum over the steps of unit 0's chunk lengths of a dim, as far as it is chosen."""
    shared = False
    for level in range(w.chosen):
        shared = shared or spatial[b, level] == dim
    if not shared:
        return float(w.extents[dim])
    below = 1.0  # units that a tile may be shared out over further on
    deep = -1
    for level in range(w.chosen):
        if spatial[b, level] == dim:
            if level >= w.known[dim]:
                below *= units[b, level]
            elif w.share[dim, level] > 1:
                below *= w.share[dim, level]
                deep = level
    many, total, tile = 1.0, 0.0, w.extents[dim]
    for level in range(deep + 1):
        share, chunk = w.share[dim, level], size[b, level, dim]
        below /= share
        whole = tile // (share * chunk)
        rest = tile - whole * share * chunk
        if rest > 0:
            total += many * max(1.0, min(chunk, rest) / below)
        many *= whole
        tile = chunk
    return float(total + many * max(1.0, tile / below))


@inlined
def _runtime(w: Scratch, units: Ints, spatial: Bytes, size: Ints, b: int) -> float:
    """The least cycles, from the words in w."""
    machine = w.machine
    compute, open_units = 1.0 / machine[hw.SIMD], float(w.pes if w.chosen < w.levels else 1)
    for level in range(w.chosen if w.chosen < w.levels else 0):
        open_units /= units[b, level]
    for i in range(w.n_dims):
        compute *= _unit0(w, units, spatial, size, b, w.dims[i])
    compute /= max(1.0, open_units)
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
    traffic = w.offchip[0] * machine[hw.BITS] + w.offchip[1] * machine[hw.BITS + 1]
    traffic += (2.0 * w.offchip[2] - w.whole[2]) * machine[hw.BITS + 2]
    words_w, words_i, _ = tile_words(w.chunk, w.windows[0, 0], w.windows[0, 1], w.windows[1, 0], w.windows[1, 1])
    first = float(words_w) * machine[hw.BITS] + float(words_i) * machine[hw.BITS + 1]
    width = machine[hw.OFFCHIP_BITS]
    return float(machine[hw.OFFCHIP_LATENCY] + first / width + max(array, traffic / width))


@kernel
def bound_all(
    scratch: NDArray[np.uint8], units: Ints, spatial: Bytes, order: Bytes, size: Ints, terms: Floats, runtime: Floats,
    energy: Floats,
) -> None:  # fmt: skip
    """Write the least cycles and pJ of every mapping of a batch (arrays as in `MappingBatch`, open parts as in `BoundedModel`).

    terms: see `energy_terms`.
    """
    w = scratch.view(SCRATCH)[0]
    for b in range(units.shape[0]):
        _read(w, units, spatial, order, size, b)
        for tensor in range(3):
            _tensor_words(w, size, b, tensor)
            _offchip(w, order, b, tensor)
        runtime[b] = np.ceil(_runtime(w, units, spatial, size, b) * ROUNDING)
        total = terms[3, 0]
        for tensor in range(3):
            total += terms[0, tensor] * w.fills[tensor] + terms[1, tensor] * w.words[tensor] + terms[2, tensor] * w.offchip[tensor]
        energy[b] = total * ROUNDING
