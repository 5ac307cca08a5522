"""A mapping as AccelForge's nodes: loops, and the places where buffers keep tensors.

AccelForge wants the nodes of the L2 first, then all spatial loops, then those of the L1. A spatial loop may stand before loops
over time that are outside of it in ours: AccelForge knows no overlap of tiles, so how chunks are handed out makes no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mapsearch.formats.nest.loop_nest import Cut, LoopNest
from mapsearch.model.hardware import Buffer, Hardware
from mapsearch.model.tensors import TOUCHES, Dim, Tensor

# AccelForge's names of our tensors, and its variables of our dims.
TENSORS = ("Weights", "Inputs", "Outputs")
VARIABLES = dict(zip(Dim, "gnkcrspq", strict=True))


def memory(level: str, buffer: Buffer, tensor: Tensor) -> str:
    """The name of the memory that keeps a tensor: that of the level, unless the tensor has a part of its own there."""
    return level if buffer.parts[tensor] is None else f"{level}_{TENSORS[tensor]}"


def mapping_nodes(nest: LoopNest, hardware: Hardware, depths: Sequence[int]) -> Iterator[str]:
    """The nodes, outermost first; depths: of the L2's tiles. Raises MappingError where AccelForge would fetch a tensor anew."""
    head = nest.outer[: max(depths)]
    rest = [cut for cut in nest.cuts if cut.loops and cut not in head]
    _check_stays(nest, head, rest)
    tile = list(nest.mapped.layer.extents)

    def loop(kind: str, cut: Cut, parts: int, more: str = "") -> str:
        tile[cut.dim] //= parts
        return f"!{kind} {{rank_variable: {VARIABLES[cut.dim]}, tile_shape: {tile[cut.dim]}{more}}}"

    def stored(level: str, buffer: Buffer, places: Sequence[int], place: int) -> Iterator[str]:
        for tensor in (tensor for tensor in Tensor if places[tensor] == place):
            yield f"!Storage {{component: {memory(level, buffer, tensor)}, tensors: [{TENSORS[tensor]}]}}"

    yield f"!Storage {{component: DRAM, tensors: [{', '.join(TENSORS)}]}}"
    yield from stored("L2", hardware.l2, depths, 0)
    for place, cut in enumerate(head, start=1):
        yield loop("Temporal", cut, cut.trips)
        yield from stored("L2", hardware.l2, depths, place)
    for cut in nest.spatial:
        yield loop("Spatial", cut, cut.units, f", name: units, component: Level{cut.level}")
    places = [_last_moving(rest, tensor) for tensor in Tensor]
    yield from stored("L1", hardware.l1, places, 0)
    for place, cut in enumerate(rest, start=1):
        yield loop("Temporal", cut, cut.trips)
        yield from stored("L1", hardware.l1, places, place)
    for dim in Dim:
        if tile[dim] > 1:
            yield f"!Temporal {{rank_variable: {VARIABLES[dim]}, tile_shape: 1}}"
    yield "!Compute {einsum: layer, component: MAC}"


def _last_moving(loops: Sequence[Cut], tensor: Tensor) -> int:
    """Behind how many of these loops the last one that moves a tensor stands; 0 where none does."""
    return max((place for place, cut in enumerate(loops, start=1) if TOUCHES[tensor, cut.dim]), default=0)


def _check_stays(nest: LoopNest, head: Sequence[Cut], rest: Sequence[Cut]) -> None:
    """Refuse a tensor that stays in the L1s while a loop outside of the L2's innermost node moves on."""
    for tensor in Tensor:
        still = head[_last_moving(head, tensor) :]
        if still and not _last_moving(rest, tensor):
            raise nest.mapped.refusal(
                f"AccelForge cannot express that L1s keep {tensor.label}s over {still[0].text}: it would fetch them in each trip"
            )
