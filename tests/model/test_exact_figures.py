"""The exact model on reference layers, each figure worked out by hand beside it."""

from __future__ import annotations

from dataclasses import replace

from by_hand import MACHINE, counts_of, layer_of, spatial, temporal

from mapsearch.model.cost import Count
from mapsearch.model.mapping import Mapping
from mapsearch.model.tensors import Dim


def test_weight_stationary_convolution() -> None:
    """ResNet's 3x3, 64 -> 64, 56x56 with a weight in each PE: 4 output channels by 64 input channels at a time.

    Nest: K in 16 trips of 4, R 3, S 3, Y' 56, X' 56; a step has 256 MACs, one a PE.
    """
    layer = layer_of(K=64, C=64, R=3, S=3, Y=56, X=56)
    loops = (spatial(1, Dim.K), *(temporal(1, dim) for dim in (Dim.R, Dim.S, Dim.Y, Dim.X)))
    found = counts_of(layer, MACHINE, Mapping((loops, (spatial(1, Dim.C),)), (64,)))
    steps = 16 * 9 * 3136
    # A step needs 64 inputs, those of one pixel. It is another pixel in each step: X' and Y' move on by one, and where S, R or K
    # advance the window jumps back. It makes sums of 4 outputs, which enter anew in each of the 9 passes of a K trip.
    pixels, sums = 64 * steps, 4 * steps
    # Bytes in: the first step and the other 15 trips of K: 256 W + 64 I = 10 flits of 32; where R or S advances also 4 sums of
    # 2 bytes: 328 = 11 flits. The other steps keep their weights: 64 I = 2 flits in the first pass, 64 + 8 = 3 flits after.
    # Out: 4 sums = 8 bytes = 1 flit. Only step 0 adds its parts up: 10 + 1 + 1; in all others ingress is longest.
    ingress = 10 + 15 * 10 + (16 * 8) * 11 + (16 * 3135) * 2 + (16 * 8 * 3135) * 3
    # The L2 keeps a K trip's outputs (4 * 3136 words, moving, 2 bytes), so that they go out once. Inputs fit only up to a row
    # of pixels, which is never met again in time, so one pixel (64, moving) moves as much. Weights come once at any depth;
    # the least need is that of one tap, 256, moving.
    offchip_bytes = 64 * 64 * 9 + pixels + 2 * 64 * 3136
    assert found == {
        Count.STEPS: steps,
        Count.RUNTIME_CYCLES: (100 + 20) + offchip_bytes // 16,
        Count.ARRAY_CYCLES: ingress + 1 + 1,
        Count.OFFCHIP_CYCLES: offchip_bytes // 16,
        Count.FILL_CYCLES: 100 + (256 + 64) // 16,
        Count.ISSUE_CYCLES: 0,
        Count.L2_TO_L1_W: 64 * 64 * 9,
        Count.L2_TO_L1_I: pixels,
        Count.L2_TO_L1_O: sums,
        Count.L1_FILL_W: 64 * 64 * 9,
        Count.L1_FILL_I: 256 * steps,
        Count.L1_FILL_O: 256 * steps,
        Count.PSUM_READ: sums - 64 * 3136,
        Count.OUTPUT_WRITE: sums,
        Count.L2_ADD_READ: 0,
        Count.OFFCHIP_READ_W: 64 * 64 * 9,
        Count.OFFCHIP_READ_I: pixels,
        Count.OFFCHIP_READ_O: 0,
        Count.OFFCHIP_WRITE: 64 * 3136,
        Count.L1_NEED_BYTES: 2 * (1 + 1 + 2),
        Count.L2_NEED_BYTES: 2 * 256 + 2 * 64 + 2 * 2 * 4 * 3136,
        Count.COMPUTE_BOUND_CYCLES: 1,
        Count.INGRESS_BOUND_CYCLES: ingress,
        Count.EGRESS_BOUND_CYCLES: 1,
        # 34 words a cycle; with new weights it is 324 / 10 and 328 / 11, with sums 72 / 3, in step 0 324 / 12.
        Count.PEAK_NOC_WORDS: 64 + 4,
        Count.PEAK_NOC_CYCLES: 2,
        Count.L1_NEED_W: 2 * 1,
        Count.L1_NEED_I: 2 * 1,
        Count.L1_NEED_O: 2 * 2,
        Count.L2_NEED_W: 2 * 256,
        Count.L2_NEED_I: 2 * 64,
        Count.L2_NEED_O: 2 * 2 * 4 * 3136,
        Count.COMPUTE_CYCLES: steps,
        Count.BALANCED_CYCLES: steps,
        Count.L2_DEPTH_W: 3,
        Count.L2_DEPTH_I: 5,
        Count.L2_DEPTH_O: 1,
    }


def test_output_stationary_matrix_product() -> None:
    """BERT's 512x768x768 with an output in each PE: 16 rows (X') by 16 columns (K) at a time, over all of C.

    Nest: X' in 32 trips of 16, K in 48 of 16, C 768; a step has 256 MACs, one a PE.
    """
    layer = layer_of(K=768, C=768, X=512)
    mapping = Mapping(((spatial(1, Dim.X), temporal(16, Dim.K), temporal(1, Dim.C)), (spatial(1, Dim.K),)), (16,))
    found = counts_of(layer, MACHINE, mapping)
    tiles, outputs = 32 * 48, 512 * 768
    steps = tiles * 768
    # C moves in every step, so 16 weights and 16 inputs are new in each: 32 bytes = 1 flit, as long as the MAC.
    # A tile's 256 outputs leave once, 512 bytes = 16 flits, booked in the step where they enter.
    # The L2 keeps the 16 rows of inputs (16 * 768, moving) for all of K, so that inputs come once. Keeping W for all of X'
    # would take 589,824 bytes, so W comes again for each of 32 trips, and 16 words, moving, do. Outputs: 256, moving.
    offchip_bytes = 16 * steps + 512 * 768 + 2 * outputs
    assert found == {
        Count.STEPS: steps,
        Count.RUNTIME_CYCLES: (100 + 2) + offchip_bytes // 16,
        Count.ARRAY_CYCLES: (1 + 1 + 16) + (tiles - 1) * 16 + (steps - tiles) * 1,
        Count.OFFCHIP_CYCLES: offchip_bytes // 16,
        Count.FILL_CYCLES: 100 + (16 + 16) // 16,
        Count.ISSUE_CYCLES: 0,
        Count.L2_TO_L1_W: 16 * steps,
        Count.L2_TO_L1_I: 16 * steps,
        Count.L2_TO_L1_O: outputs,
        Count.L1_FILL_W: 256 * steps,
        Count.L1_FILL_I: 256 * steps,
        Count.L1_FILL_O: outputs,
        Count.PSUM_READ: 0,
        Count.OUTPUT_WRITE: outputs,
        Count.L2_ADD_READ: 0,
        Count.OFFCHIP_READ_W: 32 * 768 * 768,
        Count.OFFCHIP_READ_I: 512 * 768,
        Count.OFFCHIP_READ_O: 0,
        Count.OFFCHIP_WRITE: outputs,
        Count.L1_NEED_BYTES: 2 * (1 + 1 + 2),
        Count.L2_NEED_BYTES: 2 * 16 + 2 * 16 * 768 + 2 * 2 * 256,
        Count.COMPUTE_BOUND_CYCLES: 1 + (steps - tiles),
        Count.INGRESS_BOUND_CYCLES: 1,
        Count.EGRESS_BOUND_CYCLES: tiles * 16,
        # 32 words in a cycle of a step in the midst of C; with 256 outputs 288 in 16 cycles, in step 0 in 18.
        Count.PEAK_NOC_WORDS: 32,
        Count.PEAK_NOC_CYCLES: 1,
        Count.L1_NEED_W: 2 * 1,
        Count.L1_NEED_I: 2 * 1,
        Count.L1_NEED_O: 2 * 2,
        Count.L2_NEED_W: 2 * 16,
        Count.L2_NEED_I: 2 * 16 * 768,
        Count.L2_NEED_O: 2 * 2 * 256,
        Count.COMPUTE_CYCLES: steps,
        Count.BALANCED_CYCLES: steps,
        Count.L2_DEPTH_W: 3,
        Count.L2_DEPTH_I: 1,
        Count.L2_DEPTH_O: 2,
    }


def test_depthwise_convolution_slides_over_rows() -> None:
    """MobileNet's 3x3 depthwise at 112x112, a channel in each of 32 PEs, an output of each in a step.

    Nest: Y' 112, X' 112. Along a row 1 new column of 3 inputs; at a new row all 9, as the window jumps back.
    """
    layer = layer_of(G=32, R=3, S=3, Y=112, X=112)
    mapping = Mapping(((spatial(1, Dim.G), temporal(1, Dim.Y), temporal(1, Dim.X)),))
    found = counts_of(layer, replace(MACHINE, pes=32), mapping)
    steps, outputs = 112 * 112, 32 * 112 * 112
    inputs = 32 * 112 * (9 + 111 * 3)
    # Step 0: in 2 * 288 bytes = 18 flits, 9 MACs, out 32 * 2 bytes = 2 flits. After: in 96 or, at a new row, 288 bytes: 3 or 9
    # flits, never more than the 9 MACs.
    # The L2 keeps 3 rows (3 * 114 * 32, moving), so that each input comes once; the weights never move; 32 outputs do.
    offchip_bytes = 288 + 32 * 114 * 114 + 2 * outputs
    assert found == {
        Count.STEPS: steps,
        Count.RUNTIME_CYCLES: (100 + 36) + (18 + 9 * steps + 2),
        Count.ARRAY_CYCLES: 18 + 9 * steps + 2,
        Count.OFFCHIP_CYCLES: offchip_bytes // 16,
        Count.FILL_CYCLES: 100 + (288 + 288) // 16,
        Count.ISSUE_CYCLES: 0,
        Count.L2_TO_L1_W: 288,
        Count.L2_TO_L1_I: inputs,
        Count.L2_TO_L1_O: outputs,
        Count.L1_FILL_W: 288,
        Count.L1_FILL_I: inputs,
        Count.L1_FILL_O: outputs,
        Count.PSUM_READ: 0,
        Count.OUTPUT_WRITE: outputs,
        Count.L2_ADD_READ: 0,
        Count.OFFCHIP_READ_W: 288,
        Count.OFFCHIP_READ_I: 32 * 114 * 114,
        Count.OFFCHIP_READ_O: 0,
        Count.OFFCHIP_WRITE: outputs,
        Count.L1_NEED_BYTES: 2 * (9 + 9 + 2),
        Count.L2_NEED_BYTES: 288 + 2 * 3 * 114 * 32 + 2 * 2 * 32,
        Count.COMPUTE_BOUND_CYCLES: 9 * steps,
        Count.INGRESS_BOUND_CYCLES: 18,
        Count.EGRESS_BOUND_CYCLES: 2,
        # A new row: 288 inputs and 32 outputs in 9 cycles; along a row 128 in 9, in step 0 608 in 29.
        Count.PEAK_NOC_WORDS: 320,
        Count.PEAK_NOC_CYCLES: 9,
        Count.L1_NEED_W: 2 * 9,
        Count.L1_NEED_I: 2 * 9,
        Count.L1_NEED_O: 2 * 2,
        Count.L2_NEED_W: 288,
        Count.L2_NEED_I: 2 * 3 * 114 * 32,
        Count.L2_NEED_O: 2 * 2 * 32,
        Count.COMPUTE_CYCLES: 9 * steps,
        Count.BALANCED_CYCLES: 9 * steps,
        Count.L2_DEPTH_W: 0,
        Count.L2_DEPTH_I: 1,
        Count.L2_DEPTH_O: 2,
    }
