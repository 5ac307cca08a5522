"""Two answers side by side.

VERIFIERS: the tools whose own program can be run for comparison, by the names that users give.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verifier:
    """A tool that can check our numbers.

    title: its name in texts. module: the one that runs it, by `verify(network, hardware, binary, timeout_seconds)`, which gives a
    `comparison.Comparison` for each number. program: the executable, sought on the search path unless the user names one.
    """

    title: str
    module: str
    program: str


VERIFIERS = {
    "maestro": Verifier("MAESTRO", "mapsearch.studies.compare.published_maestro", "maestro"),
    "timeloop": Verifier("Timeloop", "mapsearch.studies.compare.timeloop", "timeloop-model"),
    "accelforge": Verifier("AccelForge", "mapsearch.studies.compare.accelforge", "python3"),
    "zigzag": Verifier("ZigZag", "mapsearch.studies.compare.zigzag", "python3"),
}
