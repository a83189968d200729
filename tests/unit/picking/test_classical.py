"""Classical pickers on arrivals at known times, in noise."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from seisray.picking.classical import aic, coppens, modified_energy_ratio, sta_lta

PICKERS = {
    "STA/LTA": partial(sta_lta, short=9, long=90),
    "MER": partial(modified_energy_ratio, window=18),
    "Coppens": partial(coppens, window=36, smoothing=18),
    "AIC": partial(aic, window=9),
}
each = pytest.mark.parametrize("picker", PICKERS.values(), ids=PICKERS.keys())


@each
def test_a_clear_arrival_is_picked_where_it_is(picker: Callable, line_gathers: Callable) -> None:
    for gather in line_gathers(3, n_samples=600, sample_interval_us=250.0):
        late_ms = picker(gather.samples) * 0.25 - gather.first_break_ms
        assert np.isnan(late_ms[2]), "a dead trace has no first break"
        assert np.nanmax(np.abs(late_ms)) <= 5, late_ms
        assert abs(np.nanmedian(late_ms)) <= 3


@each
def test_neither_scale_nor_polarity_matters(picker: Callable, line_gathers: Callable) -> None:
    samples = line_gathers(1, n_samples=300)[0].samples
    np.testing.assert_array_equal(picker(samples), picker(samples * np.float32(-1e-12)))


@each
@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (2, 5), (1, 4000)])
def test_any_record_has_an_answer_within_it(picker: Callable, shape: tuple[int, int]) -> None:
    samples = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    found = picker(samples)
    assert found.shape == shape[:1]
    assert ((found >= 0) & (found < shape[1])).all()


@each
def test_no_traces_have_no_picks(picker: Callable) -> None:
    assert picker(np.zeros((0, 50), np.float32)).shape == (0,)
    assert np.isnan(picker(np.zeros((4, 50), np.float32))).all()
