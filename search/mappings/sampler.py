"""The names of the samplers; without numpy, so that `--help` comes at once."""

from __future__ import annotations

from enum import StrEnum


class Sampler(StrEnum):
    """A kind of search: branch and bound for a while (auto) or to the end (exact), genetic, or by one of Optuna's samplers."""

    AUTO = "auto"
    EXACT = "exact"
    GENETIC = "genetic"
    TPE = "tpe"
    RANDOM = "random"
    NSGAII = "nsgaii"
    CMAES = "cmaes"
    QMC = "qmc"
    BRUTEFORCE = "bruteforce"
