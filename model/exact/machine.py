"""The machine as the kernels see it: a vector of integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.hardware import Hardware

SIMD = 0
BITS = 1  # to 3: of a word of weight, input, output
NOC_BITS = 4  # per cycle
NOC_LATENCY = 5  # cycles
MULTICAST = 6
REDUCTION = 7
L1_BYTES = 8
L1_DOUBLED = 9  # 2 where double-buffered, else 1
L2_BYTES = 10
L2_DOUBLED = 11
OFFCHIP_BITS = 12  # per cycle
OFFCHIP_LATENCY = 13  # cycles
MACHINE = 14


def machine_parameters(hardware: Hardware) -> NDArray[np.int64]:
    """int64[14], with the columns above; flags are 0 or 1."""
    return np.array(
        [
            hardware.simd,
            *hardware.bits,
            hardware.noc.bytes_per_cycle * 8,
            hardware.noc.latency_cycles,
            hardware.noc.multicast,
            hardware.noc.reduction,
            hardware.l1.bytes,
            1 + hardware.l1.double_buffered,
            hardware.l2.bytes,
            1 + hardware.l2.double_buffered,
            hardware.offchip.bytes_per_cycle * 8,
            hardware.offchip.latency_cycles,
        ],
        np.int64,
    )
