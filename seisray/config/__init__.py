"""Settings of every step: frozen dataclasses, checked at construction. They make the TOML files and the flags."""

from seisray.config.checks import config_dict, fingerprint
from seisray.config.gan import AdversaryConfig, GameConfig, GanConfig, GeneratorConfig
from seisray.config.panel import BodyConfig, PanelConfig
from seisray.config.pick import SHIPPED, Engine, Event, PickConfig, Polarity
from seisray.config.picker import (
    AlignConfig,
    AugmentConfig,
    PickerConfig,
    PickerPanelConfig,
    PickerTrainConfig,
    TransferConfig,
    ValidationConfig,
)
from seisray.config.rebuild import AutoencoderConfig, InpaintConfig, MaskedConfig, RebuildTrainConfig
from seisray.config.refine import KeepConfig, RefineConfig, RefinerConfig
from seisray.config.run import DemoConfig, TrainConfig, TuneConfig
from seisray.config.watch import WatchConfig

__all__ = [
    "SHIPPED",
    "AdversaryConfig",
    "AlignConfig",
    "AugmentConfig",
    "AutoencoderConfig",
    "BodyConfig",
    "DemoConfig",
    "Engine",
    "Event",
    "GameConfig",
    "GanConfig",
    "GeneratorConfig",
    "InpaintConfig",
    "KeepConfig",
    "MaskedConfig",
    "PanelConfig",
    "PickConfig",
    "PickerConfig",
    "PickerPanelConfig",
    "PickerTrainConfig",
    "Polarity",
    "RebuildTrainConfig",
    "RefineConfig",
    "RefinerConfig",
    "TrainConfig",
    "TransferConfig",
    "TuneConfig",
    "ValidationConfig",
    "WatchConfig",
    "config_dict",
    "fingerprint",
]
