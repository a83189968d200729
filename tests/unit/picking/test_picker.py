"""Whatever a gather holds, each of its traces gets one row, with the reason where there is no pick."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pickable import write_picker

from seisray.config import PickConfig
from seisray.errors import SeisrayError, StorageError
from seisray.gather import Gather
from seisray.picking.picker import GatherPicker, load_picker, weights_sha256
from seisray.registry import Model, Store
from seisray.resampling import resample_gather

SHAPES = {"one trace": (1, 128), "one sample": (5, 1), "40,000 samples": (2, 40_000), "300 traces": (300, 40)}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Model]:
    store = Store(str(tmp_path_factory.mktemp("store")))
    return store, write_picker(store)


@pytest.fixture(scope="module")
def picker(made: tuple[Store, Model]) -> GatherPicker:
    store, card = made
    return GatherPicker(store, card, sha256=weights_sha256(store, card))


def gather(samples: np.ndarray, **more: Any) -> Gather:
    about = {"survey": "line", "gather_id": "line-7", "source_file": "line.sgy", "ffid": 7, "shot_point": 1}
    return Gather(samples=samples, **about | {"sample_interval_us": 1000.0} | more)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_gathers_of_any_size_are_picked(picker: GatherPicker, shape: tuple[int, int]) -> None:
    rows, failure = picker.rows(gather(noise(*shape)))
    assert failure is None
    assert rows["trace"].to_pylist() == list(range(1, shape[0] + 1))
    assert set(rows["flag"].to_pylist()) <= {"ok", "low_probability"}


def test_an_all_dead_gather_is_flagged_dead(picker: GatherPicker) -> None:
    rows, failure = picker.rows(gather(np.zeros((4, 128))))
    assert (rows["flag"].to_pylist(), failure) == (["dead"] * 4, None)
    assert np.isnan(rows["pick_ms"].to_numpy()).all()


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_a_trace_that_is_not_finite_is_flagged_and_the_others_are_picked_as_if_it_were_dead(
    picker: GatherPicker, odd: float
) -> None:
    samples = noise(6, 128)
    broken, silent = samples.copy(), samples.copy()
    broken[2, 50], silent[2] = odd, 0
    rows, failure = picker.rows(gather(broken))
    beside = picker.rows(gather(silent))[0]
    assert failure is None
    assert rows["flag"][2].as_py() == "not_finite"
    assert np.isnan(rows["pick_ms"][2].as_py())
    others = np.arange(6) != 2
    for name in ("pick_ms", "probability", "sigma_ms"):
        np.testing.assert_array_equal(rows[name].to_numpy()[others], beside[name].to_numpy()[others])


def test_a_gather_of_nothing_but_nan_is_flagged(picker: GatherPicker) -> None:
    rows, _ = picker.rows(gather(np.full((3, 64), np.nan)))
    assert rows["flag"].to_pylist() == ["not_finite"] * 3


@pytest.mark.filterwarnings("error")
@given(st.sampled_from([1e-44, 1e-30, 1e20, 3e38]), st.integers(0, 9))
def test_the_scale_of_a_trace_does_not_matter(picker: GatherPicker, scale: float, trace: int) -> None:
    samples = np.clip(noise(10, 64), -1, 1)
    scaled = samples.copy()
    scaled[trace] *= np.float32(scale)
    rows, failure = picker.rows(gather(scaled))
    assert failure is None
    assert np.isfinite(rows["probability"].to_numpy()).all()
    if scale > 1e-30:
        pick_ms = picker.rows(gather(samples))[0]["pick_ms"].to_numpy()
        np.testing.assert_allclose(rows["pick_ms"].to_numpy(), pick_ms, atol=1e-2)


def test_a_gather_whose_picking_fails_is_flagged_with_the_reason(made: tuple[Store, Model]) -> None:
    store, card = made
    picker = GatherPicker(store, card, sha256=weights_sha256(store, card))

    def fail(_: object) -> None:
        raise ZeroDivisionError("by chance")

    picker._predict = fail  # type: ignore[assignment]
    samples = noise(4, 64)
    samples[0], samples[1, 3] = 0, np.nan
    rows, failure = picker.rows(gather(samples))
    assert rows["flag"].to_pylist() == ["dead", "not_finite", "failed", "failed"]
    assert failure == "ZeroDivisionError: by chance"


def test_a_gather_sampled_otherwise_is_not_picked(picker: GatherPicker) -> None:
    rows, failure = picker.rows(gather(noise(4, 64), sample_interval_us=250.0))
    assert rows["flag"].to_pylist() == ["failed"] * 4
    assert "sampled at 250 us, expected 1000 us" in str(failure)


def test_weights_that_changed_meanwhile_are_refused(made: tuple[Store, Model]) -> None:
    with pytest.raises(StorageError, match="the weights of p@v1 changed"):
        GatherPicker(*made, sha256="00")


@given(st.integers(1, 40), st.integers(1, 90), st.data())
def test_every_trace_gets_one_row_whatever_is_broken(
    picker: GatherPicker, n_traces: int, n_samples: int, data: st.DataObject
) -> None:
    samples = noise(n_traces, n_samples)
    for trace, value in data.draw(
        st.dictionaries(st.integers(0, n_traces - 1), st.sampled_from([0.0, np.nan]))
    ).items():
        samples[trace] = value
    rows, failure = picker.rows(gather(samples))
    expected = np.where(np.isnan(samples).any(axis=1), "not_finite", np.where((samples == 0).all(axis=1), "dead", ""))
    assert failure is None
    for flag, known in zip(rows["flag"].to_pylist(), expected.tolist(), strict=True):
        assert flag == known if known else flag in ("ok", "low_probability")


def test_a_resampled_gather_gets_the_times_of_the_record_that_the_picker_saw(made: tuple[Store, Model]) -> None:
    store, card = made
    sha256 = weights_sha256(store, card)
    coarse = gather(noise(6, 80).cumsum(axis=1), sample_interval_us=2000.0)
    knowing = GatherPicker(store, card, sha256=sha256, sample_interval_us=2000.0, resampling=2.0)
    direct = GatherPicker(store, card, sha256=sha256)
    rows, failure = knowing.rows(coarse)
    assert failure is None
    assert rows.equals(direct.rows(resample_gather(coarse, 2.0))[0])


def test_averaging_makes_mirror_images_indifferent(made: tuple[Store, Model]) -> None:
    picker = GatherPicker(*made, sha256=weights_sha256(*made), config=PickConfig(average=True))
    samples = noise(16, 96)  # sixteen traces, so that mirrored ones are pooled alike
    pick_ms = [picker.rows(gather(one))[0]["pick_ms"].to_numpy() for one in (samples, samples[::-1])]
    np.testing.assert_allclose(pick_ms[1][::-1], pick_ms[0], atol=1e-3)
    alone = GatherPicker(*made, sha256=weights_sha256(*made)).rows(gather(samples))[0]["pick_ms"].to_numpy()
    assert not np.allclose(alone, pick_ms[0], atol=1e-3)


@pytest.mark.parametrize("resampling", [1.0, 2.0])
def test_picks_keep_to_their_window(made: tuple[Store, Model], resampling: float) -> None:
    config = PickConfig(earliest_ms=40, latest_ms=60)
    picker = GatherPicker(*made, sha256=weights_sha256(*made), config=config, resampling=resampling)
    rows, failure = picker.rows(gather(noise(8, 128)))
    pick_ms = rows["pick_ms"].to_numpy()
    assert failure is None
    assert ((pick_ms >= 40) & (pick_ms <= 60))[np.isfinite(pick_ms)].all()
    assert np.isfinite(pick_ms).any()


def test_smooth_picks_differ_less_from_trace_to_trace(made: tuple[Store, Model]) -> None:
    samples, step_ms = noise(300, 96), []  # more traces than a tile
    for smoothness in (0.0, 1e3):
        picker = GatherPicker(*made, sha256=weights_sha256(*made), config=PickConfig(smoothness=smoothness))
        pick_ms = picker.rows(gather(samples))[0]["pick_ms"].to_numpy()
        step_ms.append(np.abs(np.diff(pick_ms[np.isfinite(pick_ms)])).mean())
    assert step_ms[1] < 0.5 * step_ms[0]


def test_picks_lie_on_the_event_asked_for(made: tuple[Store, Model]) -> None:
    samples = noise(8, 128).cumsum(axis=1)
    picker = GatherPicker(*made, sha256=weights_sha256(*made), config=PickConfig(event="peak", event_ms=30))
    pick_ms = picker.rows(gather(samples))[0]["pick_ms"].to_numpy()
    for trace, at in zip(samples[np.isfinite(pick_ms)], pick_ms[np.isfinite(pick_ms)].round().astype(int), strict=True):
        assert trace[at] >= max(trace[at - 1], trace[at + 1])


def test_a_gather_without_the_offsets_that_a_velocity_needs_is_rejected(made: tuple[Store, Model]) -> None:
    picker = GatherPicker(*made, sha256=weights_sha256(*made), config=PickConfig(slowest_m_s=300))
    rows, failure = picker.rows(gather(noise(3, 64)))
    assert rows["flag"].to_pylist() == ["failed"] * 3
    assert "trace 1 has no offset (3 such traces)" in str(failure)


@pytest.mark.parametrize("body", [{"channels": [4, 4, 6, 10], "kernel_samples": 3}, {"channels": [4, 4]}, None])
def test_a_card_that_its_weights_do_not_fit_is_told_in_one_line(body: Any, made: tuple[Store, Model]) -> None:
    store, card = made
    with pytest.raises(SeisrayError, match=r"^model p@v1: .*; train it again$") as found:
        load_picker(store, replace(card, config={**card.config, "body": body}))
    assert "\n" not in str(found.value)
