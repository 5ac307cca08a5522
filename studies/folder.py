"""A run's folder: config.json, hardware.yaml, results.json, results.csv, network.m, mappings/ and fronts/, each file written whole.

results.json grows as layers are done, so that a run which stops anywhere can go on from it.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import yaml

from mapsearch.formats.text import write_whole
from mapsearch.model.errors import InputError
from mapsearch.studies.results import LayerResult, RunResults
from mapsearch.studies.results_file import read_layers

CONFIG = "config.json"
RESULTS = "results.json"
NETWORK = "network.m"
ANEW = "start anew in another folder"


def mapping_name(index: int, layer: str) -> str:
    """The directive file of a layer, relative to the folder."""
    return f"mappings/{index:02d}_{in_file_name(layer)}.m"


def front_name(index: int, layer: str) -> str:
    """The directive file of a layer's front, relative to the folder."""
    return f"fronts/{index:02d}_{in_file_name(layer)}.m"


def unused_folder(title: str) -> Path:
    """runs/<title>, or runs/<title>-2, -3, ... where that exists."""
    first = Path("runs") / in_file_name(title)
    folder = first
    number = 2
    while folder.exists():
        folder = first.with_name(f"{first.name}-{number}")
        number += 1
    return folder


def in_file_name(text: str) -> str:
    """The text with what a file's name should not have as underscores, and no longer than that may be."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", text)[:80]


class RunFolder:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self, config: Mapping[str, Any], more: Mapping[str, str]) -> None:
        """Make the folder, record the configuration and write the texts of `more` to files of those names.

        Raises InputError where anything is there already, and OSError.
        """
        if (self.path / CONFIG).exists():
            raise InputError(f"{self.path}: holds a run already; go on with it by --resume, or name another folder")
        if self.path.exists() and any(self.path.iterdir()):
            raise InputError(f"{self.path}: the run's folder must be new or empty; name another folder")
        for name in ("mappings", "fronts"):
            (self.path / name).mkdir(parents=True, exist_ok=True)
        for name, text in more.items():
            write_whole(self.path / name, text)
        self.record(config)

    def record(self, config: Mapping[str, Any]) -> None:
        """Write the configuration, and its `hardware` and `hardware_space` as hardware files."""
        for part in ("hardware", "hardware_space"):
            if part in config:
                write_whole(self.path / f"{part}.yaml", yaml.safe_dump(dict(config[part]), sort_keys=False))
        write_whole(self.path / CONFIG, json.dumps(config, indent=2) + "\n")

    def config(self, hint: str = "no run to resume here; start one without --resume") -> dict[str, Any]:
        """The recorded configuration; InputError, which ends with the hint, where there is none."""
        config = self.read(CONFIG, hint)
        hardware = config.get("hardware_space", config.get("hardware"))
        if hardware is None or not {"layer_set", "settings"} <= config.keys():
            raise InputError(f"{self.path / CONFIG}: must hold a run's layer_set, hardware and settings; {ANEW}")
        if not isinstance(config["settings"], dict) or not isinstance(hardware, dict):
            raise InputError(f"{self.path / CONFIG}: settings and hardware must be JSON objects; {ANEW}")
        return config

    def finished(self) -> list[tuple[LayerResult, dict[str, str]]]:
        """The recorded result of each layer that is done, and its directive texts by file name; InputError where one is damaged."""
        path = self.path / RESULTS
        if not path.exists():
            return []
        rows = read_layers(self.read(RESULTS, ANEW), path, ANEW)
        try:
            return [(row, self._texts_of(row)) for row in rows if row.finished]
        except UnicodeDecodeError as error:
            raise InputError(f"{self.path}: mapping files must be UTF-8 text ({error}); {ANEW}") from None
        except OSError as error:
            raise InputError(f"{error.filename}: must be readable ({error.strerror}); {ANEW}") from None

    def _texts_of(self, row: LayerResult) -> dict[str, str]:
        files = [name for name in (row.mapping_file, row.front_file) if name is not None]
        return {name: (self.path / name).read_text(encoding="utf-8") for name in files}

    def read(self, name: str, hint: str) -> dict[str, Any]:
        """The JSON object in a file of the folder; InputError, which ends with the hint, where there is none."""
        path = self.path / name
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(f"{path}: does not exist; {hint}") from None
        except (ValueError, OSError) as error:
            raise InputError(f"{path}: must be readable JSON ({error}); {hint}") from None
        if not isinstance(data, dict):
            raise InputError(f"{path}: must hold a JSON object; {hint}")
        return cast("dict[str, Any]", data)

    def save_mapping(self, name: str, text: str) -> None:
        """Write a directive file."""
        write_whole(self.path / name, text)

    def save_results(self, results: RunResults) -> None:
        """Write the results as JSON and as CSV."""
        write_whole(self.path / RESULTS, json.dumps(results.to_dict(), indent=1) + "\n")
        write_whole(self.path / "results.csv", as_csv(results.rows(), "name"))


def as_csv(rows: Sequence[Mapping[str, Any]], first: str) -> str:
    """Rows of equal keys as CSV; first: the one column of a table without rows."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [first], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
