"""The names of the samplers, and the defaults of their searches; without numpy, so that `--help` comes at once."""

from __future__ import annotations

from enum import StrEnum

# The gap at which the proof of `auto` ends.
GAP = 0.01
# The default trials of a search that proves its answer, and of any other.
PROVING_TRIALS, TRIALS = 10, 60


class Sampler(StrEnum):
    """A kind of search: a proof to a gap (auto) or of the optimum (exact), genetic, or by one of Optuna's samplers."""

    AUTO = "auto"
    EXACT = "exact"
    GENETIC = "genetic"
    TPE = "tpe"
    RANDOM = "random"
    NSGAII = "nsgaii"
    CMAES = "cmaes"
    QMC = "qmc"
    BRUTEFORCE = "bruteforce"
