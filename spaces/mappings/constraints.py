"""Constraints: choices of a mapping that a machine fixes or bounds, level by level. A dataflow template is one case of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from mapsearch.model.errors import InputError
from mapsearch.model.layer import MAX_EXTENT, Layer, LayerType
from mapsearch.model.tensors import Dim


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes from `least` to `most` or, where `listed` is not empty, just those; a size above the tile means all of it.

    Of a range, both ends may be chosen, and between them the sizes of the tile rule. A fixed size is a range of one.
    """

    least: int = 1
    most: int = MAX_EXTENT
    listed: tuple[int, ...] = ()

    @classmethod
    def of(cls, *sizes: int) -> Sizes:
        """Just these sizes, one or more."""
        listed = tuple(sorted(set(sizes)))
        return cls(listed[0], listed[-1], listed if len(listed) > 1 else ())

    @property
    def text(self) -> str:
        """The sizes as a file states them."""
        if self.listed:
            return str(list(self.listed))
        if self.least == self.most:
            return "whole" if self == WHOLE else str(self.least)
        ends = [f"min: {self.least}"] if self.least > 1 else []
        ends += [f"max: {self.most}"] if self.most < MAX_EXTENT else []
        return f"{{{', '.join(ends)}}}"


WHOLE, ONE = Sizes(MAX_EXTENT, MAX_EXTENT), Sizes(1, 1)


@dataclass(frozen=True, slots=True)
class LevelConstraints:
    """The constraints of one level; empty or None is free. In a depthwise layer C means the channels, as in directive text.

    order: the relative order of loops, outermost first; None (at most once) stands for all loops that are not named, which without
    it may stand anywhere. spatial: the dims of which one is shared out. tiles: the sizes of each dim's tile.
    cluster: the sizes of the Cluster after the level, or a dim (its extent).
    """

    order: tuple[Dim | None, ...] = ()
    spatial: tuple[Dim, ...] = ()
    tiles: tuple[tuple[Dim, Sizes], ...] = ()
    cluster: Sizes | Dim | None = None

    def __post_init__(self) -> None:
        for what, dims in (("order", self.order), ("spatial", self.spatial), ("tiles", tuple(dim for dim, _ in self.tiles))):
            for place, dim in enumerate(dims):
                if dim in dims[:place]:
                    raise InputError(f"{what}: {'...' if dim is None else dim.label} stands twice; name each once")


@dataclass(frozen=True, slots=True)
class Part:
    """One single constraint. key: spatial, tiles or cluster; dim: of a tile; text: the constraint as errors show it."""

    level: int
    key: str
    dim: Dim | None
    text: str


@dataclass(frozen=True, slots=True)
class Constraints:
    """The constraints of the levels, outermost first; further levels are free.

    where: their name in errors, a file's path or a shipped name.
    """

    name: str = ""
    title: str = ""
    levels: tuple[LevelConstraints, ...] = ()
    where: str = field(default="constraints", compare=False)

    def level(self, index: int) -> LevelConstraints:
        """The constraints of a level."""
        return self.levels[index] if index < len(self.levels) else _FREE

    def check_levels(self, levels: int) -> None:
        """Raise InputError unless mappings of `levels` levels have every level and Cluster that is constrained."""
        if len(self.levels) > levels:
            more = len(self.levels)
            raise InputError(f"{self.where}: has {more} levels, more than the {levels} of the mappings; use --levels {more}")
        if self.level(levels - 1).cluster is not None:
            raise InputError(
                f"{self.where}: level {levels - 1}: cluster: the mappings have {levels} levels, and no Cluster stands after the "
                "last; remove it or use more levels"
            )

    def parts(self) -> Iterator[Part]:
        """The single constraints, except orders, which never keep a mapping from fitting."""
        for index, level in enumerate(self.levels):
            if level.spatial:
                yield Part(index, "spatial", None, f"level {index}, spatial: {' or '.join(dim.label for dim in level.spatial)}")
            for dim, sizes in level.tiles:
                yield Part(index, "tiles", dim, f"level {index}, tiles: {dim.label}: {sizes.text}")
            if level.cluster is not None:
                size = level.cluster.label if isinstance(level.cluster, Dim) else level.cluster.text
                yield Part(index, "cluster", None, f"level {index}, cluster: {size}")

    def without(self, part: Part) -> Constraints:
        """The constraints less one part."""
        level = self.levels[part.level]
        match part.key:
            case "spatial":
                level = replace(level, spatial=())
            case "tiles":
                level = replace(level, tiles=tuple(tile for tile in level.tiles if tile[0] is not part.dim))
            case _:
                level = replace(level, cluster=None)
        return replace(self, levels=(*self.levels[: part.level], level, *self.levels[part.level + 1 :]))


_FREE = LevelConstraints()


def dim_in(layer: Layer, dim: Dim) -> Dim:
    """The dim that a constraint's dim means in a layer: C of a depthwise layer is its channels, G."""
    return Dim.G if layer.type is LayerType.DSCONV and dim is Dim.C else dim


def dims_in(layer: Layer, dims: tuple[Dim | None, ...]) -> tuple[Dim | None, ...]:
    """The dims that a constraint's dims mean in a layer; a depthwise layer's channels stand where C is, not where G is."""
    void = _void(layer, dims)
    return tuple(None if dim is None else dim_in(layer, dim) for dim in dims if dim is None or dim is not void)


def tiles_in(layer: Layer, level: LevelConstraints) -> dict[Dim, Sizes]:
    """The sizes of a level's tiles by the dims that they mean in a layer."""
    void = _void(layer, tuple(dim for dim, _ in level.tiles))
    return {dim_in(layer, dim): sizes for dim, sizes in level.tiles if dim is not void}


def _void(layer: Layer, dims: tuple[Dim | None, ...]) -> Dim | None:
    return Dim.G if layer.type is LayerType.DSCONV and Dim.C in dims else None
