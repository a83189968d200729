"""Search spaces: what a trial may set, and the configuration that comes of it.

A setting is named as in TOML and on the command line, section.field; names without a section only steer the search.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from optuna import Trial

from seisray.config import GanConfig, PickerConfig
from seisray.training.finetune import SCRATCH

VERSION = 5
"""Of the spaces and of what is sought in them: studies of another one are not gone on with."""

Config = TypeVar("Config", GanConfig, PickerConfig)


def gan_space(trial: Trial) -> None:
    """Draw the settings of a GAN: its game, how D is held back, how fast both learn, and what D is shown."""
    judge = trial.suggest_categorical("adversary.judge", ["features", "unet"])
    loss = trial.suggest_categorical("adversary.loss", ["bce", "hinge", "rpgan", "wgan"])
    trial.suggest_categorical("spectral_norm", ["none", "d", "d+g"])
    trial.suggest_float("adversary.d_lr", 5e-5, 2e-3, log=True)
    trial.suggest_categorical("adversary.lr_ratio", [1.0, 2.0, 4.0, 5.0])
    trial.suggest_categorical("adversary.beta1", [0.0, 0.5])
    trial.suggest_categorical("adversary.beta2", [0.9, 0.99, 0.999])
    trial.suggest_categorical("adversary.d_steps", [1, 2, 5])
    trial.suggest_categorical("generator.ema", [0.99, 0.999, 0.9999])
    if loss == "wgan":  # without a bound on D's slope it is no distance
        trial.suggest_float("adversary.gradient_penalty", 0.1, 10.0, log=True)
    elif trial.suggest_categorical("penalty", ["none", "r1", "r1+r2"]) != "none":
        trial.suggest_float("adversary.r1", 0.02, 10.0, log=True)
        trial.suggest_categorical("adversary.penalty_every", [1, 4, 16])
        trial.suggest_categorical("adversary.penalty_decay", [0.1, 1.0])
    trial.suggest_categorical("adversary.augment", [0.0, 0.2, 0.4, 0.6])
    trial.suggest_categorical("adversary.cutmix", [0.0, 0.5, 1.0])
    trial.suggest_categorical("adversary.lecam", [0.0, 0.1, 0.3])
    if judge == "features":
        trial.suggest_categorical("adversary.feature_share", [0.1, 0.2, 0.4])
    else:
        trial.suggest_categorical("adversary.reconstruction_weight", [0.0, 1.0, 4.0])


def gan_config(base: GanConfig, drawn: Mapping[str, Any]) -> GanConfig:
    """Return a configuration with what was drawn from `gan_space`; penalties that were not drawn are off."""
    changes = {"adversary.r1": 0.0, "adversary.gradient_penalty": 0.0} | settings(drawn)
    changes["adversary.r2"] = changes["adversary.r1"] if drawn.get("penalty") == "r1+r2" else 0.0
    if "spectral_norm" in drawn:
        changes["adversary.spectral_norm"] = drawn["spectral_norm"] != "none"
        changes["generator.spectral_norm"] = drawn["spectral_norm"] == "d+g"
    return with_settings(base, changes)


def picker_space(trial: Trial, *, sources: Sequence[str]) -> None:
    """Draw what a picker starts from, and how carefully it treats what it took over."""
    source = trial.suggest_categorical("source", list(sources))
    trial.suggest_float("transfer.lr", 3e-4, 3e-3, log=True)
    if source != SCRATCH:  # from scratch there is nothing to protect
        trial.suggest_categorical("transfer.encoder_lr", [0.1, 0.3, 1.0])
        trial.suggest_categorical("transfer.frozen", [0, 1, 2, 4])


def picker_config(base: PickerConfig, drawn: Mapping[str, Any]) -> PickerConfig:
    """Return a configuration with what was drawn from `picker_space`."""
    return with_settings(base, {"transfer.encoder_lr": 1.0, "transfer.frozen": 0} | settings(drawn))


def settings(drawn: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was drawn without the names that only steer the search."""
    return {name: value for name, value in drawn.items() if "." in name}


def with_settings(base: Config, changes: Mapping[str, Any]) -> Config:
    """Return a configuration with settings named section.field changed; raise ConfigError where one is not allowed."""
    sections: dict[str, dict[str, Any]] = {}
    for name, value in changes.items():
        section, _, field = name.partition(".")
        sections.setdefault(section, {})[field] = value
    changed = {name: dataclasses.replace(getattr(base, name), **values) for name, values in sections.items()}
    return dataclasses.replace(base, **changed)
