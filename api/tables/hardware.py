"""What `mapsearch hardware` shows: the presets, or the figures of one machine or of a space of machines."""

from __future__ import annotations

from dataclasses import astuple
from math import inf
from typing import Any

from mapsearch.model.area import taken
from mapsearch.model.english import counted
from mapsearch.model.hardware import Buffer, Hardware, Noc, Residency
from mapsearch.model.sparsity import Format, Level
from mapsearch.model.tensors import Tensor
from mapsearch.output import Cell, write, write_prose, write_table
from mapsearch.spaces.machines.space import Axis, HardwareSpace, value_text

_PARTS = {"pes": "PEs", "l1": "L1s", "l2": "L2", "noc_bus": "NoC bus", "noc_arbiter": "NoC arbiter", "idle": "idle power"}
# Figures of a machine with the keys of their parts, and as tables call them.
BY_PART = {
    "area_mm2": "area_by_part_mm2",
    "dsp": "dsp_by_part",
    "bram_18k": "bram_18k_by_part",
    "leakage_mw": "leakage_by_part_mw",
}
_TITLES = {"area_mm2": "area [mm²]", "dsp": "DSPs", "bram_18k": "block\nRAMs", "leakage_mw": "leakage [mW]"}


def print_presets(presets: list[Hardware]) -> None:
    """Machines with an area, then FPGAs."""
    sizes = ("L1 [B]", "L2 [KiB]", "NoC [B/cycle]", "off-chip [B/cycle]")
    for title, fpga, figures in (("", False, ("area_mm2",)), ("FPGAs", True, ("dsp", "bram_18k"))):
        columns = ("name", "PEs", "clock [MHz]", "bits [W/I/O]", *sizes, "technology", *(_TITLES[each] for each in figures))
        write_table(title, columns, [_preset_row(each) for each in presets if (each.fpga is not None) is fpga])


def print_spaces(spaces: list[HardwareSpace]) -> None:
    """Their sizes, limits and axes."""
    rows = [(space.name, space.size, _limits(space), ", ".join(axis.key for axis in space.axes)) for space in spaces]
    write_table("Spaces", ("name", "machines", "limits", "axes"), rows)


def print_machine(hardware: Hardware, figures: dict[str, Any]) -> None:
    """A machine's figures, each on a line with its unit, and what its parts take."""
    noc, offchip, technology, energy = hardware.noc, hardware.offchip, hardware.technology, figures["energy"]
    rows = [
        ("PEs", hardware.pes, f"in {counted(hardware.array.rows, 'row')} of {hardware.array.columns}" if hardware.array else ""),
        *_run_rows(hardware),
        ("MACs per PE and cycle", hardware.simd, ""),
        ("clock", hardware.clock_mhz, "MHz"),
        ("weight/input/output", _bits(hardware), "bits"),
        *(row for name in ("l1", "l2") for row in _buffer_rows(name.upper(), getattr(hardware, name))),
        *_width_rows(noc),
        ("NoC latency", noc.latency_cycles, "cycles"),
        ("NoC multicast", _yes(noc.multicast), ""),
        ("NoC reduction", _yes(noc.reduction), ""),
        ("off-chip width", offchip.bytes_per_cycle, "B/cycle"),
        ("off-chip latency", offchip.latency_cycles, "cycles"),
        *_fpga_rows(hardware),
        *_sparse_rows(hardware),
        ("technology", technology.name, ""),
        ("leakage includes activity", _yes(technology.leakage_includes_activity), ""),
        ("energy of a MAC", energy["mac_pj"], "pJ"),
        *(row for name in ("l1", "l2") for row in _energy_rows(name.upper(), energy[name])),
        ("NoC", energy["noc_pj_per_bit"], "pJ per bit"),
        ("off-chip", energy["offchip_pj_per_bit"], "pJ per bit"),
    ]
    write_table("", (hardware.name, "value", "unit"), rows)
    title = "Area and leakage" if hardware.fpga is None else "DSPs, block RAMs and leakage"
    write_table(title, ("part", *(_TITLES[figure] for figure in _held(figures))), _part_rows(figures))
    _write_sources(figures["sources"])


def print_space(space: HardwareSpace, figures: dict[str, Any]) -> None:
    """The axes, and what the parts of the smallest and the largest machine take."""
    write_prose(
        f"{space.name}: {counted(space.size, 'machine')}, limits: {_limits(space)}; technology {space.base.technology.name}"
    )
    write("")
    write_table("Axes", ("key", "number", "values"), [(axis.key, len(axis.values), _values(axis)) for axis in space.axes])
    held = _held(figures["smallest"])
    columns = [f"{end} {_TITLES[figure]}" for end in ("smallest:", "largest:") for figure in held]
    smallest, largest = _part_rows(figures["smallest"]), _part_rows(figures["largest"])
    rows = [(*one, *other[1:]) for one, other in zip(smallest, largest, strict=True)]
    write_table("Smallest and largest machine", ("part", *columns), rows)
    _write_sources(figures["sources"])


def _held(figures: dict[str, Any]) -> list[str]:
    """What such a machine takes, and its leakage."""
    return [figure for figure in BY_PART if figure in figures]


def _part_rows(figures: dict[str, Any]) -> list[tuple[Cell, ...]]:
    held, leakage = _held(figures), figures["leakage_by_part_mw"]
    rows = [
        (label, *(figures[BY_PART[figure]].get(part, 0.0) for figure in held)) for part, label in _PARTS.items() if part in leakage
    ]
    return [*rows, ("total", *(figures[figure] for figure in held))]


def _limits(space: HardwareSpace) -> str:
    told = (
        "area {:g} mm²", "power {:g} mW", "off-chip {:g} GB/s", "off-chip {:g} B/cycle", "peak {:g} GOPS", "{:,g} DSPs",
        "{:,g} block RAMs",
    )  # fmt: skip
    limits = zip(told, astuple(space.limits), strict=True)
    return ", ".join(text.format(limit) for text, limit in limits if limit < inf) or "none"


def _values(axis: Axis) -> str:
    """The values; of many the first and the last."""
    texts = [value_text(value) for value in axis.values]
    return "  ".join(texts if len(texts) <= 9 else [*texts[:3], "...", texts[-1]])


def _write_sources(sources: dict[str, dict[str, str]]) -> None:
    """The sources of area and leakage, each once with all that it is the source of."""
    said: dict[str, list[str]] = {}
    for figure, by_part in sources.items():
        for part, source in by_part.items():
            if source:
                said.setdefault(source, []).append(f"{figure.partition('_')[0]} of {_PARTS[part]}")
    if said:
        write("Sources")
    for source, figures in said.items():
        write_prose(f"{', '.join(figures)}: {source}", indent=4)


def _preset_row(hardware: Hardware) -> tuple[Cell, ...]:
    return (
        hardware.name,
        hardware.pes,
        hardware.clock_mhz,
        _bits(hardware),
        sum(hardware.l1.sizes),
        sum(hardware.l2.sizes) / 1024,
        hardware.noc.bytes_per_cycle,
        hardware.offchip.bytes_per_cycle,
        hardware.technology.name,
        *taken(hardware).values(),
    )


def _bits(hardware: Hardware) -> str:
    return "/".join(map(str, hardware.bits))


def _run_rows(hardware: Hardware) -> list[tuple[str, Cell, str]]:
    run = hardware.run
    if run is None:
        return []
    return [(f"run of {run.dim.label}", run.longest, f"at the most; takes as long as {run.least} or longer")]


def _fpga_rows(hardware: Hardware) -> list[tuple[str, Cell, str]]:
    fpga = hardware.fpga
    if fpga is None:
        return []
    return [
        ("DSPs of a MAC", fpga.dsp_per_mac, "for two MACs" if fpga.int8_packed else ""),
        ("block RAM", fpga.bram_bits, f"bits, in words of up to {fpga.bram_width}"),
        *(
            (f"{name.upper()} banks", "/".join(map(str, getattr(fpga, f"{name}_banks"))), "weight/input/output")
            for name in ("l1", "l2")
        ),
        ("memories in block RAM", fpga.lutram_below, "B or more; smaller ones are of LUTs"),
    ]


def _sparse_rows(hardware: Hardware) -> list[tuple[str, Cell, str]]:
    sparse = hardware.sparse
    operands = (("skipped", sparse.skip), ("gated", sparse.gate))
    return [
        *((f"zeros {word}", ", ".join(tensor.label for tensor in sorted(named)), "") for word, named in operands if named),
        *([("lanes", "/".join(map(str, sparse.lanes)), "weight/input, of each PE")] if sparse.lanes is not None else []),
        *([("zeros skipped are", "shared out evenly", "")] if sparse.balanced else []),
        *(
            (f"format at {level.label}", "/".join(map(str, formats)), "weight/input/output")
            for level, formats in zip(Level, sparse.formats, strict=True)
            if set(formats) != {Format()}
        ),
    ]


def _buffer_rows(name: str, buffer: Buffer) -> list[tuple[str, Cell, str]]:
    """The pool, each part, the tensors that pass the buffer by, and what only an L2 has."""
    pooled = [tensor.label for tensor in Tensor if buffer.parts[tensor] is None and not buffer.bypass[tensor]]
    shared = name if len(pooled) == len(Tensor) else f"{name} of {', '.join(pooled)}"
    parts = [(tensor.label, part) for tensor in Tensor if (part := buffer.parts[tensor]) is not None]
    return [
        *([(shared, buffer.bytes, _buffering(buffer.buffering))] if buffer.bytes else []),
        *((f"{name} of {label}", part.bytes, _buffering(part.buffering)) for label, part in parts),
        *((f"{name} of {tensor.label}", "none", "passes it by") for tensor in Tensor if buffer.bypass[tensor]),
        *([(f"{name} keeps tiles", "no", "")] if buffer.residency is Residency.NONE else []),
        *([("issue of a tile", buffer.tile_cycles, "cycles")] if buffer.tile_cycles else []),
    ]


def _width_rows(noc: Noc) -> list[tuple[str, Cell, str]]:
    if noc.wires is None:
        return [("NoC width, each way", noc.bytes_per_cycle, "B/cycle")]
    weight, input_, output = noc.wires
    labels = ("NoC width of weight", "NoC width of input", "NoC width of output, each way")
    return [(label, width, "B/cycle") for label, width in zip(labels, (weight, input_, output), strict=True)]


def _energy_rows(name: str, energy: dict[str, Any]) -> list[tuple[str, Cell, str]]:
    """The rows of one buffer, by tensor where each has energies of its own."""
    unit = f"pJ per {energy['access_bits']} bits"
    by_tensor = {f" of {label}": each for label, each in energy.items() if label != "access_bits"}
    by_tensor = {"": energy} if "read_pj" in energy else by_tensor
    return [(f"{name} {way}{label}", each[f"{way}_pj"], unit) for label, each in by_tensor.items() for way in ("read", "write")]


def _buffering(buffering: str) -> str:
    return "B, stream" if buffering == "stream" else f"B, {buffering}-buffered"


def _yes(flag: object) -> str:
    return "yes" if flag else "no"
