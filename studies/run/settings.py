"""What a run is asked to do: checked before work starts, recorded with it, and compared when it goes on."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from mapsearch.formats.yaml.constraints import constraints_to_dict
from mapsearch.formats.yaml.dataflows import load_held
from mapsearch.formats.yaml.hardware import hardware_space_to_dict, hardware_to_dict
from mapsearch.formats.yaml.layer_sets import UniqueLayer
from mapsearch.model.errors import InputError, did_you_mean, show
from mapsearch.model.hardware import Hardware
from mapsearch.model.registry import cost_model
from mapsearch.search.mappings.fronts import STEERED
from mapsearch.search.mappings.samplers import searcher_of
from mapsearch.search.mappings.searcher import EVALUATIONS_PER_TRIAL, Budget, Sampler
from mapsearch.search.mappings.structures import check_installed
from mapsearch.search.objectives.expression import NAMED
from mapsearch.search.objectives.objective import objectives_of
from mapsearch.spaces.machines.space import HardwareSpace
from mapsearch.spaces.mappings.space_record import MAX_LEVELS
from mapsearch.spaces.mappings.tiles import TileRule

# The default search; a mobilenet takes it about 45 seconds on two cores, half of it for these trials.
DEFAULT_TRIALS = 60
UNLIMITED_TRIALS = 100_000

TILE_RULES = {rule.name.lower(): rule for rule in TileRule}


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of a run that its results depend on.

    objective: one of `expression.NAMED` or an expression of metrics, or several with commas between.
    trials: structures, or populations of the genetic search, per layer and restart; None: DEFAULT_TRIALS, or as many as the
    timeout allows where there is one.
    evaluations: mappings costed per layer at the most, shared out over its restarts, instead of trials; None: no limit.
    timeout_seconds: about how long the whole run may search; None: until the trials are done.
    levels: of the mappings; a dataflow has its own. dataflow or constraints: what the mappings are held to.
    warm_start: a directive file, or a folder of them, whose mappings of the layers are looked at first.
    """

    objective: str = "edp"
    sampler: str = "auto"
    trials: int | None = None
    evaluations: int | None = None
    timeout_seconds: float | None = None
    seed: int = 0
    restarts: int = 1
    levels: int = 2
    tiles: str = "balanced"
    dataflow: str | None = None
    constraints: str | None = None
    warm_start: str | None = None
    model: str = "exact"

    def __post_init__(self) -> None:
        _check_objective(self.objective)
        _check_word("sampler", self.sampler, Sampler)
        check_installed(Sampler(self.sampler))
        searcher_of(Sampler(self.sampler), objectives_of(self.objective))
        _check_word("tiles", self.tiles, TILE_RULES)
        cost_model(self.model)
        load_held(self.dataflow, self.constraints, 0)
        if self.trials is not None:
            _check_number("trials", self.trials, 1, 10**9)
        _check_number("restarts", self.restarts, 1, 10**9)
        if self.evaluations is not None:
            self._check_evaluations()
        _check_number("seed", self.seed, 0, 10**9)
        _check_number("levels", self.levels, 1, MAX_LEVELS)
        if self.timeout_seconds is not None and not (_is_number(self.timeout_seconds) and 0 < self.timeout_seconds < 1e9):
            raise InputError(f"timeout_seconds must be above 0 and below 1e9, got {show(self.timeout_seconds)}")

    def _check_evaluations(self) -> None:
        _check_number("evaluations", self.evaluations, self.restarts, 10**9)
        if self.trials is not None:
            raise InputError("trials and evaluations are two ways to say how long a search is; give one of them")
        if self.sampler == Sampler.EXACT:
            raise InputError("an exact search ends with its proof, not after some evaluations; use another sampler or a timeout")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Settings:
        """The settings with these fields given, paths as text; InputError for a field that there is not."""
        known = [field.name for field in fields(cls)]
        for key in given:
            if key not in known:
                raise InputError(f"unknown setting {key}{did_you_mean(key, known)}; the settings are {', '.join(known)}")
        plain: dict[str, Any] = {key: str(value) if isinstance(value, Path) else value for key, value in given.items()}
        return cls(**plain)

    @property
    def sampler_used(self) -> Sampler:
        """The sampler; what steers it for several objectives; for auto with a number of evaluations, what needs the fewest."""
        sampler = Sampler(self.sampler)
        if len(objectives_of(self.objective)) > 1:
            return STEERED.get(sampler, sampler)
        return Sampler.GENETIC if sampler is Sampler.AUTO and self.evaluations is not None else sampler

    def budget(self, timeout_seconds: float | None) -> Budget:
        """What one search may do, given the seconds that it has."""
        if self.evaluations is not None:
            return Budget.within(self.evaluations // self.restarts, self.sampler_used, timeout_seconds)
        unlimited = self.timeout_seconds is not None and self.sampler_used not in (Sampler.AUTO, Sampler.EXACT)
        trials = UNLIMITED_TRIALS if unlimited else DEFAULT_TRIALS
        return Budget(self.trials or trials, EVALUATIONS_PER_TRIAL, timeout_seconds)


# What a caller gives may be of any type, whatever the fields of Settings say.
def _check_word(what: str, word: object, known: Iterable[str]) -> None:
    words = [str(each) for each in known]
    if word not in words:
        raise InputError(f"{what} must be one of {', '.join(words)}, got {show(word)}{did_you_mean(str(word), words)}")


def _check_objective(text: object) -> None:
    if not isinstance(text, str):
        raise InputError(f"objective must be a text, such as {', '.join(NAMED)} or an expression, got {show(text)}")
    objectives_of(text)


def _check_number(what: str, value: object, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:  # True is an int too
        raise InputError(f"{what} must be a whole number from {least} to {most}, got {show(value)}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def record(
    settings: Settings, sources: Mapping[str, int], layers: Sequence[UniqueLayer], hardware: Hardware | HardwareSpace
) -> dict[str, Any]:
    """The run as plain data: versions, settings, `hardware` or `hardware_space`, and layers, all that another needs to repeat it.

    sources: the layer sets and their weights, as `mixes.Mix.sources` has them. layers: as the cost model counts them.
    """
    held, _ = load_held(settings.dataflow, settings.constraints, settings.levels)
    packages = ("mapsearch", "numpy", "numba", "optuna", "joblib")
    data: dict[str, Any] = {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "settings": asdict(settings),
        "constraints": constraints_to_dict(held) if held.levels else None,
        "layer_set": sources,
        "layers": [_layer(unique) for unique in layers],
    }
    if isinstance(hardware, Hardware):
        data["hardware"] = hardware_to_dict(hardware)
    else:
        data["hardware_space"] = hardware_space_to_dict(hardware)
    as_read_back: dict[str, Any] = json.loads(json.dumps(data))
    return as_read_back


def _layer(unique: UniqueLayer) -> dict[str, Any]:
    runs = {"runs": unique.runs} if len(unique.runs) > 1 else {}  # in a mix, as the same sum may be of other weights
    return {"names": unique.names, "count": unique.count, **runs, **asdict(unique.layer)}


def check_same(recorded: Mapping[str, Any], now: Mapping[str, Any], where: str) -> None:
    """Raise InputError unless a run may go on: everything but the versions as recorded."""
    for part in ("layers", "hardware_space", "hardware", "settings", "constraints"):
        before, after = recorded.get(part), now.get(part)
        if before == after or (part == "hardware" and "hardware_space" in now):  # which the run itself finds
            continue
        changed = ""
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            old, new = cast("Mapping[str, object]", before), cast("Mapping[str, object]", after)
            key = next((key for key in {**old, **new} if old.get(key) != new.get(key)), None)
            if key is None:  # a run of before there was such a setting, which is not given
                continue
            changed = f", but {key} was {show(old.get(key))} and is now {show(new.get(key))}"
        raise InputError(
            f"{where}: resuming needs the same {part}{changed}; resume with the recorded one, or start anew in another folder"
        )
