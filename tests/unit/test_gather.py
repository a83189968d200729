from typing import Any

import numpy as np
import pytest

from seisray.errors import GatherError
from seisray.gather import Gather

SAMPLES = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])


def make(**changes: Any) -> Gather:
    given: dict[str, Any] = {"samples": SAMPLES, "sample_interval_us": 250.0}
    names = {"survey": "s", "gather_id": "g-7", "source_file": "f.sgy", "ffid": 7, "shot_point": 1}
    return Gather(**names | given | changes)


def test_traces_count_from_one() -> None:
    np.testing.assert_array_equal(make().trace, [1, 2])


def test_traces_of_zeros_are_not_live() -> None:
    np.testing.assert_array_equal(make().live, [True, False])


def test_what_is_not_known_is_nan() -> None:
    gather = make()
    assert np.isnan([gather.offset_m, gather.source_x_m, gather.receiver_z_m, gather.first_break_ms]).all()


def test_labelled_is_where_a_first_break_is_known() -> None:
    np.testing.assert_array_equal(make(first_break_ms=[np.nan, 3.0]).labelled, [False, True])


def test_samples_are_float32_in_c_order() -> None:
    samples = make(samples=np.asfortranarray(SAMPLES)).samples
    assert samples.dtype == np.float32
    assert samples.flags.c_contiguous


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"samples": np.ones(3)}, r"shape \(3,\)"),
        ({"samples": np.ones((0, 3))}, r"shape \(0, 3\)"),
        ({"samples": np.ones((2, 0))}, r"shape \(2, 0\)"),
        ({"sample_interval_us": 0.0}, "sample interval is 0.0"),
        ({"sample_interval_us": float("nan")}, "sample interval is nan"),
        ({"offset_m": np.zeros(3)}, r"offset_m has shape \(3,\)"),
        ({"live": np.ones((2, 1), bool)}, r"live has shape \(2, 1\)"),
    ],
)
def test_a_gather_that_contradicts_itself_is_refused(change: dict[str, Any], named: str) -> None:
    with pytest.raises(GatherError, match=f"'g-7' of f.sgy: .*{named}"):
        make(**change)


def test_replace_changes_one_field_and_keeps_the_rest() -> None:
    gather = make(delay_ms=-10.0, live=np.array([True, True]))
    changed = gather.replace(ffid=8)
    assert (changed.ffid, changed.delay_ms, changed.live.all()) == (8, -10.0, True)


def test_replace_checks_again() -> None:
    with pytest.raises(GatherError, match="first_break_ms"):
        make().replace(first_break_ms=np.zeros(5))
