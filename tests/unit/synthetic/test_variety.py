from dataclasses import replace

import numpy as np
import pytest

from seisray.synthetic.survey import SyntheticConfig
from seisray.synthetic.variety import GEOPHONES_HZ, OFF_LINE, TRACE_SPACINGS_M, varied_gather, vary

VARIED = SyntheticConfig(shots=6, traces=12, samples=150, shots_per_spread=2, depth_m=40.0, varied=True, seed=5)


@pytest.mark.parametrize("grid_m", [0.5, 2.5, 20.0])
def test_every_spread_is_a_survey_that_can_be_modelled(grid_m: float) -> None:
    config = replace(VARIED, grid_m=grid_m, trace_spacing_m=20.0, peak_frequency_hz=(4.0, 8.0))
    spreads = [vary(config, spread) for spread in range(200)]
    assert all(one.grid_m == grid_m and one.trace_spacing_m >= grid_m for one in spreads)
    assert {(one.shots, one.traces, one.samples, one.varied) for one in spreads} == {(2, 12, 150, False)}


def test_spreads_differ_in_all_that_a_crew_and_a_ground_decide() -> None:
    spreads = [vary(VARIED, spread) for spread in range(50)]
    assert {one.trace_spacing_m for one in spreads} == set(TRACE_SPACINGS_M)
    assert {one.geophone_hz for one in spreads} == set(GEOPHONES_HZ)
    assert {one.off_line for one in spreads} == {OFF_LINE}
    for name in ("seed", "relief_m", "peak_frequency_hz", "weathering_vp_m_s", "refractor_vp_m_s", "noise", "loss_hz"):
        assert len({getattr(one, name) for one in spreads}) == 50, name


def test_another_seed_gives_other_surveys() -> None:
    assert vary(replace(VARIED, seed=6), 0) != vary(VARIED, 0) == vary(replace(VARIED, shots=60), 0)


def test_shots_are_numbered_through_and_spreads_lie_apart() -> None:
    pytest.importorskip("deepwave")
    pytest.importorskip("fteikpy")
    first, second, third = (varied_gather(VARIED, shot) for shot in (0, 1, 2))
    assert [(one.ffid, one.shot_point, one.gather_id) for one in (second, third)] == [
        (1002, 2, "synthetic-1002"),
        (1003, 3, "synthetic-1003"),
    ]
    assert first.source_x_m[0] < second.source_x_m[0] < first.source_x_m[0] + 2000.0
    assert set(third.source_y_m) == {1000.0}
    assert all(1000.0 <= y < 2000.0 for y in third.receiver_y_m)
    np.testing.assert_array_equal(varied_gather(VARIED, 2).samples, third.samples)
