"""A dataflow template: the structure of a mapping held fixed, its tile sizes left open."""

from __future__ import annotations

from dataclasses import dataclass

from mapsearch.model.errors import InputError
from mapsearch.model.layer import Dim, Layer, LayerType


@dataclass(frozen=True, slots=True)
class TemplateLevel:
    """One level: the dim of its SpatialMap, and its loop order, outermost first (dims left out stand innermost).

    In a depthwise layer C stands for the channels, as it does in directive text.
    """

    spatial: Dim
    order: tuple[Dim, ...]


@dataclass(frozen=True, slots=True)
class Dataflow:
    """A named template.

    clusters[i] is the size of the Cluster after level i: a number, a dim (its extent), or None (any that the PEs allow).
    """

    name: str
    title: str
    levels: tuple[TemplateLevel, ...]
    clusters: tuple[int | Dim | None, ...]

    def __post_init__(self) -> None:
        if len(self.levels) != len(self.clusters) + 1:
            raise InputError(
                f"dataflow {self.name}: {len(self.levels)} levels need {len(self.levels) - 1} clusters, got {len(self.clusters)}"
            )
        for index, level in enumerate(self.levels):
            if len(set(level.order)) != len(level.order):
                raise InputError(f"dataflow {self.name}, level {index}: a dim stands twice in the order; name each once")


def dim_in(layer: Layer, dim: Dim) -> Dim:
    """The dim that a template's dim means in a layer: C of a depthwise layer is its channels, G."""
    if layer.type is LayerType.DSCONV and dim is Dim.C:
        return Dim.G
    return dim


def order_in(layer: Layer, order: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """A template's loop order in a layer; a depthwise layer's channels stand where the template has C."""
    if layer.type is LayerType.DSCONV and Dim.C in order:
        return tuple(dim_in(layer, dim) for dim in order if dim is not Dim.G)
    return order
