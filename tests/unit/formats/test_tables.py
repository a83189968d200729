from collections.abc import Callable

import numpy as np
import pytest

from seisray.errors import FormatError, PicksError
from seisray.formats.tables import read_first_breaks, read_geometry
from seisray.gather import Gather

LineGathers = Callable[..., list[Gather]]
PICKS = b"ffid,trace,time_ms\n101,2,40.5\n101,1,30\n102,1,35\n"
GEOMETRY = b"kind,number,x_m,y_m\nshot,101,0,0\n" + b"".join(b"receiver,%d,%d,4\n" % (i, 3 * i) for i in range(1, 13))


@pytest.fixture(scope="module")
def gather(line_gathers: LineGathers) -> Gather:
    return line_gathers(1, delay_ms=-10.0)[0].replace(first_break_ms=np.full(12, np.nan))


def test_picks_land_on_their_traces_and_nowhere_else(gather: Gather) -> None:
    found = read_first_breaks(PICKS, "p.csv").on(gather)
    np.testing.assert_array_equal(found.first_break_ms, [30, 40.5] + 10 * [np.nan])


def test_the_order_of_columns_and_further_columns_do_not_matter(gather: Gather) -> None:
    found = read_first_breaks(b"who,time_ms,ffid,trace\nme,12.5,101,3\n", "p.csv").on(gather)
    assert found.first_break_ms[2] == 12.5


def test_times_from_the_first_sample_are_not_shifted_by_the_delay(gather: Gather) -> None:
    assert read_first_breaks(PICKS, "p.csv", "first-sample").on(gather).first_break_ms[0] == 30


def test_times_from_the_shot_are_shifted_by_the_delay(gather: Gather) -> None:
    assert read_first_breaks(PICKS, "p.csv", "shot").on(gather).first_break_ms[0] == 30 + 10


def test_a_gather_without_picks_stays_as_it_is(gather: Gather) -> None:
    other = gather.replace(ffid=7)
    assert read_first_breaks(PICKS, "p.csv").on(other) is other


@pytest.mark.parametrize("row", ["101,13,30", "101,1,-1", "101,1,128.5"])
def test_a_pick_outside_the_gather_is_refused(row: str, gather: Gather) -> None:
    picks = read_first_breaks(f"ffid,trace,time_ms\n{row}\n".encode(), "p.csv")
    with pytest.raises(PicksError, match=r"FFID 101, trace \d+ at .* outside the gather"):
        picks.on(gather)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"", "not a CSV"),
        (b"ffid,trace\n1,1\n", "column 'time_ms' is missing"),
        (b"ffid,trace,time_ms\n1,1\n", "not a CSV"),
        (b"ffid,trace,time_ms\n1,1,soon\n", "not a CSV"),
        (b"ffid,trace,time_ms\n1,1,\n", "not a CSV"),
        (b"ffid,trace,time_ms\n1.5,1,3\n", "not a CSV"),
        (b"ffid,trace,time_ms\n1,1,nan\n", "times are finite"),
        (b"ffid,trace,time_ms\n1,0,3\n", "count from 1"),
        (b"ffid,trace,time_ms\n1,1,3\n2,5,3\n2,5,4\n", "FFID 2, trace 5 is labelled 2 times"),
        (b"ffid,ffid,trace,time_ms\n1,1,1,3\n", "column 'ffid' occurs 2 times"),
        (b"ffid,trace,time_ms\n", "holds no first breaks"),
        (b"\x93NUMPY\x01\x00\xff\xfe" * 20, "not a CSV|is missing"),
    ],
)
def test_a_faulty_pick_file_is_named_with_its_fault(data: bytes, named: str) -> None:
    with pytest.raises(PicksError, match=rf"^p\.csv.*({named})"):
        read_first_breaks(data, "p.csv")


def test_geometry_gives_coordinates_and_offsets(gather: Gather) -> None:
    found = read_geometry(GEOMETRY, "g.csv").on(gather)
    np.testing.assert_allclose(found.receiver_x_m, 3 * np.arange(1, 13))
    np.testing.assert_allclose(found.offset_m, np.hypot(3 * np.arange(1, 13), 4), rtol=1e-6)
    assert found.offset_m[0] == 5
    assert np.isnan(found.source_z_m).all()


def test_geometry_may_hold_heights(gather: Gather) -> None:
    lines = GEOMETRY.decode().splitlines()
    data = "\n".join([lines[0] + ",z_m"] + [line + ",171.5" for line in lines[1:]])
    assert read_geometry(data.encode(), "g.csv").on(gather).receiver_z_m[3] == 171.5


@pytest.mark.parametrize(("missing", "named"), [(b"shot,101,0,0\n", "shot 101"), (b"receiver,7,21,4\n", "receiver 7")])
def test_a_place_that_is_not_in_the_table_is_named(missing: bytes, named: str, gather: Gather) -> None:
    with pytest.raises(FormatError, match=f"no row for {named} of gather 'line-101'"):
        read_geometry(GEOMETRY.replace(missing, b""), "g.csv").on(gather)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"kind,number,x_m\nshot,1,0\n", "'y_m' is missing"),
        (b"kind,number,x_m,y_m\nshto,1,0,0\n", "kind 'shto' is unknown"),
        (b"kind,number,x_m,y_m\nshot,1,east,0\n", "not a CSV"),
        (b"kind,number,x_m,y_m,z_m\nshot,1,0,0,high\n", "not a CSV"),
        (b"kind,number,x_m,y_m\nshot,1,0,0\nshot,1,9,9\n", "shot 1 occurs twice"),
    ],
)
def test_a_faulty_geometry_is_named_with_its_fault(data: bytes, named: str) -> None:
    with pytest.raises(FormatError, match=rf"^g\.csv.*{named}"):
        read_geometry(data, "g.csv")
