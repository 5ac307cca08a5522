"""The machine and the layer as the kernels see them: vectors of integers."""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer

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


def window_phases(layer: Layer) -> NDArray[np.int64]:
    """int64[2, 2]: (a, b) = (dilation, stride) / gcd of rows and of columns."""
    pairs = zip(layer.stride, layer.dilation, strict=True)
    return np.array([(dilation // gcd(stride, dilation), stride // gcd(stride, dilation)) for stride, dilation in pairs], np.int64)
