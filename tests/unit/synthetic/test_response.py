import numpy as np
import pytest

from seisray.synthetic.elastic import wavelet
from seisray.synthetic.response import respond

SECOND = 2000  # samples, at 500 us


def spike() -> np.ndarray:
    samples = np.zeros((1, SECOND), np.float32)
    samples[0, 100] = 1
    return samples


def gain_db(loss_hz: float, geophone_hz: float, at_hz: int) -> float:
    heard = respond(spike(), 500.0, loss_hz=loss_hz, geophone_hz=geophone_hz)[0]
    return float(20 * np.log10(np.abs(np.fft.rfft(heard))[at_hz]))


@pytest.mark.parametrize(
    ("loss_hz", "geophone_hz", "at_hz", "expected_db"),
    [(100, 0, 100, -3), (50, 0, 200, -24), (100, 0, 10, 0), (0, 28, 28, -3), (0, 28, 7, -24), (0, 28, 200, 0)],
)
def test_what_lies_beyond_a_corner_falls_by_twelve_db_an_octave(
    loss_hz: float, geophone_hz: float, at_hz: int, expected_db: float
) -> None:
    assert gain_db(loss_hz, geophone_hz, at_hz) == pytest.approx(expected_db, abs=1)


def test_nothing_arrives_before_it_did() -> None:
    heard = respond(spike(), 500.0, loss_hz=80.0, geophone_hz=14.0)
    assert not heard[0, :100].any()
    assert heard[0, 100:110].any()


def test_without_corners_or_with_a_loss_beyond_nyquist_a_record_stays_as_it_is() -> None:
    samples = wavelet(SECOND, 5e-4, 30.0)[None].astype(np.float32)
    assert respond(samples, 500.0, loss_hz=0.0, geophone_hz=0.0) is samples
    assert respond(samples, 500.0, loss_hz=1500.0, geophone_hz=0.0) is samples
