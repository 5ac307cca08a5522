"""The kernels of a search: loaded from the cache or, in a first run, compiled in two processes at the same time.

This module is also the program of the second process, which takes a problem from standard input.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import IO, cast

import numpy as np

from mapsearch.model.cost import COUNTS
from mapsearch.model.energy import energy_coefficients
from mapsearch.model.kernel_cache import NotCompiledError, loading
from mapsearch.model.mapping import MappingBatch
from mapsearch.search.interrupts import stops_handled
from mapsearch.search.mappings.incumbent import Incumbent
from mapsearch.search.mappings.population import improve, score
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.processes import end_with, usable_cores
from mapsearch.spaces.mappings.completion import Completion

FEW = 100  # parts of a space: enough that all kinds of choices are among them


_CALLED: set[str] = set()  # the models whose searches have all kernels


def compile_for(problem: Problem) -> None:
    """Have every kernel that a search of such a problem calls, whatever its layer and machine."""
    if problem.model.name in _CALLED:
        return
    try:
        with loading():
            _call_all(problem)
    except NotCompiledError:
        with _another_does_the_rest(problem):
            _half(problem)
        _call_all(problem)
    _CALLED.add(problem.model.name)


def _call_all(problem: Problem) -> None:
    """Call every kernel."""
    incumbent, rng = Incumbent(problem), np.random.default_rng(0)
    improve(incumbent, score(incumbent, _drawn(problem)), 1, rng, structure=True, stop=lambda: False)
    _rest(problem)


def _drawn(problem: Problem) -> MappingBatch:
    return problem.space.draw([problem.space.fitting], 1, np.random.default_rng(0))


def _half(problem: Problem) -> None:
    """Call the kernels that draw, cost and vary mappings: half of the work."""
    drawn = _drawn(problem)
    problem.model.evaluate(problem.space.layer, problem.space.hardware, drawn)
    problem.space.vary(drawn, 1, np.random.default_rng(0), structure=True)


def _rest(problem: Problem) -> None:
    """Call most of the others: those that open parts of the space and bound them, price counts, and adopt mappings."""
    _open(problem)
    coefficients = energy_coefficients(problem.space.layer, problem.space.hardware)
    coefficients.energy_pj(np.zeros((1, COUNTS), np.int64))
    problem.space.adopt(())


def _open(problem: Problem) -> None:
    """Call the kernels that open parts of the space and bound them."""
    completion = Completion(problem.space)
    for parts in completion.children(completion.begin()):
        for children in completion.children(parts[~completion.whole(parts)][:FEW]):
            problem.bound(children[:FEW].batch)
            return


@contextmanager
def _another_does_the_rest(problem: Problem) -> Generator[None]:
    """Meanwhile, let another process compile what `_rest` calls, and wait for it; without one, nothing is lost but time."""
    if usable_cores() < 2:
        yield
        return
    try:
        with stops_handled(signal.SIG_IGN):  # which the process inherits
            process = subprocess.Popen(  # noqa: S603 our own module
                [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
    except OSError:
        yield
        return
    try:
        with suppress(Exception), cast("IO[bytes]", process.stdin) as pipe:  # a model of the user's may refuse to be pickled
            pickle.dump((os.getpid(), problem), pipe)
        yield
        process.wait()
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    parent, asked = pickle.load(sys.stdin.buffer)  # noqa: S301 from our own parent
    end_with(parent)
    _rest(asked)
