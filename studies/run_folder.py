"""A run's folder: config.json, hardware.yaml, results.json, results.csv and mappings/, each file written whole.

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

from mapsearch.model.errors import InputError
from mapsearch.studies.files import write_whole

CONFIG = "config.json"
RESULTS = "results.json"


def mapping_name(index: int, layer: str) -> str:
    """The directive file of a layer, relative to the folder."""
    return f"mappings/{index:02d}_{re.sub(r'[^A-Za-z0-9_.-]+', '_', layer)[:80]}.m"


def unused_folder(stem: str) -> Path:
    """runs/<stem>, or runs/<stem>-2, -3, ... where that exists."""
    base = Path("runs")
    folder = base / stem
    number = 2
    while folder.exists():
        folder = base / f"{stem}-{number}"
        number += 1
    return folder


class RunFolder:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self, config: Mapping[str, Any], hardware: Mapping[str, Any]) -> None:
        """Make the folder and record the configuration; InputError where a run is there already."""
        if (self.path / CONFIG).exists():
            raise InputError(f"{self.path}: holds a run already; go on with it by --resume, or name another folder")
        (self.path / "mappings").mkdir(parents=True, exist_ok=True)
        write_whole(self.path / "hardware.yaml", yaml.safe_dump(dict(hardware), sort_keys=False))
        write_whole(self.path / CONFIG, json.dumps(config, indent=2) + "\n")

    def config(self) -> dict[str, Any]:
        """The recorded configuration; InputError where there is none."""
        return self._read(CONFIG, "no run to resume here; start one without --resume")

    def results(self) -> dict[str, Any]:
        """The recorded results, or ones without layers where none are there yet."""
        if not (self.path / RESULTS).exists():
            return {"layers": []}
        return self._read(RESULTS, "start anew in another folder")

    def _read(self, name: str, hint: str) -> dict[str, Any]:
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

    def save_results(self, results: Mapping[str, Any]) -> None:
        """Write the results as JSON and as CSV."""
        write_whole(self.path / RESULTS, json.dumps(results, indent=1) + "\n")
        write_whole(self.path / "results.csv", _as_csv(results["layers"]))


def _as_csv(layers: Sequence[Mapping[str, Any]]) -> str:
    rows = [_flat({key: value for key, value in layer.items() if key not in ("names", "trace")}) for layer in layers]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["name"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys joined by dots; `metrics` leaves no trace in the names."""
    flat: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, Mapping):
            flat |= _flat(cast("Mapping[str, Any]", value), prefix if key == "metrics" else f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
