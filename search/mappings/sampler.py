"""The ways to search, by the names that users select them by; without numpy, for the command line's sake."""

from __future__ import annotations

from enum import StrEnum


class Sampler(StrEnum):
    """How a search goes: branch and bound for a while, or to the end; a genetic search; or one of Optuna's samplers."""

    AUTO = "auto"
    EXACT = "exact"
    GENETIC = "genetic"
    TPE = "tpe"
    RANDOM = "random"
    NSGAII = "nsgaii"
    CMAES = "cmaes"
    QMC = "qmc"
    BRUTEFORCE = "bruteforce"
