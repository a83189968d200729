"""What a refiner is measured by: shifts that are there are found, and noise that moves nothing is not one."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seisray.config import BodyConfig, PanelConfig, RefineConfig, RefinerConfig
from seisray.errors import TrainingError
from seisray.gather import Gather
from seisray.metrics.diversity import diversity_ratio
from seisray.shards import write_shard
from seisray.storage import Location
from seisray.stream import ShardRef
from seisray.training.realism import SHOWN, Pair, measure_refiner, onset_shift, plot_refined, score_refiner
from seisray.training.refine import RefineStep

FIRST_BREAK = np.tile(80 + 2 * np.arange(16, dtype=np.float32), (4, 1))
CONFIG = RefineConfig(
    panel=PanelConfig(traces=32, samples=128),
    body=BodyConfig(channels=(2, 2, 2, 2)),
    refiner=RefinerConfig(channels=2, apart=(1,)),
    measured=64,
)


def panels(delay: int = 0, noise: float = 0.02, seed: int = 0) -> np.ndarray:
    after = np.clip(np.arange(256) - FIRST_BREAK[..., None] - delay, 0, None)
    clean = np.sin(after / 3) * np.exp(-after / 30)
    return (clean + noise * np.random.default_rng(seed).normal(size=clean.shape)).astype(np.float32)


def refs(folder: Path, gathers: list[Gather], name: str) -> list[ShardRef]:
    location = Location(str(folder / f"{name}.parquet"))
    write_shard(location, gathers, "float32")
    return [ShardRef(location=location, n_gathers=len(gathers))]


@pytest.mark.parametrize("delay", [-4, 0, 6])
def test_the_shift_of_onsets_is_told_in_ms(delay: int) -> None:
    found = onset_shift(panels(), panels(delay, seed=1), FIRST_BREAK, 16, 0.25)
    assert found["onset_shift_ms_median"] == pytest.approx(delay * 0.25, abs=0.3)
    assert found["stacked_onset_shift_ms_median"] == pytest.approx(delay * 0.25, abs=0.3)
    assert found["stacked_onset_shift_ms_90"] == pytest.approx(abs(delay) * 0.25, abs=0.5)


def test_noise_moves_the_onsets_of_stacked_traces_less() -> None:
    found = onset_shift(panels(), panels(noise=0.25, seed=1), FIRST_BREAK, 16, 0.25)
    assert found["stacked_onset_shift_ms_90"] < found["onset_shift_ms_90"]


def test_nothing_is_told_of_panels_without_first_breaks() -> None:
    assert onset_shift(panels(), panels(), np.full_like(FIRST_BREAK, np.nan), 16, 0.25) == {}


def test_an_untrained_refiner_is_as_far_as_the_synthetic_panels(
    tmp_path: Path, line_gathers: Callable[..., list[Gather]]
) -> None:
    field = refs(tmp_path, line_gathers(8, n_traces=40, n_samples=200, seed=1), "field")
    synthetic = refs(tmp_path, line_gathers(8, n_traces=40, n_samples=200, seed=2), "synthetic")
    pair, found = measure_refiner(RefineStep(CONFIG), field, synthetic, CONFIG, {("line", 1000.0): 1.0})
    assert pair.synthetic.shape == (64, 32, 129)
    for name in ("spectrum_distance", "frechet_distance"):
        assert found[f"{name}_after"] == pytest.approx(found[f"{name}_before"], rel=1e-3)
        assert found[f"{name}_floor"] > 0
    assert found["onset_shift_ms_median"] == 0


def test_silent_field_gathers_are_told_of(tmp_path: Path, line_gathers: Callable[..., list[Gather]]) -> None:
    (gather,) = line_gathers(1)
    silent = refs(tmp_path, [gather.replace(samples=0 * gather.samples, live=np.zeros(12, bool))], "silent")
    with pytest.raises(TrainingError, match="no gather of the surveys has a live trace"):
        measure_refiner(RefineStep(CONFIG), silent, silent, CONFIG, {("line", 1000.0): 1.0})


def test_a_sheet_shows_three_rows_and_marks_the_first_breaks_of_two() -> None:
    rng = np.random.default_rng(0)
    field = rng.normal(size=(10, 32, 128)).astype(np.float32)
    first_break = np.full((10, 32, 1), 40, np.float32)
    pair = Pair(field, np.concatenate([field, first_break], axis=2))
    axes = plot_refined(RefineStep(CONFIG), pair, "step 0").axes[0]
    assert len(axes.images) == 3 * SHOWN
    marked = [
        int(np.isfinite(np.ma.filled(one.get_offsets().astype(float), np.nan)).all(axis=1).sum())
        for one in axes.collections
    ]
    assert marked == [32] * (2 * SHOWN) + [0] * SHOWN


def test_the_watchdog_is_not_told_of_diversity_before_the_game() -> None:
    rng = np.random.default_rng(0)
    pair = Pair(rng.normal(size=(4, 32, 128)).astype(np.float32), rng.normal(size=(4, 32, 129)).astype(np.float32))
    step = RefineStep(CONFIG)
    assert "diversity_ratio" not in score_refiner(step, pair)
    step.step = CONFIG.train.steps
    assert "diversity_ratio" in score_refiner(step, pair)


def test_panels_that_were_alike_before_they_were_refined_are_no_collapse() -> None:
    rng = np.random.default_rng(0)
    alike = np.repeat(rng.normal(size=(2, 32, 129)), 8, axis=0) + 0.01 * rng.normal(size=(16, 32, 129))
    pair = Pair(rng.normal(size=(16, 32, 128)).astype(np.float32), alike.astype(np.float32))
    step = RefineStep(CONFIG)
    step.step = CONFIG.train.steps
    assert diversity_ratio(pair.field, pair.synthetic[..., :-1]) < 0.1
    assert score_refiner(step, pair)["diversity_ratio"] > 0.5
