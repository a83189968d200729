from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisray.inspection.runs import Trail, counter_period, describe_field, find_runs


def trail(*files: range, total: int | None = None) -> Trail:
    return Trail(
        file=np.repeat(np.arange(len(files)), [len(one) for one in files]),
        trace=np.concatenate([np.array(one, dtype=np.int64) for one in files]),
        n_file_traces=np.repeat([total or len(one) for one in files], [len(one) for one in files]),
    )


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_runs_of_a_whole_file_are_those_of_groupby(values: list[int]) -> None:
    runs = find_runs(np.array(values), trail(range(len(values))))
    groups = [(value, len(list(group))) for value, group in groupby(values)]
    assert runs.complete.tolist() == [length for _, length in groups]
    assert runs.n_changes == len(groups) - 1
    assert runs.comes_back == (len({value for value, _ in groups}) < len(groups))


def test_a_run_cut_by_the_edge_of_a_window_is_not_complete() -> None:
    window = trail(range(5, 13), total=100)
    assert find_runs(np.array([1, 1, 2, 2, 2, 3, 3, 3]), window).complete.tolist() == [3]


def test_the_same_value_on_both_sides_of_a_gap_does_not_come_back() -> None:
    gap = Trail(file=np.zeros(4, int), trace=np.array([0, 1, 50, 51]), n_file_traces=np.full(4, 52))
    assert not find_runs(np.array([7, 7, 7, 7]), gap).comes_back
    assert find_runs(np.array([7, 8, 7, 7]), gap).comes_back


def test_the_same_number_in_two_files_does_not_come_back() -> None:
    runs = find_runs(np.array([1, 1, 2, 2, 1, 1, 2, 2]), trail(range(4), range(4)))
    assert (runs.comes_back, runs.is_key, runs.typical) == (False, True, 2)


def test_a_value_on_all_traces_is_no_key() -> None:
    assert not find_runs(np.full(9, 4), trail(range(9))).is_key


def test_a_value_that_changes_at_every_trace_is_no_key() -> None:
    assert not find_runs(np.arange(9), trail(range(9))).is_key


def test_several_columns_change_where_any_of_them_does() -> None:
    columns = np.array([[1, 1], [1, 1], [1, 2], [1, 2], [2, 2], [2, 2]])
    assert find_runs(columns, trail(range(6))).complete.tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    ("values", "period"),
    [
        (np.tile(np.arange(1, 6), 4), 5),
        (np.arange(20), 0),
        (np.repeat([1, 2, 3, 4], 5), 0),
        (np.zeros(20, int), 0),
        (np.tile([0.5, 1.5], 10), 0),
    ],
)
def test_a_counter_has_the_period_after_which_it_starts_again(values: np.ndarray, period: int) -> None:
    assert counter_period(values, trail(range(20))) == period


@pytest.mark.parametrize(
    ("values", "pattern", "direction", "run_traces"),
    [
        ([0, 0, 0, 0, 0, 0], "zero", "", None),
        ([5, 5, 5, 5, 5, 5], "constant", "", None),
        ([1, 1, 2, 2, 2, 4], "steps", "rises", (1, 3)),
        ([9, 9, 9, 3, 3, 3], "steps", "falls", (3, 3)),
        ([1, 2, 3, 1, 2, 3], "counts", "", (3, 3)),
        ([4, 1, 7, 2, 9, 3], "varies", "", None),
        ([np.nan, np.nan, 0, 0, 0, 0], "zero", "", None),
    ],
)
def test_a_field_is_described_by_its_pattern(
    values: list[float], pattern: str, direction: str, run_traces: tuple[int, int] | None
) -> None:
    facts = describe_field("offset", "37-40", np.array(values), trail(range(6)))
    assert (facts.pattern, facts.direction, facts.run_traces) == (pattern, direction, run_traces)
