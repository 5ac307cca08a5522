"""The folder of a study, in which each file is written whole; and the folder of a run.

A run's folder has config.json, hardware.yaml, results.json, results.csv, network.m, mappings/ and fronts/. results.json grows as
layers are done, so that a run can be resumed wherever it stopped.
"""

from __future__ import annotations

import csv
import io
import json
import os
import signal
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar, cast

import yaml

from mapsearch.formats.text import in_file_name, remove_leftovers, write_whole
from mapsearch.model.errors import InputError, show
from mapsearch.search.interrupts import stops_handled
from mapsearch.search.locks import locked
from mapsearch.studies.results import LayerResult, RunResults
from mapsearch.studies.results_reader import read_layers
from mapsearch.studies.watching import StudyWatcher

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


def config_files(config: Mapping[str, Any]) -> dict[str, str]:
    """A run's configuration, and its `hardware` and `hardware_space` as hardware files, by file name."""
    hardware = [part for part in ("hardware", "hardware_space") if part in config]
    return {
        CONFIG: json.dumps(config, indent=2) + "\n",
        **{f"{part}.yaml": yaml.safe_dump(dict(config[part]), sort_keys=False) for part in hardware},
    }


def unused_folder(title: str) -> Path:
    """runs/<title>, or runs/<title>-2, -3, ... where that exists."""
    first = Path("runs") / in_file_name(title)
    folder = first
    number = 2
    while folder.exists():
        folder = first.with_name(f"{first.name}-{number}")
        number += 1
    return folder


class StudyFolder:
    """The folder of a study: its inputs, recorded before work starts, and its results.

    kind: of study. parts: the folders in it. config.json is written first, so that a study that is killed at any time can go on.
    """

    kind: ClassVar[str]
    parts: ClassVar[tuple[str, ...]]

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def at_work(self, files: Mapping[str, str], watcher: StudyWatcher | None, *, resume: bool) -> Generator[None]:
        """Begin or resume a study, with a lock on the folder; signals such as Ctrl-C and `kill` raise KeyboardInterrupt.

        files: the record of its inputs, texts by file name, config.json first. Raises InputError if another process works in the
        folder, if it is not writable, or if a new study finds it not empty.
        """
        with ExitStack() as held:
            try:
                with suppress(FileExistsError):
                    self.path.mkdir(parents=True)
                held.enter_context(locked(self.path))
                remove_leftovers(self.path, *(self.path / part for part in self.parts))
                if not resume:
                    self._check_empty()
                self.record({name: text for name, text in files.items() if not (self.path / name).exists()})
            except BlockingIOError:
                raise InputError(
                    f"{self.path}: another process is at work in it; wait until that ends, or name another folder"
                ) from None
            except OSError as error:
                hint = "name another folder as out (--out DIR)"
                raise InputError(f"{self.path}: the {self.kind}'s folder must be writable: {error.strerror}; {hint}") from None
            held.enter_context(stops_handled(signal.default_int_handler))
            if watcher is not None:
                watcher.opened(self.path)
            yield

    def _check_empty(self) -> None:
        if (self.path / CONFIG).exists():
            raise InputError(f"{self.path}: holds a run or a sweep already; go on with it by --resume, or name another folder")
        if any(self.path.iterdir()):
            raise InputError(f"{self.path}: the {self.kind}'s folder must be new or empty; name another folder")

    def record(self, files: Mapping[str, str]) -> None:
        """Write the files, texts by name, and make the folder's parts."""
        for name, text in files.items():
            (self.path / name).parent.mkdir(exist_ok=True)
            write_whole(self.path / name, text)
        for part in self.parts:
            (self.path / part).mkdir(exist_ok=True)

    @classmethod
    def recorded_in(cls, path: str | os.PathLike[str] | None) -> dict[str, Any]:
        """The configuration of a study to resume; InputError where there is none."""
        if path is None:
            raise InputError(f"resuming needs the {cls.kind}'s folder; name it as out (--out DIR)")
        return cls(Path(path)).config()

    def config(self, hint: str = "") -> dict[str, Any]:
        """The recorded configuration; InputError, which ends with the hint, where no study has begun."""
        return self.read(CONFIG, hint or f"no {self.kind} to resume here; start one without --resume")

    def check_same(self, recorded: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        """Raise InputError unless the configuration is the recorded one, apart from versions, so that the study may go on."""
        for part in {**now, **recorded}:
            before, after = recorded.get(part), now.get(part)
            if before == after or part == "versions":
                continue
            changed = ""
            if isinstance(before, Mapping) and isinstance(after, Mapping):
                old, new = cast("Mapping[str, object]", before), cast("Mapping[str, object]", after)
                key = next((key for key in {**old, **new} if old.get(key) != new.get(key)), None)
                if key is None:  # an older study, before this setting existed, and the setting is not given
                    continue
                changed = f", but {key} was {show(old.get(key))} and is now {show(new.get(key))}"
            raise InputError(f"{self.path}: resuming needs the same {part}{changed}; resume with the recorded one, or {ANEW}")

    def read(self, name: str, hint: str) -> dict[str, Any]:
        """The JSON object in a file of the folder; InputError where there is none, with the hint where there is no file."""
        path = self.path / name
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(f"{path}: does not exist; {hint}") from None
        except (ValueError, OSError) as error:
            raise InputError(f"{path}: must be readable JSON ({error}); {ANEW}") from None
        if not isinstance(data, dict):
            raise InputError(f"{path}: must hold a JSON object; {ANEW}")
        return cast("dict[str, Any]", data)


class RunFolder(StudyFolder):
    """The files of one run."""

    kind = "run"
    parts = ("mappings", "fronts")

    def config(self, hint: str = "") -> dict[str, Any]:
        """See `StudyFolder`."""
        config = super().config(hint)
        hardware = config.get("hardware_space", config.get("hardware"))
        if hardware is None or not {"layer_set", "settings"} <= config.keys():
            raise InputError(f"{self.path / CONFIG}: must hold a run's layer_set, hardware and settings; {hint or ANEW}")
        if not isinstance(config["settings"], dict) or not isinstance(hardware, dict):
            raise InputError(f"{self.path / CONFIG}: settings and hardware must be JSON objects; {ANEW}")
        return config

    def check_same(self, recorded: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        """See `StudyFolder`; layers are compared in place of layer sets, and a search for a machine finds the hardware itself."""
        found = ("layer_set", "hardware") if "hardware_space" in now else ("layer_set",)
        old, new = ({key: each[key] for key in each if key not in found} for each in (recorded, now))
        super().check_same(old, new)

    def finished(self) -> list[tuple[LayerResult, dict[str, str]]]:
        """The recorded results of finished layers, each with its directive texts by file name; InputError where one is damaged."""
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

    def save_mapping(self, name: str, text: str) -> None:
        """Write a directive file."""
        write_whole(self.path / name, text)

    def save_results(self, results: RunResults) -> None:
        """Write the results as JSON and as CSV."""
        write_whole(self.path / RESULTS, json.dumps(results.to_dict(), indent=1) + "\n")
        write_whole(self.path / "results.csv", as_csv(results.rows(), "name"))


def as_csv(rows: Sequence[Mapping[str, Any]], first: str) -> str:
    """Rows as CSV, with a column for each of their keys; first: the only column of a table without rows."""
    text = io.StringIO()
    columns = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(text, columns or [first], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
