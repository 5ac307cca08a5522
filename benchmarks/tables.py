"""Tables as Markdown."""

from __future__ import annotations

from collections.abc import Sequence


def table(columns: Sequence[str], rows: Sequence[Sequence[str | int | float]]) -> str:
    """Rows under headers, the first column to the left and the figures to the right."""
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *([_text(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _text(cell: str | float) -> str:
    match cell:
        case str():
            return cell
        case int():
            return f"{cell:,}"
        case float():
            return f"{cell:,.2f}" if cell < 10 else f"{cell:,.1f}" if cell < 1000 else f"{cell:,.0f}"
