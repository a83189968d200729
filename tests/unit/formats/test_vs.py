import numpy as np
import pytest

from seisray.errors import PicksError
from seisray.formats.picks.vs import read_vs

HEAD = "1996 0 3.000000\n0 2 4.000000\n"
SHOTS = "-2.000000 2 0.000000\n0.000000 10.000000 1 \n4.000000 12.500000 1 \n8.0 1 0.0\n4.0 13.0 2 \n"
TRAILER = "0 0 \n 0 \n 0 0 \n"


@pytest.mark.parametrize("text", [HEAD + SHOTS + TRAILER, HEAD + SHOTS, (HEAD + SHOTS + TRAILER).replace("\n", "\r\n")])
def test_times_are_milliseconds_from_the_shot_at_positions_along_the_line(text: str) -> None:
    found = read_vs(text.encode(), "p.vs")
    assert found.origin == "shot"
    assert found.axes == "x"
    shot, receiver = (found.pair.real.astype(int), found.pair.imag.astype(int))
    np.testing.assert_allclose(found.shots.xy[shot, 0], [-2, -2, 8])
    np.testing.assert_allclose(found.receivers.xy[receiver, 0], [0, 4, 4])
    np.testing.assert_allclose(found.time_ms, [10, 12.5, 13])


def test_a_shot_may_be_without_first_breaks() -> None:
    assert read_vs((HEAD + SHOTS.replace("8.0 1 0.0\n4.0 13.0 2 \n", "8.0 0 0.0\n")).encode(), "p.vs").n_labels == 2


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "ends after line 0"),
        ("2001 0 3\n0 1 2\n", "starts with 2001, expected 1996"),
        ("1996 0 3\n", "ends after line 1"),
        ("1996 0 3\n0 two 2\n", "line 2: '0 two 2'"),
        ("1996 0 3\n0 0 2\n", "line 2: 0 shots"),
        ("1996 0 3\n0 -1 2\n", "line 2: -1 shots"),
        ("1996 0 3\n0 1.5 2\n", "line 2: 1.5 shots"),
        (HEAD + "0 1\n", "line 3: 2 values, expected 3"),
        (HEAD + "0 -1 0\n", "line 3: -1 first breaks"),
        (HEAD + "0 1e15 0\n1 1 1\n", "rows are said to follow, 1 do"),
        (HEAD + "0 1 0\n4 nan 1\n", "line 4: '4 nan 1', expected a number"),
        (HEAD + "0 1 0\n4 1 2 5.5 1\n", "line 4: more than position, time and code"),
        (HEAD + "0 1 0\n4 5 1\n", "ends after line 4, expected a row with the shot's position"),
        (HEAD + SHOTS + "16 1 0\n4 5 1\n" + TRAILER, "line 8: more follows than the 2 shots"),
        (HEAD + SHOTS + TRAILER + HEAD + SHOTS, "more follows than the 2 shots"),
        (HEAD + SHOTS.replace("4.000000 12.5", "0.000000 12.5"), "is given 2 times"),
        (HEAD + "0 0 0\n8 0 0\n", "holds no first breaks"),
    ],
)
def test_a_faulty_file_is_named_with_its_fault(text: str, named: str) -> None:
    with pytest.raises(PicksError, match=rf"^p\.vs.*({named})"):
        read_vs(text.encode(), "p.vs")
