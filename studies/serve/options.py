"""The settings of a study of a service: keywords of `mapsearch.serve` and options of `mapsearch serve`."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from mapsearch.studies.declared import ANYTHING, FLAG, FOLDER, SettingError, check, setting, whole

if TYPE_CHECKING:
    import os


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """A study, its folder, and how it is worked out."""

    study: str | os.PathLike[str] | None = field(
        default=None, metadata=setting(ANYTHING, "STUDY", "a shipped study (evening) or a YAML file", "study")
    )
    max_load: bool = field(
        default=False,
        metadata=setting(FLAG, "", "find the largest factor on all rates at which every SLO holds, and latencies over load"),
    )
    out: str | os.PathLike[str] | None = field(
        default=None, metadata=setting(FOLDER, "DIR", "the folder to write (default: a new one in runs/)")
    )
    resume: bool = field(
        default=False,
        metadata=setting(FLAG, "", "go on with the study in --out; where the study has changed, runs that it still needs are kept"),
    )
    seed: int | None = field(
        default=None, metadata=setting(whole(0), "N", "of the searches and of the requests; same seed, same results (default: 0)")
    )
    jobs: int | None = field(default=None, metadata=setting(whole(1, inf), "N", "processes (default: one a core)"))
    no_cache: bool = field(
        default=False, metadata=setting(FLAG, "", "search every layer anew, also those that earlier runs have proven")
    )

    def __post_init__(self) -> None:
        check(self)
        if self.resume and self.out is None:
            raise SettingError(lambda called: f"{called('resume')} needs the study's folder; name it by {called('out')}")
