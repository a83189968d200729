import numpy as np

from seisray.synthetic.spread import ACROSS, FARTHEST_M, Spread, random_spread


def spreads(off_line: float) -> list[Spread]:
    return [random_spread(np.random.default_rng(seed), 24, 5.0, off_line) for seed in range(200)]


def test_receivers_of_one_line_stand_along_it() -> None:
    for spread in spreads(0.0):
        np.testing.assert_array_equal(spread.along_m, 2.5 + 5.0 * np.arange(24))
        assert not spread.across_m.any()


def test_a_share_of_spreads_stands_beside_the_line_whole_or_in_part() -> None:
    shares = np.array([np.mean(spread.across_m > 0) for spread in spreads(0.5)])
    assert 0.3 < np.mean(shares == 0) < 0.7
    assert 0.1 < np.mean(shares == 1) < 0.4
    parts = shares[(shares > 0) & (shares < 1)]
    assert 0.1 < len(parts) / 200 < 0.4
    assert 0.25 <= parts.min() < parts.max() <= 0.75


def test_the_other_line_begins_where_the_first_one_does_and_lies_within_its_reach() -> None:
    assert max(random_spread(np.random.default_rng(s), 400, 10.0, 1.0).across_m.max() for s in range(20)) == FARTHEST_M
    for spread in spreads(1.0):
        across_m = spread.across_m[spread.across_m > 0]
        assert len(set(across_m)) == 1
        assert ACROSS[0] <= across_m[0] / 120.0 <= ACROSS[1]
        beginnings = np.flatnonzero(spread.along_m == 2.5)
        assert len(beginnings) == (1 if (spread.across_m > 0).all() else 2)
        assert len(set(zip(spread.along_m, spread.across_m, strict=True))) == 24
