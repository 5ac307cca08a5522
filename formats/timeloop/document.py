"""A layer's mapping as Timeloop's keys: the problem, the architecture and the mapping, one storage level for each place of a tile.

Storage is listed innermost first: L1, a level without storage for each Cluster whose members have loops of their own, a level
L2 for each depth at which the L2 keeps a tile, and DRAM. Units that never work are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import prod
from typing import Any

from mapsearch.formats.nest.counts import box_words
from mapsearch.formats.nest.loop_nest import LoopNest
from mapsearch.formats.timeloop.names import LETTERS, SPACES
from mapsearch.model.energy import mac_scale
from mapsearch.model.hardware import Buffer, Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.technology import BufferTechnology
from mapsearch.model.tensors import TOUCHES, Dim, Tensor

Factors = dict[Dim, tuple[int, int]]  # trips, and those in the last tile, of the loops of a level, outermost first
_FJ = 1000  # a whole number of femtojoules, as Timeloop takes no fraction for a MAC


@dataclass(frozen=True, slots=True)
class _Storage:
    """A storage level: its keys, the tensors that it keeps, and the loops between it and the level inside."""

    name: str
    instances: int
    keys: dict[str, Any]
    keeps: tuple[Tensor, ...] = ()
    temporal: Factors = field(default_factory=Factors)
    spatial: Factors = field(default_factory=Factors)


def levels_of(keys: dict[str, Any], tensor: Tensor) -> list[str]:
    """The storage levels that keep a tensor, innermost first: one in the L1s, one in the L2, and DRAM; keys: of a file."""
    rows = (row for row in keys["mapping"] if row["type"] == "datatype")
    return [row["target"] for row in rows if SPACES[tensor] in row["keep"]]


def _level_names(word: str, kept: Sequence[Sequence[Tensor]]) -> list[str]:
    """The names of levels that keep these tensors: `word` alone, or with the letters of its tensors where there are several."""
    return [word if len(kept) == 1 else f"{word}_{''.join(tensor.name[0] for tensor in tensors)}" for tensors in kept]


def _l2_tensors(hardware: Hardware, depths: Sequence[int]) -> list[tuple[Tensor, ...]]:
    """The tensors that each L2 level keeps, innermost first: those of one depth, or each alone where it has its own size."""
    by_depth = [tuple(tensor for tensor in Tensor if depths[tensor] == depth) for depth in sorted(set(depths), reverse=True)]
    return [part for tensors in by_depth for part in _alike(hardware, hardware.l2, tensors)]


def document(nest: LoopNest, hardware: Hardware, depths: Sequence[int]) -> dict[str, Any]:
    """The keys of a file; depths: those of the L2's tiles of W, I and O, as in `buffers.l2_depths`."""
    storage = list(_storage(nest, hardware, depths))
    mac = {"name": "MAC", "instances": nest.pes, "meshX": nest.pes, "word_bits": max(hardware.bits)}
    energy = round(hardware.technology.mac_pj * mac_scale(hardware) * _FJ)
    return {
        "problem": _problem(nest.mapped.layer),
        "arch": {"arithmetic": {**mac, "energy": energy}, "storage": [_keys(level) for level in storage]},
        "mapping": [*_kept(storage), *_loops(storage, hardware)],
    }


def _problem(layer: Layer) -> dict[str, Any]:
    windows = dict(zip(("SY", "SX", "DY", "DX"), (*layer.stride, *layer.dilation), strict=True))
    slides: list[list[list[str]]] = [[["R", "DY"], ["P", "SY"]], [["S", "DX"], ["Q", "SX"]]]
    spaces: dict[Tensor, list[list[list[str]]]] = {
        Tensor.WEIGHT: [[[letter]] for letter in "GKCRS"],
        Tensor.INPUT: [*([[letter]] for letter in "NGC"), *slides],
        Tensor.OUTPUT: [[[letter]] for letter in "NGKPQ"],
    }
    shape = {
        "name": str(layer.type),
        "dimensions": list(LETTERS.values()),
        "coefficients": [{"name": name, "default": 1} for name in windows],
        "data_spaces": [
            {"name": SPACES[tensor], "projection": spaces[tensor]} | ({"read_write": True} if tensor is Tensor.OUTPUT else {})
            for tensor in Tensor
        ],
    }
    return {"shape": shape, **{LETTERS[dim]: layer.extents[dim] for dim in LETTERS}, **windows}


def _storage(nest: LoopNest, hardware: Hardware, depths: Sequence[int]) -> Iterator[_Storage]:
    """The levels, innermost first."""
    technology, groups = hardware.technology, spatial_groups(nest)
    tile = dict(zip(Dim, zip(nest.tile, nest.last_tile, strict=True), strict=True))
    kept = _alike(hardware, hardware.l1, tuple(Tensor))
    for place, (name, tensors) in enumerate(zip(_level_names("L1", kept), kept, strict=True)):
        words = sum(_words(nest, tensor, nest.tile) for tensor in tensors)
        keys = _buffer(hardware, hardware.l1, technology.l1, tensors, words)
        yield _Storage(name, nest.pes, keys, tensors, tile if place == 0 else {})
    for group in reversed(groups[1:]):
        outer = prod(cut.units for cut in nest.spatial if cut.level < group[0])
        loops = {cut.dim: (cut.trips, cut.last_trips) for cut in nest.cuts if cut.level == group[0] and cut.loops}
        nothing = {"entries": 1, "word_bits": max(hardware.bits), "block_size": 1, "vector_access_energy": 0}
        yield _Storage(f"Cluster{group[0]}", outer, nothing, (), loops, _units(nest, group))
    tensors_of = _l2_tensors(hardware, depths)
    ends = [len(nest.outer), *(depths[tensors[0]] for tensors in tensors_of), 0]
    between = [{cut.dim: (cut.trips, cut.last_trips) for cut in nest.outer[low:high]} for high, low in pairwise(ends)]
    for place, (name, tensors) in enumerate(zip(_level_names("L2", tensors_of), tensors_of, strict=True)):
        words = sum(_words(nest, tensor, nest.footprint(depths[tensor])) for tensor in tensors)
        keys = _buffer(hardware, hardware.l2, technology.l2, tensors, words)
        yield _Storage(name, 1, keys, tensors, between[place], _units(nest, groups[0]) if place == 0 else {})
    energy = technology.offchip_pj_per_bit * max(hardware.bits) * _FJ
    keys = {"technology": "DRAM", "word_bits": max(hardware.bits), "block_size": 1, "vector_access_energy": _digits(energy)}
    yield _Storage("DRAM", 1, keys, tuple(Tensor), between[-1])


def spatial_groups(nest: LoopNest) -> list[range]:
    """The levels of the mapping whose units are one spatial loop: a Cluster without loops in time joins the level above.

    Timeloop sees what PEs share within one spatial loop alone.
    """
    groups = [range(1)]
    for level in range(1, len(nest.mapped.mapping.levels)):
        if any(cut.loops for cut in nest.cuts if cut.level == level):
            groups.append(range(level, level + 1))
        else:
            groups[-1] = range(groups[-1].start, level + 1)
    return groups


def _units(nest: LoopNest, group: range) -> Factors:
    found: Factors = {}
    for cut in (cut for cut in nest.spatial if cut.level in group):
        units = found.get(cut.dim, (1, 1))[0] * cut.units
        found[cut.dim] = units, units
    return found


def _alike(hardware: Hardware, buffer: Buffer, tensors: tuple[Tensor, ...]) -> list[tuple[Tensor, ...]]:
    """The tensors together, or each alone where their words have several widths or one has a part of the buffer."""
    if len(set(hardware.bits)) == 1 and not any(buffer.parts):
        return [tensors]
    return [(tensor,) for tensor in reversed(tensors)]


def _words(nest: LoopNest, tensor: Tensor, lengths: Sequence[int]) -> int:
    """The words of a tensor that Timeloop keeps of a tile: of the input, all in the box around it."""
    if tensor is Tensor.INPUT:
        return box_words(nest.mapped.layer, lengths)
    return prod(lengths[dim] for dim in Dim if TOUCHES[tensor, dim])


def _buffer(
    hardware: Hardware, buffer: Buffer, technology: BufferTechnology, tensors: Sequence[Tensor], words: int
) -> dict[str, Any]:
    """The keys of a level; it has at least room for `words`, as boxes may need more than our tiles."""
    room, bits = buffer.room(tensors[0]), hardware.bits[tensors[0]]
    access_pj = (technology.read_pj.at(room.bytes) + technology.write_pj.at(room.bytes)) / 2
    energy = _digits(access_pj / technology.access_bits * bits * _FJ)
    return {"entries": max(room.bytes * 8 // bits, words), "word_bits": bits, "block_size": 1, "vector_access_energy": energy}


def _digits(energy: float) -> float:
    return float(f"{energy:.6g}")


def _keys(level: _Storage) -> dict[str, Any]:
    mesh = {"meshX": level.instances} if level.instances > 1 else {}
    return {"name": level.name, "instances": level.instances, **mesh, **level.keys}


def _kept(storage: Sequence[_Storage]) -> Iterator[dict[str, Any]]:
    for level in storage:
        keep = [SPACES[tensor] for tensor in level.keeps]
        bypass = [SPACES[tensor] for tensor in Tensor if tensor not in level.keeps]
        yield {"target": level.name, "type": "datatype", "keep": keep, "bypass": bypass}


def _loops(storage: Sequence[_Storage], hardware: Hardware) -> Iterator[dict[str, Any]]:
    alone = [
        *([] if hardware.noc.multicast else [SPACES[Tensor.WEIGHT], SPACES[Tensor.INPUT]]),
        *([] if hardware.noc.reduction else [SPACES[Tensor.OUTPUT]]),
    ]
    for inner, level in zip([None, *storage], storage, strict=False):
        if inner is not None and inner.instances > level.instances:
            reuse = {"no_reuse": alone} if alone else {}
            yield {"target": level.name, "type": "spatial", **_factors(level.spatial), "split": len(LETTERS), **reuse}
        yield {"target": level.name, "type": "temporal", **_factors(level.temporal)}


def _factors(factors: Factors) -> dict[str, str]:
    """Trips and, after a comma, those in the last tile; the permutation names the innermost loop first."""
    pairs = {dim: factors.get(dim, (1, 1)) for dim in LETTERS}
    told = (f"{LETTERS[dim]}={full}" + (f",{last}" if last != full else "") for dim, (full, last) in pairs.items())
    order = [*reversed(factors), *(dim for dim in LETTERS if dim not in factors)]
    return {"factors": " ".join(told), "permutation": "".join(LETTERS[dim] for dim in order)}
