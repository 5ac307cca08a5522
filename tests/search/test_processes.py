"""Tasks side by side in processes: the engine's contract, stops at odd moments, and boards of killed processes."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from mapsearch.search.board import board_in_file
from mapsearch.search.engine import Engine, run_tasks
from mapsearch.search.locks import locked
from mapsearch.search.processes import Processes
from mapsearch.search.progress import Tick
from mapsearch.testing import EngineContract


class TestOneProcess(EngineContract):
    @pytest.fixture
    def engine(self) -> Engine:
        return Processes(1)


class TestTwoProcesses(EngineContract):
    @pytest.fixture
    def engine(self) -> Engine:
        return Processes(2)


@dataclass(frozen=True)
class Late:
    """A job that is stopped after its last tick."""

    number: int

    def prepare(self) -> None:
        """Nothing to prepare."""

    def run(self, tick: Tick) -> int:
        tick(1)
        if self.number == 1:
            signal.raise_signal(signal.SIGTERM)
        return self.number


def test_a_stop_after_the_last_tick_is_not_lost() -> None:
    """Who asks for a stop when all is done gets all of it, and KeyboardInterrupt then."""
    outcomes: dict[int, int] = {}
    with pytest.raises(KeyboardInterrupt):
        outcomes.update(run_tasks([Late(0), Late(1)], Processes(1), None))
    assert outcomes == {0: 0, 1: 1}


def test_boards_of_killed_processes_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A board that nobody has locked is removed by the next search; one in use, and one that may be about to be, stay."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    orphan, used, young, run = (tmp_path / f"mapsearch-{name}" for name in ("board-1", "board-2", "board-3", "run-4"))
    for folder in (orphan, used, young, run):
        folder.mkdir()
        (folder / "board").write_bytes(b"")
        if folder != young:
            os.utime(folder, (0, 0))
    with locked(used) as held, board_in_file(3) as board:
        assert held
        assert board.tolist() == [0, 0, 0, 0]
        assert orphan not in tmp_path.iterdir()
    assert sorted(tmp_path.iterdir()) == sorted([used, young, run])
