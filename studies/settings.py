"""What a run is asked to do: checked before work starts, recorded with it, and compared when it goes on."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from enum import StrEnum
from importlib.metadata import version
from typing import Any, TypeVar

from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware
from mapsearch.model.models import cost_model
from mapsearch.search.objective import Objective
from mapsearch.search.optuna_search import Sampler
from mapsearch.spaces.tiles import TileRule
from mapsearch.studies.dataflows import load_dataflow
from mapsearch.studies.hardware_files import hardware_to_dict
from mapsearch.studies.layer_sets import LayerSet

# The default search; a mobilenet takes it about 20 s on two cores.
DEFAULT_TRIALS = 60
EVALUATIONS_PER_TRIAL = 700
UNLIMITED_TRIALS = 100_000

_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of a run that its results depend on.

    trials: structures per layer and restart; None: DEFAULT_TRIALS, or as many as the timeout allows where there is one.
    timeout_seconds: about how long the whole run may search; None: until the trials are done.
    """

    objective: str = "edp"
    sampler: str = "tpe"
    trials: int | None = None
    timeout_seconds: float | None = None
    seed: int = 0
    restarts: int = 1
    levels: int = 2
    tiles: str = "balanced"
    dataflow: str | None = None
    model: str = "exact"

    def __post_init__(self) -> None:
        choice(Objective, self.objective, "objective")
        choice(Sampler, self.sampler, "sampler")
        tile_rule(self.tiles)
        cost_model(self.model)
        if self.dataflow is not None:
            load_dataflow(self.dataflow)
        for word, value, least in (("trials", self.trials, 1), ("restarts", self.restarts, 1), ("seed", self.seed, 0)):
            if value is not None and not least <= value <= 10**9:
                raise InputError(f"{word} must be from {least} to 1000000000, got {value}")
        if self.timeout_seconds is not None and not 0 < self.timeout_seconds < 1e9:
            raise InputError(f"timeout must be above 0 and below 1e9 seconds, got {self.timeout_seconds}")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Settings:
        """The settings with these fields given; InputError for a field that there is not."""
        known = [field.name for field in fields(cls)]
        for key in given:
            if key not in known:
                near = get_close_matches(key, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise InputError(f"unknown setting {key}; the settings are {', '.join(known)}{hint}")
        return cls(**given)

    @property
    def trials_per_search(self) -> int:
        """Trials of one search at the most."""
        if self.trials is not None:
            return self.trials
        return DEFAULT_TRIALS if self.timeout_seconds is None else UNLIMITED_TRIALS


def choice(choices: type[_Choice], word: str, what: str) -> _Choice:
    """The member of that name; InputError with the names that there are."""
    try:
        return choices(word)
    except ValueError:
        near = get_close_matches(word, list(choices), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InputError(f"{what} must be one of {', '.join(choices)}, got {word!r}{hint}") from None


def tile_rule(word: str) -> TileRule:
    """The rule of that name, in small letters."""
    names = StrEnum("Tiles", [rule.name.lower() for rule in TileRule])
    return TileRule[str(choice(names, word, "tiles")).upper()]


def record(settings: Settings, source: str, layer_set: LayerSet, hardware: Hardware) -> dict[str, Any]:
    """The run as plain data: versions, settings, hardware and layers, all that another needs to repeat it.

    source: the name or the path that the layer set was loaded by.
    """
    packages = ("mapsearch", "numpy", "numba", "optuna", "joblib")
    return {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "settings": asdict(settings),
        "layer_set": source,
        "layers": [
            {
                "name": unique.layer.name,
                "names": list(unique.names),
                "count": unique.count,
                "type": str(unique.layer.type),
                "extents": list(unique.layer.extents),
                "stride": list(unique.layer.stride),
                "dilation": list(unique.layer.dilation),
                "zero_macs": unique.layer.zero_macs,
                "density": list(unique.layer.density),
            }
            for unique in layer_set.unique
        ],
        "hardware": hardware_to_dict(hardware),
    }


def check_same(recorded: Mapping[str, Any], now: Mapping[str, Any], where: str) -> None:
    """Raise InputError unless a run may go on: everything but the versions as recorded."""
    for part in ("layer_set", "layers", "hardware", "settings"):
        before, after = recorded.get(part), now[part]
        if before == after:
            continue
        if isinstance(before, Mapping):
            key = next(key for key in {**before, **after} if before.get(key) != after.get(key))
            raise InputError(
                f"{where}: resuming needs the same {part}, but {key} was {before.get(key)!r} and is now {after.get(key)!r}; "
                "resume with the recorded one, or start anew in another folder"
            )
        raise InputError(f"{where}: resuming needs the same {part}; start anew in another folder")
