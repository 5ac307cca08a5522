"""A sweep's life: every design of a hardware space on fixed dataflows, costed, saved part by part, summed up and drawn."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol, cast

from mapsearch.formats.text import write_whole
from mapsearch.formats.yaml.dataflows import names as dataflow_names
from mapsearch.formats.yaml.hardware import Source
from mapsearch.formats.yaml.sweeps import Dataflow, Study, load_study, names, study_of
from mapsearch.model.errors import InputError
from mapsearch.model.extras import require
from mapsearch.search.designs.front import DesignFront
from mapsearch.search.designs.sweep import Counted
from mapsearch.studies.folder import unused_folder
from mapsearch.studies.sweep.options import MOST_DESIGNS, SweepOptions
from mapsearch.studies.sweep.parquet import NEEDED, part_path, read_counted, read_designs, write_part
from mapsearch.studies.sweep.plan import Part, SweepPlan
from mapsearch.studies.sweep.summary import Swept, front_as_csv, summary_of

CONFIG = "config.json"


class Watcher(Protocol):
    """Who is told how a sweep gets on."""

    def began(self, folder: Path, plan: SweepPlan) -> None:
        """The folder, and what is to be done."""
        ...

    def advanced(self, designs: int, valid: int) -> None:
        """Designs that are done with, and how many of them are within the limits."""
        ...


def sweep(
    study: str | os.PathLike[str] | None = None,
    *,
    layers: str | None = None,
    dataflows: Sequence[str] = (),
    hardware: Source | None = None,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    designs_at_most: int = MOST_DESIGNS,
    watcher: Watcher | None = None,
) -> dict[str, Any]:
    """Cost every design and write the sweep's folder; returns what its summary.json holds.

    study: a shipped sweep's name or a file. layers: SET or SET:NAME,NAME. dataflows: templates' names, directive files, folders of
    a run's mappings. hardware: as `load_hardware_space` takes it. These three replace the study's own; without a study, layers are
    needed, dataflows are all templates and the hardware is edge_space. out: the folder (default: a new one under runs/). resume: go
    on with the sweep in `out`, whose inputs are taken and may not be others.

    What is done when Ctrl-C or a kill comes is kept, and summed up as not complete. Raises InputError before work starts where an
    input breaks a law, or where there are more designs than designs_at_most or more to save than the disk has room for, and
    OSError where the folder can no longer be written.
    """
    require("a sweep, which writes Parquet and pictures,", "sweep", *NEEDED)
    SweepOptions(study, layers, dataflows, hardware, designs_at_most, out, resume)
    recorded = _recorded(Path(out)) if resume and out is not None else None
    own = load_study(study if isinstance(study, str) else Path(study)) if study is not None else None
    if own is None and recorded is not None:
        own = study_of(recorded["sweep"], str(out), Path())
    plan = SweepPlan(_study(own, layers, dataflows, hardware))
    folder = Path(out) if out is not None else unused_folder(f"sweep-{plan.study.name}")
    record = plan.record
    if recorded is None:
        _check_size(plan, folder, designs_at_most)
        _create(folder, plan, record)
    else:
        _check_same(recorded, record, folder)
    return _run(plan, folder, record, watcher)


def _study(study: Study | None, layers: str | None, dataflows: Sequence[str], hardware: Source | None) -> Study:
    """What is asked for: the arguments, else the study's own, else what is usual."""
    asked = study or Study("", "edge_space", "", (), tuple(Dataflow("dataflow", name) for name in dataflow_names()))
    asked = asked.with_layers(layers) if layers is not None else asked
    asked = replace(asked, name=asked.name or Path(asked.layer_set).stem)
    if not asked.layer_set:
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


def _create(folder: Path, plan: SweepPlan, record: Mapping[str, Any]) -> None:
    if (folder / CONFIG).exists():
        raise InputError(f"{folder}: holds a sweep or a run already; go on with a sweep by --resume, or name another folder")
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder}: the sweep's folder must be new or empty; name another folder")
    try:
        for name in ("designs", "mappings"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for number, (pair, text) in enumerate(zip(plan.pairs, plan.texts, strict=True)):
            write_whole(folder / "mappings" / pair.file_name(number), text)
        write_whole(folder / CONFIG, json.dumps(record, indent=1) + "\n")
    except OSError as error:
        raise InputError(f"{folder}: the sweep's folder must be writable: {error.strerror}; name another (--out DIR)") from None


def _recorded(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    try:
        data: object = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: does not exist; no sweep to resume here; start one without --resume") from None
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: must be readable JSON ({error}); start anew in another folder") from None
    if not isinstance(data, dict) or not isinstance(cast("dict[str, object]", data).get("sweep"), dict):
        raise InputError(f"{path}: must hold a sweep's configuration; start anew in another folder")
    return cast("dict[str, Any]", data)


def _check_same(recorded: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    for part in now:
        if part != "versions" and recorded.get(part) != now[part]:
            raise InputError(
                f"{folder}: resuming needs the same {part}, but they are others now; resume with the recorded ones, or start anew "
                "in another folder"
            )


def _run(plan: SweepPlan, folder: Path, record: dict[str, Any], watcher: Watcher | None) -> dict[str, Any]:
    found = [Swept(pair) for pair in plan.pairs]
    if watcher is not None:
        watcher.began(folder, plan)
    work, complete, began = Counted(), True, perf_counter()
    try:
        with _kill_interrupts():
            for part in plan.parts:
                _do(plan, part, folder, found[part.pair], work)
                if watcher is not None:
                    watcher.advanced(sum(each.counted.designs for each in found), sum(each.counted.valid for each in found))
    except KeyboardInterrupt:
        complete = False
    seconds = perf_counter() - began
    summary = summary_of(plan, found, record, complete=complete, work=work, seconds=seconds, folder=folder)
    write_whole(folder / "front.csv", front_as_csv(plan, found))
    write_whole(folder / "summary.json", json.dumps(summary, indent=1) + "\n")
    numbers = [[part.number for part in plan.parts if part.pair == pair] for pair in range(len(found))]
    from mapsearch.studies.pictures.designs import draw  # noqa: PLC0415 matplotlib takes half a second, and may be missing

    draw(summary, [[path for number in own if (path := part_path(folder, number)).exists()] for own in numbers], folder)
    return summary


@contextmanager
def _kill_interrupts() -> Generator[None]:
    """Let what `kill` and batch systems send end the work as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _do(plan: SweepPlan, part: Part, folder: Path, found: Swept, work: Counted) -> None:
    """Cost and save a part, or read it where it is there already; work: what was costed now."""
    path = part_path(folder, part.number)
    front = DesignFront()
    if path.exists():
        counted = read_counted(path)
        for rows in read_designs(path):
            front.add(rows)
    else:
        counted = Counted()
        values = [values for values, _ in plan.grid.settings]
        write_part(path, found.pair.names, plan.grid.keys, values, front.watch(part.blocks(counted)), counted)
        work.add(counted)
    # Only now: a part that an interrupt cuts off leaves no trace.
    found.counted.add(counted)
    found.front.add(front.designs)
