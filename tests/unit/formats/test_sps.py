"""The records here are laid out by hand at the columns of the standard (SEG 1993 and January 2006)."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisray.errors import FormatError
from seisray.formats.geometry import read_geometry
from seisray.formats.sps.survey import looks_like_sps, read_sps
from seisray.gather import Gather

LineGathers = Callable[..., list[Gather]]
H0 = "H00 SPS format version num.     SPS001,08OCT1990;"
H21 = "H00 SPS format version num.     SPS 2.1,JAN2006;"


def record(*fields: tuple[int, int, object]) -> str:
    """Return a line with texts at first..last column, right-adjusted."""
    line = [" "] * 80
    for first, last, value in fields:
        text = str(value).rjust(last - first + 1)
        assert len(text) == last - first + 1, (first, last, value)
        line[first - 1 : last] = text
    return "".join(line)


def point_0(kind: str, line: object, point: object, x: object, y: object, z: object, index: object = 1) -> str:
    name = (1, 1, kind), (2, 17, str(line).ljust(16)), (18, 25, point), (26, 26, index), (27, 28, "G1")
    return record(*name, (47, 55, x), (56, 65, y), (66, 71, z), (72, 74, 177), (75, 80, "042821"))


def point_21(kind: str, line: object, point: object, x: object, y: object, z: object, index: object = 1) -> str:
    name = (1, 1, kind), (2, 11, f"{line:.2f}"), (12, 21, f"{point:.2f}"), (24, 24, index), (25, 26, "G1")
    return record(*name, (47, 55, x), (56, 65, y), (66, 71, z), (72, 74, 177), (75, 80, "042821"))


def relation_0(ffid: int, shot: tuple[object, object], channels: tuple, receivers: tuple, **more: Any) -> str:
    step = channels[2] if len(channels) > 2 else 1
    return record(
        (1, 1, "X"), (2, 7, "T1"), (8, 11, ffid), (12, 12, more.get("record_step", 1)), (13, 13, 1),
        (14, 29, str(shot[0]).ljust(16)), (30, 37, shot[1]), (38, 38, 1), (39, 42, channels[0]), (43, 46, channels[1]),
        (47, 47, step), (48, 63, str(receivers[0]).ljust(16)), (64, 71, receivers[1]), (72, 79, receivers[2]),
        (80, 80, more.get("index", 1)),
    )  # fmt: skip


def relation_21(ffid: int, shot: tuple[float, float], channels: tuple, receivers: tuple, **more: Any) -> str:
    step = channels[2] if len(channels) > 2 else 1
    return record(
        (1, 1, "X"), (2, 7, "T1"), (8, 15, ffid), (16, 16, more.get("record_step", 1)), (17, 17, 1),
        (18, 27, f"{shot[0]:.2f}"), (28, 37, f"{shot[1]:.2f}"), (38, 38, more.get("shot_index", 1)),
        (39, 43, channels[0]), (44, 48, channels[1]), (49, 49, step), (50, 59, f"{receivers[0]:.2f}"),
        (60, 69, f"{receivers[1]:.2f}"), (70, 79, f"{receivers[2]:.2f}"), (80, 80, more.get("index", 1)),
    )  # fmt: skip


SHOTS_21 = [point_21("S", 1, 101 + i, 1000 + 10.5 * i, 2000.0, 50.0 + i) for i in range(3)]
RECEIVERS_21 = [
    *[point_21("R", 7, 501 + 2 * i, 1000 + 5.0 * i, 2040.0, 60.5) for i in range(6)],
    *[point_21("R", 8, 601 + i, 1000 + 5.0 * i, 2070.0, 61.5) for i in range(6)],
]
RELATIONS_21 = [
    line
    for i in range(3)
    for line in (
        relation_21(9001 + i, (1, 101 + i), (1, 6), (7, 501, 511)),
        relation_21(9001 + i, (1, 101 + i), (7, 12), (8, 606, 601)),  # against the points' order
    )
]
SPS_21 = [H21, *SHOTS_21, *RECEIVERS_21, *RELATIONS_21]
SPS_0 = [
    H0,
    point_0("S", "LINE A", 101, 1000.0, 2000.0, 50.0),
    *[point_0("R", 7, 501 + i, 1000 + 5.0 * i, 2040.0, 60.5) for i in range(12)],
    relation_0(901, ("LINE A", 101), (1, 12), (7, 501, 512)),
]


def text(lines: list[str]) -> bytes:
    return "\r\n".join(lines).encode("ascii") + b"\r\n"


def locate(lines: list[str], ffid: object, channel: object) -> tuple[np.ndarray, np.ndarray]:
    return read_sps([(text(lines), "s.sps")]).locate(np.atleast_1d(ffid), np.atleast_1d(channel))


def refusal(lines: list[str], ffid: object = 9001, channel: object = 1) -> str:
    with pytest.raises(FormatError) as caught:
        locate(lines, ffid, channel)
    return str(caught.value)


def test_both_ranges_of_a_field_record_give_places() -> None:
    source, receiver = locate(SPS_21, np.full(12, 9002), np.arange(1, 13))
    np.testing.assert_array_equal(source, np.tile([1010.5, 2000.0, 51.0], (12, 1)))
    np.testing.assert_array_equal(receiver[:, 0], [1000 + 5.0 * i for i in [0, 1, 2, 3, 4, 5, 5, 4, 3, 2, 1, 0]])
    np.testing.assert_array_equal(receiver[:, 1], 6 * [2040.0] + 6 * [2070.0])
    np.testing.assert_array_equal(receiver[:, 2], 6 * [60.5] + 6 * [61.5])


def test_a_gather_of_any_grouping_gets_coordinates_and_horizontal_offsets(line_gathers: LineGathers) -> None:
    bare = line_gathers(1)[0].replace(field_record=np.repeat([9003, 9001, 9002], 4), channel=np.full(12, 8))
    found = read_geometry([(text(SPS_21), "s.sps")]).on(bare)
    np.testing.assert_array_equal(found.source_x_m, np.repeat([1021.0, 1000.0, 1010.5], 4))
    np.testing.assert_array_equal(found.receiver_x_m, 12 * [1020.0])
    np.testing.assert_allclose(found.offset_m[[0, 4]], [np.hypot(1, 70), np.hypot(20, 70)], rtol=1e-6)
    np.testing.assert_array_equal(found.source_z_m[:5], [52, 52, 52, 52, 50])


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_records_may_be_in_several_files_in_any_order(order: tuple[int, ...]) -> None:
    parts = [[H21, *SHOTS_21], RECEIVERS_21, ["H26 a comment", *RELATIONS_21]]
    spread = read_sps([(text(parts[i]), f"{i}.sps") for i in order])
    assert spread.locate(np.array([9001]), np.array([2]))[1][0, 0] == 1005


def test_revision_0_is_read_at_its_columns() -> None:
    source, receiver = locate(SPS_0, np.full(12, 901), np.arange(1, 13))
    np.testing.assert_array_equal(source[0], [1000, 2000, 50])
    np.testing.assert_array_equal(receiver[:, 0], 1000 + 5.0 * np.arange(12))


@pytest.mark.parametrize(("lines", "ffid"), [(SPS_21, 9001), (SPS_0, 901)])
def test_without_a_stated_revision_the_one_that_fits_is_taken(lines: list[str], ffid: int) -> None:
    assert locate(lines[1:], ffid, 3)[1][0, 0] in (1010, 1010.0)


def test_a_stated_revision_is_not_doubted() -> None:
    assert "SPS lays it out" in refusal([H0, *SPS_21[1:]])


@pytest.mark.parametrize(
    "lines", [[H21, *SPS_0], [H21.replace("2.1", "3.0"), *SPS_21[1:]], ["S garbage".ljust(80), *SPS_21[1:]]]
)
def test_a_revision_that_is_unknown_or_two_is_refused(lines: list[str]) -> None:
    assert any(word in refusal(lines) for word in ("both revision", "SPS 3.0", "neither SPS revision 0 nor 2.1"))


def test_records_that_fit_both_revisions_are_refused() -> None:
    """Every column of both layouts holds digits, so that nothing tells which is meant."""
    lines = [
        record((1, 1, "S"), (2, 26, "1" * 25), (47, 55, 5), (56, 65, 5), (66, 71, 5)),
        record((1, 1, "R"), (2, 26, "1" * 25), (47, 55, 5), (56, 65, 5), (66, 71, 5)),
        record((1, 1, "X"), (8, 80, "1" * 73)),
    ]
    assert "could be SPS revision 0 or 2.1; state it" in refusal(lines)


def test_lines_and_points_that_are_numbers_compare_as_numbers() -> None:
    lines = [H0, point_0("S", "0001", "101.0", 5, 6, 7), point_0("R", "7.0", 501, 8, 9, 1)]
    source, receiver = locate([*lines, relation_0(12, ("1", 101), (1, 1), ("07", 501, 501))], 12, 1)
    assert source[0, 0] == 5
    assert receiver[0, 0] == 8


def test_an_index_tells_points_of_one_number_apart() -> None:
    moved = point_21("R", 7, 501, 1234.0, 2040.0, 60.0, index=2)
    again = relation_21(9009, (1, 101), (1, 1), (7, 501, 501), index=2)
    lines = [*SPS_21, moved, again]
    assert locate(lines, 9009, 1)[1][0, 0] == 1234
    assert locate(lines, 9001, 1)[1][0, 0] == 1000


def test_a_blank_index_or_increment_is_one() -> None:
    blank = [line[:48] + " " + line[49:79] + " " for line in RELATIONS_21]
    assert locate([H21, *SHOTS_21, *RECEIVERS_21, *blank], 9001, 3)[1][0, 0] == 1010


def components(*ranges: tuple[int, int, int]) -> list[str]:
    """Return a survey whose receivers 501, 503 .. 511 record three components each, in ranges of channels."""
    relations = [relation_21(9001, (1, 101), channels, (7, 501, 511)) for channels in ranges]
    return [H21, *SHOTS_21, *RECEIVERS_21, *relations]


def test_channels_that_count_in_steps_interleave() -> None:
    """Channels 1, 4 .. 16 are one component of six receivers, 2, 5 .. 17 the next, 3, 6 .. 18 the last."""
    receiver = locate(components((1, 16, 3), (2, 17, 3), (3, 18, 3)), np.full(18, 9001), np.arange(1, 19))[1]
    np.testing.assert_array_equal(receiver[:, 0], np.repeat(1000 + 5.0 * np.arange(6), 3))


def test_all_channels_may_be_at_one_receiver() -> None:
    lines = [H21, *SHOTS_21, *RECEIVERS_21, relation_21(9001, (1, 101), (1, 3), (7, 503, 503))]
    np.testing.assert_array_equal(locate(lines, np.full(3, 9001), [1, 2, 3])[1][:, 0], 3 * [1005])


@pytest.mark.parametrize(("ffid", "channel"), [(9001, 2), (9001, 0), (9001, 19), (8999, 1), (9100, 1)])
def test_a_channel_outside_all_ranges_is_named(ffid: int, channel: int) -> None:
    found = refusal(components((1, 16, 3)), ffid, channel)
    assert f"FFID {ffid}, channel {channel} is in no X records" in found


def test_a_channel_in_two_ranges_is_refused() -> None:
    found = refusal(components((1, 6), (5, 10)))
    assert "channel 5 of FFID 9001 is in an earlier X record too" in found
    assert "channel 6 of FFID 9001 is in an earlier X record too" in refusal(components((6, 11), (1, 6)))
    assert "FFID 9001, channel 7 is in 2 X records" in refusal(components((1, 16, 3), (6, 11)), 9001, 7)


def test_the_same_record_twice_says_nothing_new() -> None:
    assert locate([*SPS_21, *RELATIONS_21, *SHOTS_21], 9001, 1)[1][0, 0] == 1000


@pytest.mark.parametrize("channels", [(1, 17, 3), (6, 1), (1, 7), (1, 6, 0), (4, 4)])
def test_channels_that_do_not_fit_their_receivers_are_refused(channels: tuple) -> None:
    first, last, step = (*channels, 1)[:3]
    found = refusal(components(channels))
    assert f"channels {first}..{last} in steps of {step} do not fit receivers 501..511" in found


def test_too_few_channels_stand_between_the_points_and_are_refused_there() -> None:
    assert "no R record for receiver line 7, point 503.5, index 1" in refusal(components((1, 5)), 9001, 2)


@pytest.mark.parametrize(
    ("gone", "named"),
    [
        (RECEIVERS_21[2], "no R record for receiver line 7, point 505, index 1"),
        (SHOTS_21[0], "no S record for shot line 1, point 101, index 1"),
        (RELATIONS_21[0], "FFID 9001, channel 3 is in no X records"),
    ],
)
def test_a_point_without_a_record_is_named(gone: str, named: str) -> None:
    assert named in refusal([line for line in SPS_21 if line != gone], 9001, 3)


def test_a_point_without_coordinates_is_named_once_it_is_needed() -> None:
    lines = [point_21("R", 7, 505, "", "", "") if line == RECEIVERS_21[2] else line for line in SPS_21]
    assert locate(lines, 9001, 2)[1][0, 0] == 1005
    assert "no coordinates for receiver line 7, point 505" in refusal(lines, 9001, 3)


def test_a_height_may_be_missing() -> None:
    lines = [line[:65].rstrip() if line[0] == "R" else line for line in SPS_21]
    assert np.isnan(locate(lines, 9001, 3)[1][0, 2])


@pytest.mark.parametrize("kind", ["S", "R", "X"])
def test_a_set_without_one_of_the_kinds_is_refused(kind: str) -> None:
    assert f"no {kind} record; SPS geometry needs S, R and X" in refusal([x for x in SPS_21 if x[0] != kind])


@pytest.mark.parametrize(("kind", "length"), [("S", 64), ("R", 40), ("X", 78), ("X", 1)])
def test_a_line_cut_short_is_named(kind: str, length: int) -> None:
    row = next(i for i, line in enumerate(SPS_21) if line[0] == kind)
    lines = [*SPS_21[:row], SPS_21[row][:length], *SPS_21[row + 1 :]]
    assert f"s.sps, line {row + 1}: the {kind} record ends at column {length}" in refusal(lines)


@pytest.mark.parametrize(
    ("columns", "value", "named"),
    [
        ((47, 55), "1000.x", "easting is '   1000.x' (columns 47-55), expected a number"),
        ((47, 55), "1e5", "easting"),
        ((47, 55), "nan", "easting"),
        ((56, 65), "20 00.0", "northing"),
        ((56, 65), "1_000.0", "northing"),
        ((66, 71), "-", "elevation"),
        ((12, 21), "", "point is '          ' (columns 12-21), expected a number"),
        ((12, 21), "101.125", "point has more than two decimals"),
        ((24, 24), "A", "index"),
    ],
)
def test_a_malformed_number_is_named(columns: tuple[int, int], value: str, named: str) -> None:
    bad = SHOTS_21[1][: columns[0] - 1] + value.rjust(columns[1] - columns[0] + 1) + SHOTS_21[1][columns[1] :]
    found = refusal([H21, SHOTS_21[0], bad, *SHOTS_21[2:], *RECEIVERS_21, *RELATIONS_21])
    assert "s.sps, line 3: the S record" in found
    assert named in found


def test_a_point_at_two_places_is_refused() -> None:
    assert "at another place" in refusal([*SPS_21, point_21("S", 1, 101, 1.0, 2.0, 3.0)])


def test_a_field_record_increment_is_not_understood() -> None:
    lines = [H21, *SHOTS_21, *RECEIVERS_21, relation_21(9001, (1, 101), (1, 6), (7, 501, 511), record_step=2)]
    assert "field record increments other than 1" in refusal(lines)


@pytest.mark.parametrize("line", ["Q unknown", " S misplaced", "\0\0\0"])
def test_a_line_of_another_kind_is_refused(line: str) -> None:
    assert "expected an SPS record" in refusal([*SPS_21, line])


def test_blank_lines_and_the_end_mark_are_no_records() -> None:
    assert locate([*SPS_21, "", "EOF"], 9001, 1)[0][0, 0] == 1000


FEET = ["H20 Description of grid units   International feet;", "H201Factor to metre             0.3048;"]


@pytest.mark.parametrize(
    ("headers", "metres"),
    [
        ([], 1.0),
        (["H20 Description of grid units   metres;", "H201Factor to metre             1.000000;"], 1.0),
        (["H20 Description of grid units   m ;"], 1.0),
        (["H200Description of grid units   N/A;", "H201Factor to metre             ;"], 1.0),
        (FEET, 0.3048),
        (["H200Description of grid units   American Feet;", "H201Factor to metre             0.30480061;"], 0.30480061),
        (FEET[1:], 0.3048),
    ],
)
def test_coordinates_become_metres(headers: list[str], metres: float) -> None:
    source, receiver = locate([H21, *headers, *SPS_21[1:]], 9002, 1)
    np.testing.assert_allclose(source[0], metres * np.array([1010.5, 2000.0, 51.0]))
    np.testing.assert_allclose(receiver[0], metres * np.array([1000.0, 2040.0, 60.5]))


@pytest.mark.parametrize(
    "headers",
    [
        FEET[:1],  # which foot?
        ["H20 Description of grid units   metres;", FEET[1]],
        ["H20 Description of grid units   feet;", "H201Factor to metre             1.0;"],
        ["H20 Description of grid units   degrees;"],
        ["H201Factor to metre             0.9144;"],
        ["H201Factor to metre             none;"],
        ["H201Factor to metre             nan;"],
        [*FEET, "H20 Description of grid units   metres;"],
    ],
)
def test_a_unit_of_length_that_is_not_clear_is_refused(headers: list[str]) -> None:
    assert "H201" in refusal([H21, *headers, *SPS_21[1:]])


@pytest.mark.parametrize(
    ("data", "is_sps"),
    [
        (b"\r\nH00 SPS", True),
        (b"X", True),
        (b"kind,number,x_m,y_m\n", False),
        (b"X,kind,number\n", False),
        (b"", False),
    ],
)
def test_sps_is_told_from_a_table_by_its_first_line(data: bytes, is_sps: bool) -> None:
    assert looks_like_sps(data) == is_sps


def test_a_large_survey_is_located_quickly() -> None:
    """40,000 X records and 400,000 traces of a receiver gather: 10 s would be a loop over records or traces."""
    n = 20_000
    shots = [point_21("S", 1, 1 + i, float(i), 0.0, 0.0) for i in range(n)]
    receivers = [point_21("R", 2, 1 + i, float(i), 5.0, 0.0) for i in range(500)]
    relations = [
        relation_21(1 + i, (1, 1 + i), (1 + k, k + 250), (2, 1 + k, k + 250)) for i in range(n) for k in (0, 250)
    ]
    began_s = time.process_time()
    spread = read_sps([(text([H21, *shots, *receivers, *relations]), "big.sps")])
    record_of, channel = np.repeat(np.arange(1, n + 1), 20), np.tile(np.arange(1, 401, 20), n)
    source, receiver = spread.locate(record_of, channel)
    assert time.process_time() - began_s < 10
    np.testing.assert_array_equal(source[:, 0], record_of - 1)
    np.testing.assert_array_equal(receiver[:, 0], channel - 1)


@given(st.data())
def test_a_damaged_file_is_refused_or_read(data: st.DataObject) -> None:
    damaged = bytearray(text(data.draw(st.sampled_from([SPS_21, SPS_0, SPS_21[1:]]))))
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.none(), st.integers(0, len(damaged))))
    with suppress(FormatError):
        source, receiver = read_sps([(bytes(damaged[:cut]), "s.sps")]).locate(np.array([9001]), np.array([1]))
        assert source.shape == receiver.shape == (1, 3)
