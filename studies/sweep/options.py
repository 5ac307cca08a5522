"""The settings of a sweep: keywords of `mapsearch.sweep` and options of `mapsearch sweep`, with their laws and help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from mapsearch.studies.declared import ANYTHING, FLAG, FOLDER, JOBS, WORKERS, SettingError, check, check_one_engine, setting, whole

if TYPE_CHECKING:
    import os

    from mapsearch.formats.yaml.hardware_in import Source
    from mapsearch.studies.engines import ClusterSource

MOST_DESIGNS = 10**10


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """A study, replacements for its parts, the folder, who does the work, and a limit on the number of designs."""

    study: str | os.PathLike[str] | None = field(
        default=None, metadata=setting(ANYTHING, "STUDY", "a shipped sweep (maestro_paper) or a YAML file", "study")
    )
    layers: str | None = field(
        default=None,
        metadata=setting(
            ANYTHING, "SET[:NAME,..]", "a layer set, or some of its layers (default: the study's)", "--layers", "--layer-set"
        ),
    )
    dataflows: Sequence[str] = field(
        default=(),
        metadata=setting(
            ANYTHING,
            "D",
            "a template, a directive file (its mappings as they are) or a run's folder (its mappings resized); may stand more than "
            "once (default: the study's, or all templates)",
            "--dataflow",
        ),
    )
    hardware: Source | None = field(
        default=None, metadata=setting(ANYTHING, "SPACE", "a hardware space (default: the study's, or edge_space)")
    )
    designs_at_most: int = field(default=MOST_DESIGNS, metadata=setting(whole(1, inf), "N", "refuse to start with more designs"))
    out: str | os.PathLike[str] | None = field(
        default=None, metadata=setting(FOLDER, "DIR", "the folder to write (default: a new one in runs/)")
    )
    resume: bool = field(default=False, metadata=setting(FLAG, "", "go on with the sweep in --out"))
    jobs: int | None = field(default=None, metadata=JOBS)
    cluster: ClusterSource | None = field(default=None, metadata=WORKERS)

    def __post_init__(self) -> None:
        check(self)
        if self.resume and self.out is None:
            raise SettingError(lambda called: f"{called('resume')} needs the sweep's folder; name it by {called('out')}")
        check_one_engine(self.jobs, self.cluster)
