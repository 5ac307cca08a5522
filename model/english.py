"""What messages and outputs share in their wording."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """So many of something: `1 layer`, `2 layers`; plural: where it is not the noun with an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
