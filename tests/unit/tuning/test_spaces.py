"""Search spaces: every value can be drawn, lies in its range, and makes a valid configuration."""

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

import optuna
import pytest

from seisray.config import GanConfig, PanelConfig, PickerConfig
from seisray.errors import ConfigError
from seisray.tuning.spaces import gan_config, gan_space, picker_config, picker_space, with_settings


def draw(space: Callable[[optuna.Trial], None], n: int = 200) -> list[dict[str, Any]]:
    """Return what n random trials draw."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    trials = [study.ask() for _ in range(n)]
    for trial in trials:
        space(trial)
    return [trial.params for trial in trials]


def values_of(drawn: list[dict[str, Any]]) -> dict[str, set[Any]]:
    found = defaultdict(set)
    for params in drawn:
        for name, value in params.items():
            found[name].add(value)
    return found


@pytest.fixture(scope="module")
def gan() -> list[dict[str, Any]]:
    return draw(gan_space)


@pytest.fixture(scope="module")
def picker() -> list[dict[str, Any]]:
    return draw(partial(picker_space, sources=["scratch", "gan@v1", "gan@v2"]))


def test_every_choice_of_the_gan_is_drawn(gan: list[dict[str, Any]]) -> None:
    found = values_of(gan)
    assert found["adversary.loss"] == {"bce", "hinge", "rpgan", "wgan"}
    assert found["spectral_norm"] == {"none", "d", "d+g"}
    assert found["adversary.lr_ratio"] == {1, 2, 4, 5}
    assert found["adversary.beta1"] == {0.0, 0.5}
    assert found["adversary.beta2"] == {0.9, 0.99, 0.999}
    assert found["adversary.d_steps"] == {1, 2, 5}
    assert found["generator.ema"] == {0.99, 0.999, 0.9999}
    assert found["penalty"] == {"none", "r1", "r1+r2"}
    assert found["adversary.penalty_every"] == {1, 4, 16}
    assert found["adversary.penalty_decay"] == {0.1, 1.0}
    assert found["adversary.augment"] == {0.0, 0.2, 0.4, 0.6}
    assert found["adversary.cutmix"] == {0.0, 0.5, 1.0}
    assert found["adversary.lecam"] == {0.0, 0.1, 0.3}
    assert found["adversary.reconstruction_weight"] == {0.0, 1.0, 4.0}


RANGES = [("adversary.d_lr", 5e-5, 2e-3), ("adversary.r1", 0.02, 10), ("adversary.gradient_penalty", 0.1, 10)]


@pytest.mark.parametrize(("name", "low", "high"), RANGES)
def test_rates_and_penalties_fill_their_range(gan: list[dict[str, Any]], name: str, low: float, high: float) -> None:
    found = values_of(gan)[name]
    assert low <= min(found) < 2 * low
    assert high / 2 < max(found) <= high


def test_each_trial_pays_the_penalties_it_drew_and_no_other(gan: list[dict[str, Any]]) -> None:
    for drawn in gan:
        adversary = gan_config(GanConfig(), drawn).adversary
        kinds = {"none": (False, False), "r1": (True, False), "r1+r2": (True, True)}
        assert (adversary.r1 > 0, adversary.r2 > 0) == kinds[drawn.get("penalty", "none")]
        assert adversary.r2 in (0, adversary.r1)
        assert (adversary.gradient_penalty > 0) == (drawn["adversary.loss"] == "wgan")


def test_spectral_norm_holds_the_networks_that_were_drawn(gan: list[dict[str, Any]]) -> None:
    for drawn in gan:
        config = gan_config(GanConfig(), drawn)
        held = {"none": (False, False), "d": (True, False), "d+g": (True, True)}[drawn["spectral_norm"]]
        assert (config.adversary.spectral_norm, config.generator.spectral_norm) == held


def test_a_gan_keeps_what_is_not_searched(gan: list[dict[str, Any]]) -> None:
    base = GanConfig(panel=PanelConfig(traces=8, samples=32))
    config = gan_config(base, gan[0])
    assert (config.panel, config.train) == (base.panel, base.train)
    assert config.adversary.d_lr == gan[0]["adversary.d_lr"]


def test_betas_are_fractions_even_where_they_are_zero(gan: list[dict[str, Any]]) -> None:
    assert {type(gan_config(GanConfig(), drawn).adversary.beta1) for drawn in gan} == {float}


def test_every_choice_of_the_picker_is_drawn(picker: list[dict[str, Any]]) -> None:
    found = values_of(picker)
    assert found["source"] == {"scratch", "gan@v1", "gan@v2"}
    assert found["transfer.encoder_lr"] == {0.1, 0.3, 1.0}
    assert found["transfer.frozen"] == {0, 1, 2, 4}
    assert 3e-4 <= min(found["transfer.lr"]) <= max(found["transfer.lr"]) <= 3e-3


def test_from_scratch_nothing_is_protected(picker: list[dict[str, Any]]) -> None:
    base = PickerConfig()
    for drawn in picker:
        transfer = picker_config(base, drawn).transfer
        if drawn["source"] == "scratch":
            assert (transfer.encoder_lr, transfer.frozen) == (1.0, 0)
        else:
            assert (transfer.encoder_lr, transfer.frozen) == (drawn["transfer.encoder_lr"], drawn["transfer.frozen"])


def test_a_setting_outside_its_range_is_refused() -> None:
    with pytest.raises(ConfigError, match="d_lr"):
        with_settings(GanConfig(), {"adversary.d_lr": 2.0})
