"""`mapsearch hardware`: the presets, or the figures of one machine or of a space of machines."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from mapsearch.arguments import Subparsers
from mapsearch.model.errors import InputError
from mapsearch.output import Cell, write, write_file, write_json, write_prose, write_table

if TYPE_CHECKING:
    from mapsearch.model.hardware import Hardware
    from mapsearch.spaces.machines.space import Axis, HardwareSpace

_PARTS = {"pes": "PEs", "l1": "L1s", "l2": "L2", "noc_bus": "NoC bus", "noc_arbiter": "NoC arbiter"}


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "hardware",
        help="the hardware presets, or the figures of one machine or space of machines",
        description="Lists the hardware presets, or one with its figures: of a machine its area and leakage by parts and its "
        "energies per access, of a space of machines its axes, its limits, and its smallest and largest machine.",
    )
    parser.add_argument(
        "hardware", nargs="?", metavar="NAME|FILE", help="a preset's name or a hardware file, with changes such as edge,pes=64"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--yaml", action="store_true", help="print it as a YAML file, to start your own from")


def run(args: Namespace) -> int:
    """Print all presets, or one machine or space."""
    from mapsearch.formats.yaml.hardware import load_hardware_space, technology_sources, yaml_text

    if args.yaml:
        if args.hardware is None:
            raise InputError("--yaml prints one file; name a preset or a file")
        write_file(yaml_text(args.hardware))
        return 0
    if args.hardware is None:
        _list(as_json=args.json)
        return 0
    space = load_hardware_space(args.hardware)
    figures = _figures(space.base) if space.is_one_machine else _space_figures(space)
    figures["sources"] = technology_sources(args.hardware)
    if args.json:
        write_json(figures)
    elif space.is_one_machine:
        _write_machine(figures)
    else:
        _write_space(space, figures)
    return 0


def _list(*, as_json: bool) -> None:
    from mapsearch.formats.yaml.hardware import load_hardware, load_hardware_space, names, space_names

    machines = [_figures(load_hardware(name)) for name in names()]
    spaces = [load_hardware_space(name) for name in space_names()]
    if as_json:
        write_json({"machines": machines, "spaces": [_space_figures(space) for space in spaces]})
    else:
        _write_presets(machines)
        _write_spaces(spaces)


def _figures(hardware: Hardware) -> dict[str, Any]:
    """`hardware` as a hardware file has it, and what follows from it; an access is one of the buffer's `access_bits`."""
    from mapsearch.formats.yaml.hardware import hardware_to_dict
    from mapsearch.model.energy import energy_coefficients
    from mapsearch.model.layer import Layer, LayerType

    one_mac = Layer("one MAC", LayerType.CONV, (1, 1, 1, 1, 1, 1, 1, 1))
    technology = hardware.technology
    buffers = {"l1": (hardware.l1, technology.l1), "l2": (hardware.l2, technology.l2)}
    return {
        "hardware": hardware_to_dict(hardware),
        **_by_part(hardware),
        "energy": {
            "mac_pj": float(energy_coefficients(one_mac, hardware).constant_pj[0]),
            **{
                name: {
                    "access_bits": laws.access_bits,
                    "read_pj": laws.read_pj.at(buffer.bytes),
                    "write_pj": laws.write_pj.at(buffer.bytes),
                }
                for name, (buffer, laws) in buffers.items()
            },
            "noc_pj_per_bit": technology.noc_pj_per_bit,
            "offchip_pj_per_bit": technology.offchip_pj_per_bit,
        },
    }


def _by_part(hardware: Hardware) -> dict[str, Any]:
    """Area and leakage, in total and of each part."""
    from dataclasses import asdict

    from mapsearch.model.area import area_by_part, leakage_by_part

    area, leakage = area_by_part(hardware), leakage_by_part(hardware)
    return {
        "area_mm2": area.total,
        "leakage_mw": leakage.total,
        "area_by_part_mm2": asdict(area),
        "leakage_by_part_mw": asdict(leakage),
    }


def _space_figures(space: HardwareSpace) -> dict[str, Any]:
    """`hardware` as a hardware file has it, and what follows from it."""
    from mapsearch.formats.yaml.hardware import hardware_space_to_dict

    return {
        "hardware": hardware_space_to_dict(space),
        "machines": space.size,
        "smallest": _by_part(space.base),
        "largest": _by_part(space.largest),
    }


def _write_presets(presets: list[dict[str, Any]]) -> None:
    sizes = ("L1 [B]", "L2 [KiB]", "NoC [B/cycle]", "off-chip [B/cycle]")
    columns = ("name", "PEs", "clock [MHz]", "bits [W/I/O]", *sizes, "technology", "area [mm²]")
    rows = [_preset_row(figures["hardware"], figures["area_mm2"]) for figures in presets]
    write_table("", columns, rows)


def _write_spaces(spaces: list[HardwareSpace]) -> None:
    rows = [(space.name, space.size, _limits(space), ", ".join(axis.key for axis in space.axes)) for space in spaces]
    write_table("Spaces", ("name", "machines", "limits", "axes"), rows)


def _part_rows(figures: dict[str, Any]) -> list[tuple[str, float, float]]:
    area, leakage = figures["area_by_part_mm2"], figures["leakage_by_part_mw"]
    rows = [(label, area[part], leakage[part]) for part, label in _PARTS.items()]
    return [*rows, ("total", figures["area_mm2"], figures["leakage_mw"])]


def _limits(space: HardwareSpace) -> str:
    from dataclasses import astuple
    from math import inf

    told = ("area {:g} mm²", "power {:g} mW", "off-chip {:g} GB/s", "off-chip {:g} B/cycle", "peak {:g} GOPS")
    limits = zip(told, astuple(space.limits), strict=True)
    return ", ".join(text.format(limit) for text, limit in limits if limit < inf) or "none"


def _write_space(space: HardwareSpace, figures: dict[str, Any]) -> None:
    write_prose(f"{space.name}: {space.size:,} machines, limits: {_limits(space)}; technology {space.base.technology.name}")
    write("")
    write_table("Axes", ("key", "number", "values"), [(axis.key, len(axis.values), _values(axis)) for axis in space.axes])
    columns = [f"{end} {figure}" for end in ("smallest:", "largest:") for figure in ("area [mm²]", "leakage [mW]")]
    smallest, largest = _part_rows(figures["smallest"]), _part_rows(figures["largest"])
    rows = [(*one, *other[1:]) for one, other in zip(smallest, largest, strict=True)]
    write_table("Smallest and largest machine", ("part", *columns), rows)
    _write_sources(figures["sources"])


def _values(axis: Axis) -> str:
    """The values; of many the first and the last."""
    texts = [str(value).lower() if isinstance(value, bool) else f"{value:,}" for value in axis.values]
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


def _preset_row(hardware: dict[str, Any], area_mm2: float) -> tuple[Cell, ...]:
    return (
        hardware["name"],
        hardware["pes"],
        hardware["clock_mhz"],
        _bits(hardware),
        hardware["l1"]["bytes"],
        hardware["l2"]["bytes"] / 1024,
        hardware["noc"]["bytes_per_cycle"],
        hardware["offchip"]["bytes_per_cycle"],
        hardware["technology"]["name"],
        area_mm2,
    )


def _bits(hardware: dict[str, Any]) -> str:
    return "/".join(str(hardware["bits"][tensor]) for tensor in ("weight", "input", "output"))


def _write_machine(figures: dict[str, Any]) -> None:
    hardware, energy = figures["hardware"], figures["energy"]
    noc, offchip = hardware["noc"], hardware["offchip"]
    rows = [
        ("PEs", hardware["pes"], ""),
        ("MACs per PE and cycle", hardware["simd"], ""),
        ("clock", hardware["clock_mhz"], "MHz"),
        ("weight/input/output", _bits(hardware), "bits"),
        *((name.upper(), hardware[name]["bytes"], _buffering(hardware[name])) for name in ("l1", "l2")),
        ("NoC width, each way", noc["bytes_per_cycle"], "B/cycle"),
        ("NoC latency", noc["latency_cycles"], "cycles"),
        ("NoC multicast", _yes(noc["multicast"]), ""),
        ("NoC reduction", _yes(noc["reduction"]), ""),
        ("off-chip width", offchip["bytes_per_cycle"], "B/cycle"),
        ("off-chip latency", offchip["latency_cycles"], "cycles"),
        ("technology", hardware["technology"]["name"], ""),
        ("leakage includes activity", _yes(hardware["technology"]["leakage_includes_activity"]), ""),
        ("energy of a MAC", energy["mac_pj"], "pJ"),
        *(
            (f"{name.upper()} {action}", energy[name][f"{action}_pj"], f"pJ per {energy[name]['access_bits']} bits")
            for name in ("l1", "l2")
            for action in ("read", "write")
        ),
        ("NoC", energy["noc_pj_per_bit"], "pJ per bit"),
        ("off-chip", energy["offchip_pj_per_bit"], "pJ per bit"),
    ]
    write_table("", (hardware["name"], "value", "unit"), rows)
    write_table("Area and leakage", ("part", "area [mm²]", "leakage [mW]"), _part_rows(figures))
    _write_sources(figures["sources"])


def _buffering(buffer: dict[str, Any]) -> str:
    return "B, double-buffered" if buffer["double_buffered"] else "B"


def _yes(flag: object) -> str:
    return "yes" if flag else "no"
