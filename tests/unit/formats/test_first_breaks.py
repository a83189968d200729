from collections.abc import Callable

import numpy as np
import pytest

from seisray.errors import PicksError
from seisray.formats.picks.first_breaks import first_breaks_csv, read_first_breaks_csv
from seisray.gather import Gather

LineGathers = Callable[..., list[Gather]]
PICKS = b"ffid,trace,time_ms\n101,2,40.5\n101,1,30\n102,1,35\n"
BY_CHANNEL = b"channel,ffid,time_ms\n7,102,35\n3,101,40.5\n-1,101,30\n9,104,12\n"


@pytest.fixture(scope="module")
def gather(line_gathers: LineGathers) -> Gather:
    return line_gathers(1, delay_ms=-10.0)[0].replace(first_break_ms=np.full(12, np.nan))


@pytest.fixture(scope="module")
def receiver_gather(gather: Gather) -> Gather:
    """Return the traces of one receiver, channel 7, one of each of twelve field records from 101 on."""
    return gather.replace(field_record=np.arange(101, 113), channel=np.full(12, 7))


def test_picks_land_on_their_traces_and_nowhere_else(gather: Gather) -> None:
    found = read_first_breaks_csv(PICKS, "p.csv").on(gather)
    np.testing.assert_array_equal(found.first_break_ms, [30, 40.5] + 10 * [np.nan])


def test_the_order_of_columns_and_further_columns_do_not_matter(gather: Gather) -> None:
    found = read_first_breaks_csv(b"who,time_ms,ffid,trace\nme,12.5,101,3\n", "p.csv").on(gather)
    assert found.first_break_ms[2] == 12.5


def test_times_from_the_first_sample_are_not_shifted_by_the_delay(gather: Gather) -> None:
    assert read_first_breaks_csv(PICKS, "p.csv", "first-sample").on(gather).first_break_ms[0] == 30


@pytest.mark.parametrize("picks", [PICKS, PICKS.replace(b"trace", b"channel")])
def test_times_from_the_shot_are_shifted_by_the_delay(picks: bytes, gather: Gather) -> None:
    assert read_first_breaks_csv(picks, "p.csv", "shot").on(gather).first_break_ms[0] == 30 + 10


@pytest.mark.parametrize("picks", [PICKS, PICKS.replace(b"trace", b"channel")])
def test_a_gather_without_picks_stays_as_it_is(picks: bytes, gather: Gather) -> None:
    other = gather.replace(ffid=7, field_record=np.full(12, 7))
    assert read_first_breaks_csv(picks, "p.csv").on(other) is other


def test_the_field_record_of_the_traces_counts_not_the_number_of_the_gather(gather: Gather) -> None:
    other = gather.replace(ffid=999)
    assert read_first_breaks_csv(PICKS, "p.csv").on(other).first_break_ms[0] == 30


def test_channels_are_found_wherever_they_stand_in_the_gather(gather: Gather) -> None:
    turned = gather.replace(channel=np.array([5, 3, 8, 7, -1, 4, 2, 1, 0, 10, 11, 12]))
    found = read_first_breaks_csv(BY_CHANNEL, "p.csv").on(turned)
    np.testing.assert_array_equal(np.flatnonzero(found.labelled), [1, 4])
    np.testing.assert_array_equal(found.first_break_ms[[1, 4]], [40.5, 30])


def test_channels_are_found_in_a_gather_of_a_receiver(receiver_gather: Gather) -> None:
    found = read_first_breaks_csv(BY_CHANNEL, "p.csv").on(receiver_gather)
    np.testing.assert_array_equal(found.first_break_ms, [np.nan, 35] + 10 * [np.nan])


def test_places_in_the_gather_of_a_shot_say_nothing_in_a_gather_of_a_receiver(receiver_gather: Gather) -> None:
    with pytest.raises(PicksError, match=r"^p\.csv: gather 'line-101' joins 12 field records.* column `channel`"):
        read_first_breaks_csv(PICKS, "p.csv").on(receiver_gather)


def test_a_gather_of_a_receiver_without_labelled_shots_stays_as_it_is(receiver_gather: Gather) -> None:
    other = receiver_gather.replace(field_record=np.arange(501, 513))
    assert read_first_breaks_csv(PICKS, "p.csv").on(other) is other


@pytest.mark.parametrize("key", ["trace", "channel"])
@pytest.mark.parametrize("row", ["101,13,30", "101,1,-1", "101,1,128.5"])
def test_a_pick_outside_the_gather_is_refused(row: str, key: str, gather: Gather) -> None:
    picks = read_first_breaks_csv(f"ffid,{key},time_ms\n{row}\n".encode(), "p.csv")
    if key == "channel" and "13" in row:
        assert picks.on(gather) is gather  # it may be in another gather
        return
    with pytest.raises(PicksError, match=r"^p\.csv: FFID 101, trace \d+ at .* outside the gather"):
        picks.on(gather)


def test_labels_are_counted_with_their_ffids() -> None:
    labels = read_first_breaks_csv(PICKS, "p.csv")
    assert labels.n_labels == 3
    assert labels.ffids == {101, 102}
    np.testing.assert_array_equal(labels.ffid, [101, 101, 102])
    np.testing.assert_array_equal(labels.number, [1, 2, 1])
    np.testing.assert_array_equal(labels.time_ms, [30, 40.5, 35])


@pytest.mark.parametrize("key", ["trace", "channel"])
def test_a_message_can_say_how_traces_are_found(key: str) -> None:
    labels = read_first_breaks_csv(PICKS.replace(b"trace", key.encode()), "p.csv")
    assert labels.matched_by == f"they are matched by FFID and {key}"


def test_what_is_written_is_read_back(line_gathers: LineGathers) -> None:
    made = line_gathers(3)
    labels = read_first_breaks_csv(first_breaks_csv(made).encode(), "p.csv")
    for gather in made:
        bare = gather.replace(first_break_ms=np.full(12, np.nan))
        np.testing.assert_allclose(labels.on(bare).first_break_ms, gather.first_break_ms, atol=6e-4)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"", "not a CSV"),
        (b"ffid,trace\n1,1\n", "column 'time_ms' is missing"),
        (b"ffid,time_ms\n1,1\n", "column 'trace' is missing"),
        (b"ffid,trace,channel,time_ms\n1,1,1,1\n", "both columns trace and channel"),
        (b"ffid,trace,time_ms\n1,1\n", "not a CSV"),
        (b"ffid,trace,time_ms\n1,1,soon\n", "not a CSV"),
        (b"ffid,trace,time_ms\n1,1,\n", "not a CSV"),
        (b"ffid,trace,time_ms\n1.5,1,3\n", "not a CSV"),
        (b"ffid,trace,time_ms\n1,1,nan\n", "times are finite"),
        (b"ffid,trace,time_ms\n1,0,3\n", "count from 1"),
        (b"ffid,trace,time_ms\n1,1,3\n2,5,3\n2,5,4\n", "FFID 2, trace 5 is labelled 2 times"),
        (b"ffid,channel,time_ms\n2,5,3\n2,5,3\n", "FFID 2, channel 5 is labelled 2 times"),
        (b"ffid,channel,time_ms\n9007199254740993,5,3\n", "larger than any field file"),
        (b"ffid,channel,time_ms\n1,2147483648,3\n", "larger than any field file"),
        (b"ffid,ffid,trace,time_ms\n1,1,1,3\n", "column 'ffid' occurs 2 times"),
        (b"ffid,trace,time_ms\n", "holds no first breaks"),
        (b"\x93NUMPY\x01\x00\xff\xfe" * 20, "not a CSV|is missing"),
    ],
)
def test_a_faulty_pick_file_is_named_with_its_fault(data: bytes, named: str) -> None:
    with pytest.raises(PicksError, match=rf"^p\.csv.*({named})"):
        read_first_breaks_csv(data, "p.csv")
