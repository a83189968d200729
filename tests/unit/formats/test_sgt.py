import numpy as np
import pytest

from seisray.errors import PicksError
from seisray.formats.picks.located import LocatedFirstBreaks
from seisray.formats.picks.sgt import read_sgt

# As pyGIMLi's examples and formikoj lay them out.
EXAMPLE = (
    """56# Number of sensors
#x\ty
"""
    + "".join(f"{2 * i}\t{62.3 - i / 20}\n" for i in range(56))
    + """3# Number of data
#g\ts\tt
3\t1\t0.0159
4\t1\t0.02558
1\t3\t0.01293
"""
)
PCK = """4
# x y z
40336.057\t292470.692\t120.000
40334.751\t292469.177\t120.000
40333.445\t292467.662\t120.000
40332.140\t292466.147\t120.000
3
# s g t valid\x20
001\t002\t0.00631374\t1
001\t003\t0.00744522\t0
004\t001\t5.41227582563409e-02\t1
0
"""


def read(text: str) -> LocatedFirstBreaks:
    return read_sgt(text.encode("latin-1"), "p.sgt")


def labels(found: LocatedFirstBreaks) -> list[tuple]:
    """Return shot position, receiver position and time of each label, in order."""
    shot, receiver = found.pair.real.astype(int), found.pair.imag.astype(int)
    k = len(found.axes)
    rows = zip(found.shots.xy[shot, :k].tolist(), found.receivers.xy[receiver, :k].tolist(), found.time_ms, strict=True)
    return sorted((tuple(np.round(s, 6)), tuple(np.round(r, 6)), round(float(t), 6)) for s, r, t in rows)


def test_times_become_milliseconds_from_the_shot_at_sensors_counted_from_one() -> None:
    found = read(EXAMPLE)
    assert labels(found) == [((0,), (4,), 15.9), ((0,), (6,), 25.58), ((4,), (0,), 12.93)]
    assert found.origin == "shot"
    assert found.axes == "x"  # the second column is the height


def test_measurements_that_are_not_valid_are_no_first_breaks() -> None:
    found = read(PCK)
    assert found.axes == "xy"
    expected = [
        ((40332.14, 292466.147), (40336.057, 292470.692), 54.122758),
        ((40336.057, 292470.692), (40334.751, 292469.177), 6.31374),
    ]
    assert labels(found) == expected


def test_without_a_comment_sensors_are_x_y_z() -> None:
    assert labels(read(PCK.replace("# x y z\n", ""))) == labels(read(PCK))


def test_the_columns_of_sensors_may_be_in_any_order_and_unit() -> None:
    text = "2\n#z x/mm depth y\n9 1000 0 5\n8 3000 0 6\n1\n#t/ms g err s\n7.5 2 0.1 1\n"
    assert labels(read(text)) == [((1, 5), (3, 6), 7.5)]


@pytest.mark.parametrize("sensors", ["#x z\n1 5\n3 9\n", "#x y\n1 5\n3 9\n", "#x\n1\n3\n", "#x y z\n1 7 5\n3 7 9\n"])
def test_positions_along_a_line_are_compared_by_x(sensors: str) -> None:
    assert labels(read("2\n" + sensors + "1\n#s g t\n1 2 0.01\n")) == [((1,), (3,), 10)]


def test_comments_and_blank_lines_may_stand_between() -> None:
    text = (
        "# picks of line 7\n\n2 # shot/geophone points\n# along the road\n#x y\n1 5 # first\n\n3 5\n1 # measurements\n"
    )
    assert labels(read(text + "#s g t\n# hammer\n1 2 0.01\n\n")) == [((1,), (3,), 10)]


def test_topography_is_let_be() -> None:
    assert labels(read(EXAMPLE + "2\n# x z\n0 1\n5 2\n")) == labels(read(EXAMPLE))


def test_sensors_at_one_place_are_one_place() -> None:
    text = "3\n#x y\n0 0\n0 0\n4 0\n2\n#s g t\n1 3 0.01\n2 2 0\n"
    assert labels(read(text)) == [((0,), (0,), 0), ((0,), (4,), 10)]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "ends after line 0, expected a row with the number of sensors"),
        ("two\n", "line 1: 'two', expected a number"),
        ("2 3\n", "line 1: 2 values, expected 1"),
        ("-2\n", "line 1: -2 sensors, expected a whole number"),
        ("2.5\n", "2.5 sensors"),
        ("nan\n", "line 1: 'nan', expected a number"),
        ("99999999999\n#x\n1\n", "line 1: 99999999999 rows are said to follow, 1 do; is the file cut short"),
        ("2\n#y z\n1 1\n2 2\n1\n#s g t\n1 2 3\n", "the sensors' columns are y z, expected x"),
        ("2\n#x\n1\ninf\n1\n#s g t\n1 2 3\n", "line 4: 'inf', expected a number"),
        ("2\n#x y\n1 0\n2\n1\n#s g t\n1 2 3\n", "line 4: '2', expected a number in columns 1, 2"),
        ("2\n#x\n1\n2\n", "ends after line 4, expected a row with the number of measurements"),
        ("2\n#x\n1\n2\n1\n1 2 3\n", "no comment .* names the columns s, g and t"),
        ("2\n#x\n1\n2\n1\n#a b t\n1 2 3\n", "no comment .* names the columns s, g and t"),
        ("2\n#x\n1\n2\n2\n#s g t\n1 2 3\n", "line 5: 2 rows are said to follow, 1 do"),
        ("2\n#x\n1\n2\n1\n#s g t\n1 2\n", "line 7: '1 2', expected a number in columns 1, 2, 3"),
        ("2\n#x\n1\n2\n1\n#s g t\n1 3 0.1\n", "a sensor that is not one of 1..2"),
        ("2\n#x\n1\n2\n1\n#s g t\n0 2 0.1\n", "a sensor that is not one of 1..2"),
        ("2\n#x\n1\n2\n1\n#s g t\n1e30 2 0.1\n", "a sensor that is not one of 1..2"),
        ("2\n#x\n1\n2\n1\n#s g t\n1.5 2 0.1\n", "a sensor that is not one of 1..2"),
        ("2\n#x\n1\n2\n0\n", "no comment|holds no first breaks"),
        ("2\n#x\n1\n2\n1\n#s g t valid\n1 2 0.1 0\n", "holds no first breaks"),
        ("2\n#x\n1\n2\n1\n#s g t\n1 2 0.1\n2 1 0.1\n", "line 8: further rows follow"),
        ("2\n#x\n1\n2\n2\n#s g t\n1 2 0.1\n1 2 0.2\n", "is given 2 times"),
        ("2\0\n", "binary"),
    ],
)
def test_a_faulty_file_is_named_with_its_fault(text: str, named: str) -> None:
    with pytest.raises(PicksError, match=rf"^p\.sgt.*({named})"):
        read(text)
