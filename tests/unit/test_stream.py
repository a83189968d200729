from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seisray import shards, stream
from seisray.config import PanelConfig
from seisray.gather import Gather
from seisray.storage import locate
from seisray.stream import ShardRef, cut_with_breaks, divide, panel_batches

pytestmark = pytest.mark.usefixtures("ray_session")

PANEL = PanelConfig(traces=8, samples=32, per_gather=2)
STEPS, BATCH = 7, 5  # panels of several visits make a batch, and a visit feeds several batches


@pytest.fixture(scope="module")
def refs(line_gathers: Callable[..., list[Gather]], tmp_path_factory: pytest.TempPathFactory) -> list[ShardRef]:
    """Return four shards of 3, 1, 2 and 3 gathers."""
    folder = locate(str(tmp_path_factory.mktemp("shards")))
    found = []
    for number, size in enumerate((3, 1, 2, 3)):
        location = folder / f"part-{number}.parquet"
        shards.write_shard(location, line_gathers(size, seed=number), "int16")
        found.append(ShardRef(location=location, n_gathers=size))
    return found


def batches(refs: list[ShardRef], **how: int) -> list[np.ndarray]:
    given = {"batch": BATCH, "first_step": 0, "steps": STEPS, "seed": 3} | how
    return list(panel_batches(refs, PANEL, **given))


@pytest.fixture(scope="module")
def uninterrupted(refs: list[ShardRef]) -> list[np.ndarray]:
    return batches(refs)


def test_each_step_has_a_whole_batch_of_panels(uninterrupted: list[np.ndarray]) -> None:
    assert [(b.shape, b.dtype) for b in uninterrupted] == [((BATCH, 8, 32), np.float32)] * STEPS


def test_the_same_seed_streams_the_same_panels(refs: list[ShardRef], uninterrupted: list[np.ndarray]) -> None:
    np.testing.assert_array_equal(batches(refs), uninterrupted)


def test_another_seed_streams_other_panels(refs: list[ShardRef], uninterrupted: list[np.ndarray]) -> None:
    assert (batches(refs, seed=4, steps=1)[0] != uninterrupted[0]).any()


@pytest.mark.parametrize("first_step", [1, 4, 6])
def test_a_resumed_stream_goes_on_with_the_very_panels(
    first_step: int, refs: list[ShardRef], uninterrupted: list[np.ndarray]
) -> None:
    np.testing.assert_array_equal(batches(refs, first_step=first_step), uninterrupted[first_step:])


def test_a_finished_stream_yields_nothing(refs: list[ShardRef]) -> None:
    assert batches(refs, first_step=STEPS) == []


def test_no_panel_comes_twice(uninterrupted: list[np.ndarray]) -> None:
    panels = np.concatenate(uninterrupted).reshape(STEPS * BATCH, -1)
    assert len(np.unique(panels, axis=0)) == len(panels)


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> list[ShardRef]:
    """Return six shards of one gather each; shard i holds a sine of 2 + 2 i periods in 64 samples."""
    folder = locate(str(tmp_path_factory.mktemp("tones")))
    found = []
    for number in range(6):
        wave = np.sin(2 * np.pi * (2 + 2 * number) * (np.arange(128) + 0.5) / 64)
        gather = Gather(
            survey="tones",
            gather_id=str(number),
            source_file="",
            ffid=number,
            shot_point=0,
            sample_interval_us=1000,
            samples=np.tile(wave, (8, 1)),
        )
        location = folder / f"part-{number}.parquet"
        shards.write_shard(location, [gather], "int16")
        found.append(ShardRef(location=location, n_gathers=1))
    return found


def shards_seen(tones: list[ShardRef], **how: int) -> list[int]:
    """Return of which shard each streamed panel is, by its loudest frequency."""
    config = PanelConfig(traces=8, samples=64, per_gather=1)
    panels = np.concatenate(list(panel_batches(tones, config, first_step=0, seed=1, **how)))
    loudest = np.abs(np.fft.rfft(panels[:, 0], axis=1)).argmax(axis=1)
    return [int(periods - 2) // 2 for periods in loudest]


def test_ranks_share_an_epoch_without_overlap(tones: list[ShardRef]) -> None:
    ranks = [shards_seen(tones, batch=3, steps=2, rank=rank, workers=2) for rank in range(2)]
    for epoch in (slice(0, 3), slice(3, 6)):
        assert sorted(ranks[0][epoch] + ranks[1][epoch]) == [0, 1, 2, 3, 4, 5]


def test_each_epoch_takes_every_shard_once_in_another_order(tones: list[ShardRef]) -> None:
    seen = shards_seen(tones, batch=6, steps=3)
    epochs = [seen[i : i + 6] for i in (0, 6, 12)]
    assert all(sorted(epoch) == [0, 1, 2, 3, 4, 5] for epoch in epochs)
    assert len(set(map(tuple, epochs))) > 1


def test_batches_show_gathers_of_several_shards(refs: list[ShardRef], tones: list[ShardRef]) -> None:
    config = PanelConfig(traces=8, samples=64, per_gather=6)
    panels = np.concatenate(list(panel_batches(tones, config, batch=12, first_step=0, steps=3, seed=1)))
    shard = np.abs(np.fft.rfft(panels[:, 0], axis=1)).argmax(axis=1)
    assert sorted(Counter(shard.tolist()).values()) == [6] * 6, "an epoch shows each shard alike"
    assert all(len(set(batch.tolist())) >= 4 for batch in shard.reshape(3, 12))


@pytest.mark.parametrize("first_step", [1, 4, 6])
def test_a_resumed_stream_goes_on_where_pools_are_small(
    first_step: int, refs: list[ShardRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "CHUNK_BYTES", 4 * 8 * 32 * 3)
    monkeypatch.setattr(stream, "MIXED_SHARDS", 2)
    np.testing.assert_array_equal(batches(refs, first_step=first_step), batches(refs)[first_step:])


def test_more_ranks_than_shards_still_get_panels(tones: list[ShardRef]) -> None:
    assert len(shards_seen(tones[:1], batch=2, steps=2, rank=1, workers=2)) == 4


def test_dead_traces_are_left_out(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).normal(size=(16, 64)).astype(np.float32)
    samples[::2] = 0
    gather = Gather(
        survey="s", gather_id="1", source_file="", ffid=1, shot_point=0, sample_interval_us=1000, samples=samples
    )
    location = locate(str(tmp_path)) / "part.parquet"
    shards.write_shard(location, [gather], "int16")
    panels = batches([ShardRef(location=location, n_gathers=1)], batch=4, steps=1)[0]
    assert panels.any(axis=2).all()


def test_held_out_gathers_are_the_last_of_shards(refs: list[ShardRef]) -> None:
    learned, held_out = divide(refs, 0.4)
    assert sum(ref.n_gathers for ref in held_out) == 3  # of 9
    assert sum(ref.n_gathers for ref in learned) == 6
    for ref in held_out:
        names = [gather.gather_id for gather in shards.read_gathers(ref.location)]
        assert [gather.gather_id for gather in ref.gathers()] == names[-ref.n_gathers :]
        before = [other for other in learned if other.location == ref.location]
        assert [gather.gather_id for other in before for gather in other.gathers()] == names[: -ref.n_gathers]


def test_gathers_held_out_are_never_streamed(tones: list[ShardRef]) -> None:
    learned, held_out = divide(tones, 0.4)
    seen, others = (set(shards_seen(refs, batch=6, steps=4)) for refs in (learned, held_out))
    assert len(seen) == len(learned) == 4
    assert len(others) == len(held_out) == 2
    assert not seen & others


def test_nothing_is_held_out_where_nothing_is_asked_for(refs: list[ShardRef]) -> None:
    assert divide(refs, 0.0) == (refs, [])


def test_first_breaks_go_with_the_panels_that_they_are_on(refs: list[ShardRef]) -> None:
    config = PanelConfig(traces=8, samples=128)
    (panels,) = panel_batches(refs, config, batch=24, first_step=0, steps=1, seed=1, cut=cut_with_breaks)
    assert panels.shape == (24, 8, 129)
    (same,) = panel_batches(refs, config, batch=24, first_step=0, steps=1, seed=1)
    np.testing.assert_array_equal(panels[..., :-1], same)
    first_break = panels[..., -1]
    assert np.isfinite(first_break).all()  # the whole record is in such a panel; dead traces are left out
    for panel, place in zip(panels[..., :-1], first_break, strict=True):
        strength = np.abs(np.sinh(panel))
        onset = (strength > 0.5 * strength.max(axis=1, keepdims=True)).argmax(axis=1)
        np.testing.assert_allclose(onset, place, atol=6)


def test_panels_of_another_tempo_have_their_first_breaks_there(line_gathers: Callable[..., list[Gather]]) -> None:
    (gather,) = line_gathers(1)
    config = PanelConfig(traces=8, samples=256)
    plain, fine = (
        cut_with_breaks(gather, np.random.default_rng(0), config, 4, factors=factors)
        for factors in ({}, {(gather.survey, 1000.0): 2.0})
    )
    np.testing.assert_allclose(fine[..., -1], 2 * plain[..., -1], rtol=1e-6)
