"""Which gathers to label: unlike each other, standing for many, doubtful ones first."""

from collections.abc import Callable

import numpy as np
import pytest
from picked import picked_store

from seisray.errors import ConfigError
from seisray.gather import Gather
from seisray.picking.suggest import cover, suggest
from seisray.registry import Store


def test_each_cluster_gets_one_before_any_gets_two() -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(at, 0.1, (n, 3)) for at, n in ((0, 50), (5, 20), (-5, 5))])
    cluster = np.repeat([0, 1, 2], (50, 20, 5))
    chosen = cover(rows, np.ones(75), range(75), 4, covered=np.empty((0, 3)))
    assert cluster[chosen[0]] == 0, "the first one stands for as many as can be"
    assert sorted(cluster[chosen[:3]]) == [0, 1, 2]
    assert len(set(chosen)) == 4


def test_what_is_covered_is_left_alone() -> None:
    rows = np.array([[0.0], [0.1], [5.0], [5.1], [5.2]])
    assert cover(rows, np.ones(5), range(5), 1, covered=np.array([[5.1]]))[0] in (0, 1)


def test_weights_decide_between_equal_clusters() -> None:
    rows = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
    weight = np.array([0.1, 0.1, 0.1, 1.0, 1.0, 1.0])
    assert cover(rows, weight, range(6), 1, covered=np.empty((0, 1))) == [4]


def test_only_free_rows_are_chosen() -> None:
    rows = np.arange(6.0)[:, None]
    assert set(cover(rows, np.ones(6), [1, 4], 2, covered=np.empty((0, 1)))) == {1, 4}


@pytest.fixture(scope="module")
def gathers(line_gathers: Callable) -> list[Gather]:
    """Return twelve gathers without labels but for the first, the last three of them noise."""
    rng = np.random.default_rng(0)
    found = line_gathers(12, n_traces=40, n_samples=256, sample_interval_us=500.0)
    for i in range(9, 12):
        found[i] = found[i].replace(samples=rng.normal(size=found[i].samples.shape))
    nothing = np.full(40, np.nan)
    return [found[0], *(gather.replace(first_break_ms=nothing) for gather in found[1:])]


@pytest.fixture(scope="module")
def store(gathers: list[Gather], tmp_path_factory: pytest.TempPathFactory, ray_session: None) -> Store:
    sure = [0.95] * 6 + [0.3] * 3 + [0.95] * 3
    return picked_store(tmp_path_factory.mktemp("store"), gathers, probability=sure)


def test_a_survey_names_gathers_that_are_not_labelled_and_unlike_those_that_are(store: Store) -> None:
    found = suggest("line", n=3, store=str(store.root.uri))
    assert found[0].ffid in (110, 111, 112), "noise is what the labelled gather does not show"
    assert 101 not in {one.ffid for one in found}
    assert len({one.ffid for one in found}) == 3
    assert sum(one.stands_for for one in found) == 12
    assert all(np.isnan(one.doubt) for one in found)


def test_doubtful_gathers_come_first_where_picks_are_named(store: Store) -> None:
    (first, *_) = suggest("line", n=2, store=str(store.root.uri), picks="line-picks")
    assert first.ffid in (107, 108, 109)
    assert first.doubt == pytest.approx(0.7, abs=0.05)


@pytest.mark.parametrize("n", [0, 12])
def test_more_than_there_are_cannot_be_named(n: int, store: Store) -> None:
    with pytest.raises(ConfigError, match="has 11 gathers with live traces and without labels"):
        suggest("line", n=n, store=str(store.root.uri))
