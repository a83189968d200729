from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisray.errors import FormatError
from seisray.formats.geometry import Geometry, read_geometry
from seisray.gather import Gather

LineGathers = Callable[..., list[Gather]]
GEOMETRY = b"kind,number,x_m,y_m\nshot,101,0,0\n" + b"".join(b"receiver,%d,%d,4\n" % (i, 3 * i) for i in range(1, 13))


@pytest.fixture(scope="module")
def gather(line_gathers: LineGathers) -> Gather:
    return line_gathers(1)[0]


def read(data: bytes) -> Geometry:
    return read_geometry([(data, "g.csv")])


def test_geometry_gives_coordinates_and_offsets(gather: Gather) -> None:
    found = read(GEOMETRY).on(gather)
    np.testing.assert_allclose(found.receiver_x_m, 3 * np.arange(1, 13))
    np.testing.assert_allclose(found.offset_m, np.hypot(3 * np.arange(1, 13), 4), rtol=1e-6)
    assert found.offset_m[0] == 5
    assert np.isnan(found.source_z_m).all()


def test_geometry_may_hold_heights_which_are_not_part_of_the_offset(gather: Gather) -> None:
    lines = GEOMETRY.decode().splitlines()
    data = "\n".join([lines[0] + ",z_m", lines[1] + ",0"] + [line + ",171.5" for line in lines[2:]])
    found = read(data.encode()).on(gather)
    assert found.receiver_z_m[3] == 171.5
    assert found.offset_m[0] == 5


def test_each_trace_stands_where_its_own_shot_and_channel_do(gather: Gather) -> None:
    data = GEOMETRY + b"shot,102,100,0\nshot,103,200,8\n"
    record = np.array([103, 101, 102] * 4)
    found = read(data).on(gather.replace(field_record=record, channel=np.full(12, 2)))
    np.testing.assert_array_equal(found.source_x_m, [200, 0, 100] * 4)
    np.testing.assert_array_equal(found.receiver_x_m, 12 * [6])
    np.testing.assert_allclose(found.offset_m[:2], np.hypot([194, 6], 4), rtol=1e-6)


@pytest.mark.parametrize(("missing", "named"), [(b"shot,101,0,0\n", "shot 101"), (b"receiver,7,21,4\n", "receiver 7")])
def test_a_place_that_is_not_in_the_table_is_named(missing: bytes, named: str, gather: Gather) -> None:
    with pytest.raises(FormatError, match=rf"^g\.csv: gather 'line-101': no row for {named}"):
        read(GEOMETRY.replace(missing, b"")).on(gather)


def test_numbers_beyond_the_last_of_the_table_are_missing_too(gather: Gather) -> None:
    with pytest.raises(FormatError, match="no row for receiver 12"):
        read(GEOMETRY.replace(b"receiver,12,36,4\n", b"")).on(gather)


def test_a_table_of_shots_alone_lacks_the_receivers(gather: Gather) -> None:
    with pytest.raises(FormatError, match="no row for receiver 1;"):
        read(b"kind,number,x_m,y_m\nshot,101,0,0\n").on(gather)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"kind,number,x_m\nshot,1,0\n", "'y_m' is missing"),
        (b"kind,number,x_m,y_m\nshto,1,0,0\n", "kind 'shto' is unknown"),
        (b"kind,number,x_m,y_m\nshot,1,east,0\n", "not a CSV"),
        (b"kind,number,x_m,y_m\nshot,1,nan,0\n", "x_m and y_m are numbers"),
        (b"kind,number,x_m,y_m,z_m\nshot,1,0,0,high\n", "not a CSV"),
        (b"kind,number,x_m,y_m\nshot,1,0,0\nshot,1,9,9\n", "shot 1 occurs twice"),
        (b"\x93NUMPY\x01\x00\xff\xfe" * 20, "not a CSV|is missing"),
        (b"", "not a CSV"),
    ],
)
def test_a_faulty_geometry_is_named_with_its_fault(data: bytes, named: str) -> None:
    with pytest.raises(FormatError, match=rf"^g\.csv.*({named})"):
        read(data)


def test_the_same_place_twice_is_one_place(gather: Gather) -> None:
    assert read(GEOMETRY + b"shot,101,0,0\n").on(gather).source_x_m[0] == 0


@pytest.mark.parametrize("files", [[], [(GEOMETRY, "a.csv"), (GEOMETRY, "b.csv")], [(GEOMETRY, "a"), (b"H00", "b")]])
def test_files_that_do_not_belong_together_are_refused(files: list[tuple[bytes, str]]) -> None:
    with pytest.raises(FormatError, match="expected one CSV, or SPS files"):
        read_geometry(files)


@given(st.data())
def test_a_damaged_table_is_refused_or_read(data: st.DataObject) -> None:
    damaged = bytearray(GEOMETRY)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    with suppress(FormatError):
        read(bytes(damaged[:cut]))
