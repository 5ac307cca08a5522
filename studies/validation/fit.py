"""A technology fitted to measured energies of a user's own chip, by nonnegative least squares.

The energy of a mapping is a sum of actions at their prices (MACs, L1 and L2 accesses, network and off-chip bits) and of leakage and
a constant power over the time. A fit gives each price a factor and sets the constant, so that the relative errors are least in the
mean square.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapsearch.formats.mappings import load_network
from mapsearch.formats.measured import EnergyRow, rows_of
from mapsearch.formats.text import read_text
from mapsearch.model.area import leakage_by_part
from mapsearch.model.errors import InputError
from mapsearch.model.evaluation import CountedEvaluation
from mapsearch.model.extras import require
from mapsearch.model.hardware import Hardware
from mapsearch.model.technology import BufferTechnology, Technology
from mapsearch.studies.batch import evaluate_batch
from mapsearch.studies.validation.outcome import mean_and_worst

PARTS = ("mac", "l1", "l2", "noc", "offchip")
CONSTANT = "idle"

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fit:
    """A fit. factors: of each part's price that any row has, and of the constant power in mW (`CONSTANT`).

    errors: of each row by the fit to all of them; held_out: by the fit to all others; both in percent.
    """

    technology: Technology
    factors: Mapping[str, float]
    layers: tuple[str, ...]
    measured_uj: tuple[float, ...]
    errors: tuple[float, ...]
    held_out: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        rows = zip(self.layers, self.measured_uj, self.errors, self.held_out, strict=True)
        keys = ("layer", "measured_uj", "error_percent", "held_out_error_percent")
        names = ("mean_error_percent", "worst_error_percent")
        return {
            "factors": {name: factor for name, factor in self.factors.items() if name != CONSTANT},
            "idle_mw": self.factors[CONSTANT],
            "fitted": dict(zip(names, mean_and_worst(self.errors), strict=True)),
            "held_out": dict(zip(names, mean_and_worst(self.held_out), strict=True)),
            "rows": [dict(zip(keys, row, strict=True)) for row in rows],
        }


def fit_technology(path: Path, machine: Hardware) -> Fit:
    """The machine's technology fitted to a file of rows: layer, mapping, and energy_uj or power_mw.

    mapping: a directive file, relative to the folder of the rows, that has the layer. A power counts over time_ms, or else over
    the model's runtime, and so do leakage and the constant power. Raises InputError where a row breaks a law, or there are fewer
    than twice as many rows as coefficients.
    """
    rows = rows_of(EnergyRow, read_text(path, "file of rows"), str(path)).rows
    found = [_costs(row, path, machine) for row in rows]
    milliseconds = np.array(
        [row.time_ms or costs.runtime_cycles / machine.clock_mhz / 1000 for row, costs in zip(rows, found, strict=True)]
    )
    measured = np.array([_measured_uj(row, float(time), path) for row, time in zip(rows, milliseconds, strict=True)])
    parts = {name: np.array([costs.energy_pj.parts[name] for costs in found]) * 1e-6 for name in PARTS}
    columns = {name: energies for name, energies in {**parts, CONSTANT: milliseconds}.items() if energies.any()}
    if len(rows) < 2 * len(columns):
        raise InputError(
            f"{path}: a fit must have at least twice as many rows as the {len(columns)} coefficients ({', '.join(columns)}), "
            f"got {len(rows)}; add rows"
        )
    shares = np.column_stack([*columns.values()]) / measured[:, None]  # relative errors count
    leakage = leakage_by_part(replace(machine, technology=replace(machine.technology, idle_mw=0.0)))
    wanted = 1 - leakage.total * milliseconds / measured
    factors = _least_squares(shares, wanted)
    others = [np.arange(len(rows)) != row for row in range(len(rows))]
    held_out = [shares[row] @ _least_squares(shares[other], wanted[other]) for row, other in enumerate(others)]
    by_name = dict(zip(columns, map(float, factors), strict=True))
    return Fit(
        fitted_technology(machine.technology, by_name),
        by_name,
        tuple(row.layer for row in rows),
        tuple(map(float, measured)),
        tuple(100 * float(error) for error in shares @ factors - wanted),
        tuple(100 * float(error) for error in held_out - wanted),
    )


def fitted_technology(technology: Technology, factors: Mapping[str, float]) -> Technology:
    """The technology with prices times their factors (one that no row has stays), and the constant power."""

    def scaled(buffer: BufferTechnology, factor: float) -> BufferTechnology:
        laws: dict[str, Any] = {
            name: replace(law, factor=law.factor * factor)
            for name, law in (("read_pj", buffer.read_pj), ("write_pj", buffer.write_pj))
        }
        return replace(buffer, **laws)

    of = {name: factors.get(name, 1.0) for name in PARTS}
    return replace(
        technology,
        name=f"{technology.name}_fitted",
        mac_pj=technology.mac_pj * of["mac"],
        l1=scaled(technology.l1, of["l1"]),
        l2=scaled(technology.l2, of["l2"]),
        noc_pj_per_bit=technology.noc_pj_per_bit * of["noc"],
        offchip_pj_per_bit=technology.offchip_pj_per_bit * of["offchip"],
        idle_mw=factors[CONSTANT],
    )


def _costs(row: EnergyRow, path: Path, machine: Hardware) -> CountedEvaluation:
    file = path.parent / row.mapping
    named = [mapped for mapped in load_network(file).layers if mapped.layer.name == row.layer]
    if not named:
        raise InputError(f"{path}: the mapping file {file} must have the layer {row.layer}, and has none of that name")
    costs = evaluate_batch(named[0].layer, machine, [named[0].mapping], jobs=1).evaluation(0)
    assert isinstance(costs, CountedEvaluation)  # noqa: S101 the exact model's
    return costs


def _measured_uj(row: EnergyRow, milliseconds: float, path: Path) -> float:
    match row:
        case EnergyRow(energy_uj=float(energy), power_mw=None):
            return energy
        case EnergyRow(energy_uj=None, power_mw=float(power)):
            return power * milliseconds
        case _:
            raise InputError(f"{path}: layer {row.layer} must have one of energy_uj and power_mw")


def _least_squares(shares: _Floats, wanted: _Floats) -> _Floats:
    """The factors, none below 0, with which each row's shares add up to what is wanted as nearly as can be."""
    require("a fit", "validate", "scipy")
    from scipy.optimize import nnls  # type: ignore[import-untyped]  # noqa: PLC0415 slow, and for fits only

    scale = np.linalg.norm(shares, axis=0)  # columns of like size, for the solver
    scale[scale == 0.0] = 1.0
    solved: Any = nnls(shares / scale, wanted)  # pyright: ignore[reportUnknownVariableType] scipy has no types
    factors: _Floats = solved[0] / scale
    return factors
