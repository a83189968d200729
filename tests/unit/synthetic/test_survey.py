from dataclasses import replace

import numpy as np
import pytest

from seisray.errors import ConfigError
from seisray.gather import Gather
from seisray.synthetic.noise import NoiseConfig
from seisray.synthetic.spread import farthest_across_m
from seisray.synthetic.survey import SyntheticConfig, synthetic_gather

pytest.importorskip("deepwave")
pytest.importorskip("fteikpy")

SMALL = SyntheticConfig(
    shots=6,
    traces=24,
    samples=200,
    shot_spacing_m=60.0,
    shots_per_spread=4,
    depth_m=60.0,
    noise=NoiseConfig(dead_share=0.2),
    seed=5,
)


@pytest.fixture(scope="module")
def gather() -> Gather:
    return synthetic_gather(SMALL, 1)


def test_same_seed_and_index_give_the_same_gather(gather: Gather) -> None:
    again = synthetic_gather(SMALL, 1)
    np.testing.assert_array_equal(again.samples, gather.samples)
    np.testing.assert_array_equal(again.first_break_ms, gather.first_break_ms)


def test_another_seed_gives_another_gather(gather: Gather) -> None:
    assert np.any(synthetic_gather(replace(SMALL, seed=6), 1).samples != gather.samples)


def test_another_index_gives_another_source(gather: Gather) -> None:
    other = synthetic_gather(SMALL, 2)
    assert other.ffid == 1003
    assert other.source_x_m[0] == pytest.approx(gather.source_x_m[0] + 60.0)
    np.testing.assert_array_equal(other.receiver_x_m, gather.receiver_x_m)


def test_the_next_spread_stands_on_new_ground(gather: Gather) -> None:
    assert synthetic_gather(SMALL, 4).receiver_x_m.min() > gather.receiver_x_m.max()


def test_the_ninth_spread_lies_on_another_line(gather: Gather) -> None:
    far = synthetic_gather(replace(SMALL, shots=40), 33)  # first line: 8 spreads of 4 shots
    assert far.source_y_m[0] == 1000.0
    assert np.any(far.samples != gather.samples)


def test_more_shots_leave_the_first_ones_as_they_were(gather: Gather) -> None:
    np.testing.assert_array_equal(synthetic_gather(replace(SMALL, shots=40), 1).samples, gather.samples)


def test_lists_are_taken_for_ranges() -> None:
    assert SyntheticConfig(peak_frequency_hz=[20, 30]).peak_frequency_hz == (20.0, 30.0)  # type: ignore[arg-type]


def test_dead_traces_are_zero_and_unlabelled(gather: Gather) -> None:
    assert 0 < gather.live.sum() < 24
    assert not gather.samples[~gather.live].any()
    assert not gather.labelled[~gather.live].any()


def test_labels_lie_within_the_record(gather: Gather) -> None:
    label = gather.first_break_ms[gather.labelled]
    assert len(label) > 10
    assert label.min() >= 0
    assert label.max() <= 199 * 2.0


def test_offset_is_signed_receiver_minus_source(gather: Gather) -> None:
    np.testing.assert_allclose(gather.offset_m, gather.receiver_x_m - gather.source_x_m)
    assert gather.offset_m.min() < 0 < gather.offset_m.max()


def test_delay_moves_labels_and_samples_together() -> None:
    clean = replace(SMALL, noise=NoiseConfig(snr_db=(120, 120), dead_share=0))
    plain, early = synthetic_gather(clean, 1), synthetic_gather(replace(clean, delay_ms=-50.0), 1)
    np.testing.assert_allclose(early.first_break_ms, plain.first_break_ms + 50.0, atol=1e-3)
    np.testing.assert_allclose(early.samples[:, 25:], plain.samples[:, :-25], atol=1e-3 * np.abs(plain.samples).max())


def test_breaks_before_a_late_record_are_unlabelled() -> None:
    late = synthetic_gather(replace(SMALL, delay_ms=60.0, noise=NoiseConfig(dead_share=0)), 1)
    assert 0 < late.labelled.sum() < 24
    assert late.first_break_ms[late.labelled].min() >= 0


@pytest.mark.parametrize("seed", range(8, 14))
@pytest.mark.parametrize("shot", [0, 2, 3])
def test_receivers_beside_the_line_record_what_they_would_as_far_along_it(seed: int, shot: int) -> None:
    silent = NoiseConfig(snr_db=(120, 120), dead_share=0, weak_share=0)
    gather = synthetic_gather(replace(SMALL, off_line=1.0, noise=silent, seed=seed), shot)
    across_m = gather.receiver_y_m - gather.source_y_m
    ahead_m = gather.receiver_x_m - gather.source_x_m
    assert 0.1 * 240 <= across_m.max() <= 0.8 * 240
    np.testing.assert_allclose(np.abs(gather.offset_m), np.hypot(ahead_m, across_m), atol=SMALL.grid_m)
    np.testing.assert_array_equal(gather.offset_m < 0, ahead_m < 0)
    beside = np.flatnonzero(across_m)
    assert np.abs(np.diff(gather.first_break_ms[beside])).max() < 30  # one hyperbola, without a step at the shot
    for trace in beside[gather.labelled[beside]]:
        record = np.abs(gather.samples[trace])
        assert record[: max(int(gather.first_break_ms[trace] / 2.0) - 1, 0)].max(initial=0) < 0.02 * record.max()


@pytest.mark.parametrize("trace_spacing_m", [2.5, 10.0, 20.0])
def test_the_ground_reaches_as_far_as_the_farthest_receiver_beside_the_line(trace_spacing_m: float) -> None:
    config = replace(SMALL, traces=48, trace_spacing_m=trace_spacing_m, off_line=1.0)
    half_m = 24 * trace_spacing_m
    across_m = farthest_across_m(48, trace_spacing_m)
    assert half_m + np.hypot(half_m, across_m) <= 2 * half_m + config.edge_m  # of a shot in the middle, inwards


def test_loss_and_geophones_move_no_label(gather: Gather) -> None:
    heard = synthetic_gather(replace(SMALL, loss_hz=60.0, geophone_hz=28.0), 1)
    np.testing.assert_array_equal(heard.first_break_ms, gather.first_break_ms)
    live = gather.labelled
    assert np.abs(heard.samples[live]).max() < 0.7 * np.abs(gather.samples[live]).max()


def test_index_outside_the_survey_is_refused() -> None:
    with pytest.raises(ConfigError, match="shot_index is 6, expected 0 to 5"):
        synthetic_gather(SMALL, 6)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"shots": 0}, "shots is 0, expected 1 to"),
        ({"traces": 9.5}, "traces is 9.5, expected a whole number"),
        ({"refractor_vp_m_s": (1.0,)}, "refractor_vp_m_s is"),
        ({"sample_interval_us": 0.0}, "sample_interval_us is 0.0, expected 50"),
        ({"peak_frequency_hz": (40.0, 20.0)}, "peak_frequency_hz is"),
        ({"peak_frequency_hz": (20.0, 120.0)}, "expected at most 90"),
        ({"geophone_hz": 230.0}, "geophone_hz is 230, expected less than 0.9 of the Nyquist frequency, 250 Hz"),
        ({"delay_ms": 1.0}, "delay_ms is 1.0, expected a multiple"),
        ({"trace_spacing_m": 1.0}, "trace_spacing_m is 1.0, expected at least grid_m"),
    ],
)
def test_settings_outside_their_range_are_refused(change: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        SyntheticConfig(**change)  # type: ignore[arg-type]
