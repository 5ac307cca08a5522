"""`mapsearch hardware`: the presets, or the figures of one machine or of a space of machines."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from mapsearch.arguments import Subparsers
from mapsearch.model.errors import InputError
from mapsearch.output import write_file, write_json

if TYPE_CHECKING:
    from mapsearch.model.hardware import Buffer, Hardware
    from mapsearch.model.technology import BufferTechnology
    from mapsearch.spaces.machines.space import HardwareSpace


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "hardware",
        help="the hardware presets, or the figures of one machine or space of machines",
        description="Lists the hardware presets, or one with its figures: of a machine its area (on an FPGA DSPs and block RAMs) "
        "and leakage by parts and its energies per access, of a space of machines its axes, its limits, and its smallest and "
        "largest machine.",
    )
    parser.add_argument(
        "hardware", nargs="?", metavar="NAME|FILE", help="a preset's name or a hardware file, with changes such as edge,pes=64"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--yaml", action="store_true", help="print it as a YAML file, to start your own from")


def run(args: Namespace) -> int:
    """Print all presets, or one machine or space."""
    from mapsearch.formats.yaml.hardware import load_hardware_space, technology_sources, yaml_text
    from mapsearch.tables.hardware import print_machine, print_space

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
    sources = technology_sources(args.hardware)
    figures["sources"] = {figure: parts for figure, parts in sources.items() if figure != "area_mm2" or space.base.fpga is None}
    if args.json:
        write_json(figures)
    elif space.is_one_machine:
        print_machine(space.base, figures)
    else:
        print_space(space, figures)
    return 0


def _list(*, as_json: bool) -> None:
    from mapsearch.formats.yaml.hardware import load_hardware, load_hardware_space, names, space_names
    from mapsearch.tables.hardware import print_presets, print_spaces

    machines = [load_hardware(name) for name in names()]
    spaces = [load_hardware_space(name) for name in space_names()]
    if as_json:
        write_json({"machines": [_figures(each) for each in machines], "spaces": [_space_figures(space) for space in spaces]})
    else:
        print_presets(machines)
        print_spaces(spaces)


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
            **{name: {"access_bits": laws.access_bits, **_access(buffer, laws)} for name, (buffer, laws) in buffers.items()},
            "noc_pj_per_bit": technology.noc_pj_per_bit,
            "offchip_pj_per_bit": technology.offchip_pj_per_bit,
        },
    }


def _access(buffer: Buffer, laws: BufferTechnology) -> dict[str, Any]:
    """The energies of an access; where tensors have parts of their own, those of each tensor that the buffer holds."""
    from mapsearch.model.tensors import Tensor

    def at(size: int) -> dict[str, float]:
        return {"read_pj": laws.read_pj.at(size), "write_pj": laws.write_pj.at(size)}

    if not any(buffer.parts):
        return at(buffer.bytes)
    return {tensor.label: at(buffer.room(tensor).bytes) for tensor in Tensor if not buffer.bypass[tensor]}


def _by_part(hardware: Hardware) -> dict[str, Any]:
    """Area, or DSPs and block RAMs, and leakage, in total and of each part."""
    from dataclasses import asdict

    from mapsearch.model.area import leakage_by_part, taken, taken_by_part
    from mapsearch.tables.hardware import BY_PART

    leakage = leakage_by_part(hardware)
    of_leakage = {part: value for part, value in asdict(leakage).items() if part != "idle" or value}
    by_part = {
        BY_PART[figure]: {part: value for part, value in asdict(parts).items() if part != "idle"}
        for figure, parts in taken_by_part(hardware).items()
    }
    return {**taken(hardware), "leakage_mw": leakage.total, **by_part, "leakage_by_part_mw": of_leakage}


def _space_figures(space: HardwareSpace) -> dict[str, Any]:
    """`hardware` as a hardware file has it, and what follows from it."""
    from mapsearch.formats.yaml.hardware import hardware_space_to_dict

    return {
        "hardware": hardware_space_to_dict(space),
        "machines": space.size,
        "smallest": _by_part(space.base),
        "largest": _by_part(space.largest),
    }
