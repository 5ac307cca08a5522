"""What a sweep will do, worked out before it begins: its pairs of dataflow and layer, its parts, its time and size at the most."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import version
from math import prod
from pathlib import Path
from typing import Any

from mapsearch.model.directives import MappedLayer, Network, print_network
from mapsearch.model.errors import InputError
from mapsearch.model.exact.tables import Grid
from mapsearch.model.mapping import Mapping
from mapsearch.search.design_sweep import Stretch, share_allowed
from mapsearch.spaces.hardware_grid import HardwareGrid
from mapsearch.spaces.hardware_space import HardwareSpace
from mapsearch.spaces.variants import ResizedVariants, Variants, mappings_as_they_are, template_variants
from mapsearch.studies.dataflows import load_dataflow
from mapsearch.studies.design_files import BYTES_PER_DESIGN
from mapsearch.studies.hardware_files import hardware_space_to_dict, load_hardware_space
from mapsearch.studies.run_folder import in_file_name
from mapsearch.studies.sweep_files import Dataflow, Study
from mapsearch.studies.warm_start import known_of, load_known

# Designs of a part, unless there would be more parts than these.
PART = 2**24
PARTS = 2000
# Of one mapping on one L1: what the kernel gathers before it looks up.
MOST_AT_ONCE = 2**24
# About what one core does in a second: designs of machines within the limits costed and saved, and mappings made and counted.
DESIGNS_PER_SECOND = 1e6
MAPPINGS_PER_SECOND = 2e4
# Values of an axis that are looked at to tell how many machines are within the limits.
_LOOKED_AT = 24


@dataclass(frozen=True, slots=True)
class Pair:
    """A dataflow on a layer."""

    dataflow: str
    variants: Variants

    @property
    def names(self) -> dict[str, str]:
        """What designs are labelled with."""
        return {"dataflow": self.dataflow, "layer": self.variants.layer.name}

    def file_name(self, number: int) -> str:
        """Of the file of its mappings."""
        return in_file_name(f"{number:02d}_{self.dataflow}_{self.variants.layer.name}") + ".m"


@dataclass(frozen=True, slots=True)
class Part:
    """What is costed and saved together."""

    number: int
    pair: int
    stretch: Stretch


@dataclass(frozen=True, slots=True)
class Estimate:
    """At the most, as if every machine within the limits held every mapping: designs to cost, seconds, bytes to save."""

    designs: float
    seconds: float
    bytes: float

    @property
    def text(self) -> str:
        """Time and size."""
        return f"about {_duration(self.seconds)} and {_size(self.bytes)} at the most"


@dataclass(frozen=True)
class Plan:
    """A sweep whose inputs are read and checked; raises InputError where they break a law."""

    study: Study

    @cached_property
    def space(self) -> HardwareSpace:
        """The machines."""
        return load_hardware_space(self.study.hardware)

    @cached_property
    def grid(self) -> HardwareGrid:
        """The same as a grid; InputError where its inner axes are too long."""
        grid = HardwareGrid(self.space)
        inner = prod(grid.grid.shape[1:])
        if inner > MOST_AT_ONCE:
            raise InputError(
                f"hardware {self.space.name}: l2.bytes, noc.bytes_per_cycle and offchip.bytes_per_cycle together must have at most "
                f"{MOST_AT_ONCE:,} values, got {inner:,}; take larger steps"
            )
        return grid

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Each dataflow on each layer that it has mappings of."""
        found = tuple(pair for dataflow in self.study.dataflows for pair in self._pairs_of(dataflow))
        names = [(pair.dataflow, pair.variants.layer.name) for pair in found]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise InputError(f"sweep {self.study.name}: dataflow {twice[0]} stands twice; name each once")
        return found

    def _pairs_of(self, dataflow: Dataflow) -> Iterator[Pair]:
        layers, largest = self.study.layers, self.space.largest
        if dataflow.kind == "dataflow":
            template = load_dataflow(dataflow.source)
            for layer in layers:
                yield Pair(dataflow.name, template_variants(layer, largest, template, dict(dataflow.tiles), dataflow.clusters))
            return
        known = load_known(Path(dataflow.source))
        mapped = {layer: known_of(layer, known) for layer in layers}
        if not any(mapped.values()):
            raise InputError(f"{dataflow.source}: must hold a mapping of one of the sweep's layers, got none")
        for layer, mappings in mapped.items():
            if mappings and dataflow.kind == "mappings":
                yield Pair(dataflow.name, mappings_as_they_are(layer, mappings))
            elif mappings:
                yield Pair(dataflow.name, ResizedVariants(layer, tuple(mappings), largest))

    @property
    def designs(self) -> int:
        """How many there are."""
        return self.space.size * sum(pair.variants.count for pair in self.pairs)

    @property
    def estimate(self) -> Estimate:
        """What the sweep may take."""
        grid = self.grid.grid
        thinned = Grid(*(_thinned(values) for values in (grid.l1, grid.l2, grid.noc, grid.offchip)))
        share = share_allowed(self.space.base, _thinned(self.grid.pes), thinned, self.space.limits)
        designs = self.designs * share
        mappings = self.designs / prod(grid.shape) * share
        seconds = designs / DESIGNS_PER_SECOND + mappings / MAPPINGS_PER_SECOND
        return Estimate(designs, seconds, designs * BYTES_PER_DESIGN)

    @property
    def parts(self) -> Iterator[Part]:
        """All of the sweep, in the order in which it is done."""
        number = 0
        for place, pair in enumerate(self.pairs):
            of_one = pair.variants.count * prod(self.grid.grid.shape)
            many = max(1, max(PART, self.designs // PARTS) // of_one)
            for setting, (_, hardware) in enumerate(self.grid.settings):
                for start in range(0, len(self.grid.pes), many):
                    pes = self.grid.pes[start : start + many]
                    yield Part(number, place, Stretch(pair.variants, setting, hardware, pes, self.grid.grid, self.space.limits))
                    number += 1

    @property
    def record(self) -> dict[str, Any]:
        """The sweep as plain data: versions and all that another needs to repeat it."""
        packages = ("mapsearch", "numpy", "numba", "pyarrow", "matplotlib")
        data = {
            "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
            "sweep": {
                "name": self.study.name,
                "hardware": hardware_space_to_dict(self.space),
                "layers": {"set": self.study.layer_set, "names": list(self.study.names)},
                "dataflows": [dataflow.to_dict() for dataflow in self.study.dataflows],
            },
            "layers": [asdict(layer) for layer in self.study.layers],
            "mappings": [
                {**pair.names, "mappings": pair.variants.count, "sha256": _digest(self.variants_text(pair))} for pair in self.pairs
            ],
            "designs": self.designs,
        }
        as_read_back: dict[str, Any] = json.loads(json.dumps(data))
        return as_read_back

    def mapping(self, pair: Pair, pes: int, variant: int) -> Mapping:
        """A variant on so many PEs."""
        batch, chosen = pair.variants.on(pes)
        return batch.decode(chosen.tolist().index(variant), pair.variants.layer)

    def variants_text(self, pair: Pair) -> str:
        """The variants that the most PEs can hold, as one network: the layer once for each, with its number in the name."""
        batch, chosen = pair.variants.on(self.grid.pes[-1])
        layer = pair.variants.layer
        rows = [
            MappedLayer(replace(layer, name=f"{layer.name}_{number}"), batch.decode(row, layer))
            for row, number in enumerate(chosen.tolist())
        ]
        return print_network(Network(pair.dataflow, tuple(rows)))


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def _size(number: float) -> str:
    return f"{number / 1e6:,.2g} MB" if number < 1e9 else f"{number / 1e9:,.4g} GB"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _thinned(values: tuple[int, ...]) -> tuple[int, ...]:
    """At most some of them, evenly spread."""
    count = min(len(values), _LOOKED_AT)
    return tuple(values[(2 * place + 1) * len(values) // (2 * count)] for place in range(count))
