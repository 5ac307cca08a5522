"""`mapsearch hardware`: the presets, or the figures of one machine."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from mapsearch.arguments import Subparsers
from mapsearch.output import Cell, write_json, write_table

if TYPE_CHECKING:
    from mapsearch.model.hardware import Hardware


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "hardware",
        help="the hardware presets, or the figures of one machine",
        description="Lists the hardware presets, or one machine with its figures, its area and its energies per access.",
    )
    parser.add_argument("hardware", nargs="?", metavar="NAME|FILE", help="a preset's name or a hardware file")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    """Print all presets, or one machine."""
    from mapsearch.studies.hardware_files import load_hardware, names

    if args.hardware is None:
        presets = [_figures(load_hardware(name)) for name in names()]
        if args.json:
            write_json(presets)
        else:
            _write_presets(presets)
        return 0
    figures = _figures(load_hardware(args.hardware))
    if args.json:
        write_json(figures)
    else:
        _write_machine(figures)
    return 0


def _figures(hardware: Hardware) -> dict[str, Any]:
    """`hardware` as a hardware file has it, and what follows from it; an access is one of the buffer's `access_bits`."""
    from mapsearch.model.area import area_by_part, leakage_by_part
    from mapsearch.model.energy import energy_coefficients
    from mapsearch.model.layer import Layer, LayerType
    from mapsearch.studies.hardware_files import hardware_to_dict

    one_mac = Layer("one MAC", LayerType.CONV, (1, 1, 1, 1, 1, 1, 1, 1))
    technology = hardware.technology
    buffers = {"l1": (hardware.l1, technology.l1), "l2": (hardware.l2, technology.l2)}
    return {
        "hardware": hardware_to_dict(hardware),
        "area_mm2": area_by_part(hardware).total,
        "leakage_mw": leakage_by_part(hardware).total,
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


def _write_presets(presets: list[dict[str, Any]]) -> None:
    sizes = ("L1 (bytes)", "L2 (bytes)", "NoC (bytes/cycle)", "off-chip (bytes/cycle)")
    columns = ("name", "PEs", "SIMD", "clock (MHz)", "bits W/I/O", *sizes, "technology", "area (mm²)")
    rows = [_preset_row(figures["hardware"], figures["area_mm2"]) for figures in presets]
    write_table("", columns, rows)


def _preset_row(hardware: dict[str, Any], area_mm2: float) -> tuple[Cell, ...]:
    return (
        hardware["name"],
        hardware["pes"],
        hardware["simd"],
        hardware["clock_mhz"],
        _bits(hardware),
        hardware["l1"]["bytes"],
        hardware["l2"]["bytes"],
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
        ("bits of a weight/input/output", _bits(hardware), ""),
        *((name.upper(), hardware[name]["bytes"], _buffering(hardware[name])) for name in ("l1", "l2")),
        ("NoC width, each way", noc["bytes_per_cycle"], "bytes/cycle"),
        ("NoC latency", noc["latency_cycles"], "cycles"),
        ("NoC multicast", _yes(noc["multicast"]), ""),
        ("NoC reduction", _yes(noc["reduction"]), ""),
        ("off-chip width", offchip["bytes_per_cycle"], "bytes/cycle"),
        ("off-chip latency", offchip["latency_cycles"], "cycles"),
        ("technology", hardware["technology"]["name"], ""),
        ("area", figures["area_mm2"], "mm²"),
        ("leakage", figures["leakage_mw"], "mW"),
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


def _buffering(buffer: dict[str, Any]) -> str:
    return "bytes, double-buffered" if buffer["double_buffered"] else "bytes"


def _yes(flag: object) -> str:
    return "yes" if flag else "no"
