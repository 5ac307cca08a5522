"""How tables, pictures and pages show results: one word and one unit for each figure."""

from __future__ import annotations

from mapsearch.model.evaluation import CountedEvaluation, Evaluation
from mapsearch.model.sparse_figures import SparseSums

ENERGY, EDP, PE_USE, LOST = "energy [µJ]", "EDP [pJ x cycles]", "PE use [%]", "lost to imbalance [%]"
# The parts of a model's energy by their keys.
PARTS = {"mac": "MAC", "l1": "L1", "l2": "L2", "noc": "NoC", "offchip": "off-chip"}

_PROVEN = 1e-9  # objectives and bounds are rounded sums: less than this is no gap


def shortened(text: str, most: int) -> str:
    """A text in a place for `most` letters, its middle left out where it is longer."""
    head = most // 2
    return text if len(text) <= most else f"{text[:head]}…{text[head + 1 - most :]}"


def number_text(value: float) -> str:
    """A figure with four digits, or all before the point."""
    return f"{value:,.0f}" if 1e3 <= abs(value) < 1e7 else f"{value:.4g}"


def gap_text(gap: float | None) -> str:
    """How far an objective is from the optimum at the most; nothing where that is not known."""
    if gap is None:
        return ""
    if gap <= _PROVEN:
        return "optimal"
    percent = max(100 * gap, 0.01)
    return f"< {percent:.2g}%" if percent < 99.5 else f"< {percent:,.0f}%"


def bound_text(bound: str | None) -> str:
    """What bounds a mapping; nothing where the cost model does not say."""
    return "off-chip" if bound == "offchip" else bound or ""


def lost_percent(metrics: Evaluation) -> float | str:
    """What of the cycles balanced PEs would save; nothing where the machine skips no MAC of the layer."""
    zeros = metrics.sparse if isinstance(metrics, CountedEvaluation) else None
    if zeros is None or zeros.balanced_runtime_cycles is None or not zeros.skipped_macs:
        return ""
    return 100 * (1 - zeros.balanced_runtime_cycles / metrics.runtime_cycles)


def zeros_text(sparse: SparseSums, macs: int, runtime_cycles: int) -> str:
    """What zeros spare of so many MACs, and what of the cycles is lost as PEs wait for the one with the most non-zeros."""
    spared = ((sparse.skipped_macs, "skipped"), (sparse.gated_macs, "gated"))
    shares = ", ".join(f"{part / macs:.1%} of the MACs {word}" for part, word in spared if part)
    if sparse.balanced_runtime_cycles is None:
        return f"zeros: {shares}"
    lost = 1 - sparse.balanced_runtime_cycles / runtime_cycles
    return (
        f"zeros: {shares}; {lost:.1%} of the cycles lost to load imbalance (computing takes {sparse.imbalance:.3g} times as long "
        "as if balanced)"
    )
