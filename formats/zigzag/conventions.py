"""What ZigZag counts: its counts by our figures, and the conventions by which it counts otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, prod

from mapsearch.formats.nest.counts import Case, Convention, Counts, whole_inputs
from mapsearch.formats.zigzag.result import loops_of, read_result
from mapsearch.model.errors import InputError
from mapsearch.model.layer import Layer
from mapsearch.model.tensors import TOUCHES, WINDOWS, Dim, Tensor

OPERANDS = ("W", "I", "O")
LEVELS = 3  # of memories: an L1 in each PE, the L2, off-chip


def tile_words(layer: Layer, tensor: Tensor, lengths: Sequence[int]) -> int:
    """The words that ZigZag gives a tile of a tensor; lengths: indices of the eight dims."""
    if tensor is Tensor.INPUT:
        return input_words(layer, lengths)
    return prod(lengths[dim] for dim in Dim if TOUCHES[tensor, dim])


def input_words(layer: Layer, lengths: Sequence[int]) -> int:
    """The words that ZigZag gives a tile of I, and the units that it gives a tile of their own; lengths: of the eight dims."""
    words = prod(lengths[dim] for dim in (Dim.G, Dim.N, Dim.C))
    for (output, tap), stride, dilation in zip(WINDOWS, layer.stride, layer.dilation, strict=True):
        outputs, taps, step = lengths[output], lengths[tap], gcd(stride, dilation)
        # Unlike our words of a window, with no floor under the last difference.
        words *= outputs * taps - max(taps - stride // step, 0) * (outputs - dilation // step)
    return words


def _sums_read(case: Case) -> Counts:
    return {
        reads: case.counts[writes] if case.counts[reads] else 0
        for reads, writes in (("psum_read_words", "output_write_words"), ("offchip_read_words.output", "offchip_write_words"))
    }


CONVENTIONS = (
    Convention(
        "ZigZag fetches a whole tile of I whenever one of its loops moves: it keeps no rows or columns from the tile before, and "
        "PEs share whole tiles or none, as if each had one output row and column",
        lambda case: whole_inputs(case, input_words, input_words),
    ),
    Convention(
        "ZigZag reads partial sums back as often as it writes them, the first time too, where any come back at all", _sums_read
    ),
)


def read_counts(text: str, where: str) -> dict[str, float]:
    """ZigZag's counts by our figures, from its result of a layer; InputError, which begins with `where`, where it is none."""
    found = read_result(text, where)
    weight, input_, output = (found.outputs.memory.word_accesses[operand] for operand in OPERANDS)
    if not len(weight) == len(input_) == len(output) == LEVELS:
        raise InputError(
            f"{where}: each operand must have {LEVELS} memory levels, got {len(weight)}, {len(input_)} and {len(output)}"
        )
    loops = loops_of(found.inputs.temporal_mapping["O"], where)
    return {
        "macs": prod(found.inputs.layer.loop_dimensions.values()),
        "mac_cycles": prod(size for level in loops for _, size in level),
        "l2_to_l1_words.weight": weight[1].rd_out_to_low,
        "l2_to_l1_words.input": input_[1].rd_out_to_low,
        "l1_fill_words.weight": weight[0].wr_in_by_high,
        "l1_fill_words.input": input_[0].wr_in_by_high,
        "psum_read_words": output[1].rd_out_to_low,
        "output_write_words": output[1].wr_in_by_low,
        "offchip_read_words.weight": weight[2].rd_out_to_low,
        "offchip_read_words.input": input_[2].rd_out_to_low,
        "offchip_read_words.output": output[2].rd_out_to_low,
        "offchip_write_words": output[2].wr_in_by_low,
    }
