"""What a co-design keeps in its folder: a file for each machine and stage, with which it can go on, and the table of machines."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mapsearch.formats.directives import MappedLayer, Network, parse, print_network
from mapsearch.formats.text import write_whole
from mapsearch.model.errors import InputError
from mapsearch.search.machines.candidate import Mapped
from mapsearch.search.machines.sampler import Places
from mapsearch.search.machines.stages import Stage
from mapsearch.search.mappings.layers_job import Job
from mapsearch.spaces.machines.space import HardwareSpace


class MachineNotes:
    """The `Notebook` of a search for a machine, in a folder of its own.

    A file's name has the machine's places on the axes and the stage; it holds the mappings as directive text, None for a layer
    without one, and the layers' lower bounds.
    """

    def __init__(self, folder: Path, space: HardwareSpace, job: Job) -> None:
        self._folder, self._space, self._job = folder, space, job

    def recall(self, places: Places, stage: Stage) -> Mapped | None:
        """See `Notebook`; InputError where the file is not as it was written."""
        file = self._file(places, stage)
        if not file.exists():
            return None
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
            texts, bounds = data["mappings"], np.array(data["lower_bounds"], np.float64)
            mappings = tuple(None if text is None else parse(text, str(file)).layers[0].mapping for text in texts)
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            raise InputError(f"{file}: must hold a machine's mappings as a run writes them; start anew in another folder") from None
        if len(mappings) != len(self._job.layers) or len(bounds) != len(mappings):
            raise InputError(
                f"{file}: must hold {len(self._job.layers)} mappings, got {len(mappings)}; start anew in another folder"
            )
        return Mapped.of(self._job, self._space.at(places), mappings, bounds)

    def note(self, places: Places, stage: Stage, mapped: Mapped) -> None:
        """See `Notebook`; without room for the file the search goes on, and the best machine is saved in the end."""
        texts = [
            None if mapping is None else print_network(Network("machine", (MappedLayer(layer, mapping),)))
            for layer, mapping in zip(self._job.layers, mapped.mappings, strict=True)
        ]
        data = {"mappings": texts, "lower_bounds": mapped.lower_bounds.tolist()}
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._file(places, stage), json.dumps(data) + "\n")

    def _file(self, places: Places, stage: Stage) -> Path:
        return self._folder / f"{'_'.join(map(str, places))}_{stage.name.lower()}.json"


def write_machines(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the table of machines."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["status"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(file, text.getvalue())
