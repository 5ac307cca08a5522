"""A space as kernels take it: one record for all data of fixed size, and the lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import permutations
from typing import Annotated, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.hardware import Array, rows_and_columns
from mapsearch.model.records import Ints, Machine, machine_record, record
from mapsearch.model.sparsity import Level, Pattern
from mapsearch.model.tensors import TOUCHES, Dim, Tensor
from mapsearch.model.windows import window_phases
from mapsearch.model.word_bits import bytes_of_tensors, room_bits
from mapsearch.spaces.mappings.choices import Choices
from mapsearch.spaces.mappings.orders import Inside, interchangeable, is_fixed
from mapsearch.spaces.mappings.rules import MAX_LEVELS

DIMS = len(Dim)
# The dims of rows and of columns.
_MIRROR = {Dim.R: Dim.S, Dim.S: Dim.R, Dim.Y: Dim.X, Dim.X: Dim.Y}


class SpaceRecord(Protocol):
    """The choices of a space, and the machine that mappings must fit; sets of dims are bits."""

    extents: Annotated[Ints, DIMS]  # of the layer
    windows: Annotated[Ints, 2, 2]  # see `windows`
    whole_bytes: Annotated[Ints, 3]  # of all of W, I, O
    machine: Machine
    l1_dims: Annotated[Ints, 3]  # the dims on which the need of each room depends
    l2_dims: Annotated[Ints, 3]
    sides: Annotated[Ints, 2]  # along which units lie, see `rows_and_columns`
    dividing: bool  # whether all PEs must be in use
    even: bool  # whether a spatial loop must use equally many units in each round
    rule: int  # a `TileRule`
    least: Annotated[Ints, MAX_LEVELS, DIMS]  # see `Bounds`
    most: Annotated[Ints, MAX_LEVELS, DIMS]
    n_dims: int
    dims: Annotated[Ints, DIMS]  # the dims that may be reordered and shared out
    tiled: int  # the same dims
    inside: Annotated[Ints, MAX_LEVELS, DIMS]  # for each dim's loop, the dims that must stand inside it
    follows: Annotated[Ints, MAX_LEVELS, DIMS]  # for each dim's loop, the dims that may stand next inside it
    shared: Annotated[Ints, MAX_LEVELS]  # the dims that may be shared out
    n_clusters: Annotated[Ints, MAX_LEVELS]  # how many sizes the Cluster above a level may have
    may_reorder: Annotated[Ints, MAX_LEVELS]  # 1 where a level's order may change
    may_share: Annotated[Ints, MAX_LEVELS]  # likewise its spatial dim
    may_resize: bool  # whether some Cluster may change
    mirrored: bool  # whether rows and columns are alike, so that a mapping with the two exchanged is one that costs the same
    fuses: bool  # whether units of two levels may be those of one: no array of rows and columns, and not all PEs must be in use


SPACE = record(SpaceRecord)


class CompiledSpace(NamedTuple):
    """record: the bytes of a SPACE; listed: see `Bounds`; clusters: [levels, n], sizes of the Cluster above a level, ascending."""

    record: NDArray[np.uint8]
    listed: Ints
    clusters: Ints


def compiled_space(choices: Choices, rule: int) -> CompiledSpace:
    """The space of these choices whose tile sizes follow the rule, a `TileRule`."""
    layer, hardware, bounds, levels, dims = choices.layer, choices.hardware, choices.bounds, choices.levels, choices.dims
    sizes: Sequence[tuple[int, ...]] = ((), *choices.cluster_sizes)
    buffer = np.zeros(SPACE.itemsize, np.uint8)
    s: Any = buffer.view(SPACE)[0]
    s["extents"], s["windows"], s["machine"] = layer.extents, window_phases(layer), machine_record(layer, hardware)
    s["whole_bytes"] = bytes_of_tensors(layer, room_bits(layer, hardware, Level.L2))
    for rooms, needed in ((s["machine"]["l1"], s["l1_dims"]), (s["machine"]["l2"], s["l2_dims"])):
        for tensor in Tensor:
            if rooms["copies"][tensor] > 0:
                needed[rooms["of"][tensor]] |= _bits(dim for dim in Dim if TOUCHES[tensor, dim])
    s["sides"], s["rule"] = rows_and_columns(hardware.shape), rule
    s["dividing"], s["even"] = choices.restriction.dividing, choices.restriction.even
    s["least"][:levels], s["most"][:levels] = bounds.least, bounds.most
    s["n_dims"], s["dims"][: len(dims)] = len(dims), dims
    s["tiled"], s["inside"][:levels] = _bits(dims), choices.inside
    s["follows"] = _bits(Dim)
    for one, other in permutations(dims, 2):
        if one > other and interchangeable(layer, one, other):  # only one of the orders that cost the same
            s["follows"][:levels, one] &= [~(1 << other) | inside[one] & 1 << other for inside in choices.inside]
    s["shared"][:levels] = [_bits(shared) for shared in choices.spatial]
    s["n_clusters"][:levels] = [len(each) for each in sizes]
    s["may_reorder"][:levels] = [not is_fixed(dims, inside) for inside in choices.inside]
    s["may_share"][:levels] = [len(shared) > 1 for shared in choices.spatial]
    s["may_resize"] = any(len(each) > 1 for each in sizes)
    s["mirrored"] = _is_mirrored(choices)
    s["fuses"] = not (isinstance(hardware.shape, Array) or choices.restriction.dividing)
    clusters = np.zeros((levels, max(len(each) for each in sizes)), np.int64)
    for level, each in enumerate(sizes):
        clusters[level, : len(each)] = each
    return CompiledSpace(buffer, bounds.listed, clusters)


def _is_mirrored(choices: Choices) -> bool:
    """Whether all that a mapping's costs and choices depend on stays when rows and columns are exchanged."""
    layer, bounds, run = choices.layer, choices.bounds, choices.hardware.run
    named = [] if run is None else [run.dim]
    named += [each.along for each in layer.sparsity if isinstance(each, Pattern)]
    if any(dim in _MIRROR for dim in named):
        return False
    alike = all(one == other for one, other in (layer.stride, layer.dilation))
    for one, other in _MIRROR.items():
        alike &= layer.extents[one] == layer.extents[other]
        alike &= all(np.array_equal(each[:, one], each[:, other]) for each in bounds)
        alike &= all((one in shared) == (other in shared) for shared in choices.spatial)
    return alike and not any(_exchanged(inside) != inside for inside in choices.inside)


def _exchanged(inside: Inside) -> Inside:
    """The order constraints with rows and columns exchanged."""
    held = {dim: _bits(_MIRROR.get(each, each) for each in Dim if inside[dim] >> each & 1) for dim in Dim}
    return tuple(held[_MIRROR.get(dim, dim)] for dim in Dim)


def _bits(dims: Iterable[Dim]) -> int:
    return sum(1 << dim for dim in dims)
