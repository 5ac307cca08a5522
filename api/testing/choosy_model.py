"""A cost model that is hard to please, for the tests of what models may leave out and refuse: the exact figures, of a few parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import Fit, Restriction, Wanted
from mapsearch.model.counted_costs import CountedCosts
from mapsearch.model.errors import InputError, MappingError
from mapsearch.model.evaluation import NamedFigures
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.mapping import MappingBatch
from mapsearch.model.sparsity import DENSE
from mapsearch.model.tensors import Dim


@dataclass(frozen=True, slots=True)
class ChoosyCosts:
    """See `Costs`; a report has one part of energy, and says nothing of utilization or bounds."""

    counted: CountedCosts
    fit: NDArray[np.int8]

    @property
    def runtime_cycles(self) -> NDArray[np.int64]:
        return self.counted.runtime_cycles

    def energy_pj(self) -> NDArray[np.float64]:
        return self.counted.energy_pj()

    def report(self, row: int) -> NamedFigures:
        if self.fit[row] != Fit.LEGAL:
            raise MappingError(self.why_not(row))
        runtime, energy = int(self.runtime_cycles[row]), float(self.energy_pj()[row])
        told = {
            "macs": self.counted.layer.macs,
            "runtime_cycles": runtime,
            "energy_pj": {"everything": energy, "total": energy},
            "edp_pj_cycles": energy * runtime,
        }
        return NamedFigures(self.counted.layer.name, told)

    def why_not(self, row: int) -> str:
        if self.fit[row] == Fit.REFUSED:
            return f"layer {self.counted.layer.name}: the choosy model does not like this mapping"
        return self.counted.why_not(row)


class ChoosyModel:
    """Takes dense layers other than depthwise; refuses what its restriction rules out and some dims at the outermost SpatialMap."""

    name = "choosy"
    format = "directives"
    restriction = Restriction(untiled=(Dim.R, Dim.S), dividing=True)

    def __init__(self, refused: Sequence[Dim] = (Dim.K,)) -> None:
        self._refused = list(refused)

    def as_counted(self, layer: Layer) -> Layer:
        if layer.type is LayerType.DSCONV:
            raise InputError(f"layer {layer.name}: the choosy model counts no DSCONV")
        return replace(layer, sparsity=DENSE)

    def evaluate(self, layer: Layer, hardware: Hardware, batch: MappingBatch, wanted: Wanted = Wanted.ALL) -> ChoosyCosts:
        counted = ExactModel().evaluate(layer, hardware, batch, wanted)
        untiled = list(self.restriction.untiled)
        refused = np.isin(batch.spatial[:, 0], self._refused) | np.isin(batch.spatial, untiled).any(axis=1)
        refused |= (batch.size[:, :, untiled] != np.array(layer.extents)[untiled]).any(axis=(1, 2))
        refused |= batch.units.prod(axis=1) != hardware.pes
        return ChoosyCosts(counted, np.where(refused, np.int8(Fit.REFUSED), counted.fit))
