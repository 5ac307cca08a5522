"""What each word of W, I, O costs at least by where it goes, in the bound's own terms."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

import numpy as np

from mapsearch.model.cost import Count
from mapsearch.model.energy import energy_coefficients
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.records import Floats, machine_record, record
from mapsearch.model.tensors import Tensor


class PerWord(Protocol):
    """Energies, and cycles of the wires into the L1s, of each word of W, I and O; `rest`: what comes to those once.

    fill: into the L1s; multicast: from the L2 to the L1s, once for all of them; offchip: into the L2, and out again of outputs.
    A fill of O may cost less than nothing: PEs that sum up an output together start at zero all but once, and read nothing then.
    A tensor that passes the L2 by crosses to off-chip memory with each fill, or multicast word.
    """

    fill_pj: Annotated[Floats, 3]
    multicast_pj: Annotated[Floats, 3]
    offchip_pj: Annotated[Floats, 3]
    rest_pj: float
    fill_cycles: Annotated[Floats, 3]
    multicast_cycles: Annotated[Floats, 3]
    rest_cycles: float  # of O
    out_cycles: float  # of a word of O on its way back, as a partial sum
    out_rest_cycles: float  # more than that, of all words of O that leave for good
    least_out_cycles: float  # of a word of O on its way back


def per_word(layer: Layer, hardware: Hardware) -> Any:  # noqa: ANN401 numpy's types know nothing of a record's fields
    """One record of `PerWord`."""
    coefficients, machine = energy_coefficients(layer, hardware), machine_record(layer, hardware)
    per = coefficients.per_count_pj.sum(axis=0)
    multicast, reduction = hardware.noc.multicast, hardware.noc.reduction
    inward, outward = "multicast" if multicast else "fill", "multicast" if reduction else "fill"
    outputs, psums = layer.words(Tensor.OUTPUT), Count.PSUM_READ if reduction else Count.L2_ADD_READ
    found = np.zeros(1, record(PerWord))[0]
    found["fill_pj"] = per[[Count.L1_FILL_W, Count.L1_FILL_I, Count.L1_FILL_O]]
    found[f"{inward}_pj"][:2] += per[[Count.L2_TO_L1_W, Count.L2_TO_L1_I]]
    found[f"{outward}_pj"][2] += per[Count.OUTPUT_WRITE] + per[psums]
    found["offchip_pj"] = per[[Count.OFFCHIP_READ_W, Count.OFFCHIP_READ_I, Count.OFFCHIP_READ_O]]
    found["offchip_pj"][2] += per[Count.OFFCHIP_WRITE]
    for tensor in Tensor:
        if hardware.l2.bypass[tensor]:
            found[f"{outward if tensor is Tensor.OUTPUT else inward}_pj"][tensor] += found["offchip_pj"][tensor]
            found["offchip_pj"][tensor] = 0.0
    # Outputs begin at zero and are not read then.
    found["rest_pj"] = coefficients.constant_pj.sum() - outputs * (per[psums] + per[Count.OFFCHIP_READ_O])
    cycles = machine["word_units"] / machine["wire_units"]
    of_sum = machine["sum_units"] / machine["wire_units"][2]
    found[f"{inward}_cycles"][:2] = cycles[:2]
    found["out_cycles"] = found["least_out_cycles"] = of_sum
    if reduction:
        found["multicast_cycles"][2], found["rest_cycles"] = of_sum, -outputs * of_sum
        found["out_rest_cycles"], found["least_out_cycles"] = outputs * (cycles[2] - of_sum), min(cycles[2], of_sum)
    return found
