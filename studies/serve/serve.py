"""A service: the runs that give its tenants' service times, the queues of each way of sharing, and what is written."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mapsearch.formats.text import in_file_name, write_whole
from mapsearch.formats.yaml.services import file_of, load_file, names
from mapsearch.model.errors import InputError
from mapsearch.model.extras import require
from mapsearch.model.hardware import Hardware
from mapsearch.studies.folder import CONFIG, RESULTS, StudyFolder, unused_folder
from mapsearch.studies.results import RunResults
from mapsearch.studies.run.options import Inputs
from mapsearch.studies.saving import UnsavedRunError, save_in_the_end
from mapsearch.studies.serve.hours import demand_of, hours_of
from mapsearch.studies.serve.options import ServeOptions
from mapsearch.studies.serve.results import PICTURES, REPORT, HoursResult, ServeResults, SharingResult, TenantDemand, TenantResult
from mapsearch.studies.serve.services import Service, service_of
from mapsearch.studies.serve.shares import check_compositions, compositions, machine_of_share
from mapsearch.studies.serve.study import ServeStudy, Tenant, study_of
from mapsearch.studies.serve.ways import Ways, check_number
from mapsearch.studies.start import prepare, run
from mapsearch.studies.watching import ServeWatcher

_RUNS = "runs"


class ServeFolder(StudyFolder):
    """The files of a study of a service: config.json, runs/ with a run's folder for each service time, and results.json."""

    kind = "study"
    parts = (_RUNS,)

    def config(self, hint: str = "") -> dict[str, Any]:
        """See `StudyFolder`."""
        config = super().config(hint)
        if not isinstance(config.get("service"), dict):
            raise InputError(f"{self.path / CONFIG}: must hold the configuration of mapsearch serve; start anew in another folder")
        return config

    def turn_to(self, files: Mapping[str, str]) -> None:
        """Make it the folder of the study whose record this is; results of another that was here go, runs stay."""
        if self.config()["service"] != json.loads(files[CONFIG])["service"]:
            for name in (RESULTS, REPORT, *(f"{picture}.{suffix}" for picture in PICTURES for suffix in ("png", "svg"))):
                (self.path / name).unlink(missing_ok=True)
        self.record(files)


def serve(
    study: str | os.PathLike[str] | None = None,
    *,
    max_load: bool = False,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    seed: int | None = None,
    jobs: int | None = None,
    no_cache: bool = False,
    watcher: ServeWatcher | None = None,
) -> ServeResults:
    """Work out how a machine serves several networks, and write the study's folder; returns what its results.json holds.

    study: a shipped study's name or a file. max_load: whether to search the largest factor on all rates at which every SLO holds.
    out: the folder (default: a new one under runs/). resume: go on with the study in `out`, or with `study` where that is given,
    and take from the folder the runs that it shares with what was there. seed, jobs, no_cache: as of `run`; the seed draws the
    requests too.

    After Ctrl-C or a kill, the finished runs are kept and the results are not complete. Raises InputError, before work starts where
    that can be known, if an input breaks a law, if an SLO is below the service time, or if the machine cannot carry the load.
    """
    require("a service", "serve", "simpy")
    ServeOptions(study, max_load, out, resume, seed, jobs, no_cache)
    recorded = ServeFolder.recorded_in(out)["service"] if resume else None
    if study is not None:
        file = load_file(study if isinstance(study, str) else Path(study))
    elif recorded is not None:
        file = file_of(recorded["study"], str(out), Path(), "")
    else:
        raise InputError(f"a study is needed; there are {', '.join(names())}, or give a file's path")
    asked = study_of(file)
    if recorded is not None:
        seed = recorded["seed"] if seed is None else seed
        max_load = max_load or (study is None and recorded["max_load"])
    if max_load and all(tenant.slo_ms is None for tenant in asked.tenants):
        raise InputError(f"study {asked.name}: --max-load needs a tenant with an SLO (slo_ms)")
    work = _Serve(asked, seed or 0, jobs, no_cache=no_cache, max_load=max_load)
    folder = ServeFolder(Path(out) if out is not None else unused_folder(f"serve-{asked.name}"))
    with folder.at_work(work.files, watcher, resume=resume):
        return work.search(folder, watcher)


@dataclass(frozen=True, slots=True)
class _Needed:
    """A run that gives a service time: of a network in batches of one size, on a share of the machine.

    label: of the network in names of folders. start: the run that this one starts from, on the next larger share; None for the
    whole machine, whose run is as any other.
    """

    tenant: Tenant
    label: str
    batch: int
    share: int
    parts: int
    start: _Needed | None

    @property
    def key(self) -> tuple[str, int, int]:
        """What tells it from others; tenants of one network have the same runs."""
        return self.tenant.network, self.batch, self.share

    @property
    def text(self) -> str:
        """As people read it."""
        machine = "the whole machine" if self.share == self.parts else f"{self.share} of {self.parts} parts"
        return f"{self.tenant.mix.name}, batch {self.batch}, {machine}"

    def folder(self, study: Path) -> Path:
        """Its folder."""
        machine = "" if self.share == self.parts else f"-{self.share}of{self.parts}"
        return study / _RUNS / f"{self.label}-b{self.batch}{machine}"


class _Serve:
    """The work of a study."""

    def __init__(self, study: ServeStudy, seed: int, jobs: int | None, *, no_cache: bool, max_load: bool) -> None:
        """Check what can be checked before work starts."""
        self._study, self._seed, self._jobs, self._no_cache, self._max_load = study, seed, jobs, no_cache, max_load
        self._settings: dict[str, Any] = {**study.search, "seed": seed}
        self._machines: dict[int, Hardware] = {study.parts: study.hardware}
        self._out: dict[tuple[int, int], str] = {}
        if study.traced:
            hours_of(study.tenants)
        else:
            check_number(study, [tenant.arrivals.mean_per_s for tenant in study.tenants])
        for number in range(len(study.tenants)):
            for share in self._shares:
                self._check(number, share)
        if "partition" in study.sharing:
            self._check_partition()
        packages = ("mapsearch", "numpy", "numba", "optuna", "simpy")
        config = {
            "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
            "service": {"study": study.data, "seed": seed, "max_load": max_load},
        }
        self.files = {CONFIG: json.dumps(config, indent=1) + "\n"}

    def _check(self, number: int, share: int) -> None:
        """Note where a tenant has no legal mapping on a share; InputError where it has none on the whole machine."""
        study = self._study
        tenant = study.tenants[number]
        try:
            if share not in self._machines:
                self._machines[share] = machine_of_share(study.hardware, share, study.parts)
            prepare(Inputs(tenant.network, self._machines[share], no_cache=self._no_cache), self._settings)
        except InputError as error:
            if share == study.parts:
                raise InputError(f"tenant {tenant.name}: {error}") from None
            self._out[number, share] = str(error)

    def _check_partition(self) -> None:
        """Raise InputError where each way to share the parts out leaves some tenant without a legal mapping."""
        study = self._study
        check_compositions(study.parts, len(study.tenants))
        if all(any(each in self._out for each in enumerate(shares)) for shares in compositions(study.parts, len(study.tenants))):
            (number, share), why = next(iter(self._out.items()))
            raise InputError(
                f"partition: no way to share {study.parts} parts out gives each tenant a machine with a legal mapping: "
                f"{study.tenants[number].name} on {share}: {why}; take fewer parts, or share in time alone (sharing: [time])"
            )

    @cached_property
    def _shares(self) -> tuple[int, ...]:
        """The shares that a tenant may have, the whole machine first."""
        parts, tenants = self._study.parts, len(self._study.tenants)
        return (parts, *(range(parts - tenants + 1, 0, -1) if "partition" in self._study.sharing and tenants > 1 else ()))

    @cached_property
    def _needed(self) -> list[_Needed]:
        """The runs, those on the whole machine first, and each after the one that it starts from."""
        found: dict[tuple[str, int, int], _Needed] = {}
        labels: dict[str, str] = {}
        for number, tenant in enumerate(self._study.tenants):
            name = in_file_name(tenant.mix.name)
            labels.setdefault(tenant.network, f"{name}-{len(labels)}" if name in labels.values() else name)
            for batch in tenant.batches:
                start = None
                for share in self._shares:
                    if (number, share) not in self._out:
                        needed = _Needed(tenant, labels[tenant.network], batch, share, self._study.parts, start)
                        start = found.setdefault(needed.key, needed)
        return sorted(found.values(), key=lambda needed: -needed.share)

    def search(self, folder: ServeFolder, watcher: ServeWatcher | None) -> ServeResults:
        """Do the runs that are missing, simulate the queues and save the results."""
        try:
            runs = self._runs(folder, watcher)
            if watcher is not None:
                watcher.simulating()
            results = self._results(runs, folder.path)
        except KeyboardInterrupt:  # finished runs are kept
            folder.turn_to(self.files)
            return self._report(folder.path)
        text = json.dumps(results.to_dict(), indent=1) + "\n"
        save_in_the_end(
            folder,
            self.files,
            lambda where: write_whole(where.path / RESULTS, text),
            lambda path: replace(results, folder=str(path)),
        )
        return results

    def _runs(self, folder: ServeFolder, watcher: ServeWatcher | None) -> dict[tuple[str, int, int], RunResults]:
        """The results of all runs, by their keys; those on the whole machine tell whether the study can be done."""
        found: dict[tuple[str, int, int], RunResults] = {}
        if watcher is not None:
            watcher.began(len(self._needed))
        whole = sum(needed.share == self._study.parts for needed in self._needed)
        for needed in self._needed:
            results = found[needed.key] = self._run(needed, folder.path)
            if not results.complete:
                raise KeyboardInterrupt
            if watcher is not None:
                watcher.ran(needed.text, results.totals.runtime_ms)
            if len(found) == whole:
                self._ways(found).check()
                folder.turn_to(self.files)
        return found

    def _ways(self, runs: Mapping[tuple[str, int, int], RunResults]) -> Ways:
        """The ways of sharing, with the services whose runs are there."""
        study = self._study
        services = {
            (number, share): service_of(
                {batch: runs[tenant.network, batch, share] for batch in tenant.batches}, tenant.mix, study.hardware.clock_mhz
            )
            for number, tenant in enumerate(study.tenants)
            for share in self._shares
            if (tenant.network, tenant.batch_max, share) in runs
        }
        return Ways(study, services, self._out, self._seed, self._max_load)

    def _run(self, needed: _Needed, folder: Path) -> RunResults:
        """A run like any other, taken from its folder as far as it is done."""
        path = needed.folder(folder)
        begun = (path / CONFIG).exists()
        settings: dict[str, Any] = {**self._settings, "batch": needed.batch}
        if needed.start is not None and not begun:
            settings["warm_start"] = str(needed.start.folder(folder))
        hardware, jobs = self._machines[needed.share], self._jobs
        try:
            return run(needed.tenant.network, hardware, out=path, jobs=jobs, resume=begun, no_cache=self._no_cache, **settings)
        except UnsavedRunError as error:  # of which the service has no results
            raise OSError(error.errno, error.strerror, error.filename) from None

    def _results(self, runs: Mapping[tuple[str, int, int], RunResults], folder: Path) -> ServeResults:
        """Simulate the queues."""
        tenants = self._study.tenants
        ways = self._ways(runs)
        sharing, notes = ways.all()
        left_out = {tenant.name: runs[tenant.network, 1, self._study.parts].left_out for tenant in tenants}
        notes += [f"{name}: {each.name} is left out: {each.reason}" for name, rows in left_out.items() for each in rows]
        notes += [
            f"{tenant.name}: its input pipeline brings at most {tenant.fed_per_s:,.4g} requests a second; no more are counted"
            for tenant in tenants
            if tenant.fed_per_s is not None
        ]
        hours, demand = demand_of(self._study, ways.turns, self._seed)
        rows = [_tenant_result(*each) for each in zip(tenants, ways.whole, ways.rates, strict=True)]
        return self._report(folder, ways.busiest_s, tuple(rows), sharing, tuple(notes), hours, demand)

    def _report(
        self,
        folder: Path,
        busiest_s: tuple[float, float] | None = None,
        tenants: tuple[TenantResult, ...] = (),
        sharing: Mapping[str, SharingResult] | None = None,
        notes: tuple[str, ...] = (),
        hours: HoursResult | None = None,
        demand: dict[str, TenantDemand] | None = None,
    ) -> ServeResults:
        """The results; without tenants those of a study that was stopped."""
        study = self._study
        return ServeResults(
            complete=bool(tenants),
            folder=str(folder),
            name=study.name,
            hardware=study.hardware.name,
            objective=study.search["objective"],
            seed=self._seed,
            duration_s=study.duration_s,
            warmup_s=study.warmup_s,
            busiest_s=busiest_s,
            tenants=tenants,
            sharing=dict(sharing or {}),
            notes=notes,
            hours=hours,
            demand=demand,
        )


def _tenant_result(tenant: Tenant, service: Service, rate_per_s: float) -> TenantResult:
    return TenantResult(
        name=tenant.name,
        network=tenant.network,
        rate_per_s=rate_per_s,
        mean_rate_per_s=tenant.arrivals.mean_per_s,
        slo_ms=tenant.slo_ms,
        percentile=tenant.percentile,
        priority=tenant.priority,
        batch_max=tenant.batch_max,
        service_ms={str(size): ms for size, ms in service.runtime_ms.items()},
        energy_uj={str(size): energy / size / 1e6 for size, energy in service.energy_pj.items()},
    )
