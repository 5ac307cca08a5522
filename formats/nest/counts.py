"""The counts of a mapping that other tools make too, and what a tool's conventions make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from textwrap import wrap

from mapsearch.formats.directives import MappedLayer
from mapsearch.formats.nest.buffers import evaluation_of, outermost_l2_depths
from mapsearch.formats.nest.files import directive_lines, title
from mapsearch.formats.nest.loop_nest import Cut, Imperfection, LoopNest, loop_nest
from mapsearch.model.hardware import Hardware, Residency
from mapsearch.model.layer import Layer
from mapsearch.model.tensors import TOUCHES, WINDOWS, Dim, Tensor

Counts = Mapping[str, int]
# A number of words, or of units, of a layer's tile of so many indices of the eight dims.
Words = Callable[[Layer, Sequence[int]], int]


@dataclass(frozen=True, slots=True)
class Case:
    """A mapping as a tool takes it.

    depths: of the tile of W, of I and of O in the L2, as in the tool's file. counts: ours, by figure.
    """

    nest: LoopNest
    hardware: Hardware
    depths: Sequence[int]
    counts: Counts


@dataclass(frozen=True, slots=True)
class Convention:
    """How a tool counts otherwise.

    because: the convention in words. expected: what it makes of our counts, for the figures that it changes.
    """

    because: str
    expected: Callable[[Case], Counts]


def whole_factors(mapped: MappedLayer, hardware: Hardware, tool: str) -> Case:
    """The mapping for a tool that takes whole factors alone, always multicasts and adds partial sums on their way.

    The L2's tiles lie outermost. Raises MappingError where the tool cannot express the mapping or the machine.
    """
    nest = loop_nest(mapped, hardware.shape)
    nest.check(tool, *Imperfection)
    if not mapped.layer.is_dense:
        raise mapped.refusal(f"{tool}'s files are written for dense layers; give no Density or Pattern")
    for differs, what in (
        (not hardware.noc.multicast, "a network without multicast"),
        (not hardware.noc.reduction, "a network without reduction"),
        (any(hardware.l2.bypass), "tensors that pass the L2 by"),
        (hardware.l2.residency is Residency.NONE, "an L2 that keeps no tile"),
    ):
        if differs:
            raise mapped.refusal(f"{tool} cannot express {what}, as hardware {hardware.name} has")
    return Case(nest, hardware, outermost_l2_depths(nest, hardware), our_counts(nest, hardware))


def our_counts(nest: LoopNest, hardware: Hardware) -> Counts:
    """Our MACs and words, and the cycles of PEs that do a MAC each."""
    found = evaluation_of(nest, hardware)
    return {
        "macs": found.macs,
        "mac_cycles": nest.mac_cycles,
        "l2_to_l1_words.weight": found.l2_to_l1_words.weight,
        "l2_to_l1_words.input": found.l2_to_l1_words.input,
        "l1_fill_words.weight": found.l1_fill_words.weight,
        "l1_fill_words.input": found.l1_fill_words.input,
        "psum_read_words": found.psum_read_words,
        "output_write_words": found.output_write_words,
        "offchip_read_words.weight": found.offchip_read_words.weight,
        "offchip_read_words.input": found.offchip_read_words.input,
        "offchip_read_words.output": found.offchip_read_words.output,
        "offchip_write_words": found.offchip_write_words,
    }


def differences(case: Case, convention: Convention) -> Counts:
    """The figures that the tool counts otherwise by a convention, with the tool's numbers."""
    return {figure: number for figure, number in convention.expected(case).items() if number != case.counts[figure]}


def tiles(loops: Sequence[Cut], tensor: Tensor) -> int:
    """How many tiles of a tensor follow each other while these loops, outermost first, run: one whenever a loop of it moves."""
    moving = [index for index, cut in enumerate(loops) if TOUCHES[tensor, cut.dim]]
    return prod(cut.trips for cut in loops[: moving[-1] + 1]) if moving else 1


def box_words(layer: Layer, lengths: Sequence[int]) -> int:
    """The words of the box around I's tile, those that a stride skips included; lengths: indices of the eight dims."""
    rows, columns = (
        (lengths[output] - 1) * stride + (lengths[tap] - 1) * dilation + 1
        for (output, tap), stride, dilation in zip(WINDOWS, layer.stride, layer.dilation, strict=True)
    )
    return prod(lengths[dim] for dim in (Dim.G, Dim.N, Dim.C)) * rows * columns


def whole_inputs(case: Case, words: Words, unlike_units: Words) -> Counts:
    """The words of I where each tile is fetched whole, none of it kept from the tile before.

    words: of I in a tile. unlike_units: how many of the units get tiles of their own from the L2, given the units of each dim.
    """
    nest, layer = case.nest, case.nest.mapped.layer
    in_tile = tiles([cut for cut in nest.cuts if cut.loops], Tensor.INPUT) * words(layer, nest.tile)
    depth = case.depths[Tensor.INPUT]
    units = [prod(cut.units for cut in nest.spatial if cut.dim == dim) for dim in Dim]
    return {
        "l1_fill_words.input": in_tile * nest.pes,
        "l2_to_l1_words.input": in_tile * unlike_units(layer, units),
        "offchip_read_words.input": tiles(nest.outer[:depth], Tensor.INPUT) * words(layer, nest.footprint(depth)),
    }


def head_lines(case: Case, tool: str, conventions: Sequence[Convention], command: str) -> Iterator[str]:
    """What a file's comment says: the mapping, the command that has the tool count it, and the counts to expect."""
    mapped = case.nest.mapped
    yield from (title(mapped, case.hardware), "", *directive_lines(mapped, case.hardware), "")
    yield from (f"{tool} counts it by the following command, and should count as mapsearch does:", "", f"    {command}", "")
    yield from _table(case.counts)
    for convention in conventions:
        if found := differences(case, convention):
            yield from wrap(f"except that {convention.because}:", 110)
            yield from _table(found)


def _table(counts: Counts) -> Iterator[str]:
    return (f"    {figure} {number}" for figure, number in counts.items())
