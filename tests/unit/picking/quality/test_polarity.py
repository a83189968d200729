import numpy as np

from seisray.picking.quality.polarity import resemblance


def test_an_inverted_trace_resembles_its_neighbours_upside_down() -> None:
    rng = np.random.default_rng(0)
    pick = 20.0 + 2 * np.arange(12)
    after = np.clip(np.arange(128) - pick[:, None], 0, None)
    samples = np.sin(after / 3) * np.exp(-after / 10) + rng.normal(scale=0.02, size=(12, 128))
    samples[5] *= -40
    samples[8], pick[9] = 0, np.nan
    found = resemblance(samples.astype(np.float32), pick, 1000.0)
    assert found[5] < -0.9
    assert np.isnan(found[[8, 9]]).all()
    assert (np.delete(found, [5, 8, 9]) > 0.8).all()


def test_a_lone_trace_resembles_nothing() -> None:
    assert np.isnan(resemblance(np.ones((1, 64), dtype=np.float32), np.array([9.0]), 1000.0)).all()
