"""What each cost model must do."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from mapsearch.model.cost import CostModel, Costs, Fit
from mapsearch.model.errors import MappingError
from mapsearch.model.hardware import Buffer, Hardware, Noc, Offchip
from mapsearch.model.mapping import MappingBatch
from mapsearch.spaces.mappings.space import Space
from mapsearch.testing.small import TECHNOLOGY, layer_of

SMALL = layer_of(K=4, C=3, S=3, X=6)
MACHINE = Hardware(
    "machine", 4, 1, 1000.0, (8, 8, 16), Buffer(2**10), Buffer(2**16), Noc(2), Offchip(2, latency_cycles=3), TECHNOLOGY
)


def sample(model: CostModel) -> MappingBatch:
    """Forty mappings of SMALL as the model asks for them."""
    layer = model.as_counted(SMALL)
    return Space(layer, MACHINE, restriction=model.restriction).sample(40, np.random.default_rng(0))


def figures(costs: Costs) -> list[tuple[int, int, float]]:
    """Fit, runtime and energy of each mapping; zeros where they mean nothing."""
    legal = costs.fit == Fit.LEGAL
    runtime, energy = np.where(legal, costs.runtime_cycles, 0), np.where(legal, costs.energy_pj(), 0.0)
    return list(zip(costs.fit.tolist(), runtime.tolist(), energy.tolist(), strict=True))


def machine_with(l1_bytes: int, l2_bytes: int) -> Hardware:
    return replace(MACHINE, l1=Buffer(l1_bytes), l2=Buffer(l2_bytes))


class CostModelContract:
    """Tests of a cost model: subclass it, and give the model by the fixture `model`.

    class TestOurs(CostModelContract):
        @pytest.fixture
        def model(self) -> CostModel:
            return OurModel()
    """

    @pytest.fixture
    def model(self) -> CostModel:
        """The cost model that is tested."""
        raise NotImplementedError

    def test_its_name_is_a_word(self, model: CostModel) -> None:
        """Users select a model by its name."""
        assert model.name.isidentifier()

    def test_a_layer_that_is_taken_is_taken_as_it_is(self, model: CostModel) -> None:
        """The layer as a model counts it has its name and dims, and is counted so again, as when a written mapping is read."""
        layer = model.as_counted(SMALL)
        assert (layer.name, layer.extents) == (SMALL.name, SMALL.extents)
        assert model.as_counted(layer) == layer

    @pytest.mark.parametrize("rows", [0, 1, 40])
    def test_the_arrays_have_a_row_for_each_mapping(self, model: CostModel, rows: int) -> None:
        """A batch of any size, none included, gives int8[B], int64[B] and float64[B]; of what the model asks for, some is LEGAL."""
        costs = model.evaluate(model.as_counted(SMALL), MACHINE, sample(model)[:rows])
        for array, kind in ((costs.fit, np.int8), (costs.runtime_cycles, np.int64), (costs.energy_pj(), np.float64)):
            assert array.dtype == kind
            assert array.shape == (rows,)
        assert rows < 40 or (costs.fit == Fit.LEGAL).any()

    def test_a_batch_costs_what_its_mappings_cost_alone(self, model: CostModel) -> None:
        """No mapping's cost depends on the mappings beside it, nor on their order."""
        batch, layer = sample(model), model.as_counted(SMALL)
        together = figures(model.evaluate(layer, MACHINE, batch))
        assert together == [figures(model.evaluate(layer, MACHINE, batch[row : row + 1]))[0] for row in range(len(batch))]
        assert figures(model.evaluate(layer, MACHINE, batch[::-1])) == together[::-1]

    def test_an_evaluation_is_pure(self, model: CostModel) -> None:
        """The batch stays as it was, and a second evaluation gives equal arrays that are not those of the first."""
        batch, layer = sample(model), model.as_counted(SMALL)
        arrays = (batch.units, batch.spatial, batch.order, batch.size)
        before = [array.copy() for array in arrays]
        first = model.evaluate(layer, MACHINE, batch)
        expected = figures(first)
        first.runtime_cycles[:] = -1
        first.fit[:] = -1
        assert figures(model.evaluate(layer, MACHINE, batch)) == expected
        assert all((old == new).all() for old, new in zip(before, arrays, strict=True))

    @pytest.mark.parametrize("l1_bytes", [16, 2**10])
    def test_a_report_tells_what_is_searched_by(self, model: CostModel, l1_bytes: int) -> None:
        """Of a LEGAL mapping it has the MACs, the same runtime and energy, and their product; of another it raises the reason.

        The reason names the layer in one line.
        """
        layer = model.as_counted(SMALL)
        costs = model.evaluate(layer, machine_with(l1_bytes, 2**16), sample(model))
        for row, (fit, runtime, energy) in enumerate(figures(costs)):
            if fit == Fit.LEGAL:
                report = costs.report(row)
                plain = report.to_dict()
                assert plain["macs"] == report.macs > 0
                assert (report.runtime_cycles, report.energy_pj.total) == (runtime, energy)
                assert (plain["runtime_cycles"], plain["energy_pj"]) == (runtime, report.energy_pj.to_dict())
                assert report.edp_pj_cycles == plain["edp_pj_cycles"] == runtime * energy
                assert json.loads(json.dumps(plain)) == plain
            else:
                with pytest.raises(MappingError) as caught:
                    costs.report(row)
                assert str(caught.value) == costs.why_not(row)
                assert costs.why_not(row).startswith(f"layer {SMALL.name}")
                assert "\n" not in costs.why_not(row)
