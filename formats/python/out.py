"""A layer's nest as a Python file that needs NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence

from mapsearch.formats.nest.buffers import Shape
from mapsearch.formats.nest.language import Language
from mapsearch.formats.nest.loops import Call, Loop, Note, Statement
from mapsearch.formats.python.text import AFTER, BEFORE, HEAD


class _Python(Language):
    suffix, comment, close = ".py", "#", ""
    head, before, after = HEAD, BEFORE, AFTER

    def constant(self, name: str, value: int) -> str:
        """See `Language`."""
        return f"{name} = {value}"

    def buffer(self, shape: Shape) -> str:
        """See `Language`."""
        steps = f", {shape.steps}" if max(shape.steps) > 1 else ""
        return f"Buffer(np.zeros({shape.sizes}, sums){steps})"

    def stores(self, l2: Sequence[str], l1: Sequence[str]) -> list[str]:
        """See `Language`."""
        return [
            "    l2 = Store(",
            *(f"        {each}," for each in l2),
            "    )",
            "    l1 = [",
            "        Store(",
            *(f"            {each}," for each in l1),
            "        )",
            "        for _ in range(PES)",
            "    ]",
            "    step = 0",
        ]

    def line(self, each: Statement) -> str:
        """See `Language`."""
        match each:
            case Loop():
                return f"for {each.index} in range({each.trips}):  # {each.note}"
            case Call():
                return f"{each.result} = {each.text}" if each.result else each.text
            case Note():
                return f"# {each.text}"


_language = _Python()
write_network, write_hardware = _language.write_network, _language.write_hardware
