"""How tables, pictures and pages show results: one word and one unit for each figure."""

from __future__ import annotations

ENERGY, EDP, PE_USE = "energy [µJ]", "EDP [pJ x cycles]", "PE use [%]"
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


def rounded_text(value: float, digits: int) -> str:
    """A rough figure: so many digits, and zeros in place of the others."""
    return f"{float(f'{value:.{digits}g}'):,.15g}"


def about_text(seconds: float) -> str:
    """About how long work takes: two digits of it, in the unit that suits; no less than a second."""
    unit, size = next(((unit, size) for unit, size in (("h", 3600), ("min", 60)) if seconds >= size), ("s", 1))
    return f"about {rounded_text(max(seconds, 1.0) / size, 2)} {unit}"


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
