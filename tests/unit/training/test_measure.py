"""The field panels that a generator is measured against: always the same, from all surveys."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seisray.config import BodyConfig, GanConfig, GeneratorConfig, PanelConfig
from seisray.gather import Gather
from seisray.metrics.samples import MEASURES
from seisray.shards import write_shard
from seisray.storage import Location
from seisray.stream import ShardRef
from seisray.training.gan import GanStep
from seisray.training.measure import (
    SHARDS,
    blind_panels,
    measure_generator,
    reference_panels,
    score_generator,
)
from seisray.transforms import Samples, cut_panels

PANEL = PanelConfig(traces=8, samples=32)


@pytest.fixture
def refs(tmp_path: Path, line_gathers: Callable[..., list[Gather]]) -> list[ShardRef]:
    """Return ten shards of two gathers."""
    found = []
    for i in range(10):
        location = Location(str(tmp_path / f"{i}.parquet"))
        write_shard(location, line_gathers(2, seed=i), "float32")
        found.append(ShardRef(location=location, n_gathers=2))
    return found


def test_reference_panels_are_always_the_same(refs: list[ShardRef]) -> None:
    panels = reference_panels(refs, PANEL, 20)
    assert panels.shape == (20, 8, 32)
    np.testing.assert_array_equal(panels, reference_panels(refs, PANEL, 20))


def test_reference_panels_come_from_shards_spread_over_the_surveys(refs: list[ShardRef]) -> None:
    places = np.unique(np.linspace(0, 9, SHARDS).round().astype(int))
    for i in set(range(10)) - set(places.tolist()):
        refs[i].location.delete()
    assert len(reference_panels(refs, PANEL, 20)) == 20


def test_fewer_panels_than_gathers_come_from_all_over_a_shard(
    tmp_path: Path, line_gathers: Callable[..., list[Gather]], monkeypatch: pytest.MonkeyPatch
) -> None:
    location = Location(str(tmp_path / "shard.parquet"))
    write_shard(location, line_gathers(12), "float32")
    cut_from: list[int] = []

    def cut(gather: Gather, *_: object) -> Samples:
        cut_from.append(gather.ffid - 101)
        return np.zeros((1, 8, 32), np.float32)

    reference_panels([ShardRef(location=location, n_gathers=12)], PANEL, 4, cut=cut)
    assert cut_from == [0, 3, 6, 9]


def test_each_gather_counts_alike_however_many_a_shard_holds(
    tmp_path: Path, line_gathers: Callable[..., list[Gather]], monkeypatch: pytest.MonkeyPatch
) -> None:
    refs = []
    for n in (1, 4, 5):
        location = Location(str(tmp_path / f"{n}.parquet"))
        write_shard(location, line_gathers(n, seed=n), "float32")
        refs.append(ShardRef(location=location, n_gathers=n))
    seen = Counter[float]()

    def cut(samples: Samples, *rest: Any) -> Samples:
        seen[float(np.abs(samples).sum())] += 1
        return cut_panels(samples, *rest)

    monkeypatch.setattr("seisray.stream.cut_panels", cut)
    assert len(reference_panels(refs, PANEL, 20)) == 20
    assert list(seen.values()) == [2] * 10


def test_a_generator_is_scored_without_changing_its_training(refs: list[ShardRef]) -> None:
    config = GanConfig(
        panel=PANEL, body=BodyConfig(channels=(2, 2, 2, 2)), generator=GeneratorConfig(latent=4, channels=(2, 2, 2, 2))
    )
    reference = reference_panels(refs, PANEL, 8)
    step = GanStep(config)
    before = score_generator(step, reference)
    assert score_generator(step, reference) == before
    assert before["sample_distance"] > 0


def test_a_generator_is_measured_in_full_against_held_out_gathers(
    refs: list[ShardRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seisray.metrics.two_sample.STEPS", 4)
    config = GanConfig(
        panel=PanelConfig(traces=32, samples=128),
        body=BodyConfig(channels=(2, 2, 2, 2)),
        generator=GeneratorConfig(latent=4, channels=(2, 2, 2, 2)),
        measured=16,
    )
    found = measure_generator(GanStep(config), refs[:6], refs[6:], config)
    assert found.missing == ""
    assert set(found.table) == set(MEASURES)
    assert found.table["frechet_distance"].floor < found.table["frechet_distance"].noise
    assert measure_generator(GanStep(config), refs, [], config) == (
        {},
        "too few gathers with live traces were held out (held_out = 0.1)",
    )
    assert measure_generator(GanStep(config), refs, refs, replace(config, measured=0)) == ({}, "measured is 0")


def test_panels_too_small_for_the_encoder_are_not_measured_in_full(refs: list[ShardRef]) -> None:
    config = GanConfig(panel=PANEL, measured=16)
    missing = "panels are 8 x 32, and the frozen encoder takes none below 32 x 128"
    assert measure_generator(GanStep(config), refs[:6], refs[6:], config) == ({}, missing)


def test_a_blind_sheet_holds_every_panel_once() -> None:
    real, fake = np.full((5, 2, 3), 1, np.float32), np.full((3, 2, 3), -1, np.float32)
    shuffled, recorded = blind_panels(real, fake)
    assert [bool(panel[0, 0] == 1) for panel in shuffled] == recorded
    assert sum(recorded) == 5
    assert recorded != sorted(recorded)
