"""A run read back from its folder, for pictures and comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware
from mapsearch.studies.evaluate import machine
from mapsearch.studies.folder import RESULTS, RunFolder
from mapsearch.studies.results import LayerResult, RunResults
from mapsearch.studies.results_reader import read_results

_GO_ON = "go on with the run by mapsearch run --resume"
_ANEW = "mapsearch run --resume writes the results of an earlier version anew"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run with at least one layer, its configuration as in config.json, and its machine."""

    config: dict[str, Any]
    results: RunResults
    hardware: Hardware

    @property
    def layers(self) -> tuple[LayerResult, ...]:
        """The layers that have a mapping."""
        return self.results.layers

    @property
    def model(self) -> str:
        """The name of the cost model."""
        return str(self.config["settings"].get("model", "exact"))

    @property
    def networks(self) -> str:
        """The networks by name, with their weights."""
        return ", ".join(f"{each.name} x{each.weight}" if each.weight > 1 else each.name for each in self.results.networks)

    @property
    def search(self) -> str:
        """The objective and the seed."""
        return f"objective {self.results.objective}, seed {self.results.seed}"

    @property
    def title(self) -> str:
        """The run's networks, hardware, objective and seed in one line."""
        return f"{self.networks} on {self.hardware.name}, {self.search}"


def load_run(folder: str | PathLike[str]) -> Recorded:
    """The run in a folder; InputError, one line, where there is none, or none of its layers has a mapping yet."""
    path = Path(folder)
    if not path.is_dir():
        raise InputError(f"{path}: must be a run's folder, as mapsearch run writes it, got {'a file' if path.exists() else 'none'}")
    files = RunFolder(path)
    config = files.config("name the folder of a run")
    if "hardware" not in config:
        raise InputError(f"{path}: the search for a machine has saved none yet; {_GO_ON}")
    results = read_results(files.read(RESULTS, f"no layer has a mapping yet; {_GO_ON}"), path / RESULTS, _ANEW)
    if not results.layers:
        raise InputError(f"{path / RESULTS}: must hold a layer with a mapping, got none; {_GO_ON}")
    return Recorded(config, results, machine(config["hardware"]))
