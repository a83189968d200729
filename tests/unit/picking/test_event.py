from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisray.config import Event, PickConfig
from seisray.picking.event import nearest_event

PERIOD = 20.0


def wave(phase: float = 0.0) -> np.ndarray:
    """Return (1, 200) samples of a sine that begins at sample `phase`."""
    return np.sin(2 * np.pi * (np.arange(200) - phase) / PERIOD).astype(np.float32)[None]


@given(st.floats(0, 20), st.floats(60, 140), st.sampled_from([("peak", 5.0), ("trough", 15.0)]))
def test_the_nearest_extreme_is_found_between_samples(phase: float, at: float, sought: tuple[Event, float]) -> None:
    event, place = sought
    extremes = phase + place + PERIOD * np.arange(-2, 12)
    nearest = extremes[np.abs(extremes - at).argmin()]
    found = nearest_event(wave(phase), np.array([at]), event, 11.0)[0]
    assert abs(abs(found - at) - abs(nearest - at)) < 0.1, "there may be two as near"


@given(st.floats(0.05, 9.9), st.floats(60, 140))
def test_the_nearest_zero_crossing_is_found_between_samples(phase: float, at: float) -> None:
    crossings = phase + PERIOD / 2 * np.arange(0, 19)
    found = nearest_event(wave(phase), np.array([at]), "zero", 6.0)[0]
    assert abs(abs(found - at) - np.abs(crossings - at).min()) < 0.05


def test_the_onset_is_where_the_record_begins() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(20, 200)).astype(np.float32) * 0.02
    samples[:, 100:] += wave()[:, :100]
    found = nearest_event(samples, np.full(20, 104.0), "onset", 16.0)
    assert np.abs(found - 100).max() <= 2


@pytest.mark.parametrize("event", [one for one in get_args(Event) if one != "learned"])
def test_picks_without_an_event_near_them_stay(event: Event) -> None:
    samples, at = np.zeros((3, 50), np.float32), np.array([20.25, np.nan, 49.0])
    np.testing.assert_array_equal(nearest_event(samples, at, event, 8.0), at)


@pytest.mark.parametrize("event", [one for one in get_args(Event) if one != "learned"])
@given(st.integers(1, 30), st.floats(0, 29), st.floats(0, 40))
def test_no_pick_moves_farther_than_it_may(event: Event, n_samples: int, at: float, reach: float) -> None:
    samples = np.random.default_rng(n_samples).normal(size=(1, n_samples)).astype(np.float32)
    found = nearest_event(samples, np.array([at]), event, reach)
    assert abs(found[0] - at) <= reach


def test_every_event_can_be_asked_for() -> None:
    for event in get_args(Event):
        assert PickConfig(event=event).event == event
