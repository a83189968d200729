"""What pickers of label_efficiency.py start from: bodies trained in plain torch without a label of a field gather.

Pre-training, and the refiner of synthetic gathers, see the raw traces of the surveys but for held-out gathers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from real_surveys import UNLABELLED_AUGMENT
from torch import Tensor

from seisray.config import (
    AdversaryConfig,
    AutoencoderConfig,
    GanConfig,
    MaskedConfig,
    PanelConfig,
    PickerConfig,
    PickerTrainConfig,
    RebuildTrainConfig,
    RefineConfig,
    TrainConfig,
)
from seisray.gather import Gather
from seisray.heap import keep_heap
from seisray.models.transfer import bake_spectral_norm
from seisray.stream import cut_with_breaks
from seisray.training.gan import GanStep
from seisray.training.picker import PickerStep
from seisray.training.precision import flush_denormals
from seisray.training.rebuild import RebuildStep
from seisray.training.refine import RefineStep
from seisray.training.refinement import Manner, refined
from seisray.transforms import Samples, cut_panels

Weights = Mapping[str, Tensor]
PANEL = PanelConfig(traces=48, samples=256)
BATCH = 12
UNET = AdversaryConfig(judge="unet", loss="bce", r1=0.3, minibatch_std=0)


def start_of(kind: str, traces: Sequence[Samples], synthetic: Sequence[Gather], steps: int, seed: int) -> Weights:
    """Return weights named body.*, as a discriminator, a rebuilder or a picker has them.

    traces: live traces of each gather, (n_traces, n_samples). synthetic: labelled gathers at the field's tempo. steps:
    of masked reconstruction; the others get about as many seconds.
    """
    torch.set_num_threads(1)
    keep_heap()
    flush_denormals()
    return MAKERS[kind](traces, synthetic, steps, seed)


def _panels(traces: Sequence[Samples], seed: int, panel: PanelConfig) -> Callable[[], Tensor]:
    rng = np.random.default_rng(seed)

    def batch() -> Tensor:
        chosen = rng.integers(len(traces), size=BATCH)
        return torch.from_numpy(np.concatenate([cut_panels(traces[i], rng, panel, 1) for i in chosen]))

    return batch


def _rebuilt(config_type: type[MaskedConfig]) -> Callable[..., Weights]:
    def make(traces: Sequence[Samples], _synthetic: Sequence[Gather], steps: int, seed: int) -> Weights:
        train = RebuildTrainConfig(steps=steps, batch=BATCH, workers=1, seed=seed)
        step = RebuildStep(config_type(panel=PANEL, train=train))
        batch = _panels(traces, seed, PANEL)
        while step.step < steps:
            step(batch())
        return _kept(step.network)

    return make


def _judged(adversary: AdversaryConfig) -> Callable[..., Weights]:
    def make(traces: Sequence[Samples], _synthetic: Sequence[Gather], steps: int, seed: int) -> Weights:
        n_steps = max(steps // 3, 1)  # a step of the GAN takes three times as long
        train = TrainConfig(steps=n_steps, batch=BATCH, workers=1, seed=seed)
        step = GanStep(GanConfig(panel=PANEL, adversary=adversary, train=train))
        batch = _panels(traces, seed, PANEL)
        while step.step < n_steps:
            step(batch())
        bake_spectral_norm(step.discriminator)
        return _kept(step.discriminator)

    return make


def _taught(first: str | None) -> Callable[..., Weights]:
    def make(traces: Sequence[Samples], synthetic: Sequence[Gather], steps: int, seed: int) -> Weights:
        body = MAKERS[first](traces, synthetic, steps, seed) if first else None
        n_steps = max(steps // 3, 1)  # its panels are twice as large
        train = PickerTrainConfig(steps=n_steps, batch=BATCH, workers=1, seed=seed)
        config = PickerConfig(train=train, augment=UNLABELLED_AUGMENT)
        step = PickerStep(config, synthetic, body=dict(body) if body else None)
        while step.step < n_steps:
            step(BATCH)
        return _kept(step.picker)

    return make


def _refined(traces: Sequence[Samples], synthetic: Sequence[Gather], steps: int, seed: int) -> Weights:
    n_steps, rng = max(steps // 6, 1), np.random.default_rng(seed)
    config = RefineConfig()
    config = replace(config, train=replace(config.train, steps=n_steps, batch=BATCH, workers=1, seed=seed))
    step, field = RefineStep(config), _panels(traces, seed, RefineConfig().panel)
    while step.step < n_steps:
        chosen = rng.integers(len(synthetic), size=BATCH)
        made = np.concatenate([cut_with_breaks(synthetic[i], rng, config.panel, 1) for i in chosen])
        step(field(), torch.from_numpy(made))
    how = Manner(config.refiner, config.panel, dict(step.averaged.state_dict()), 1.0, seed)
    return _taught(None)(traces, [refined(gather, how) for gather in synthetic], steps // 2, seed)


def _kept(module: torch.nn.Module) -> dict[str, Any]:
    return {name: tensor.detach().contiguous() for name, tensor in module.state_dict().items()}


MAKERS: Mapping[str, Callable[..., Weights]] = {
    "autoencoder": _rebuilt(AutoencoderConfig),
    "masked": _rebuilt(MaskedConfig),
    "gan": _judged(UNET),
    "gan of features": _judged(AdversaryConfig(feature_share=0.5)),
    "synthetic": _taught(None),
    "synthetic after masked": _taught("masked"),
    "synthetic after gan": _taught("gan"),
    "synthetic refined": _refined,
}
