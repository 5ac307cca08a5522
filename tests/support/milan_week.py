"""A synthetic week of two cells in the form of Telecom Italia's records of Milan, an office's and a home's; none of it is measured.

`python tests/support/milan_week.py > milan.txt` writes it.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from math import cos, pi

OFFICE, HOME = 4259, 4456
BINS_A_DAY, DAYS = 144, 7
_BEGIN = datetime(2013, 11, 3, 23, tzinfo=UTC)  # Monday, 4 November, in Milan


def internet(cell: int, day: int, tenth: int) -> float:
    """The activity of a cell in a 10-minute bin of a day, 0 being Monday: offices peak at noon, homes at nine in the evening."""
    hour = tenth / 6
    if cell == OFFICE:
        return round(max(0.0, (60 if day < 5 else 8) * cos(2 * pi * (hour - 13) / 24)), 2)
    return round(20 + 15 * cos(2 * pi * (hour - 21) / 24), 2)


def week() -> str:
    """The rows; a tenth of the home cell's activity is of another country than the rest, 33 in place of 39."""
    rows: list[str] = []
    for step in range(DAYS * BINS_A_DAY):
        day, tenth = divmod(step, BINS_A_DAY)
        ms = round((_BEGIN + timedelta(minutes=10 * step)).timestamp() * 1000)
        office, home = internet(OFFICE, day, tenth), internet(HOME, day, tenth)
        if office:
            rows.append(f"{OFFICE}\t{ms}\t39\t\t\t\t\t{office}")
        abroad = round(home / 10, 3)
        rows += [f"{HOME}\t{ms}\t39\t0.5\t\t\t\t{round(home - abroad, 3)}", f"{HOME}\t{ms}\t33\t\t\t\t\t{abroad}"]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(week())
