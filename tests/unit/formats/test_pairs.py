import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seisray.formats.pairs import LARGEST, find_rows, pairs

WHOLE = st.integers(-LARGEST, LARGEST)


def test_pairs_sort_by_the_first_then_the_second() -> None:
    found = np.sort(pairs([2, 1, 1, -3], [0, 7, -7, 9]))
    np.testing.assert_array_equal(found, pairs([-3, 1, 1, 2], [9, -7, 7, 0]))


@given(st.lists(st.tuples(WHOLE, WHOLE), max_size=30), st.lists(st.tuples(WHOLE, WHOLE), max_size=30))
def test_what_is_among_the_pairs_is_found_and_nothing_else(have: list[tuple], want: list[tuple]) -> None:
    among = np.unique(pairs(*np.array(have, dtype=np.int64).reshape(-1, 2).T))
    wanted = np.array(want + have, dtype=np.int64).reshape(-1, 2)
    row = find_rows(among, pairs(*wanted.T))
    for (first, second), found in zip(wanted.tolist(), row.tolist(), strict=True):
        assert (found >= 0) == ((first, second) in have)
        assert found < 0 or among[found] == complex(first, second)
