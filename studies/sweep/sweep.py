"""A sweep: every design of a hardware space on fixed dataflows is costed, saved part by part, and summarised."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapsearch.formats.mixes import NetworkSource
from mapsearch.formats.text import write_whole
from mapsearch.formats.yaml.dataflows import names as dataflow_names
from mapsearch.formats.yaml.hardware_in import Source
from mapsearch.formats.yaml.sweeps import Dataflow, Study, load_study, names, study_of
from mapsearch.model.errors import InputError
from mapsearch.model.extras import require
from mapsearch.search.designs.sweep import Counted
from mapsearch.search.engine import Engine, run_tasks
from mapsearch.studies.engines import ClusterSource, engine_of
from mapsearch.studies.folder import CONFIG, StudyFolder, unused_folder
from mapsearch.studies.saving import save_in_the_end
from mapsearch.studies.sweep.options import MOST_DESIGNS, SweepOptions
from mapsearch.studies.sweep.parquet import part_path, read_found
from mapsearch.studies.sweep.plan import SweepPlan
from mapsearch.studies.sweep.summary import SweepSummary, Swept, front_as_csv, summary_of
from mapsearch.studies.watching import SweepWatcher


class SweepFolder(StudyFolder):
    """The files of one sweep: config.json, designs/ with its parts, mappings/, front.csv and summary.json."""

    kind = "sweep"
    parts = ("designs", "mappings")

    def config(self, hint: str = "") -> dict[str, Any]:
        """See `StudyFolder`."""
        config = super().config(hint)
        if not isinstance(config.get("sweep"), dict):
            raise InputError(f"{self.path / CONFIG}: must hold a sweep's configuration; start anew in another folder")
        return config


def sweep(
    study: str | os.PathLike[str] | None = None,
    *,
    layers: str | None = None,
    dataflows: Sequence[str] = (),
    hardware: Source | None = None,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    jobs: int | None = None,
    cluster: ClusterSource | None = None,
    designs_at_most: int = MOST_DESIGNS,
    watcher: SweepWatcher | None = None,
) -> SweepSummary:
    """Cost every design and write the sweep's folder; returns what its summary.json holds.

    study: a shipped sweep's name or a file. layers: SET or SET:NAME,NAME. dataflows: templates' names, directive files, folders of
    a run's mappings. hardware: as `load_hardware_space` takes it. These three replace the study's own; without a study, layers are
    needed, dataflows are all templates and the hardware is edge_space. out: the folder (default: a new one under runs/). resume: go
    on with the sweep in `out`, with its recorded inputs, which may not differ. jobs, cluster: as `run` takes them; the designs are
    the same whatever they are.

    After Ctrl-C or a kill, the finished parts are kept and summarised as not complete. Raises InputError before work starts if an
    input breaks a law, there are more designs than designs_at_most, or the disk has too little room. Raises OSError if the folder
    can no longer be written (UnsavedRunError, as `run`, if that happens at the end).
    """
    require("a sweep, which writes Parquet,", "sweep", "pyarrow")
    SweepOptions(study, layers, dataflows, hardware, designs_at_most, out, resume, jobs, cluster)
    recorded = SweepFolder.recorded_in(out) if resume else None
    own = load_study(study if isinstance(study, str) else Path(study)) if study is not None else None
    if own is None and recorded is not None:
        own = study_of(recorded["sweep"], str(out), Path())
    sweep_ = _Sweep(SweepPlan(_study(own, layers, dataflows, hardware)))
    folder = SweepFolder(Path(out) if out is not None else unused_folder(f"sweep-{sweep_.plan.study.name}"))
    if recorded is None:
        _check_size(sweep_.plan, folder.path, designs_at_most)
    else:
        folder.check_same(recorded, sweep_.config)
    with engine_of(jobs, cluster, "pyarrow") as engine, folder.at_work(sweep_.files, watcher, resume=resume):
        return sweep_.search(folder, engine, watcher)


def _study(study: Study | None, layers: str | None, dataflows: Sequence[str], hardware: Source | None) -> Study:
    """The study to be done: the arguments, else the study's own values, else the defaults."""
    asked = study or Study("", "edge_space", NetworkSource(""), tuple(Dataflow("dataflow", name) for name in dataflow_names()))
    asked = asked.with_layers(layers) if layers is not None else asked
    asked = replace(asked, name=asked.name or Path(asked.network.layer_set).stem)
    if not asked.network.layer_set:
        raise InputError(f"a study ({', '.join(names())}, or a file) or layers (--layers SET:NAME,NAME) are needed")
    if dataflows:
        asked = replace(asked, dataflows=tuple(Dataflow.of(word) for word in dataflows))
    return asked if hardware is None else replace(asked, hardware=hardware)


def _check_size(plan: SweepPlan, folder: Path, designs_at_most: int) -> None:
    designs, estimate = plan.designs, plan.estimate
    if designs > designs_at_most:
        raise InputError(
            f"sweep {plan.study.name}: has {designs:,} designs, which take {estimate.text}; allow more than {designs_at_most:,} by "
            f"--designs-at-most {designs}, or take larger steps"
        )
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if estimate.bytes > free:
        raise InputError(
            f"{folder}: the sweep takes {estimate.text}, and {free / 1e9:,.2g} GB are free; name a folder elsewhere, or take "
            "larger steps"
        )


class _Sweep:
    """The work of a sweep, and its results so far."""

    def __init__(self, plan: SweepPlan) -> None:
        self.plan, self.config = plan, plan.record
        texts = {f"mappings/{pair.file_name(number)}": plan.texts[number] for number, pair in enumerate(plan.pairs)}
        self.files = {CONFIG: json.dumps(self.config, indent=1) + "\n", **texts}
        self._found = [Swept(pair) for pair in plan.pairs]
        self._work = Counted()  # what is costed now
        self._complete, self._seconds = False, 0.0

    def search(self, folder: SweepFolder, engine: Engine, watcher: SweepWatcher | None) -> SweepSummary:
        """Cost and save all missing parts, and write the summary."""
        if watcher is not None:
            watcher.began(self.plan)
        began = perf_counter()
        try:
            for pair, counted, front in self._parts(folder.path, engine):
                self._found[pair].counted.add(counted)
                self._found[pair].front.add(front)
                if watcher is not None:
                    counts = [each.counted for each in self._found]
                    watcher.advanced(sum(each.designs for each in counts), sum(each.valid for each in counts))
            self._complete = True
        except KeyboardInterrupt:
            pass  # finished parts are kept
        self._seconds = perf_counter() - began
        save_in_the_end(folder, self.files, self._save, self.results)
        return self.results(folder.path)

    def _parts(self, folder: Path, engine: Engine) -> Iterator[tuple[int, Counted, NDArray[np.void]]]:
        """The pair, the counts and the front, DESIGN[F], of each part: of those that exist, then of the others once saved."""
        there = np.array([part_path(folder, number).exists() for number in range(len(self.plan.parts))])
        for number in np.flatnonzero(there).tolist():
            part = self.plan.parts[number]
            yield part.pair, *read_found(part_path(folder, number), part.designs)
        missing = np.flatnonzero(~there).tolist()
        for index, costed in run_tasks(self.plan.tasks(missing), engine, None):
            _write(part_path(folder, missing[index]), costed.file)
            self._work.add(costed.counted)
            yield costed.pair, costed.counted, costed.front

    def _save(self, folder: SweepFolder) -> None:
        """Write all files but the parts."""
        write_whole(folder.path / "front.csv", front_as_csv(self.plan, self._found))
        write_whole(folder.path / "summary.json", json.dumps(self.results(folder.path).to_dict(), indent=1) + "\n")

    def results(self, path: Path) -> SweepSummary:
        """The summary of the folder at `path`."""
        complete, work, seconds = self._complete, self._work, self._seconds
        return summary_of(self.plan, self._found, self.config, complete=complete, work=work, seconds=seconds, folder=path)


def _write(path: Path, content: bytes) -> None:
    """Write a part; OSError names it."""
    try:
        write_whole(path, content)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
