from typing import Any

import pytest

from seisray.config import AdversaryConfig, GanConfig, GeneratorConfig, TrainConfig
from seisray.errors import ConfigError

REFUSED: list[tuple[str, Any]] = [
    ("loss", "bcee"),
    ("minibatch_std", 1),
    ("d_steps", 0),
    ("accumulate", 0),
    ("gradient_clip", -1.0),
    ("top_k", 0.0),
    ("r2", -0.1),
    ("gradient_penalty", float("nan")),
    ("penalty_every", 0),
    ("penalty_decay", 1.5),
    ("augment", 1.1),
    ("augment_target", -0.1),
    ("augment_steps", 0),
    ("instance_noise", -1.0),
    ("instance_noise_steps", 0),
    ("label_smoothing", 0.6),
    ("cutmix", 2.0),
    ("lecam", -1.0),
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_a_stabiliser_outside_its_range_is_named(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=rf"AdversaryConfig\.{name} is .*, expected"):
        AdversaryConfig(**{name: value})


@pytest.mark.parametrize("loss", ["hinge", "wgan", "rpgan"])
def test_losses_without_labels_refuse_to_smooth_them(loss: Any) -> None:
    with pytest.raises(ConfigError, match=rf"label_smoothing is 0.1, expected 0 with the loss {loss}"):
        AdversaryConfig(loss=loss, label_smoothing=0.1)


def test_a_ramp_backwards_is_refused() -> None:
    with pytest.raises(ConfigError, match="ema_ramp"):
        GeneratorConfig(ema_ramp=-1)


def test_channels_that_are_no_whole_numbers_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"channels is .*, expected whole numbers"):
        GeneratorConfig(channels=(16.5, 32, 48, 64))  # type: ignore[arg-type]


def test_features_leave_steps_for_the_game() -> None:
    with pytest.raises(ConfigError, match=r"feature_share is 0\.2, expected less than all 1 steps, or no game is left"):
        GanConfig(train=TrainConfig(steps=1, batch=4))
    GanConfig(train=TrainConfig(steps=1, batch=4), adversary=AdversaryConfig(judge="unet"))
