import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisray.picking.decode import Candidates
from seisray.picking.smoothness import smoothest


def made(time: np.ndarray, probability: np.ndarray, live: np.ndarray | None = None) -> Candidates:
    order = np.argsort(-probability, axis=1)
    time, probability = (np.take_along_axis(one, order, axis=1) for one in (time, probability))
    alive = np.ones(len(time), bool) if live is None else live
    return Candidates(
        time=time, spread=np.ones(time.shape), probability=probability, none=np.zeros(len(time)), live=alive
    )


def drawn(seed: int, n_traces: int, n: int) -> Candidates:
    rng = np.random.default_rng(seed)
    return made(rng.uniform(0, 100, (n_traces, n)), rng.dirichlet(np.ones(n), n_traces))


@given(st.integers(0, 1000), st.integers(1, 5), st.floats(0.01, 1))
def test_no_other_line_is_likelier(seed: int, n_traces: int, weight: float) -> None:
    found = drawn(seed, n_traces, 3)

    def worth(line: tuple[int, ...]) -> float:
        rows = np.arange(n_traces)
        apart = np.abs(np.diff(found.time[rows, line] * 0.5)).sum()
        return float(np.log(found.probability[rows, line]).sum() - weight * apart)

    best = max(worth(line) for line in itertools.product(range(3), repeat=n_traces))
    assert worth(tuple(smoothest(found, 0.5, weight))) == pytest.approx(best)


def test_a_stray_trace_follows_its_neighbours() -> None:
    time = np.tile([30.0, 80.0], (9, 1))
    probability = np.tile([0.7, 0.3], (9, 1))
    probability[4] = [0.3, 0.7]
    found = made(time, probability)
    assert found.time[4, 0] == 80
    line = smoothest(found, 1.0, 0.1)
    assert found.time[np.arange(9), line].tolist() == [30.0] * 9


def test_a_sure_step_stays() -> None:
    time = np.tile([30.0, 60.0], (8, 1))
    probability = np.where(np.arange(8)[:, None] < 4, [0.999, 0.001], [0.001, 0.999])
    found = made(time, probability)
    line = smoothest(found, 1.0, 0.1)
    assert found.time[np.arange(8), line].tolist() == [30.0] * 4 + [60.0] * 4


def test_dead_traces_are_stepped_over() -> None:
    time = np.array([[10.0, 50.0], [90.0, 70.0], [12.0, 52.0]])
    probability = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]])
    found = made(time, probability, np.array([True, False, True]))
    line = smoothest(found, 1.0, 0.1)
    assert line[1] == 0
    assert [found.time[i, line[i]] for i in (0, 2)] == [10.0, 12.0]


def test_a_gather_without_a_live_trace_has_no_line() -> None:
    assert smoothest(made(np.ones((3, 2)), np.full((3, 2), 0.5), np.zeros(3, bool)), 1.0, 1.0).tolist() == [0, 0, 0]


def test_a_candidate_that_is_not_there_is_never_chosen() -> None:
    found = made(np.array([[10.0, 10.0], [90.0, 10.0], [10.0, 10.0]]), np.array([[0.9, 0.1], [1.0, 0.0], [0.9, 0.1]]))
    assert smoothest(found, 1.0, 1e6)[1] == 0
