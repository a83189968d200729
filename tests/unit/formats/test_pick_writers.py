from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisray.errors import PicksError
from seisray.formats.picks.files import read_first_breaks
from seisray.formats.picks.located import LocatedFirstBreaks
from seisray.formats.picks.pck import pck_bytes, read_pck
from seisray.formats.picks.placed import PlacedPicks
from seisray.formats.picks.sgt import sgt_bytes
from seisray.formats.picks.vs import vs_bytes

WRITERS = {"sgt": sgt_bytes, "vs": vs_bytes, "pck": pck_bytes}
# As the manual of ABEM's Terraloc prints it: numbered rows, traces 16 and 20 without a pick.
ABEM = """14: 0.008000 0 23.00 0.00 44.00 0.00
15: 0.011400 0 23.00 0.00 42.00 0.00
16: -0.003800 0 23.00 0.00 40.00 0.00
"""


def line(
    times: list[float | None],
    *,
    n_shots: int = 3,
    first_m: float = 0.0,
    along: tuple[float, float] = (1.0, 0.0),
) -> PlacedPicks:
    """Return shots 5 m apart at every one of stations 2 m apart; times are dealt out in turn, None = no pick."""
    n_stations = len(times) // n_shots
    shot, station = (grid.ravel() for grid in np.meshgrid(np.arange(n_shots), np.arange(n_stations), indexing="ij"))
    place = np.array([*along, 0.0])
    return PlacedPicks(
        where="picks 'p'",
        shot=shot,
        source_m=(first_m + 5.0 * shot + 0.5)[:, None] * place + [0, 0, 3.25],
        receiver_m=(first_m + 2.0 * station)[:, None] * place + [0, 0, 4.5],
        time_ms=np.array([np.nan if time is None else time for time in times[: len(shot)]]),
    )


def labels(found: LocatedFirstBreaks) -> dict[tuple[float, ...], float]:
    """Return the time at each shot and receiver place, in mm."""
    shots, receivers = found.shots.xy[found.pair.real.astype(int)], found.receivers.xy[found.pair.imag.astype(int)]
    places = np.rint(1e3 * np.concatenate([shots, receivers], axis=1)) + 0.0
    return {tuple(place): float(time) for place, time in zip(places.tolist(), found.time_ms, strict=True)}


def expected(picks: PlacedPicks, axes: str) -> dict[tuple[float, ...], float]:
    picked = picks.picked
    source, receiver = picks.source_m[picked, :2].copy(), picks.receiver_m[picked, :2].copy()
    if axes == "x":
        source[:, 1] = receiver[:, 1] = 0
    places = np.rint(1e3 * np.concatenate([source, receiver], axis=1)) + 0.0
    return {tuple(place): float(time) for place, time in zip(places.tolist(), picks.time_ms[picked], strict=True)}


@pytest.mark.parametrize(("kind", "error_ms"), [("sgt", 1e-7), ("vs", 5.1e-7), ("pck", 5.1e-4)])
@given(
    times=st.lists(st.none() | st.floats(0, 5000), min_size=6, max_size=60).filter(lambda ts: ts[0] is not None),
    first_m=st.integers(-1000, 400_000).map(float),
)
def test_what_is_written_reads_back_equal(
    kind: str, error_ms: float, times: list[float | None], first_m: float
) -> None:
    picks = line(times, first_m=first_m)
    found = read_first_breaks(WRITERS[kind](picks), f"p.{kind}")
    assert isinstance(found, LocatedFirstBreaks)
    back, wanted = labels(found), expected(picks, found.axes)
    assert back.keys() == wanted.keys()
    for place, time_ms in wanted.items():
        assert back[place] == pytest.approx(time_ms, abs=error_ms)
    assert found.origin == "shot"


@pytest.mark.parametrize("kind", ["sgt", "pck"])
def test_an_oblique_line_keeps_x_and_y(kind: str) -> None:
    picks = line([10.0 + i for i in range(12)], along=(0.6, 0.8))
    found = read_first_breaks(WRITERS[kind](picks), f"p.{kind}")
    assert found.axes == "xy"
    assert labels(found) == pytest.approx(expected(picks, "xy"))


def test_an_oblique_line_in_vs_counts_from_its_end() -> None:
    picks = line([10.0 + i for i in range(12)], along=(0.6, 0.8), first_m=100)
    straight = line([10.0 + i for i in range(12)])
    assert labels(read_first_breaks(vs_bytes(picks), "p.vs")) == pytest.approx(expected(straight, "x"))


def test_an_area_is_no_line() -> None:
    picks = line([10.0] * 12)
    picks.receiver_m[:, 1] = np.arange(12) * 3.0
    with pytest.raises(PicksError, match=r"beside one line, and a \.vs file .* export sgt"):
        vs_bytes(picks)


@pytest.mark.parametrize("write", WRITERS.values())
def test_a_way_that_is_picked_twice_is_refused(write: Callable[[PlacedPicks], bytes]) -> None:
    picks = line([10.0] * 12)
    picks.source_m[:] = picks.source_m[0]
    with pytest.raises(PicksError, match=r"picked more than once, .* export csv"):
        write(picks)


def test_picks_without_coordinates_are_refused() -> None:
    unknown = np.full((2, 3), np.nan)
    with pytest.raises(PicksError, match="2 picked traces have no coordinates"):
        PlacedPicks(where="p", shot=np.zeros(2), source_m=unknown, receiver_m=unknown, time_ms=np.ones(2))


def test_a_pck_holds_no_pick_before_the_shot() -> None:
    with pytest.raises(PicksError, match="3 ms before the shot"):
        pck_bytes(line([-3.0] + [10.0] * 11))


def test_the_example_of_abems_manual_is_read() -> None:
    found = read_first_breaks(ABEM.encode(), "r.pck")
    assert labels(found) == pytest.approx({(23e3, 0, 44e3, 0): 8.0, (23e3, 0, 42e3, 0): 11.4})


def test_a_row_with_other_than_six_values_is_named() -> None:
    with pytest.raises(PicksError, match=r"^r\.pck, line 2: 3 values, expected 6"):
        read_pck(b"0.01 0 1 0 2 0\n0.01 0 1\n", "r.pck")
