"""What AccelForge counts: its counts by our figures, and the convention by which it counts otherwise."""

from __future__ import annotations

import json
from math import prod

from pydantic import TypeAdapter

from mapsearch.formats.accelforge.nodes import TENSORS, memory
from mapsearch.formats.complaint import checked
from mapsearch.formats.nest.counts import Convention, box_words, whole_inputs
from mapsearch.model.errors import InputError, short
from mapsearch.model.hardware import Hardware
from mapsearch.model.tensors import TOUCHES, Dim, Tensor

_ACTIONS = TypeAdapter(dict[str, float])


CONVENTIONS = (
    Convention(
        "AccelForge fetches the whole box around a tile of I whenever one of its loops moves: it keeps no rows or columns from the "
        "tile before, shares none between PEs whose tiles are not equal, and leaves none out that a stride skips",
        lambda case: whole_inputs(case, box_words, lambda _, units: prod(units[dim] for dim in Dim if TOUCHES[Tensor.INPUT, dim])),
    ),
)


def read_counts(text: str, where: str, hardware: Hardware) -> dict[str, float]:
    """AccelForge's counts by our figures, from what the program prints; InputError, which begins with `where`, where it is none.

    The text is JSON: cycles, and actions of one bit each by component, tensor and kind.
    """
    try:
        actions: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: must be JSON: {' '.join(str(error).split())}") from None
    found = checked(_ACTIONS, actions, where)

    def words(level: str, tensor: Tensor, action: str) -> float:
        buffer = {"L1": hardware.l1, "L2": hardware.l2}.get(level)
        name = level if buffer is None else memory(level, buffer, tensor)
        return told(f"{name}|{TENSORS[tensor]}|{action}") / hardware.bits[tensor]

    def told(name: str) -> float:
        if name not in found:
            raise InputError(f"{where}: must tell {name}, but tells only {', '.join(map(short, found))}")
        return found[name]

    w, i, o = Tensor
    return {
        "macs": told("MAC|None|compute"),
        "mac_cycles": told("cycles"),
        "l2_to_l1_words.weight": words("L2", w, "read"),
        "l2_to_l1_words.input": words("L2", i, "read"),
        "l1_fill_words.weight": words("L1", w, "write"),
        "l1_fill_words.input": words("L1", i, "write"),
        "psum_read_words": words("L2", o, "read") - words("DRAM", o, "write"),
        "output_write_words": words("L2", o, "write") - words("DRAM", o, "read"),
        "offchip_read_words.weight": words("DRAM", w, "read"),
        "offchip_read_words.input": words("DRAM", i, "read"),
        "offchip_read_words.output": words("DRAM", o, "read"),
        "offchip_write_words": words("DRAM", o, "write"),
    }
