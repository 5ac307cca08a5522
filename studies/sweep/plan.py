"""The plan of a sweep before it begins: its pairs of dataflow and layer, its parts, and upper limits on time and size."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from itertools import chain, count
from math import ceil, prod
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mapsearch.formats.directives import MappedLayer, Network, print_network
from mapsearch.formats.seeds import load_seeds, seeds_of
from mapsearch.formats.yaml.dataflows import load_dataflow
from mapsearch.formats.yaml.hardware import hardware_space_to_dict, load_hardware_space
from mapsearch.formats.yaml.sweeps import Dataflow, Study
from mapsearch.model.errors import InputError
from mapsearch.model.exact import Grid, check_limits, limiting
from mapsearch.model.hardware import Width
from mapsearch.model.mapping import Mapping
from mapsearch.search.designs.sweep import share_allowed
from mapsearch.search.designs.walk import fields_of
from mapsearch.spaces.machines.grid import HardwareGrid
from mapsearch.spaces.machines.space import HardwareSpace
from mapsearch.spaces.mappings.sweep_variants import ResizedVariants, mappings_as_they_are, template_variants
from mapsearch.studies.shown import about_text
from mapsearch.studies.sweep.parquet import BYTES_PER_DESIGN, Columns
from mapsearch.studies.sweep.parts import Pair, Parts, PartTasks

# The most designs of one mapping with one L1: the kernel writes them before it returns.
MOST_AT_ONCE = 2**24
# Rough rates of one core, per second: designs of machines within the limits costed and saved, and mappings made and counted.
DESIGNS_PER_SECOND = 1e6
MAPPINGS_PER_SECOND = 2e4
# The overhead of each part: seconds to write its file, and bytes of the file that are no designs.
PART_SECONDS, PART_BYTES = 0.02, 30_000
# Values of an axis that are sampled to estimate how many machines are within the limits.
_LOOKED_AT = 24
_Value = TypeVar("_Value", int, Width)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Upper limits, as if every machine within the limits held every mapping: designs to cost, seconds, bytes to save."""

    designs: float
    seconds: float
    bytes: float

    @property
    def text(self) -> str:
        """Time and size."""
        return f"{about_text(self.seconds)} of one core and {_size(self.bytes)} at the most"


@dataclass(frozen=True)
class SweepPlan:
    """A sweep whose inputs are read and checked; raises InputError where they break a law."""

    study: Study

    @cached_property
    def space(self) -> HardwareSpace:
        """The machines."""
        return load_hardware_space(self.study.hardware)

    @cached_property
    def grid(self) -> HardwareGrid:
        """The machines as a grid; InputError where its inner axes are too long."""
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
        """Each dataflow with each layer that it has mappings for."""
        labelled = zip(self._labels, self.study.dataflows, strict=True)
        found = tuple(pair for label, dataflow in labelled for pair in self._pairs_of(label, dataflow))
        for pair in found:
            check_limits(pair.variants.layer, limiting(self.space.largest, self.grid.grid), pair.variants.levels)
        return found

    @cached_property
    def _labels(self) -> tuple[str, ...]:
        """The dataflows' names; of several with one name, which differ in files or sizes, all but the first get a number."""
        dataflows = self.study.dataflows
        twice = next((each for each in dataflows if dataflows.count(each) > 1), None)
        if twice is not None:
            raise InputError(f"sweep {self.study.name}: dataflow {twice.name} stands twice; name each once")
        labels: list[str] = []
        for each in dataflows:
            numbered = (f"{each.name}_{number}" for number in count(2))
            labels.append(next(label for label in chain([each.name], numbered) if label not in labels))
        return tuple(labels)

    def _pairs_of(self, label: str, dataflow: Dataflow) -> Iterator[Pair]:
        layers, largest = self.study.layers, self.space.largest
        if dataflow.kind == "dataflow":
            template = load_dataflow(dataflow.source)
            for layer in layers:
                yield Pair(label, template_variants(layer, largest, template, dict(dataflow.tiles), dataflow.clusters))
            return
        known = load_seeds(Path(dataflow.source))
        mapped = {layer: tuple(dict.fromkeys(seeds_of(layer, known))) for layer in layers}  # a run has some in several files
        if not any(mapped.values()):
            raise InputError(f"{dataflow.source}: must hold a mapping of one of the sweep's layers, got none")
        for layer, mappings in mapped.items():
            if mappings and dataflow.kind == "mappings":
                yield Pair(label, mappings_as_they_are(layer, mappings))
            elif mappings:
                yield Pair(label, ResizedVariants(layer, mappings, largest))

    @property
    def fields(self) -> dict[str, np.dtype[Any]]:
        """The fields of DESIGN that tell something of these machines, and their types as results have them."""
        return fields_of(fpga=self.space.base.fpga is not None, fractions=self.grid.has_fractions)

    @property
    def designs(self) -> int:
        """The number of designs."""
        return self.space.size * sum(pair.variants.count for pair in self.pairs)

    @property
    def estimate(self) -> Estimate:
        """The limits of the sweep's time and size."""
        grid = self.grid.grid
        thinned = Grid(_thinned(grid.l1), _thinned(grid.l2), _thinned(grid.noc), _thinned(grid.offchip))
        share = share_allowed(self.space.base, _thinned(self.grid.pes), thinned, self.space.limits)
        designs = ceil(self.designs * share)
        mappings = self.designs / prod(grid.shape) * share
        parts = len(self.parts)
        seconds = designs / DESIGNS_PER_SECOND + mappings / MAPPINGS_PER_SECOND + parts * PART_SECONDS
        return Estimate(designs, seconds, designs * BYTES_PER_DESIGN + parts * PART_BYTES)

    @cached_property
    def parts(self) -> Parts:
        """The parts of the sweep."""
        return Parts(self.grid, self.space.limits, self.pairs)

    def tasks(self, numbers: Sequence[int]) -> PartTasks:
        """The jobs of these parts."""
        values = [values for values, _ in self.grid.settings]
        return PartTasks(self.parts, numbers, self.pairs, Columns(self.grid.keys, values, self.fields))

    @property
    def record(self) -> dict[str, Any]:
        """The sweep as plain data: versions, and everything that is needed to repeat it."""
        packages = ("mapsearch", "numpy", "numba", "pyarrow", "matplotlib")
        data = {
            "versions": {"python": platform.python_version(), **{name: version(name) for name in packages if find_spec(name)}},
            "sweep": {
                "name": self.study.name,
                "hardware": hardware_space_to_dict(self.space),
                "layers": {
                    "set": self.study.network.layer_set,
                    "names": list(self.study.network.names),
                    **({"choices": list(self.study.network.choices)} if self.study.network.choices else {}),
                },
                "dataflows": [dataflow.to_dict() for dataflow in self.study.dataflows],
            },
            "layers": [layer.to_dict() for layer in self.study.layers],
            "mappings": [
                {**pair.names, "mappings": pair.variants.count, "sha256": _digest(text)}
                for pair, text in zip(self.pairs, self.texts, strict=True)
            ],
            "designs": self.designs,
        }
        as_read_back: dict[str, Any] = json.loads(json.dumps(data))
        return as_read_back

    def mapping(self, pair: Pair, pes: int, variant: int) -> Mapping:
        """A variant on `pes` PEs."""
        batch, chosen = pair.variants.on(self.space.base.array or pes)
        return batch.decode(chosen.tolist().index(variant), pair.variants.layer)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The variants of each pair as directive text: each on the most PEs that it is for, with its number in the layer's name."""
        return tuple(self._text(pair) for pair in self.pairs)

    def _text(self, pair: Pair) -> str:
        layer = pair.variants.layer
        found: dict[int, Mapping] = {}
        for pes in reversed(self.grid.pes):
            if len(found) == pair.variants.count:
                break
            batch, chosen = pair.variants.on(self.space.base.array or pes)
            new = [(row, number) for row, number in enumerate(chosen.tolist()) if number not in found]
            found |= {number: batch.decode(row, layer) for row, number in new}
        rows = [MappedLayer(replace(layer, name=f"{layer.name}_{number}"), found[number]) for number in sorted(found)]
        return print_network(Network(pair.dataflow, tuple(rows)))


def _size(number: float) -> str:
    return f"{number / 1e6:,.2g} MB" if number < 1e9 else f"{number / 1e9:,.4g} GB"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _thinned(values: tuple[_Value, ...]) -> tuple[_Value, ...]:
    """A sample of the values: the smallest of each of equal shares, so that no fewer of them are within limits than of all."""
    shares = min(len(values), _LOOKED_AT)
    return tuple(values[place * len(values) // shares] for place in range(shares))
