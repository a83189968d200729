import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from seisray.config import (
    AdversaryConfig,
    AugmentConfig,
    BodyConfig,
    GanConfig,
    GeneratorConfig,
    PanelConfig,
    PickerConfig,
    RefineConfig,
    TrainConfig,
    TransferConfig,
    ValidationConfig,
    fingerprint,
)
from seisray.errors import ConfigError

REFUSED: list[tuple[Callable[..., object], str, Any]] = [
    (PanelConfig, "traces", 12),
    (PanelConfig, "samples", 16),
    (PanelConfig, "samples", 40),
    (PanelConfig, "gain", 0.0),
    (PanelConfig, "gain", 1e7),
    (PanelConfig, "gain", float("nan")),
    (PanelConfig, "per_gather", 0),
    (BodyConfig, "channels", (2, 2, 2)),
    (BodyConfig, "channels", (1, 2, 2, 2)),
    (BodyConfig, "channels", (2.0, 2, 2, 2)),
    (AugmentConfig, "empty", 1.1),
    (BodyConfig, "kernel_samples", 4),
    (BodyConfig, "kernel_samples", 7.0),
    (GeneratorConfig, "ema", 1.0),
    (GeneratorConfig, "latent", 0),
    (AdversaryConfig, "d_lr", 0.0),
    (AdversaryConfig, "lr_ratio", float("nan")),
    (AdversaryConfig, "beta1", 1.0),
    (AdversaryConfig, "beta2", -0.1),
    (AdversaryConfig, "r1", -1.0),
    (AdversaryConfig, "hidden_traces", 1.0),
    (TrainConfig, "steps", 0),
    (TrainConfig, "workers", 0),
    (TrainConfig, "gpus", -1),
    (AugmentConfig, "stretch", 0.5),
    (AugmentConfig, "flip", 1.5),
    (AugmentConfig, "decimate", 1.1),
    (AugmentConfig, "reversed", -0.1),
    (AugmentConfig, "hum", 2.0),
    (AugmentConfig, "plane_wave", float("nan")),
    (AugmentConfig, "recorded", 1.5),
    (AugmentConfig, "later_shot", -1.0),
    (TransferConfig, "frozen", 5),
    (TransferConfig, "lr", 0.0),
    (TransferConfig, "thaw", 1.5),
    (TransferConfig, "level_lr", 0.0),
    (ValidationConfig, "share", 1.0),
    (ValidationConfig, "every", 0),
    (ValidationConfig, "patience", -1),
    (PickerConfig, "label_sigma", 0.0),
    (GanConfig, "sample_every", 0),
]


@pytest.mark.parametrize(("config", "name", "value"), REFUSED)
def test_a_value_outside_its_range_is_named(config: Callable[..., object], name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=rf"{config.__name__}\.{name} is .*, expected"):
        config(**{name: value})


def test_a_body_is_what_its_card_says() -> None:
    body = BodyConfig(channels=(2, 3, 4, 5), kernel_samples=3)
    assert BodyConfig.from_card({"channels": [2, 3, 4, 5], "kernel_samples": 3}) == body


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"kernel_samples": 3},
        {"channels": [2, 3, 4, 5]},
        {"channels": [2, 3, 4, 5], "kernel_samples": 7, "depth": 4},
        {"channels": None, "kernel_samples": 7},
    ],
)
def test_a_card_without_a_body_is_told(body: Any) -> None:
    with pytest.raises(ConfigError, match="its card's body is"):
        BodyConfig.from_card(body)


def test_workers_share_a_batch_evenly() -> None:
    with pytest.raises(ConfigError, match=r"batch is 7, expected a multiple of 2 workers"):
        TrainConfig(batch=7, workers=2)


@pytest.mark.parametrize("config", [GanConfig, RefineConfig])
def test_any_number_of_workers_gets_whole_groups_of_panels(config: type[GanConfig] | type[RefineConfig]) -> None:
    train, adversary = TrainConfig(batch=12, workers=3, least_workers=2), AdversaryConfig(minibatch_std=2)
    config(train=train, adversary=adversary)
    with pytest.raises(ConfigError, match=r"batch is 12, expected a multiple of 4 panels for each of 2 workers"):
        config(train=train, adversary=dataclasses.replace(adversary, accumulate=2))
    with pytest.raises(ConfigError, match=r"batch is 6, expected a multiple of 2 panels for each of 2 workers"):
        config(train=TrainConfig(batch=6, workers=2), adversary=adversary)


def test_every_stabiliser_can_be_off() -> None:
    AdversaryConfig(
        judge="unet",
        spectral_norm=False,
        minibatch_std=0,
        r1=0,
        pixel_weight=0,
        reconstruction_weight=0,
        hidden_traces=0,
        hidden_blocks=0,
    )
    AugmentConfig(
        stretch=1,
        shift=0,
        late=0,
        moveout=0,
        statics=0,
        gain=1,
        trace_gain=1,
        noise=0,
        dead=0,
        empty=0,
        flip=0,
        polarity=0,
    )


def test_settings_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        PanelConfig().traces = 8  # type: ignore[misc]


def test_the_fingerprint_changes_with_a_setting_deep_inside() -> None:
    assert fingerprint(GanConfig()) == fingerprint(GanConfig())
    assert fingerprint(GanConfig()) != fingerprint(GanConfig(train=TrainConfig(seed=1)))


def test_the_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
