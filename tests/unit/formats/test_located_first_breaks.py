import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisray.errors import PicksError
from seisray.formats.picks.located import LocatedFirstBreaks, locate_first_breaks
from seisray.gather import Gather

LineGathers = Callable[..., list[Gather]]


@pytest.fixture(scope="module")
def made(line_gathers: LineGathers) -> list[Gather]:
    """Return three shots at x = 0.25, 2.25, 4.25 m into receivers at 0, 2 .. 22 m; trace 3 of each is not labelled."""
    return line_gathers(3, delay_ms=-10.0)


def located(gathers: list[Gather], axes: str = "xy", shift_m: float = 0.0) -> LocatedFirstBreaks:
    """Return the first breaks of gathers, from the shot, at their positions, all of them moved along x."""
    shot, receiver, time_ms = [], [], []
    for gather in gathers:
        for at in np.flatnonzero(gather.labelled):
            shot.append([getattr(gather, f"source_{axis}_m")[at] for axis in axes])
            receiver.append([getattr(gather, f"receiver_{axis}_m")[at] for axis in axes])
            time_ms.append(float(gather.first_break_ms[at]) + gather.delay_ms)
    move = np.array([shift_m] + [0] * (len(axes) - 1))
    return locate_first_breaks(
        "p.sgt", axes, "shot", np.array(shot) + move, np.array(receiver) + move, np.array(time_ms)
    )


def bare(gather: Gather) -> Gather:
    return gather.replace(first_break_ms=np.full(gather.n_traces, np.nan))


@pytest.mark.parametrize("axes", ["x", "xy"])
def test_each_trace_gets_the_first_break_of_its_own_shot_and_receiver(made: list[Gather], axes: str) -> None:
    labels = located(made, axes)
    for gather in made:
        np.testing.assert_allclose(labels.on(bare(gather)).first_break_ms, gather.first_break_ms, rtol=1e-6)


def test_a_gather_of_a_receiver_gets_them_too(made: list[Gather]) -> None:
    labels = located(made)
    columns = ("source_x_m", "source_y_m", "receiver_x_m", "receiver_y_m", "field_record", "first_break_ms")
    at = {name: np.array([getattr(gather, name)[4] for gather in made]) for name in columns}
    traces = bare(made[0]).replace(
        **{name: np.resize(at[name], 12) for name in columns if name != "first_break_ms"}, ffid=101
    )
    np.testing.assert_allclose(labels.on(traces).first_break_ms, np.resize(at["first_break_ms"], 12), rtol=1e-6)


@pytest.mark.parametrize(("shift_m", "fits"), [(0.49, True), (-0.49, True), (0.51, False), (-0.51, False)])
def test_positions_may_differ_by_a_quarter_of_the_receiver_spacing(
    made: list[Gather], shift_m: float, fits: bool
) -> None:
    labels = located(made, "x", shift_m)
    assert labels.receivers.tolerance_m == pytest.approx(0.5)
    assert labels.on(bare(made[1])).labelled.any() == fits


def test_a_position_far_off_matches_nothing(made: list[Gather]) -> None:
    other = bare(made[0])
    moved = other.replace(source_y_m=other.source_y_m + 3)
    assert located(made).on(moved) is moved


def test_a_message_can_say_that_positions_do_not_fit(made: list[Gather]) -> None:
    said = located(made, "x", 1000.0).matched_by
    for part in ("by position, within 0.5 m", "11 receivers at x 1000..1022 m do not fit", "oblique", "--geometry"):
        assert part in said
    assert "oblique" not in located(made, "xy").matched_by


def test_places_name_traces_so_there_are_no_ffids(made: list[Gather]) -> None:
    assert located(made).ffids is None
    assert located(made).n_labels == 33


@pytest.mark.parametrize("column", ["source_x_m", "receiver_y_m"])
def test_a_gather_without_coordinates_needs_geometry(made: list[Gather], column: str) -> None:
    unknown = bare(made[0]).replace(**{column: np.full(12, np.nan)})
    with pytest.raises(PicksError, match=r"^p\.sgt names traces by position, but gather 'line-101' .* give --geometry"):
        located(made).on(unknown)


def test_along_a_line_only_x_need_be_known(made: list[Gather]) -> None:
    unknown = bare(made[0]).replace(receiver_y_m=np.full(12, np.nan))
    assert located(made, "x").on(unknown).labelled.sum() == 11


def test_a_first_break_outside_the_record_is_refused(made: list[Gather]) -> None:
    early = bare(made[0]).replace(delay_ms=90.0)
    with pytest.raises(PicksError, match=r"FFID 101, trace 1 at .* outside the gather"):
        located(made).on(early)


def test_a_shot_and_receiver_that_are_labelled_twice_are_named() -> None:
    with pytest.raises(PicksError, match=r"shot at x = 5 and the receiver at 1 m is given 2 times"):
        locate_first_breaks(
            "p.vs",
            "x",
            "shot",
            np.array([[5.0], [5.0004], [5.0]]),
            np.array([[1.0], [1.0], [2.0]]),
            np.array([1.0, 2, 3]),
        )


def test_shots_that_are_closer_than_receivers_are_told_apart(made: list[Gather]) -> None:
    shot, receiver = np.array([[0.0], [0.4]]), np.array([[0.0], [10.0]])
    labels = locate_first_breaks(
        "p.vs", "x", "first-sample", shot[[0, 1, 0]], receiver[[0, 0, 1]], np.array([1.0, 2, 3])
    )
    gather = bare(made[0]).replace(source_x_m=np.full(12, 0.39), receiver_x_m=np.full(12, 1.0))
    np.testing.assert_array_equal(labels.on(gather).first_break_ms, np.full(12, 2.0))


def test_one_shot_and_one_receiver_have_a_tolerance_of_their_own() -> None:
    labels = locate_first_breaks("p.vs", "x", "shot", np.array([[0.0]]), np.array([[9.0]]), np.array([1.0]))
    assert labels.shots.tolerance_m == labels.receivers.tolerance_m == 0.25


@pytest.mark.parametrize("far_m", [2e8, -1e300])
def test_absurd_positions_are_refused(far_m: float) -> None:
    with pytest.raises(PicksError, match="expected metres"):
        locate_first_breaks("p.vs", "x", "shot", np.array([[0.0]]), np.array([[far_m]]), np.array([1.0]))


def test_no_first_breaks_are_refused() -> None:
    with pytest.raises(PicksError, match="holds no first breaks"):
        locate_first_breaks("p.vs", "x", "shot", np.empty((0, 1)), np.empty((0, 1)), np.empty(0))


def test_many_receivers_on_a_line_across_x_are_quick() -> None:
    """A search over x alone would compare 10^10 pairs."""
    receiver = np.stack([np.zeros(100_000), 0.5 * np.arange(100_000)], axis=1)
    labels = locate_first_breaks("p.sgt", "xy", "shot", np.zeros((100_000, 2)), receiver, np.zeros(100_000))
    assert labels.receivers.tolerance_m == pytest.approx(0.125)


@pytest.mark.parametrize("turned", [False, True])
def test_the_smallest_spacing_is_found_where_a_far_place_lies_between_in_x(turned: bool) -> None:
    near = [(0.49, 0.02), (1.44, 0.0)] if not turned else [(0.02, 0.49), (0.0, 1.44)]
    receiver = np.array([near[0], (0.01 if turned else 1.0, 50.0), near[1], (100.0, 0.0), (101.0, 0.0)])
    labels = locate_first_breaks("p", "xy", "shot", np.zeros((5, 2)), receiver, np.zeros(5))
    assert labels.receivers.tolerance_m == pytest.approx(np.hypot(0.95, 0.02) / 4)


PLACES = st.lists(st.tuples(st.integers(-40, 40), st.integers(-40, 40)), min_size=2, max_size=25, unique=True)


@given(PLACES, st.lists(st.tuples(st.floats(-45, 45), st.floats(-45, 45)), max_size=10))
def test_the_nearest_place_is_found_as_by_comparing_with_all(places: list[tuple], wanted: list[tuple]) -> None:
    receiver = np.array(places) + np.array([0.37, -0.4])
    labels = locate_first_breaks("p", "xy", "shot", np.zeros_like(receiver), receiver, np.zeros(len(places)))
    spacing_m = min(np.hypot(a[0] - b[0], a[1] - b[1]) for a, b in itertools.combinations(places, 2))
    assert labels.receivers.tolerance_m == pytest.approx(spacing_m / 4)
    near = [(x + dx, y + dy) for x, y in receiver for dx, dy in [(0.2, 0), (-0.2, 0), (0, 0.2), (0, -0.2)]]
    asked = np.array(wanted + near, dtype=np.float64)
    for position, row in zip(asked, labels.receivers.nearest(asked).tolist(), strict=True):
        distance_m = np.hypot(*(labels.receivers.xy - position).T)
        assert row == (distance_m.argmin() if distance_m.min() <= labels.receivers.tolerance_m else -1)
