"""MAESTRO's hardware files (`num_pes: 256`, `l1_size_cstr: 512`, ...; github.com/maestro-project/maestro, `--HW_file`).

They are recognised by their keys. A size is a number of elements, which are one byte each, and buffers are double-buffered. A size
that is left out is unlimited (the largest int32); energies and areas of the machine then mean nothing.
"""

from __future__ import annotations

import re

from mapsearch.formats.text import decode
from mapsearch.model.errors import HardwareError, did_you_mean, show

_INT_MAX = 2**31 - 1
# MAESTRO's keys and their defaults.
_DEFAULTS = {
    "num_pes": 1,
    "l1_size_cstr": _INT_MAX,
    "l2_size_cstr": _INT_MAX,
    "noc_bw_cstr": _INT_MAX,
    "offchip_bw_cstr": _INT_MAX,
    "NoC_NumHops": 1,
}
_FILE = re.compile(rf"^\s*(?:{'|'.join(_DEFAULTS)})\b".encode(), re.MULTILINE)


def recognises(name: str, data: bytes) -> bool:  # noqa: ARG001 they are called anything
    """Whether a line of the text begins with one of MAESTRO's keys."""
    return _FILE.search(data) is not None


def read_hardware(data: bytes, where: str) -> dict[str, object]:
    """MAESTRO's keys, each followed by an integer (`//` starts a comment), as keys of our hardware files; raises HardwareError."""
    text = decode(data, where, "hardware file")
    words = re.split(r"[\s:;,]+", re.sub(r"//.*", "", text).strip(" \t\r\n:;,"))
    values: dict[str, int] = {}
    for key, value in zip(words[::2], [*words[1::2], ""], strict=False):
        if key not in _DEFAULTS:
            raise HardwareError(
                f"{where}: unknown key {show(key)}{did_you_mean(key, _DEFAULTS)}; MAESTRO's keys are {', '.join(_DEFAULTS)}"
            )
        if key in values:
            raise HardwareError(f"{where}: {key} must stand once, but stands twice; remove one")
        if not re.fullmatch(r"[0-9]{1,10}", value) or not 1 <= int(value) <= _INT_MAX:
            raise HardwareError(f"{where}: {key} must be a whole number from 1 to {_INT_MAX}, got {show(value)}")
        values[key] = int(value)
    values = {**_DEFAULTS, **values}
    return {
        "pes": values["num_pes"],
        "bits": dict.fromkeys(("weight", "input", "output"), 8),
        "l1": {"bytes": values["l1_size_cstr"], "double_buffered": True},
        "l2": {"bytes": values["l2_size_cstr"], "double_buffered": True},
        "noc": {
            "bytes_per_cycle": values["noc_bw_cstr"],
            "latency_cycles": values["NoC_NumHops"],
            "multicast": True,
            "reduction": True,
        },
        "offchip": {"bytes_per_cycle": values["offchip_bw_cstr"], "latency_cycles": 0},
    }
