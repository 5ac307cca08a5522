"""A layer's nest as one C file without dependencies."""

from __future__ import annotations

from collections.abc import Sequence

from mapsearch.formats.c.text import AFTER, BEFORE, HEAD
from mapsearch.formats.nest.buffers import Shape
from mapsearch.formats.nest.language import Language
from mapsearch.formats.nest.loops import Call, Loop, Note, Statement


class _C(Language):
    suffix, comment, close = ".c", "//", "}"
    head, before, after = HEAD, BEFORE, AFTER

    def constant(self, name: str, value: int) -> str:
        """See `Language`."""
        return f"#define {name} {int(value)}L"

    def buffer(self, shape: Shape) -> str:
        """See `Language`."""
        sizes, steps = (", ".join(map(str, each)) for each in (shape.sizes, shape.steps))
        return f"make_buffer(NULL, (shape){{{{{sizes}}}, {{{steps}}}}})"

    def stores(self, l2: Sequence[str], l1: Sequence[str]) -> list[str]:
        """See `Language`."""
        return [
            "    store l2 = {",
            *(f"        {each}," for each in l2),
            "    };",
            "    store *l1 = zeros(PES, sizeof(store));",
            "    for (long pe = 0; pe < PES; pe++)",
            "        l1[pe] = (store){",
            *(f"            {each}," for each in l1),
            "        };",
            "    long step = 0;",
        ]

    def line(self, each: Statement) -> str:
        """See `Language`."""
        match each:
            case Loop():
                return f"for (long {each.index} = 0; {each.index} < {each.trips}; {each.index}++) {{  // {each.note}"
            case Call():
                return f"range {each.result} = {each.text};" if each.result else f"{each.text};"
            case Note():
                return f"// {each.text}"


_language = _C()
write_network, write_hardware = _language.write_network, _language.write_hardware
