"""Corrected first breaks, by gather where FFIDs name several."""

from collections.abc import Callable

import numpy as np
import pytest

from seisray.errors import PicksError
from seisray.formats.picks.corrected import read_corrected_csv

HEAD = "ffid,trace,time_ms,gather_id\n"


def test_first_breaks_by_gather_take_the_place_of_all_of_that_gather(line_gathers: Callable) -> None:
    one, two = line_gathers(2)
    labels = read_corrected_csv(f"{HEAD}101,2,33.5,line-101\n".encode(), "l.csv")
    assert np.flatnonzero(labels.on(one).labelled).tolist() == [1]
    assert labels.on(one).first_break_ms[1] == 33.5
    assert labels.on(two) is two


def test_without_a_gather_they_go_by_ffid(line_gathers: Callable) -> None:
    labels = read_corrected_csv(b"ffid,trace,time_ms\n101,2,33.5\n", "l.csv")
    assert np.flatnonzero(labels.on(line_gathers(1)[0]).labelled).tolist() == [1]


@pytest.mark.parametrize("row", ["101,99,1,line-101", "101,1,1e6,line-101", "101,1,1,line-101\n101,1,2,line-101"])
def test_what_does_not_fit_the_gather_is_refused(line_gathers: Callable, row: str) -> None:
    labels = read_corrected_csv(f"{HEAD}{row}\n".encode(), "l.csv")
    with pytest.raises(PicksError, match=r"l\.csv"):
        labels.on(line_gathers(1)[0])


@pytest.mark.parametrize("text", [HEAD, f"{HEAD}101,1,nan,line-101\n", f"{HEAD}101,x,1,line-101\n"])
def test_a_file_without_first_breaks_is_refused(text: str) -> None:
    with pytest.raises(PicksError):
        read_corrected_csv(text.encode(), "l.csv")
