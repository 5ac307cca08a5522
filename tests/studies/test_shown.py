"""How figures are shown."""

from __future__ import annotations

import pytest

from mapsearch.studies.shown import about_text, rounded_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.02, "1 s"),
        (2.34, "2.3 s"),
        (59.9, "60 s"),
        (90, "1.5 min"),
        (3599, "60 min"),
        (3600, "1 h"),
        (540_000, "150 h"),
        (9e6, "2,500 h"),
    ],
)
def test_about_how_long_work_takes(seconds: float, text: str) -> None:
    """Two digits in the unit that suits, never an exponent."""
    assert about_text(seconds) == f"about {text}"


def test_a_rough_figure_has_zeros_and_no_exponent() -> None:
    """However large it is."""
    assert [rounded_text(value, 3) for value in (0.12345, 12.345, 35_888, 5.0312e8)] == ["0.123", "12.3", "35,900", "503,000,000"]
