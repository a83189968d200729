"""A two-layer refraction survey in closed form, with known delays and known errors."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from seisray.picking.quality.flags import CODE, Judgement, judge
from seisray.picking.quality.traces import Traces

V1_M_PER_MS, V2_M_PER_MS, DEPTH_M = 0.5, 2.0, 5.0
N_SHOTS, N_STATIONS, SPACING_M = 40, 60, 4.0
BAD_SHOT, BAD_TRIGGER_MS = 17, 12.0
MISPLACED, MOVED_M = 23, 9.0
DEAD, REVERSED, DELAYED, DELAY_MS = 41, 50, 33, 9.0


def travel_ms(offset_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the earlier of direct and head wave."""
    critical = np.arcsin(V1_M_PER_MS / V2_M_PER_MS)
    head = offset_m / V2_M_PER_MS + 2 * DEPTH_M * np.cos(critical) / V1_M_PER_MS
    return np.minimum(offset_m / V1_M_PER_MS, head)


@dataclass
class Line:
    traces: Traces
    ffid: NDArray[np.int64]
    mispicked: NDArray[np.bool_]
    polarity: NDArray[np.float64]

    def judge(self) -> Judgement:
        return judge(self.traces, self.ffid, self.polarity)


def make_line(*, seed: int = 0, faulty: bool = True, geometry: bool = True, share: float = 0.02) -> Line:
    """Return a fixed spread with shots every 6 m, noise of 0.3 ms, delays of 1 ms, and the faults above."""
    rng = np.random.default_rng(seed)
    shot, station = (grid.ravel() for grid in np.meshgrid(np.arange(N_SHOTS), np.arange(N_STATIONS), indexing="ij"))
    source_m, receiver_m = 1.0 + 6.0 * shot, SPACING_M * station
    truth_m = receiver_m + MOVED_M * (station == MISPLACED) * faulty
    shot_ms, station_ms = rng.normal(size=N_SHOTS), rng.normal(size=N_STATIONS)
    if faulty:
        shot_ms[BAD_SHOT] += BAD_TRIGGER_MS
        station_ms[DELAYED] += DELAY_MS
    pick_ms = 20 + travel_ms(np.abs(truth_m - source_m)) + shot_ms[shot] + station_ms[station]
    pick_ms += rng.normal(scale=0.3, size=pick_ms.shape)
    live = ~((station == DEAD) & faulty)
    mispicked = (rng.random(pick_ms.shape) < share) & live
    wrong_ms = rng.uniform(8, 60, mispicked.sum()) * rng.choice([-1, 1], mispicked.sum())
    pick_ms[mispicked] += np.where(pick_ms[mispicked] + wrong_ms < 0, -wrong_ms, wrong_ms)
    pick_ms[~live] = np.nan
    unknown = np.full((len(shot), 2), np.nan)
    polarity = np.where(station == REVERSED, -0.8, 0.9) + rng.normal(scale=0.1, size=len(shot))
    return Line(
        traces=Traces(
            gather=shot.astype(np.int32),
            shot_number=shot.astype(np.int64),
            trace=station.astype(np.int32) + 1,
            channel=station.astype(np.int32) + 1,
            live=live,
            pick_ms=pick_ms,
            sigma_ms=np.full(len(shot), 0.3, dtype=np.float32),
            flag=np.zeros(len(shot), dtype=np.int8),
            source_xy_m=np.column_stack([source_m, 0 * source_m]) if geometry else unknown,
            receiver_xy_m=np.column_stack([receiver_m, 0 * receiver_m]) if geometry else unknown,
            header_offset_m=np.full(len(shot), np.nan, dtype=np.float32),
            end_ms=300.0,
            sample_interval_ms=0.25,
        ),
        ffid=shot.astype(np.int64) + 101,
        mispicked=mispicked,
        polarity=np.where(live, np.clip(polarity, -1, 1), np.nan),
    )


def odd(found: Judgement) -> NDArray[np.bool_]:
    return np.isin(found.flag, [CODE["inconsistent"], CODE["outlier"]])


def named(found: Judgement) -> set[tuple[str, int, str]]:
    """Return kind, FFID or channel, and fault of each suspect."""
    return {(row["kind"], row["ffid"] or row["channel"], row["fault"]) for row in found.suspects.to_pylist()}


def figure(found: Judgement, fault: str) -> float:
    return next(row["figure"] for row in found.suspects.to_pylist() if row["fault"] == fault)


@pytest.mark.parametrize("seed", range(4))
def test_every_mispick_is_flagged_and_nothing_else(seed: int) -> None:
    line = make_line(seed=seed)
    assert (odd(line.judge()) == line.mispicked).all()


@pytest.mark.parametrize("seed", range(4))
def test_bad_shots_and_stations_are_named_and_no_others(seed: int) -> None:
    found = make_line(seed=seed).judge()
    assert named(found) == {
        ("shot", BAD_SHOT + 101, "late"),
        ("station", MISPLACED + 1, "misplaced"),
        ("station", DEAD + 1, "dead"),
        ("station", REVERSED + 1, "reversed"),
        ("station", DELAYED + 1, "late"),
    }
    assert figure(found, "misplaced") == pytest.approx(MOVED_M, abs=0.5)
    late = {row["kind"]: row["figure"] for row in found.suspects.to_pylist() if row["fault"] == "late"}
    assert late["shot"] == pytest.approx(BAD_TRIGGER_MS, abs=3)  # natural delays of 1 ms on either side
    assert late["station"] == pytest.approx(DELAY_MS, abs=3)


def test_a_sound_survey_raises_no_alarm() -> None:
    line = make_line(faulty=False, share=0)
    found = judge(line.traces, line.ffid)
    assert (found.flag == CODE["ok"]).all()
    assert found.suspects.num_rows == 0


@pytest.mark.parametrize("seed", range(4))
def test_without_geometry_most_mispicks_and_the_bad_trigger_are_found(seed: int) -> None:
    line = make_line(seed=seed, geometry=False)
    found = line.judge()
    assert odd(found)[line.mispicked].mean() > 0.75
    assert odd(found)[~line.mispicked].mean() < 0.002
    expected = {("shot", BAD_SHOT + 101, "late"), ("station", DEAD + 1, "dead"), ("station", REVERSED + 1, "reversed")}
    # a misplaced station passes for a delayed one, and delays as small as these need not stand out
    assert named(found) - {("station", DELAYED + 1, "late"), ("station", MISPLACED + 1, "early")} == expected
    assert np.isnan(found.residual_ms).all()


def test_neighbours_that_are_wrong_together_are_outliers() -> None:
    line = make_line(share=0)
    block = (line.traces.gather == 30) & (line.traces.trace >= 5) & (line.traces.trace < 15)
    line.traces.pick_ms[block] += 20
    assert (line.judge().flag[block] == CODE["outlier"]).all()


def test_reciprocal_traces_agree_once_delays_are_off() -> None:
    line = make_line(share=0, faulty=False)
    moved = replace(line.traces, source_xy_m=line.traces.source_xy_m - [1, 0])  # to stations, 6 m on 4 m: half of them
    found = judge(moved, line.ffid)
    known = np.isfinite(found.reciprocal_ms)
    assert known.sum() > 300
    assert np.abs(found.reciprocal_ms[known]).max() < 6


def test_picks_stay_as_they_are() -> None:
    line = make_line()
    before = line.traces.pick_ms.copy()
    line.judge()
    np.testing.assert_array_equal(line.traces.pick_ms, before)


def test_the_gravest_flag_stays() -> None:
    line = make_line(share=0, faulty=False)
    line.traces.flag[:3] = CODE["low_probability"]
    line.traces.pick_ms[1] = np.nan
    line.traces.pick_ms[2] = 301.0
    line.traces.live[3] = False
    expected = [CODE["low_probability"], CODE["no_pick"], CODE["outside_window"], CODE["dead"]]
    assert judge(line.traces, line.ffid).flag[:4].tolist() == expected


@pytest.mark.parametrize("geometry", [True, False])
def test_a_survey_without_picks_is_judged_too(geometry: bool) -> None:
    line = make_line(geometry=geometry)
    line.traces.pick_ms[:] = np.nan
    found = judge(line.traces, line.ffid)
    assert set(found.flag.tolist()) == {CODE["no_pick"], CODE["dead"]}


def test_a_single_trace_is_judged_too() -> None:
    line = make_line(share=0, faulty=False)
    one = Traces(
        **{
            name: getattr(line.traces, name)[:1] if np.ndim(getattr(line.traces, name)) else getattr(line.traces, name)
            for name in Traces.__dataclass_fields__
        }
    )
    assert judge(one, line.ffid[:1]).flag.tolist() == [CODE["ok"]]
