"""The field panels that a generator is measured against: always the same, from all surveys."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seisray.config import BodyConfig, GanConfig, GeneratorConfig, PanelConfig
from seisray.gather import Gather
from seisray.shards import write_shard
from seisray.storage import Location
from seisray.stream import ShardRef
from seisray.training.gan import GanStep
from seisray.training.measure import SHARDS, reference_panels, score_generator

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


def test_a_generator_is_scored_without_changing_its_training(refs: list[ShardRef]) -> None:
    config = GanConfig(
        panel=PANEL, body=BodyConfig(channels=(2, 2, 2, 2)), generator=GeneratorConfig(latent=4, channels=(2, 2, 2, 2))
    )
    reference = reference_panels(refs, PANEL, 8)
    step = GanStep(config)
    before = score_generator(step, reference)
    assert score_generator(step, reference) == before
    assert before["sample_distance"] > 0
