"""`mapsearch feed`: a run's network on accelerators that an input pipeline feeds."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor
from pathlib import Path
from typing import Any

from mapsearch.formats.yaml.pipelines import Pipeline, Storage, load_pipeline
from mapsearch.model.errors import InputError, did_you_mean, show
from mapsearch.model.layer import LayerType
from mapsearch.model.plain import Plain
from mapsearch.model.tensors import Dim
from mapsearch.studies.feed.rates import Rates, Stall, accelerator_rate, cached_share, hit_ratio, rates_of, useful_runtime
from mapsearch.studies.feed.what_if import QUESTIONS, Needed
from mapsearch.studies.recorded import Recorded, load_run


@dataclass(frozen=True, slots=True)
class Epoch(Plain):
    """An epoch with one storage; seconds: that it takes. bound_by: accelerator, prep, fetch or link."""

    rates_per_s: Rates
    throughput_per_s: float
    bound_by: str
    hit_ratio: float
    stall: Stall
    seconds: float

    @classmethod
    def of(cls, pipeline: Pipeline, storage: Storage, hits: float, accelerator: float) -> Epoch:
        """The epoch at a hit ratio."""
        rates = rates_of(pipeline, storage.bytes_per_s, hits, accelerator)
        return cls(rates, rates.throughput, rates.bound_by, hits, Stall.of(rates), pipeline.samples / rates.throughput)


@dataclass(frozen=True, slots=True)
class StorageCase(Plain):
    """A pipeline with one of its storages: the first epoch, in which no sample is cached, and every later one.

    what_if: by its question. useful_runtime: of a batch; a mapping with less gains nothing.
    """

    storage: str
    first: Epoch
    steady: Epoch
    what_if: dict[str, Needed]
    useful_runtime_ms: float
    useful_runtime_cycles: int

    def to_dict(self) -> dict[str, Any]:
        """The steady epoch's figures first; those of the first epoch under one key."""
        steady = self.steady.to_dict()
        epoch_s = {"first": self.first.seconds, "steady": steady.pop("seconds")}
        first = {key: value for key, value in self.first.to_dict().items() if key != "seconds"}
        return {"storage": self.storage, **steady, "epoch_s": epoch_s, "first_epoch": first} | {
            key: value for key, value in Plain.to_dict(self).items() if key not in ("storage", "first", "steady")
        }


@dataclass(frozen=True, slots=True)
class Feed(Plain):
    """What a pipeline makes of a run's network.

    run: its folder. batch: samples of an accelerator's step, whose forward pass takes `runtime_ms`. cases: of each storage, the
    pipeline's own first.
    """

    run: str
    title: str
    pipeline: str
    batch: int
    accelerators: int
    passes: float
    runtime_cycles: int
    runtime_ms: float
    cached_share: float
    cases: tuple[StorageCase, ...]

    def to_dict(self) -> dict[str, Any]:
        """The figures of the pipeline's own storage, and in `compared` those of the others."""
        data = {key: value for key, value in Plain.to_dict(self).items() if key != "cases"}
        own, *others = [each.to_dict() for each in self.cases]
        return {**data, **own, "compared": others}


def feed(
    run: str | os.PathLike[str],
    pipeline: str | os.PathLike[str],
    *,
    batch: int | None = None,
    what_if: Sequence[str] = tuple(QUESTIONS),
) -> Feed:
    """The rates of a pipeline's stages, what bounds it, and its stalls, with the runtime of a run's network.

    run: the folder of a finished run of one network. pipeline: a shipped one's name or a file. batch: samples of an accelerator's
    step (default: the pipeline's, or the run's); the run must have been made with it. what_if: of cache, cores and storage.
    Raises InputError, one line, where an input breaks a law.
    """
    for word in what_if:
        if word not in QUESTIONS:
            asked = ", ".join(QUESTIONS)
            raise InputError(f"what_if must name {asked}, got {show(word)}{did_you_mean(str(word), QUESTIONS)}")
    recorded, plan = load_run(run), load_pipeline(os.fspath(pipeline))
    found_batch, cycles = _forward(recorded, Path(run), plan.batch if batch is None else batch)
    clock_hz = recorded.hardware.clock_mhz * 1e6
    accelerator = accelerator_rate(plan, found_batch, cycles / clock_hz)
    share = cached_share(plan)

    def case(storage: Storage) -> StorageCase:
        hits = hit_ratio(plan.cache.policy, share)
        steady = Epoch.of(plan, storage, hits, accelerator)
        useful_s = useful_runtime(plan, found_batch, steady.rates_per_s.without_accelerator)
        answers = {word: QUESTIONS[word](plan, storage, steady.rates_per_s, hits) for word in QUESTIONS if word in what_if}
        first = Epoch.of(plan, storage, 0.0, accelerator)
        return StorageCase(storage.name, first, steady, answers, useful_s * 1e3, max(1, floor(useful_s * clock_hz)))

    cases = tuple(case(storage) for storage in plan.storages)
    runtime_ms = cycles / clock_hz * 1e3
    return Feed(str(run), recorded.title, plan.name, found_batch, plan.accelerators, plan.passes, cycles, runtime_ms, share, cases)


def _forward(run: Recorded, folder: Path, batch: int | None) -> tuple[int, int]:
    """The run's batch, and the cycles of one forward pass; InputError where it has another batch, or not one whole network."""
    results, config = run.results, run.config
    if len(results.networks) != 1:
        raise InputError(f"{folder}: must be the run of one network, got {run.networks}; map the network alone")
    lacking = [each["names"][0] for each in config["layers"] if each["names"][0] not in {layer.name for layer in run.layers}]
    lacking += [each.name for each in results.left_out]
    if lacking:
        raise InputError(f"{folder}: layer {lacking[0]} has no mapping, so the network's runtime is not known; finish the run")
    network = results.networks[0]
    found = _batch(config)
    if batch is not None and batch != found:
        raise InputError(
            f"{folder}: the run is for batch {found}, not {batch}; map with batch {batch} (mapsearch run --batch {batch}), or give "
            f"--batch {found}"
        )
    return found, network.runtime_cycles // network.weight


def _batch(config: Mapping[str, Any]) -> int:
    """The inputs of one run of the network: those of its convolutions, or as the run's settings say."""
    of_layers = {layer["extents"][Dim.N] for layer in config["layers"] if layer["type"] != LayerType.GEMM}
    return int(of_layers.pop()) if len(of_layers) == 1 else config["settings"].get("batch") or 1
