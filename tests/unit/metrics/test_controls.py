"""All measures together, with their controls."""

from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import pytest
from numpy.typing import NDArray

from seisray.errors import ConfigError
from seisray.metrics import two_sample
from seisray.metrics.controls import MODES, ControlledMeasure, collapsed, control_table, white_noise
from seisray.metrics.samples import MEASURES, measure_samples

Panels = NDArray[np.float32]
MakePanels = Callable[..., Panels]


@pytest.fixture(scope="module")
def table(arrivals: MakePanels) -> dict[str, ControlledMeasure]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(two_sample, "STEPS", 25)
        return control_table(arrivals(192, 0), arrivals(192, 1), arrivals(96, 2))


def test_every_measure_has_a_value_and_four_controls(table: dict[str, ControlledMeasure]) -> None:
    assert tuple(table) == MEASURES
    assert all(np.isfinite(list(asdict(row).values())).all() for row in table.values())


def test_what_was_learned_by_heart_is_compared_with_the_rest_of_it(
    arrivals: MakePanels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(two_sample, "STEPS", 2)
    windows = np.tile(arrivals(64, 0), (2, 1, 1))  # each panel was cut twice
    table = control_table(windows, arrivals(64, 1), arrivals(32, 2))
    assert table["copied"].learned > 0.5  # where the other one is among those compared with
    assert table["novelty"].learned < 0.1
    assert table["copied"].floor == pytest.approx(0.05, abs=0.2)


def test_panels_of_the_same_kind_are_at_the_floor(table: dict[str, ControlledMeasure]) -> None:
    for name in ("frechet_distance", "spectrum_distance", "amplitude_distance"):
        assert table[name].value < 2 * table[name].floor, name
    for name in ("precision", "recall", "coverage", "diversity_ratio", "novelty", "classifier_accuracy"):
        assert table[name].value == pytest.approx(table[name].floor, abs=0.25), name


def test_what_was_learned_is_not_compared_with_itself(table: dict[str, ControlledMeasure]) -> None:
    assert table["novelty"].learned > 0.5
    assert table["copied"].learned < 0.5


def test_noise_and_a_collapse_are_far_above_the_floor(table: dict[str, ControlledMeasure]) -> None:
    for name in ("frechet_distance", "kernel_distance"):
        assert min(table[name].noise, table[name].collapsed) > 4 * abs(table[name].floor), name
    assert table["recall"].noise < 0.1
    assert table["coverage"].collapsed < 0.5 * table["coverage"].floor
    assert table["diversity_ratio"].noise < 0.5
    assert table["diversity_ratio"].collapsed < 0.2
    assert table["classifier_accuracy"].noise > 0.95


def test_copies_of_the_training_panels_are_found(arrivals: MakePanels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(two_sample, "STEPS", 2)
    train = arrivals(48, 0)
    found = measure_samples(train, arrivals(32, 1), train[:32])
    assert found["novelty"] < 0.01
    assert found["copied"] == 1


def test_what_is_not_finite_has_no_measure(arrivals: MakePanels) -> None:
    panels = arrivals(16, 0)
    broken = panels.copy()
    broken[3, 2, 1] = np.nan
    assert all(np.isnan(value) for value in measure_samples(panels, panels, broken).values())
    with pytest.raises(ConfigError, match="real panels to measure hold values that are not finite"):
        measure_samples(panels, broken, panels)


def test_sets_that_cannot_be_compared_are_refused(arrivals: MakePanels) -> None:
    panels = arrivals(16, 0)
    with pytest.raises(ConfigError, match=r"fake panels to measure are .16, 40, 128., real ones .16, 32, 128."):
        measure_samples(panels, panels, arrivals(16, 0, traces=40))
    with pytest.raises(ConfigError, match=r"train panels .* at least 16 of each"):
        measure_samples(panels[:15], panels, panels)
    with pytest.raises(ConfigError, match="two halves of the real panels; got 16, expected 32"):
        control_table(panels, panels, panels)
    with pytest.raises(ConfigError, match="panels learned from; got 31, expected 32"):
        control_table(arrivals(31, 0), arrivals(32, 0), panels)


def test_white_noise_is_normalised_with_the_gain_of_the_panels(arrivals: MakePanels) -> None:
    like = arrivals(8, 0, gain=7.0)
    like[0, 3] = 0  # a dead trace says nothing of the gain
    rms = np.sqrt(np.mean(np.sinh(white_noise(like).astype(float)) ** 2, axis=2))
    assert rms == pytest.approx(np.full((8, 32), 7.0), rel=1e-4)


def test_a_collapsed_set_holds_eight_panels(arrivals: MakePanels) -> None:
    panels = arrivals(40, 0)
    found = collapsed(panels)
    apart = np.abs(found[:, None] - panels[None]).mean(axis=(2, 3))
    assert found.shape == panels.shape
    assert len(set(apart.argmin(axis=1))) == MODES
