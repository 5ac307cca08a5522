"""Input pipelines: rates, hit ratios, stalls and what-ifs against simulations, and against DS-Analyzer's expressions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator
from dataclasses import replace
from math import inf, log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st
from small_run import finished_run, layer_file

from mapsearch.formats.yaml.pipelines import GB, MB, Cache, Pipeline, Policy, Storage, load_pipeline
from mapsearch.formats.yaml.pipelines import names as pipeline_names
from mapsearch.model.errors import InputError
from mapsearch.studies.feed.feed import Epoch, feed
from mapsearch.studies.feed.rates import Rates, Stall, accelerator_rate, fetch_rate, hit_ratio, rates_of, share_for, useful_runtime
from mapsearch.studies.feed.what_if import QUESTIONS
from mapsearch.studies.pictures.feed import feed_files

FIXTURES = (finished_run, layer_file)  # pytest finds them here, as done and layers
IMAGENET = load_pipeline("imagenet")
SSD = IMAGENET.storages[0]


def _simulated_hits(policy: Policy, share: float, items: int = 4000, epochs: int = 4) -> float:
    """The hit ratio of a cache of whole samples after its first epoch, sample by sample."""
    rng, room, hits = np.random.default_rng(1), round(share * items), 0
    kept: OrderedDict[int, None] = OrderedDict()
    for epoch in range(epochs + 1):
        for item in rng.permutation(items).tolist():
            if item in kept:
                hits += epoch > 0
                kept.move_to_end(item)
                continue
            if policy == "lru" and len(kept) == room:
                kept.popitem(last=False)
            if len(kept) < room:
                kept[item] = None
    return hits / (epochs * items)


@pytest.mark.parametrize("policy", ["lru", "minio"])
@pytest.mark.parametrize("share", [0.2, 0.35, 0.5, 0.65, 0.8, 0.95])
def test_hit_ratios_are_those_of_a_simulated_cache(policy: Policy, share: float) -> None:
    """The closed forms are within 0.005 of a plain simulation."""
    assert hit_ratio(policy, share) == pytest.approx(_simulated_hits(policy, share), abs=0.005)


def test_the_limits_of_hit_ratios() -> None:
    """Without room nothing hits, with room for all everything does, whatever the policy; without a cache nothing does."""
    for policy in ("lru", "minio"):
        assert hit_ratio(policy, 0.0) == 0
        assert hit_ratio(policy, 1.0) == 1
    assert hit_ratio("none", 1.0) == 0
    assert hit_ratio("lru", 0.35) == pytest.approx(0.35 + 0.65 * log(0.65))


@settings(deadline=None)  # SciPy is imported
@given(st.floats(1e-6, 1 - 1e-9), st.sampled_from(("lru", "minio")))
def test_the_room_for_a_hit_ratio_is_the_inverse(hits: float, policy: Policy) -> None:
    """A cache of the room that is told reaches the hit ratio."""
    assert hit_ratio(policy, share_for(policy, hits)) == pytest.approx(hits, rel=1e-6, abs=1e-9)


@given(st.floats(0, 1), st.floats(10, 1e5), st.floats(10, 1e5))
def test_the_fetch_rate_is_ds_analyzers(share: float, memory_mb: float, disk_mb: float) -> None:
    """DS-Analyzer's effective rate of a store with a cache share: the data over the times of its parts, in samples."""
    data = IMAGENET.bytes
    time = share * data / (memory_mb * MB) + (1 - share) * data / (disk_mb * MB)
    cache = Cache(share * data, "minio", memory_mb * MB)
    found = fetch_rate(IMAGENET.sample_bytes, cache, disk_mb * MB, hit_ratio("minio", share))
    assert found == pytest.approx(data / time / IMAGENET.sample_bytes, rel=1e-12)


def test_the_limits_of_the_fetch_rate() -> None:
    """Without a cached sample it is the storage's, with all of them the cache's."""
    cache = Cache(GB, "minio", 20_000 * MB)
    assert fetch_rate(1000, cache, 500 * MB, 0.0) == pytest.approx(500_000)
    assert fetch_rate(1000, cache, 500 * MB, 1.0) == pytest.approx(20_000_000)


def _tandem(rates: Rates, samples: int = 3000) -> float:
    """Samples a second through four stages that work one sample after the other, with room for 64 between two of them."""
    env = simpy.Environment()
    stores: list[Any] = [simpy.Store(env, 64) for _ in range(3)]
    ends: list[float] = []

    def stage(seconds: float, source: Any, sink: Any) -> Generator[Any, Any]:  # noqa: ANN401 simpy's stores
        for _ in range(samples):
            sample = (yield source.get()) if source is not None else 0
            yield env.timeout(seconds)
            if sink is None:
                ends.append(float(env.now))
            else:
                yield sink.put(sample)

    order = (rates.fetch, rates.prep, rates.link, rates.accelerator)
    for rate, source, sink in zip(order, (None, *stores), (*stores, None), strict=True):
        env.process(stage(1 / rate, source, sink))
    env.run()
    half = samples // 2
    return (samples - half) / (ends[-1] - ends[half - 1])


@pytest.mark.parametrize("batch_runtime_s", [0.2, 0.01, 0.002, 0.0001])
@pytest.mark.parametrize(("cores", "gb"), [(24, 64), (200, 64), (200, 0), (5, 140)])
def test_the_throughput_is_that_of_a_simulated_tandem(batch_runtime_s: float, cores: int, gb: float) -> None:
    """The least rate is within 1 % of what goes through four stages with room between them."""
    pipeline = replace(IMAGENET, cores=cores, cache=replace(IMAGENET.cache, bytes=gb * GB))
    hits = hit_ratio("minio", min(1.0, gb * GB / pipeline.bytes))
    rates = rates_of(pipeline, SSD.bytes_per_s, hits, accelerator_rate(pipeline, 32, batch_runtime_s))
    assert rates.throughput == pytest.approx(_tandem(rates), rel=0.01)


_RATES = st.builds(Rates, *[st.floats(1e-2, 1e7)] * 4)


@given(_RATES)
def test_stalls_add_up_to_the_time_that_accelerators_wait(rates: Rates) -> None:
    """Stalls are shares of an epoch, and what is left is the accelerators' own work; a stage that bounds nothing stalls nothing."""
    stall = Stall.of(rates)
    assert 0 <= stall.prep <= 1
    assert 0 <= stall.fetch <= 1
    assert 1 - stall.prep - stall.fetch == pytest.approx(rates.throughput / rates.accelerator)
    if rates.bound_by == "accelerator":
        assert stall == Stall(0.0, 0.0)
    assert rates.to_dict()[rates.bound_by] == rates.throughput


def test_stalls_as_ds_analyzer_subtracts_runs() -> None:
    """By hand: 1,000 samples a second ingested, 500 prepared, 250 fetched: a quarter works, a quarter waits for prep."""
    assert Stall.of(Rates(accelerator=1000, prep=500, fetch=250, link=1e9)) == Stall(0.25, 0.5)
    assert Stall.of(Rates(accelerator=1000, prep=1e9, fetch=1e9, link=500)) == Stall(0.5, 0.0)


def _answer(word: str, pipeline: Pipeline, rate: float, storage: Storage = SSD) -> tuple[Any, Rates]:
    hits = hit_ratio(pipeline.cache.policy, min(1.0, pipeline.cache.bytes / pipeline.bytes))
    rates = rates_of(pipeline, storage.bytes_per_s, hits, rate)
    return QUESTIONS[word](pipeline, storage, rates, hits), rates


@settings(deadline=None)
@given(st.floats(10, 1e5), st.sampled_from(("lru", "minio")), st.floats(0, 200))
def test_what_is_needed_is_enough_and_no_more(rate: float, policy: Policy, gb: float) -> None:
    """With the cores, cache or storage that are told a stage hides behind the others; with 1 % less of it it does not."""
    pipeline = replace(IMAGENET, cache=Cache(gb * GB, policy, 20_000 * MB))
    cores, rates = _answer("cores", pipeline, rate)
    assert cores.needed * pipeline.samples_per_s_core >= rates.accelerator * (1 - 1e-6)
    assert (cores.needed - 1) * pipeline.samples_per_s_core < rates.accelerator
    wanted = rates.without_fetch * (1 - 1e-6)
    room, _ = _answer("cache", pipeline, rate)
    speed, _ = _answer("storage", pipeline, rate)

    def fetched(gb: float, mb_per_s: float) -> float:
        hits = hit_ratio(policy, min(1.0, gb * GB / pipeline.bytes))
        return fetch_rate(pipeline.sample_bytes, pipeline.cache, max(mb_per_s, 1e-9) * MB, hits)

    assert fetched(room.needed, SSD.bytes_per_s / MB) >= wanted
    assert fetched(gb, speed.needed) >= wanted
    if room.needed > 0:
        assert fetched(0.99 * room.needed, SSD.bytes_per_s / MB) < wanted
    if gb * GB < pipeline.bytes:
        assert fetched(gb, 0.99 * speed.needed) < wanted


def test_no_amount_may_be_enough() -> None:
    """Where the pipeline has no cache, or the cache is too slow itself, the answer is none, with the reason."""
    fast = replace(IMAGENET, cores=10_000)
    without, _ = _answer("cache", replace(fast, cache=replace(fast.cache, policy="none")), 1e5)
    assert (without.needed, without.why) == (None, "the pipeline has no cache")
    slow = replace(fast, cache=replace(fast.cache, bytes_per_s=600 * MB))
    assert "the cache itself would need" in str(_answer("cache", slow, 1e5)[0].why)
    assert _answer("storage", slow, 1e5)[0].why == "the cache alone is too slow"


def test_cores_without_end_leave_the_other_stages() -> None:
    """With ever more cores the throughput is that of the other stages, and prep stalls nothing."""
    epoch = Epoch.of(replace(IMAGENET, cores=10**9), SSD, 0.4, 1e9)
    assert epoch.throughput_per_s == min(epoch.rates_per_s.fetch, epoch.rates_per_s.link)
    assert epoch.bound_by != "prep"


@given(st.floats(1, 1e6), st.integers(1, 4096))
def test_a_mapping_faster_than_the_useful_runtime_gains_nothing(rate: float, batch: int) -> None:
    """At the useful runtime the accelerators take just what the other stages bring."""
    assert accelerator_rate(IMAGENET, batch, useful_runtime(IMAGENET, batch, rate)) == pytest.approx(rate)


def test_a_run_is_fed(done: Path, tmp_path: Path) -> None:
    """The figures of a run: its cycles, all stages, both epochs, the answers, storages side by side, and a picture and a page."""
    file = tmp_path / "two.yaml"
    text = _text("imagenet").replace("{mb_per_s: 525}", "[{name: disk, mb_per_s: 150}, {name: $flash, mb_per_s: 3000}]")
    file.write_text(text.replace("passes: 1 ", "passes: 3 "))
    found = feed(done, file)
    data = found.to_dict()
    seconds = data["runtime_ms"] / 1e3
    assert data["rates_per_s"]["accelerator"] == pytest.approx(8 / (3 * seconds))
    assert data["throughput_per_s"] == min(data["rates_per_s"].values())
    assert data["epoch_s"]["steady"] == 1281167 / data["throughput_per_s"]
    assert data["first_epoch"]["hit_ratio"] == 0 < data["hit_ratio"] == data["cached_share"]
    assert list(data["what_if"]) == ["cache", "cores", "storage"]
    assert [each["storage"] for each in (data, *data["compared"])] == ["disk", "$flash"]
    assert data["useful_runtime_ms"] > data["compared"][0]["useful_runtime_ms"]
    assert list(feed(done, file, what_if=["cores"]).cases[0].what_if) == ["cores"]
    for suffix in ("png", "svg"):
        files = feed_files(found, ["a line"], suffix)
        assert set(files) == {f"rates.{suffix}", "report.html"}
    svg = files["rates.svg"]
    assert isinstance(svg, str)
    assert all(word in svg for word in ("fetch from disk, first epoch", "fetch from $flash, later", "link", "accelerator"))


def _text(name: str) -> str:
    return (Path(__file__).parents[2] / "formats" / "data" / "pipelines" / f"{name}.yaml").read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("{mb_per_s: 525}", "{mb_per_s: 0}"), "storage.mb_per_s must be > 0.0, got 0"),
        (("samples_per_s_core: 180", "samples_per_s_core: -1"), "prep.samples_per_s_core must be > 0.0, got -1"),
        (("cores: 24", "cores: 0"), "prep.cores must be >= 1, got 0"),
        (("accelerators: 8", "accelerators: 1.5"), "accelerators must be a whole number, got 1.5"),
        (
            ("sample_bytes: 114000", "sample_bytes: 1.0e+18"),
            "samples x sample_bytes must be at most 2^63 - 1 bytes, got 1,281,167 x 1e+18",
        ),
        (("policy: minio", "policy: fifo"), "cache.policy must be 'minio', 'lru' or 'none', got 'fifo'"),
        (("gb: 64, ", ""), "cache.gb is missing; policy minio needs gb and mb_per_s, policy none neither"),
        (("passes: 1 ", "steps: 1 "), "unknown key steps"),
        (("link: {mb_per_s: 12000}", ""), "link is missing; needed are "),
        (("{mb_per_s: 525}", "[]"), "storage must have at least one item"),
        (("{mb_per_s: 525}", "[{name: a, mb_per_s: 1}, {name: a, mb_per_s: 2}]"), "storage a stands twice; name each once"),
        (("link: {mb_per_s: 12000}", "link: {mb_per_s: 1.0e+300}"), "the link rate must be from 1e-9 to 1e15 samples a second"),
    ],
)
def test_a_pipeline_that_breaks_a_law_is_one_line(done: Path, tmp_path: Path, change: tuple[str, str], message: str) -> None:
    """Zero rates, overflow, unknown keys and policies: one line each, which names the key."""
    text, file = _text("imagenet"), tmp_path / "p.yaml"
    assert change[0] in text
    file.write_text(text.replace(*change))
    with pytest.raises(InputError) as caught:
        feed(done, file)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_shipped_pipelines_load() -> None:
    """Each is found by its name, and has a finite rate everywhere."""
    for name in pipeline_names():
        pipeline = load_pipeline(name)
        assert pipeline.name == name
        assert 0 < rates_of(pipeline, pipeline.storages[0].bytes_per_s, 0.0, 1.0).throughput < inf
