"""The gathers that a picker learns from, with the survey's labels or corrected ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from picked import picked_store

from seisray.errors import PicksError
from seisray.formats.picks.corrected import read_corrected_csv
from seisray.registry import Store
from seisray.stream import read_labelled

CORRECTED = b"ffid,trace,time_ms\n102,1,33.5\n"


@pytest.fixture
def store(line_gathers: Callable, tmp_path: Path) -> Store:
    """Return a store whose gathers 101 and 103 are labelled, 102 is not."""
    gathers = line_gathers(3)
    gathers[1] = gathers[1].replace(first_break_ms=np.full(12, np.nan))
    return picked_store(tmp_path, gathers)


def test_corrected_labels_join_those_of_the_survey(store: Store) -> None:
    labels = read_corrected_csv(CORRECTED, "l.csv")
    found = {gather.ffid: gather for gather in read_labelled(store, [store.survey("line")], None, labels)}
    assert [int(found[ffid].labelled.sum()) for ffid in (101, 102, 103)] == [11, 1, 11]
    assert found[102].first_break_ms[0] == 33.5


def test_ffids_choose_among_corrected_labels(store: Store) -> None:
    labels = read_corrected_csv(CORRECTED, "l.csv")
    assert [one.ffid for one in read_labelled(store, [store.survey("line")], [102], labels)] == [102]


def test_corrected_labels_take_the_place_of_the_surveys_on_their_gathers(store: Store) -> None:
    labels = read_corrected_csv(CORRECTED.replace(b"102", b"101"), "l.csv")
    found = read_labelled(store, [store.survey("line")], None, labels)
    assert [int(gather.labelled.sum()) for gather in found] == [1, 11]


def test_labels_of_another_survey_are_refused(store: Store) -> None:
    labels = read_corrected_csv(CORRECTED.replace(b"102", b"999"), "l.csv")
    with pytest.raises(PicksError, match=r"l\.csv: FFID 999 is not in line"):
        read_labelled(store, [store.survey("line")], None, labels)
