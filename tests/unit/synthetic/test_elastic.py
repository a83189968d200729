import numpy as np
import pytest

from seisray.synthetic.elastic import elastic_shot, wavelet
from seisray.synthetic.first_arrivals import first_arrival_ms
from seisray.synthetic.near_surface import NearSurface, random_near_surface

pytest.importorskip("deepwave")
pytest.importorskip("fteikpy")

INTERVAL_US = 1000.0


@pytest.fixture(scope="module")
def near() -> NearSurface:
    return random_near_surface(np.random.default_rng(1), length_m=400.0, depth_m=60.0, grid_m=2.5)


@pytest.fixture(scope="module")
def line(near: NearSurface) -> tuple[np.ndarray, np.ndarray]:
    return near.on_surface(np.arange(60.0, 380.0, 10.0))


@pytest.fixture(scope="module")
def shot(near: NearSurface, line: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    x_m, z_m = near.on_surface(np.array([41.0]))
    return elastic_shot(
        near,
        (x_m[0], z_m[0]),
        np.stack(line, axis=-1),
        n_samples=400,
        sample_interval_us=INTERVAL_US,
        peak_frequency_hz=25.0,
    )


@pytest.fixture(scope="module")
def arrival_ms(near: NearSurface, line: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    x_m, z_m = near.on_surface(np.array([41.0]))
    return first_arrival_ms(near, x_m[0], z_m[0], *line)


def onset_ms(traces: np.ndarray, arrival_ms: np.ndarray, share: float) -> np.ndarray:
    """Return the first time above a share of the largest amplitude until 40 ms after the arrival."""
    time_ms = np.arange(traces.shape[1]) * INTERVAL_US / 1000
    early = np.where(time_ms < arrival_ms[:, None] + 40.0, np.abs(traces), 0.0)
    return time_ms[np.argmax(early > share * early.max(axis=1, keepdims=True), axis=1)]


def test_wavelet_begins_at_zero_with_peak_one() -> None:
    pulse = wavelet(200, 0.001, 25.0)
    assert pulse[0] == 0.0
    assert np.abs(pulse).max() == 1.0


def test_receivers_in_any_order_and_in_one_cell_record_what_lies_there(
    near: NearSurface, line: tuple[np.ndarray, np.ndarray], shot: np.ndarray
) -> None:
    x_m, z_m = near.on_surface(np.array([41.0]))
    chosen = [7, 3, 7, 0]
    again = elastic_shot(
        near,
        (x_m[0], z_m[0]),
        np.stack(line, axis=-1)[chosen],
        n_samples=400,
        sample_interval_us=INTERVAL_US,
        peak_frequency_hz=25.0,
    )
    np.testing.assert_array_equal(again, shot[chosen])


def test_shape_is_traces_by_samples(shot: np.ndarray, line: tuple[np.ndarray, np.ndarray]) -> None:
    assert shot.shape == (len(line[0]), 400)
    assert shot.dtype == np.float32


def test_visible_onset_lies_on_the_eikonal_time(shot: np.ndarray, arrival_ms: np.ndarray) -> None:
    residual_ms = onset_ms(shot, arrival_ms, 0.03) - arrival_ms
    assert abs(np.median(residual_ms)) < 1.5
    assert np.percentile(np.abs(residual_ms), 90) < 3.0


def test_nothing_arrives_well_before_the_eikonal_time(shot: np.ndarray, arrival_ms: np.ndarray) -> None:
    time_ms = np.arange(400)
    early = np.where(time_ms < arrival_ms[:, None] - 8.0, np.abs(shot), 0.0)
    first = np.where(time_ms < arrival_ms[:, None] + 40.0, np.abs(shot), 0.0)
    assert np.all(early.max(axis=1) < 0.01 * first.max(axis=1))


def test_blow_pushes_the_far_ground_up_first(shot: np.ndarray, arrival_ms: np.ndarray) -> None:
    at = np.round(arrival_ms + 8.0).astype(int)
    assert np.all(shot[np.arange(len(at)), at][10:] > 0)
