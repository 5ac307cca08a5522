"""The exact model held against measured chips.

A suite compares measured rows with the model's figures for the same mappings, on a machine that is described from published
drawings, and has bars. SUITES: what makes each suite's outcome from a user's folder of rows, or from the shipped rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

import yaml

from mapsearch.formats.directives import print_network
from mapsearch.formats.measured import TpuRow
from mapsearch.formats.yaml.hardware import hardware_to_dict
from mapsearch.model.errors import InputError, did_you_mean, show
from mapsearch.studies.validation import eyeriss, eyeriss_counts, gemmini, tpu, zhang
from mapsearch.studies.validation.outcome import Outcome

SUITES: Mapping[str, Callable[[Path | None], Outcome]] = MappingProxyType(
    {
        "eyeriss-alexnet": partial(eyeriss.latency, eyeriss.ALEXNET),
        "eyeriss-vgg16": partial(eyeriss.latency, eyeriss.VGG16),
        "eyeriss-traffic": eyeriss_counts.traffic,
        "eyeriss-power": eyeriss_counts.power,
        "eyeriss-search": eyeriss_counts.search,
        "gemmini": gemmini.cycles,
        zhang.SUITE: zhang.design,
        "tpu-v6e": tpu.roofline,
    }
)
_NOT_SHIPPED = {"tpu-v6e": TpuRow.file}


def validate(suites: Sequence[str] = (), data: Path | None = None) -> list[Outcome]:
    """The outcomes of suites (none named: of all that have rows); data: a folder with rows of the user's own.

    Raises InputError where a suite is not known, or its rows are missing or break a law.
    """
    for name in suites:
        if name not in SUITES:
            raise InputError(f"no suite is called {show(name)}{did_you_mean(name, SUITES)}; there are {', '.join(SUITES)}")
    if data is not None and not data.is_dir():
        raise InputError(f"{data}: the data must be a folder of files of rows, such as gemmini_rtl.csv")
    have = [name for name in SUITES if name not in _NOT_SHIPPED or (data is not None and (data / _NOT_SHIPPED[name]).is_file())]
    return [SUITES[name](data) for name in dict.fromkeys(suites or have)]


def kept_files(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """The mappings of the suites as directive files and their machines as hardware files, by name."""
    kept: dict[str, str] = {}
    for outcome in outcomes:
        if outcome.network is not None:
            kept[f"{outcome.suite}.m"] = print_network(outcome.network)
            kept[f"{outcome.machine.name}.yaml"] = yaml.safe_dump(hardware_to_dict(outcome.machine), sort_keys=False)
    return kept
