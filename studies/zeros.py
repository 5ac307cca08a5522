"""What zeros spare, and what of that is lost to load imbalance, as tables and pages show it."""

from __future__ import annotations

from mapsearch.model.evaluation import CountedEvaluation, Evaluation
from mapsearch.model.sparse_figures import SparseSums

LOST = "lost to imbalance [%]"


def lost_percent(metrics: Evaluation) -> float | str:
    """What of the cycles balanced PEs would save; nothing where the machine skips no MAC of the layer."""
    zeros = metrics.sparse if isinstance(metrics, CountedEvaluation) else None
    if zeros is None or zeros.balanced_runtime_cycles is None or not zeros.skipped_macs:
        return ""
    return 100 * (1 - zeros.balanced_runtime_cycles / metrics.runtime_cycles)


def zeros_text(sparse: SparseSums, macs: int, runtime_cycles: int) -> str:
    """What zeros spare of so many MACs, and what of the cycles is lost as PEs wait for the one with the most non-zeros."""
    spared = ((sparse.skipped_macs, "skipped"), (sparse.gated_macs, "gated"))
    shares = ", ".join(f"{_percent(part / macs)} of the MACs {word}" for part, word in spared if part)
    if sparse.balanced_runtime_cycles is None:
        return f"zeros: {shares}"
    lost, times = 1 - sparse.balanced_runtime_cycles / runtime_cycles, f"{sparse.imbalance:.3g}"
    longer = "" if times == "1" else f" (computing takes {times} times as long as if balanced)"
    return f"zeros: {shares}; {_percent(lost)} of the cycles lost to load imbalance{longer}"


def _percent(share: float) -> str:
    return "none" if share <= 0 else "less than 0.1%" if share < 0.0005 else f"{share:.1%}"
