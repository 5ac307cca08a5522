"""The notes of a co-design in its folder: a file for each machine and stage, from which it can go on, and the table of machines."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mapsearch.formats.directives import MappedLayer, Network, parse, print_network
from mapsearch.formats.text import write_whole
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware
from mapsearch.search.machines.candidate import MappedNetwork
from mapsearch.search.machines.sampler import Point
from mapsearch.search.machines.stages import Stage
from mapsearch.search.mappings.layers_job import LayersJob
from mapsearch.spaces.machines.space import HardwareSpace
from mapsearch.studies.co_design.results import MachineRow
from mapsearch.studies.folder import as_csv


class MachineNotes:
    """The `Notebook` of a search for a machine, in a folder of its own.

    A file's name has the machine's point on the axes and the stage; it holds the mappings as directive text, None for a layer
    without one, and the layers' lower bounds.
    """

    def __init__(self, folder: Path, space: HardwareSpace, job: LayersJob) -> None:
        self._folder, self._space, self._job = folder, space, job

    def recall(self, point: Point, stage: Stage) -> MappedNetwork | None:
        """See `Notebook`; InputError where the file is damaged."""
        file = self._file(point, stage)
        if not file.exists():
            return None
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
            return network_of(self._job, self._space.at(point), data["mappings"], data["lower_bounds"], str(file))
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            raise InputError(f"{file}: must hold a machine's mappings as a run writes them; start anew in another folder") from None

    def note(self, point: Point, stage: Stage, mapped: MappedNetwork) -> None:
        """See `Notebook`; where the file cannot be written the search goes on, and the best machine is saved at the end."""
        data = {"mappings": texts_of(self._job, mapped), "lower_bounds": mapped.lower_bounds.tolist()}
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._file(point, stage), json.dumps(data) + "\n")

    def _file(self, point: Point, stage: Stage) -> Path:
        return self._folder / f"{'_'.join(map(str, point))}_{stage.name.lower()}.json"


def texts_of(job: LayersJob, mapped: MappedNetwork) -> list[str | None]:
    """The mappings as directive texts; None for a layer without one."""
    return [
        None if mapping is None else print_network(Network("machine", (MappedLayer(layer, mapping),)))
        for layer, mapping in zip(job.layers, mapped.mappings, strict=True)
    ]


def network_of(
    job: LayersJob, hardware: Hardware, texts: Sequence[str | None], lower_bounds: Sequence[float], where: str
) -> MappedNetwork:
    """The machine with the mappings of `texts_of`; ValueError where they are not of as many layers."""
    if len(texts) != len(job.layers) or len(lower_bounds) != len(texts):
        raise ValueError(where)
    mappings = tuple(None if text is None else parse(text, where).layers[0].mapping for text in texts)
    return MappedNetwork.of(job, hardware, mappings, np.array(lower_bounds, np.float64))


def write_machines(file: Path, rows: Sequence[MachineRow]) -> None:
    """Write the table of machines."""
    write_whole(file, as_csv([row.to_dict() for row in rows], "status"))
