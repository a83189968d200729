"""What is counted of millions of picks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from picked import picked_store

import seisray.report.tally
from seisray.picking.traces import picked_shards
from seisray.registry import Store
from seisray.report.tally import BINS, MatrixTally, PickTally, QualityTally


def tally_of(store: Store, n_gathers: int) -> PickTally:
    tally = PickTally(n_gathers=n_gathers)
    for shard in picked_shards(store, store.picks("line-picks")):
        tally.add(shard)
    return tally


def test_medians_are_good_to_a_bin_over_any_number_of_additions() -> None:
    rng = np.random.default_rng(3)
    tally, values = QualityTally(), rng.beta(5, 2, (200, 41))
    for column in values.T:  # 200 things, one trace of each at a time
        tally.add(np.arange(200)[:, None], column, column < 0.5)
    np.testing.assert_allclose(tally.median(), np.median(values, axis=1), atol=0.501 / BINS, rtol=0)
    np.testing.assert_allclose(tally.share_flagged(), (values < 0.5).mean(axis=1))


def test_gathers_share_rows_of_a_matrix_where_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seisray.report.tally, "MATRIX_ROWS", 2)
    matrix = MatrixTally(4)
    matrix.add(np.array([0, 1, 3]), np.array([1, 1, 2]), np.array([0.2, 0.4, 1.0]), np.array([0.0, 1.0, 0.0]))
    np.testing.assert_allclose(matrix.probability()[:, 1:], [[0.3, np.nan], [np.nan, 1.0]])
    np.testing.assert_allclose(matrix.share_flagged()[0, 1], 0.5)


def test_a_tally_counts_each_trace_once(line_gathers: Callable, tmp_path: Path) -> None:
    tally = tally_of(picked_store(tmp_path, line_gathers(5), probability=[0.9, 0.4, 0.9, 0.9, 0.9]), 5)
    assert tally.flags == {"ok": 44, "low_probability": 11, "dead": 5}
    assert (tally.n_live, tally.n_picked, tally.probability.sum()) == (55, 55, 55)
    assert tally.has_geometry
    assert (len(tally.shots), len(tally.stations)) == (5, 11)  # the dead trace's station has no live trace
    assert len(tally.gathers) == 5


def test_gathers_that_are_left_out_have_no_row_in_the_matrix(line_gathers: Callable, tmp_path: Path) -> None:
    gathers = line_gathers(5)
    store = picked_store(tmp_path, gathers)
    tally = PickTally(n_gathers=2)
    for shard in picked_shards(store, store.picks("line-picks"), ffids=[gathers[1].ffid, gathers[4].ffid]):
        tally.add(shard)
    assert len(tally.gathers) == len(tally.matrix.probability()) == 2


def test_more_picks_than_a_chart_holds_are_drawn_fairly(
    line_gathers: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seisray.report.tally, "SAMPLE", 200)
    tally = tally_of(picked_store(tmp_path, line_gathers(60)), 60)
    _, channel, pick_ms = tally.sample()
    assert (pick_ms.size, tally.n_picked) == (200, 660)
    counts = np.bincount(channel.astype(int), minlength=13)[1:]
    assert counts[2] == 0
    assert np.delete(counts, 2).min() >= 8  # 18 expected of each channel
