"""The settings of a run: keywords of `mapsearch.run` and options of `mapsearch run`, with their laws and help."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from mapsearch.model.registry import COST_MODELS
from mapsearch.search.mappings.sampler_names import GAP, PROVING_TRIALS, TRIALS, Sampler
from mapsearch.spaces.mappings.rules import MAX_LEVELS, TOOLS, TileRule
from mapsearch.studies.declared import (
    ANYTHING,
    FLAG,
    FOLDER,
    JOBS,
    SECONDS,
    SHARE,
    WORKERS,
    SettingError,
    check,
    check_one_engine,
    one_of,
    setting,
    some_of,
    text,
    whole,
)

if TYPE_CHECKING:
    import os

    from mapsearch.formats.mixes import MixSource
    from mapsearch.studies.engines import ClusterSource
    from mapsearch.studies.evaluate import HardwareSource


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a run and its folder; a resumed run takes the layer set and the hardware from its folder."""

    layer_set: MixSource | None = field(
        default=None,
        metadata=setting(
            ANYTHING,
            "SET",
            "a shipped layer set (see mapsearch layers), a file of any format or a folder of files, or some of its layers, such as "
            "vgg16:conv1_2,conv2_1; several, with commas between and how often each runs, such as mobilenet_v2,resnet18:2, are a "
            "mix for one machine",
            "layer_set",
            "--layer-set",
        ),
    )
    hardware: HardwareSource | None = field(
        default=None,
        metadata=setting(
            ANYTHING,
            "H",
            "a preset (see mapsearch hardware) or a YAML file; of a space of machines the best is searched too (default: edge)",
        ),
    )
    out: str | os.PathLike[str] | None = field(
        default=None, metadata=setting(FOLDER, "DIR", "the folder to write (default: a new one in runs/)")
    )
    resume: bool = field(default=False, metadata=setting(FLAG, "", "go on with the run in --out"))
    jobs: int | None = field(default=None, metadata=JOBS)
    cluster: ClusterSource | None = field(default=None, metadata=WORKERS)
    no_cache: bool = field(
        default=False,
        metadata=setting(FLAG, "", "search every layer anew, also those that earlier runs have proven"),
    )
    storage: str | None = field(
        default=None,
        metadata=setting(
            text("a database's URL or a journal file"),
            "URL",
            "keep in a storage of Optuna's, such as sqlite:///studies.db, which machines a search for one tries, or which "
            "structures one of Optuna's samplers tries for each layer: Optuna's dashboard shows them, and runs of the same search "
            "for a machine share them",
        ),
    )

    def __post_init__(self) -> None:
        check(self)
        if self.resume and self.out is None:
            raise SettingError(lambda called: f"{called('resume')} needs the run's folder; name it by {called('out')}")
        check_one_engine(self.jobs, self.cluster)


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """The settings of the search: a run's results depend on these, the layers and the machine."""

    batch: int | None = field(
        default=None,
        metadata=setting(
            whole(1),
            "N",
            "every layer on so many inputs at once (default: as the layer set has it)",
        ),
    )
    objective: str = field(
        default="edp",
        metadata=setting(
            text("latency, energy, edp, ed2p, area-delay or an expression"),
            "O",
            "latency, energy, edp, ed2p, area-delay, or an expression of runtime_cycles, energy_pj, area_mm2 and macs such as "
            "'max(energy_pj / 1e6, runtime_cycles)'; several, with commas between, give Pareto fronts",
        ),
    )
    sampler: str = field(default="auto", metadata=setting(one_of(*Sampler), "S", ", ".join(Sampler)))
    gap: float | None = field(
        default=None,
        metadata=setting(
            SHARE,
            "G",
            f"the proof of a layer ends once no mapping can be better by more than this share, such as {GAP} or 1%; 0 "
            f"proves the optimum (default: {GAP}; of sampler exact 0)",
        ),
    )
    trials: int | None = field(
        default=None,
        metadata=setting(
            whole(1),
            "N",
            f"structures, or populations, tried per layer and restart (default: {PROVING_TRIALS} with a proof, else {TRIALS})",
        ),
    )
    evaluations: int | None = field(
        default=None,
        metadata=setting(whole(1), "N", "mappings costed per layer at the most, shared by its restarts, in place of trials"),
    )
    timeout_seconds: float | None = field(
        default=None, metadata=setting(SECONDS, "SECONDS", "about how long the whole run may search", "--timeout")
    )
    until_runtime: int | None = field(
        default=None,
        metadata=setting(
            whole(1, inf),
            "CYCLES",
            "end the search once the network's layers, in their best mappings so far, take at most so many cycles "
            "(see mapsearch feed)",
        ),
    )
    seed: int = field(default=0, metadata=setting(whole(0), "N", "same seed, same results, whatever the number of jobs"))
    restarts: int = field(default=1, metadata=setting(whole(1), "N", "independent searches per layer, the best of which counts"))
    levels: int = field(
        default=2,
        metadata=setting(whole(1, MAX_LEVELS), "L", f"cluster levels of the mappings, 1 to {MAX_LEVELS}; a dataflow has its own"),
    )
    tiles: str = field(
        default="balanced",
        metadata=setting(one_of(*(rule.name.lower() for rule in TileRule)), "T", "tile sizes: balanced, divisors or all"),
    )
    dataflow: str | None = field(
        default=None,
        metadata=setting(
            ANYTHING,
            "D",
            "hold the structure fixed and search sizes only: kcp_ws, xp_ws, yxp_os, yrp_rs, cp_nlr or a file",
        ),
    )
    constraints: str | None = field(
        default=None,
        metadata=setting(
            ANYTHING,
            "FILE",
            "fix or bound orders, shared dims, tile sizes and Clusters: nvdla, tpu, eyeriss, flexible_order or a file",
        ),
    )
    tools: str | None = field(
        default=None,
        metadata=setting(
            some_of(*TOOLS),
            "TOOL[,TOOL]",
            f"search, and prove, only mappings that these tools can express, and tell what that costs: {', '.join(TOOLS)}",
            "--for",
        ),
    )
    warm_start: str | None = field(
        default=None,
        metadata=setting(ANYTHING, "PATH", "a mapping file, or a folder of them such as a run's, whose mappings to start from"),
    )
    model: str = field(default="exact", metadata=setting(ANYTHING, "M", f"the cost model: {', '.join(COST_MODELS)}"))

    def __post_init__(self) -> None:
        check(self)
        if self.evaluations is None:
            return
        few = whole(self.restarts).broken(self.evaluations)
        if few is not None:
            raise SettingError(lambda called: f"{called('evaluations')} {few}, as each of {called('restarts')} needs one")
        if self.trials is not None:
            raise SettingError(
                lambda called: f"{called('trials')} and {called('evaluations')} are two ways to say how long a search is; give one"
            )
        if self.sampler == Sampler.EXACT:
            raise SettingError(
                lambda called: (
                    f"{called('sampler')} exact ends with its proof, not after {called('evaluations')}; use another "
                    f"sampler, or {called('timeout_seconds')}"
                )
            )
