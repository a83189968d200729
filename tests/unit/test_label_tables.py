"""The figures that the label benchmark prints, against what they are by hand."""

from math import nan
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from scipy import stats

from seisray.metrics.picks import score_picks


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    import label_tables

    return label_tables


def outcome(start: str, draw: int, pretraining: int, rate: float | None, **more: Any) -> dict[str, Any]:
    cell = {"survey": "line", "n_gathers": 1, "start": start, "draw": draw, "pretraining": pretraining}
    scores = {"hit_rate_2ms": rate, "hit_rate_2ms_debiased": rate, **more}
    return {"cell": cell, "scores": {"line": scores}, "reliability": {"line": [(10, 0.55, 0.5), (30, 0.95, 0.9)]}}


def test_an_interval_adds_what_draws_scatter_and_what_pre_trainings_do(tables: ModuleType) -> None:
    t = stats.t.ppf(0.975, 1)
    of_draws, of_pretrainings = t * 2 / 2**0.5 / 2**0.5, t * 4 / 2**0.5 / 2**0.5  # means 2 and 4 apart
    values = {(draw, pre): 2.0 * draw + 4.0 * pre for draw in (0, 1) for pre in (0, 1)}
    assert tables.mean_interval(values) == pytest.approx((of_draws**2 + of_pretrainings**2) ** 0.5)
    assert tables.mean_interval({key: value for key, value in values.items() if not key[1]}) == pytest.approx(of_draws)
    assert tables.mean_interval({(0, 0): 1.0}) != tables.mean_interval({(0, 0): 1.0}), "NaN"


def test_gains_are_draw_by_draw(tables: ModuleType) -> None:
    rates = [("scratch", 0, 0.5), ("scratch", 1, 0.7), ("taught", 0, 0.6), ("taught", 1, 0.8), ("taught", 2, 0.0)]
    lines = list(tables.gains([outcome(start, draw, 0, rate) for start, draw, rate in rates], ["scratch", "taught"]))
    assert lines[0] == "| points more than scratch | 1 of line |"
    assert lines[2] == "| taught | +10.0 ± 0.0 |", "the third draw has no picker from scratch beside it"


def test_a_score_that_is_none_is_not_the_best(tables: ModuleType) -> None:
    nothing = score_picks([nan, nan], [1.0, 2.0], sample_interval_us=1000.0)
    one = outcome("scratch", 0, 0, 0.0, **nothing.to_dict())
    _, _, learned, unlearned = tables.all_scores([one], ["scratch"], {"AIC": {"line": nothing}})
    cells = ["0.0%"] * 9 + [""] * 4  # no RMSE, MAE, bias and ECE of no picks
    assert learned.split(" | ")[2:] == unlearned.split(" | ")[2:] == [*cells[:-1], " |"]


def test_reliability_of_all_draws_is_weighed_by_their_picks(tables: ModuleType) -> None:
    found = tables.pooled([outcome("scratch", 0, 0, 0.5), outcome("scratch", 1, 0, 0.5)])
    assert [(one.n, one.probability, one.hit_rate) for one in found] == [
        (20, pytest.approx(0.55), pytest.approx(0.5)),
        (60, pytest.approx(0.95), pytest.approx(0.9)),
    ]
