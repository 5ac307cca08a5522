"""What the page says of each suite beside its figures: what is compared, and why rows are off, as far as it is known.

Texts with braces are filled in by the suite.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "eyeriss-alexnet": "Eyeriss chip, AlexNet: processing latency",
        "eyeriss-vgg16": "Eyeriss chip, VGG-16: processing latency",
        "eyeriss-traffic": "Eyeriss chip: traffic of its global buffer",
        "eyeriss-power": "Eyeriss chip: power",
        "eyeriss-search": "Eyeriss chip: how far a search comes below its mappings",
        "gemmini": "Gemmini: cycles of its RTL",
        "zhang-fpga15": "FPGA design on a VC707 board, AlexNet: time",
        "tpu-v6e": "TPU v6e: lower bounds of GEMMs",
    }
)

_TIME = """
The cycles of the array are compared with the processing latency. The chip's total latency includes waiting for off-chip memory:
`total` is expected between the array's cycles alone (`from`) and those plus the measured off-chip traffic at 2.4 bytes a cycle
(`to`); no bar is set on it.
"""
TOLD: Mapping[str, str] = MappingProxyType(
    {
        "eyeriss-alexnet": """
The mappings are the published ones (Table III of the paper). `n e p q r t` are its symbols: a pass works on n images, e output
rows, p x t filters and q x r channels.
"""
        + _TIME,
        "eyeriss-vgg16": """
The chip's mappings are not published. Each layer gets the fastest mapping, by the model, of all that fit the machine, use as
many PEs as the chip did, and send partial sums through the global buffer as often as its measured traffic says; the measured
latency has no part in this choice. `mappings` says among how many it was chosen.
"""
        + _TIME,
        "eyeriss-traffic": """
The model's words between L2 and L1s (weights, inputs, partial sums and outputs), in MB of 2^20 bytes, are compared with what
the chip's global buffer moved. The mappings are those of the latency suites. The bar on AlexNet's worst layer leaves out CONV3,
a known miss.
""",
        "eyeriss-power": """
Power is a constant (clock, control, leakage) plus the energy of the counted actions on the chip, divided by the layer's
measured time. The energy unit of `eyeriss_65nm`, that of a 16-bit MAC, is taken as 1 pJ. The chip skips MACs and scratch-pad
accesses where an input is zero (`sparse.gate`); the shares of zeros are the published ones.
""",
        "eyeriss-search": """
The runtime of the chip's mappings, by the model, stands beside that of the fastest mappings that a search found on the same
machine, with the chip's limits kept (constraints `eyeriss`, whole batch, 3 levels), and beside the lower bound that it proved
over all of them. Runtime includes waiting for off-chip memory, not overlapped and not compressed. `sums` is what partial sums
move between the global buffer and the PEs. The chip's first layers send each sum through the buffer for every channel or two,
over wires of 64 bits. A pass of more channels, which the same PEs allow, would add them up first. Why the chip's passes have so
few is not published.
""",
        "gemmini": """
Runtimes of {rows} mappings of {layers} layers are compared with the cycles of the RTL; Timeloop's predictions, published with
the rows, stand beside them. A mapper needs the order of the mappings of one layer: a pair is two mappings of a layer whose
measured cycles are more than 5 % apart, and predictions less than 0.5 % apart leave it undecided. (The rank correlation over
all rows is an easy bar: the number of MACs alone has {easy:.4f}.) The array's cycles alone are a lower bound on what the RTL
takes. Layers and tiles are written as input → output channels, filter, outputs, and the stride after a slash.
""",
        "zhang-fpga15": """
The loops are those of the design: tiles of {side} x {side} outputs; in a tile, each cycle adds 7 input channels at one place of
the filter to one output pixel of 64 channels. Time is the runtime of both halves of a layer, one after the other. DSPs and
block RAMs follow from the design's MACs and buffers. Each half of a double buffer counts as a memory of its own; with both
halves in one, the design would take 610 block RAMs. The paper was not at hand, and the times and rates of its layers could not
be looked up elsewhere, only their total, 61.62 GFLOP/s. They are held against each other: time x rate is each layer's number of
operations, within what rounding to 0.01 ms allows, and all layers together have the total rate.
""",
        "tpu-v6e": """
The model's lower bound over all mappings of {rows} GEMMs in bfloat16, in effect a roofline, is compared with the measured time,
which includes the launch of a kernel.
""",
    }
)

_SUM_WIRES = "bound by the wires of partial sums; as four layers are off alike, conflicts in the buffer's banks are suspected."
_BETWEEN_TILES = """
the prediction is what the MACs take, one output a cycle without a break. The board's pipeline also fills and empties for each
tile. A tile of CONV3 to CONV5 takes 1,521 cycles by the model, and 185 to 205 more on the board. How deep the pipeline is was
not found, so nothing is put in for it.
"""
# By the rows' names.
MISSES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "eyeriss-alexnet": {
            "CONV1": "bound by compute, and not explained by published facts.",
            "CONV2": "bound by compute, and not explained by published facts.",
            "CONV5": """
                CONV4 and CONV5 have one published mapping, so that any model of passes has 1.5 for the ratio of their times.
                The chip has 1.6 (and 1.502 for their traffic): whatever the constants, the errors of the two are at least 6
                points apart.
                """,
        },
        "eyeriss-vgg16": dict.fromkeys(("CONV1-1", "CONV1-2", "CONV2-1", "CONV2-2"), _SUM_WIRES),
        "eyeriss-traffic": {
            "CONV3": """
                as published (q = 4, r = 1, t = 4), its partial sums alone make more traffic than the chip had; with q = 3, r =
                2, t = 2, as in CONV4 and CONV5, it would be 49 MB. The chip probably did not run what is printed; the two
                mappings take the same time within 0.7 %.
                """,
            "CONV1-1": "with the writes from off-chip memory, the count would be 115.2 MB, near the chip's figure.",
        },
        "zhang-fpga15": dict.fromkeys(("CONV1", "CONV2", "CONV3", "CONV4", "CONV5"), _BETWEEN_TILES),
    }
)

BESIDE: Mapping[str, str] = MappingProxyType(
    {
        "eyeriss-alexnet": "MAESTRO: 3.9 % claimed (MICRO 2019); 4.2 %, worst 12.4 %, with the files that it ships",
        "eyeriss-vgg16": "no other model's figures by layer are known",
        "eyeriss-power": "DNN-Chip Predictor: at most 17.66 % claimed (ICASSP 2020), of other chips and quantities",
    }
)


def flowing(text: str) -> str:
    """A text of several lines as one line."""
    return " ".join(text.split())
