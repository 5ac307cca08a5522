"""Tables as they are printed, read back."""

from __future__ import annotations

import re


def table_rows(text: str, number: int = 0) -> list[list[str]]:
    """The cells of a table's rows, the first table or a later one, without what is blank."""
    lines = text.splitlines()
    rule = [place for place, line in enumerate(lines) if line.startswith("───")][number]
    end = lines.index("", rule)
    return [re.split(r" {2,}", line.strip()) for line in lines[rule + 1 : end]]
