"""A technology fitted to measured energies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mapsearch.formats.directives import MappedLayer, Network, print_network
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.errors import InputError
from mapsearch.model.evaluation import CountedEvaluation
from mapsearch.model.hardware import Hardware
from mapsearch.model.layers import conv
from mapsearch.model.mapping import Directive, MapKind, Mapping
from mapsearch.model.tensors import Dim
from mapsearch.studies.evaluate import evaluate
from mapsearch.studies.validation.fit import CONSTANT, PARTS, fit_technology

FACTORS = {"mac": 3.0, "l1": 0.5, "l2": 1.5, "noc": 2.0, "offchip": 0.25}
IDLE_MW = 40.0


def _machine() -> Hardware:
    return load_hardware({"pes": 16, "l1": {"bytes": 4096}})


def _mapped(number: int) -> MappedLayer:
    """One of many layers, each with tiles of its own, so that no two energies are alike."""
    layer = conv(f"layer{number}", k=8 + 4 * number, c=4 + number % 5, kernel=1 + 2 * (number % 2), outputs=6 + number % 7)
    directives = (
        Directive(MapKind.SPATIAL, 1 + number % 2, Dim.K),
        Directive(MapKind.TEMPORAL, 1 + number % 4, Dim.C),
        Directive(MapKind.TEMPORAL, 1 + number % 3, Dim.Y),
    )
    return MappedLayer(layer, Mapping((directives,)))


def _rows(folder: Path, count: int) -> tuple[Path, list[CountedEvaluation]]:
    """A file of rows, with energies as of a chip with other prices and a constant power, and the model's costs."""
    layers = [_mapped(number) for number in range(count)]
    (folder / "chip.m").write_text(print_network(Network("chip", tuple(layers))))
    machine = _machine()
    found = [costs for costs in evaluate(folder / "chip.m", machine) if isinstance(costs, CountedEvaluation)]
    lines = ["layer,mapping,energy_uj,power_mw,time_ms"]
    for costs in found:
        milliseconds = costs.runtime_cycles / machine.clock_mhz / 1000
        energy = sum(FACTORS[part] * costs.energy_pj.parts[part] for part in PARTS) * 1e-6
        energy += (IDLE_MW + costs.leakage_mw) * milliseconds
        measured = f",{energy / milliseconds!r}" if costs.layer.endswith("3") else f"{energy!r},"
        lines.append(f"{costs.layer},chip.m,{measured},")
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    return folder / "rows.csv", found


def test_a_fit_finds_the_prices_that_made_the_energies(tmp_path: Path) -> None:
    """Energies that the model made with other prices give these prices, no errors, and the technology that has them."""
    path, costs = _rows(tmp_path, 30)
    found = fit_technology(path, _machine())
    assert dict(found.factors) == pytest.approx({**FACTORS, CONSTANT: IDLE_MW}, rel=1e-4)
    assert max(map(abs, (*found.errors, *found.held_out))) < 0.01
    fitted = replace(_machine(), technology=found.technology)
    again = [each for each in evaluate(tmp_path / "chip.m", fitted) if isinstance(each, CountedEvaluation)]
    for before, after in zip(costs, again, strict=True):
        assert after.energy_pj.parts == pytest.approx(
            {part: FACTORS[part] * before.energy_pj.parts[part] for part in PARTS}, rel=1e-4
        )
    assert found.technology.idle_mw == pytest.approx(IDLE_MW, rel=1e-4)


def test_a_row_that_is_left_out_is_predicted_worse(tmp_path: Path) -> None:
    """A row that does not belong to the others has a held-out error, which its own fit hides in part."""
    path, _ = _rows(tmp_path, 14)
    lines = path.read_text().splitlines()
    name, mapping, energy, *_ = lines[6].split(",")
    lines[6] = f"{name},{mapping},{2 * float(energy)!r},,"
    path.write_text("\n".join(lines))
    found = fit_technology(path, _machine())
    assert abs(found.held_out[5]) > abs(found.errors[5]) > 1
    assert found.held_out[5] == pytest.approx(-50, abs=0.1)


@pytest.mark.parametrize(
    ("count", "change", "message"),
    [
        (11, ("", ""), r"must have at least twice as many rows as the 6 coefficients \(mac, l1, l2, noc, offchip, idle\), got 11"),
        (12, ("layer2,chip.m", "other,chip.m"), "must have the layer other, and has none of that name"),
        (12, ("layer2,chip.m,", "layer2,chip.m,,,5\n#"), "layer layer2 must have one of energy_uj and power_mw"),
        (12, ("layer2,chip.m", "layer2,none.m"), "none.m: the mapping file must be readable"),
    ],
)
def test_rows_that_cannot_be_fitted(tmp_path: Path, count: int, change: tuple[str, str], message: str) -> None:
    """Too few rows, a layer that the mapping file lacks, a row without energy and a file that is not there are one line each."""
    path, _ = _rows(tmp_path, count)
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(InputError, match=message):
        fit_technology(path, _machine())
