"""The suite of a TPU v6e: lower bounds of GEMMs against times measured on the chip, whose mappings are not known."""

from __future__ import annotations

from pathlib import Path

from mapsearch.formats.measured import TpuRow, read_measured, shipped_machine
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.layers import gemm
from mapsearch.search.mappings.branch_and_bound import least_bound
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.objectives.objective import Objective
from mapsearch.spaces.mappings.space import Space
from mapsearch.studies.validation.outcome import Column, Figure, Outcome, Table
from mapsearch.studies.validation.ranks import rank_correlation
from mapsearch.studies.validation.words import TOLD


def roofline(data: Path | None) -> Outcome:
    """The suite; its rows are a user's, as their licence is not known."""
    machine = load_hardware(shipped_machine("tpu_v6e"))
    found = read_measured(TpuRow, data)
    rows = found.rows
    bounds_ns = [_bound_ns(row, machine) for row in rows]
    above = sum(bound > row.latency_ns for row, bound in zip(rows, bounds_ns, strict=True))
    measured_ns = [row.latency_ns for row in rows]
    columns = (
        Column("m", "M"), Column("k", "K"), Column("n", "N"), Column("measured_ns", "measured [ns]", ",.0f"),
        Column("bound_ns", "bound [ns]", ",.0f"), Column("ratio", "measured / bound", ".2f"),
    )  # fmt: skip
    table = [
        (row.M, row.K, row.N, row.latency_ns, bound, row.latency_ns / bound) for row, bound in zip(rows, bounds_ns, strict=True)
    ]
    return Outcome(
        suite="tpu-v6e",
        told=TOLD["tpu-v6e"].format(rows=len(rows)),
        fitted="nothing",
        misses=(),
        figures=(
            Figure("rows with bound above measured", above, most=0, digits=0),
            Figure("rank correlation", rank_correlation(bounds_ns, measured_ns), least=0.995, digits=4),
        ),
        table=Table(columns, table),
        sources=((TpuRow.file, found.head),),
        machine=machine,
    )  # fmt: skip


def _bound_ns(row: TpuRow, machine: Hardware) -> float:
    layer = gemm(f"{row.M}x{row.K}x{row.N}", m=row.M, n=row.N, k=row.K)
    cycles = least_bound(Problem(Space(layer, machine), ExactModel(), Objective.of("latency")))
    return (cycles or 0.0) / machine.clock_mhz * 1000
