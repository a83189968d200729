from typing import Any

import numpy as np
import pytest

from seisray.config import PickConfig
from seisray.errors import ConfigError, GatherError
from seisray.gather import Gather
from seisray.picking.window import allowed_ms


def gather(**more: Any) -> Gather:
    about = {"survey": "line", "gather_id": "line-7", "source_file": "line.sgy", "ffid": 7, "shot_point": 1}
    offset_m = np.array([0.0, -100.0, 200.0], np.float32)
    made = {"samples": np.ones((3, 50), np.float32), "sample_interval_us": 1000.0, "offset_m": offset_m}
    return Gather(**about, **made | more)


def test_without_bounds_anything_goes() -> None:
    assert allowed_ms(gather(), PickConfig()) is None


def test_times_bound_all_traces_alike() -> None:
    found = allowed_ms(gather(), PickConfig(earliest_ms=10, latest_ms=40))
    assert found is not None
    assert found.tolist() == [[10.0, 40.0]] * 3


def test_velocities_count_from_the_shot() -> None:
    config = PickConfig(fastest_m_s=2000, slowest_m_s=500, slack_ms=3)
    found = allowed_ms(gather(delay_ms=-10.0), config)
    np.testing.assert_allclose(found, [[7, 13], [57, 213], [107, 413]])


def test_the_narrower_bound_holds() -> None:
    found = allowed_ms(gather(), PickConfig(fastest_m_s=2000, earliest_ms=60, slack_ms=0))
    np.testing.assert_allclose(found, [[60, np.inf], [60, np.inf], [100, np.inf]])


def test_a_velocity_needs_offsets_of_live_traces_only() -> None:
    samples, offset_m = np.ones((3, 50), np.float32), np.array([1.0, np.nan, 3.0], np.float32)
    with pytest.raises(GatherError, match=r"trace 2 has no offset \(1 such traces\)"):
        allowed_ms(gather(offset_m=offset_m), PickConfig(slowest_m_s=300))
    samples[1] = 0
    assert allowed_ms(gather(offset_m=offset_m, samples=samples), PickConfig(slowest_m_s=300)) is not None


@pytest.mark.parametrize(
    "bad",
    [
        {"latest_ms": 5, "earliest_ms": 10},
        {"fastest_m_s": 300, "slowest_m_s": 400},
        {"slack_ms": -1},
        {"event": "top"},
        {"engine": "abacus"},
        {"smoothness": float("nan")},
    ],
)
def test_settings_that_leave_nothing_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"PickConfig\.({'|'.join(bad)})"):
        PickConfig(**bad)
