"""The tint of a generator: what brings the mean spectrum of its samples nearer to that of field panels."""

from collections.abc import Sequence
from typing import cast

import torch

from seisray.config import GanConfig
from seisray.metrics.spectra import log_spectrum
from seisray.models.generator import Generator
from seisray.stream import ShardRef
from seisray.training.gan import GanStep
from seisray.training.measure import SHARDS_MEASURED, reference_panels

PANELS, SAMPLES = 512, 1024  # fewer samples give the spectrum of these, not of the generator
ROUNDS = 2  # the normalisation of traces is not linear
SHARE = 0.5  # of the tint, in decibels: all of it would make samples more alike


def tint(step: GanStep, learned: Sequence[ShardRef], config: GanConfig) -> None:
    """Set the tint of the averaged generator, a part of what gives its samples the spectrum of what it learned from.

    learned: where those field panels lie; without live ones nothing is done. Convolutional generators miss the spectrum
    of what they learn, most where D hardly looks (Durall et al. 2020, 2003.01826); a zero-phase filter can mend that.
    """
    field = reference_panels(learned, config.panel, PANELS, most_shards=SHARDS_MEASURED)
    if not len(field):
        return
    wanted = log_spectrum(field)
    factors = cast(Generator, step.averaged).tint
    for _ in range(ROUNDS):
        missing = wanted - log_spectrum(step.samples(SAMPLES, seed=config.train.seed + 1).numpy())
        factors *= torch.from_numpy(10.0**missing).to(factors)
    factors.pow_(SHARE)
