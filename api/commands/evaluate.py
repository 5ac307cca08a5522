"""`mapsearch evaluate`: what the mappings of a directive file cost."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from mapsearch.arguments import Subparsers
from mapsearch.model.errors import InputError
from mapsearch.output import Cell, warn, write, write_json, write_table

_TENSORS = ("weight", "input", "output")


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "evaluate",
        help="what the mappings of a directive file cost",
        description="Evaluates each layer of a directive file as it is mapped there.",
    )
    parser.add_argument("file", metavar="FILE", help="a directive file, or - for standard input")
    parser.add_argument(
        "--hardware",
        default="edge",
        metavar="H",
        help="a preset or a hardware file, or one with changes: edge,pes=64 (default: edge)",
    )
    parser.add_argument("--model", default="exact", metavar="M", help="cost model: exact, maestro or simulate (default: exact)")
    parser.add_argument("--json", action="store_true", help="print all figures as a JSON array with one object a layer")


def run(args: Namespace) -> int:
    """Print the costs of all layers, or raise InputError and print none."""
    from mapsearch.model.registry import cost_model
    from mapsearch.studies.evaluate import evaluate, evaluate_text

    if args.file == "-":
        found = evaluate_text(_standard_input(), "<stdin>", args.hardware, args.model)
    else:
        found = evaluate(Path(args.file), args.hardware, args.model)
    costs = [each.to_dict() for each in found]
    if args.json:
        write_json(costs)
    else:
        write_tables = _TABLES[cost_model(args.model).format]
        write_tables(costs, f"hardware {args.hardware}, model {args.model}")
    for cost in costs:
        for warning in cost.get("warnings", ()):
            warn(f"layer {cost['layer']}: {warning}")
    return 0


def _standard_input() -> str:
    from mapsearch.formats.text import decode

    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] so it is where the shell closed it
        raise InputError("standard input is closed; give a file or pipe directive text in")
    return decode(sys.stdin.buffer.read(), "<stdin>", "directive file")


def _write_tables(costs: list[dict[str, Any]], inputs: str) -> None:
    write(f"{inputs}: area {costs[0]['area_mm2']:.4g} mm², leakage {costs[0]['leakage_mw']:.4g} mW")
    write("")
    rows = [_cost_row(cost) for cost in costs]
    if len(rows) > 1:
        rows.append(_total_row(costs))
    columns = ("layer", "MACs", "runtime (cycles)", "energy (pJ)", "EDP (pJ·cycles)", "power (mW)", "dynamic (mW)")
    write_table("Costs", (*columns, "utilization (%)", "bound by", "L1 need (bytes)", "L2 need (bytes)"), rows)
    places = ("L2→L1", "into L1s", "from off-chip")
    words = tuple(f"{place} {tensor[0].upper()}" for place in places for tensor in _TENSORS)
    headers = ("layer", *words, "to off-chip O", "partial sums read", "outputs written")
    write_table("Words moved (W weights, I inputs, O outputs)", headers, [_words_row(cost) for cost in costs])


def _cost_row(cost: dict[str, Any]) -> tuple[Cell, ...]:
    return (
        cost["layer"],
        cost["macs"],
        cost["runtime_cycles"],
        cost["energy_pj"]["total"],
        cost["edp_pj_cycles"],
        cost["power_mw"],
        cost["dynamic_mw"],
        100 * cost["utilization"],
        cost["bound_by"],
        cost["l1_need_bytes"],
        cost["l2_need_bytes"],
    )


def _total_row(costs: list[dict[str, Any]]) -> tuple[Cell, ...]:
    """One layer after the other, each once: the sums, the averages over the time, and the most of the buffers' needs."""
    cycles = sum(cost["runtime_cycles"] for cost in costs)
    energy_pj = sum(cost["energy_pj"]["total"] for cost in costs)
    averages = ("power_mw", "dynamic_mw", "utilization")
    power_mw, dynamic_mw, utilization = (sum(cost[key] * cost["runtime_cycles"] for cost in costs) / cycles for key in averages)
    l1_bytes, l2_bytes = (max(cost[key] for cost in costs) for key in ("l1_need_bytes", "l2_need_bytes"))
    macs = sum(cost["macs"] for cost in costs)
    totals = (macs, cycles, energy_pj, energy_pj * cycles, power_mw, dynamic_mw, 100 * utilization)
    return ("total", *totals, "", l1_bytes, l2_bytes)


def _words_row(cost: dict[str, Any]) -> tuple[Cell, ...]:
    moved = (cost["l2_to_l1_words"], cost["l1_fill_words"], cost["offchip_read_words"])
    words = tuple(place[tensor] for place in moved for tensor in _TENSORS)
    return (cost["layer"], *words, cost["offchip_write_words"], cost["psum_read_words"], cost["output_write_words"])


def _write_maestro_tables(costs: list[dict[str, Any]], inputs: str) -> None:
    """What the published program prints, in its units; the network's figures are its to add up."""
    write(f"{inputs}: widths in words per cycle, buffers in words; energy of the CSV, of each layer alone")
    write("")
    names = ("macs", "layer_macs", "runtime_cycles", "energy_nj", "energy_macs", "active_pes", "l1_need_words", "l2_need_words")
    columns = ("layer", "MACs", "layer's MACs", "runtime (cycles)", "energy (nJ)", "energy (MACs)", "active PEs")
    rows = [(cost["layer"], *(cost[name] for name in names), cost["edp_pj_cycles"] / 1e3) for cost in costs]
    write_table("Costs", (*columns, "L1 (words)", "L2 (words)", "EDP (cycles·nJ)"), rows)
    accesses = ("l2_read", "l2_write", "l1_read", "l1_write")
    pairs = [(access, tensor) for access in accesses for tensor in _TENSORS]
    headers = ("layer", *(f"{access.replace('_', ' ').upper()} {tensor[0].upper()}" for access, tensor in pairs))
    words = [(cost["layer"], *(int(cost[f"{tensor}_{access}_words"]) for access, tensor in pairs)) for cost in costs]
    write_table("Words (W weights, I inputs, O outputs)", headers, words)


# By the format that a cost model's files are in: another tool's figures are told in its own words.
_TABLES = {"directives": _write_tables, "maestro": _write_maestro_tables}
