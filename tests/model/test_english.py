"""How messages count."""

from __future__ import annotations

from mapsearch.model.english import counted


def test_one_is_singular_and_all_else_plural() -> None:
    """A number and its noun agree, also where the plural is no s; large numbers have commas."""
    assert [counted(number, "layer") for number in (0, 1, 2, 1234)] == ["0 layers", "1 layer", "2 layers", "1,234 layers"]
    assert [counted(number, "search", "searches") for number in (1, 2)] == ["1 search", "2 searches"]
