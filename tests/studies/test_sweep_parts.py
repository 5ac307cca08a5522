"""The parts of a sweep: bounded, the same whoever costs them, and refused where they are another sweep's."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from small_sweep import HARDWARE, STUDY, files_of, finished_sweep, study_file, summary_without_times

from mapsearch.formats.yaml.hardware import hardware_space_to_dict
from mapsearch.formats.yaml.plain import parse_mapping
from mapsearch.formats.yaml.sweeps import load_study, study_of
from mapsearch.model.errors import InputError
from mapsearch.search.designs.sweep import Counted
from mapsearch.studies.drawn_sweep import sweep
from mapsearch.studies.sweep.parquet import part_path
from mapsearch.studies.sweep.plan import SweepPlan
from mapsearch.studies.sweep.summary import SweepSummary

FIXTURES = (study_file, finished_sweep)  # pytest finds them here, as study and done


def _blocks(plan: SweepPlan) -> tuple[NDArray[np.void], Counted]:
    """All designs of a plan within the limits, in its order, and their counts."""
    counted = Counted()
    stretches = (stretch for part in plan.parts for stretch in part.stretches)
    return np.concatenate([block.copy() for stretch in stretches for block in stretch.blocks(counted)]), counted


def test_settings_share_files(study: Path) -> None:
    """Many values of a further axis do not make a file each, and still cost every design."""
    clocks = {"low": 500, "high": 600, "step": 1}
    data = {**parse_mapping(STUDY, "study", ""), "hardware": {**HARDWARE, "clock_mhz": clocks}}
    plan = SweepPlan(study_of(data, "study", study.parent))
    parts = list(plan.parts)
    assert len(parts) == len(plan.pairs)
    assert sum(stretch.designs for part in parts for stretch in part.stretches) == plan.designs


@pytest.mark.parametrize(("most", "tabled"), [(500, 2**19), (40, 2**19), (16, 2**19), (1, 1), (2**24, 6)])
def test_parts_are_bounded(most: int, tabled: int, study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small the parts, they have the designs of larger ones in their order, and no more than allowed, if that can be."""
    plan = SweepPlan(load_study(study))
    whole, counts = _blocks(plan)
    for name in ("PART", "MOST_OF_PART"):
        monkeypatch.setattr(f"mapsearch.studies.sweep.parts.{name}", most)
    monkeypatch.setattr("mapsearch.studies.sweep.parts.TABLED", tabled)
    cut = SweepPlan(plan.study)
    of_one_mapping_and_l1 = math.prod(plan.grid.grid.shape[1:])
    assert max(part.designs for part in cut.parts) <= max(most, of_one_mapping_and_l1)
    assert [part.number for part in cut.parts] == list(range(len(cut.parts)))
    found, cut_counts = _blocks(cut)
    np.testing.assert_array_equal(found, whole)
    assert cut_counts == counts


def test_parts_of_ten_trillion_designs() -> None:
    """Where there are so many, a part has as many as a worker has room for, and is made when it is asked for."""
    data = hardware_space_to_dict(SweepPlan(load_study("maestro_paper")).space)
    sizes = {"pes": {"low": 8, "high": 2048, "step": 1}, "l1": {**data["l1"], "bytes": {"low": 64, "high": 6400, "step": 4}}}
    l2 = {**data["l2"], "bytes": {"low": 16384, "high": 2**20, "step": 1024}}
    plan = SweepPlan(replace(load_study("maestro_paper"), hardware={**data, **sizes, "l2": l2}))
    assert plan.designs > 10**13
    parts = plan.parts
    assert plan.designs / 2**26 <= len(parts) <= 2 * plan.designs / 2**26
    sample = [parts[number] for number in range(0, len(parts), len(parts) // 500)]
    assert max(part.designs for part in sample) <= 2**26
    assert parts[len(parts) - 1].stretches[-1].pes[-1] == 2048
    with pytest.raises(IndexError):
        parts[len(parts)]


def test_the_estimate_is_an_upper_bound(study: Path) -> None:
    """No sweep has more designs within the limits than its estimate beforehand, even where few of many machines are."""
    hardware = {**HARDWARE, "pes": {"low": 1, "high": 3000, "step": 1}, "budget": {"area_mm2": 0.3}}
    plan = SweepPlan(study_of({**parse_mapping(STUDY, "study", ""), "hardware": hardware}, "study", study.parent))
    costed = len(_blocks(plan)[0])
    assert 0 < costed <= plan.estimate.designs < plan.designs / 10


def test_processes_give_the_same_files(study: Path, done: tuple[Path, SweepSummary], tmp_path: Path) -> None:
    """Whatever the number of processes, each file of a sweep has the same bytes, but for the times in its summary."""
    summary = sweep(study, out=tmp_path / "out", jobs=2)
    assert summary_without_times(summary.to_dict()) == summary_without_times(done[1].to_dict())
    assert files_of(tmp_path / "out") == files_of(done[0])


def test_a_damaged_part_is_told(done: tuple[Path, SweepSummary], tmp_path: Path) -> None:
    """A part that is no Parquet file of a sweep is named, and what to do about it."""
    shutil.copytree(done[0], tmp_path / "out")
    (tmp_path / "out" / "designs" / "part-000001.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"part-000001.parquet: must be a part that a sweep wrote .*; remove it"):
        sweep(out=tmp_path / "out", resume=True, jobs=1)


def test_a_part_of_another_version_is_told(study: Path, done: tuple[Path, SweepSummary], tmp_path: Path) -> None:
    """A part of another number of designs than this sweep's is not taken for one of its own."""
    shutil.copytree(done[0], tmp_path / "out")
    sizes = [part.designs for part in SweepPlan(load_study(study)).parts]
    place = next(number for number, size in enumerate(sizes) if size != sizes[0])
    part_path(tmp_path / "out", 0).replace(part_path(tmp_path / "out", place))
    told = rf"part-00000{place}.parquet: must be of {sizes[place]:,} designs, got {sizes[0]:,}: another version wrote it"
    with pytest.raises(InputError, match=told):
        sweep(out=tmp_path / "out", resume=True, jobs=1)
