"""What words take up in a buffer, compiled."""

from __future__ import annotations

from mapsearch.model.compiled import inlined
from mapsearch.model.records import Rooms


@inlined
def bytes_for(rooms: Rooms, tensor: int, words: int) -> int:
    """Bytes that so many words of a tensor take up, once."""
    return int((words * rooms.word_units[tensor] + (1 << rooms.byte_shift) - 1) >> rooms.byte_shift)
