"""Adversarial pre-training: the step in plain torch."""

from typing import cast

import torch
from torch import Tensor, nn

from seisray.config import GanConfig, GeneratorConfig
from seisray.models.generator import Generator
from seisray.training.game import SAMPLES_A_PASS, Draw, GameStep


class GanStep(GameStep):
    """Train generator and discriminator by one batch a call; all else is as of GameStep."""

    config: GanConfig

    def _generator(self) -> nn.Module:
        return Generator(self.config.generator, self.config.panel)

    @property
    def _averaging(self) -> GeneratorConfig:
        return self.config.generator

    def _draw(self, n: int) -> list[Draw]:
        """Return what the micro-batches of n panels are made of."""
        latent = torch.randn(n, self.config.generator.latent, device=self.device)
        parts = self.config.adversary.accumulate
        if parts == 1:
            return [(latent,)]
        with self._autocast:
            noise = cast(Generator, self.generator).draw_noise(n, self.device)
        return list(zip(*(drawn.chunk(parts) for drawn in (latent, *noise)), strict=True))

    @torch.no_grad()
    def samples(self, n: int, *, seed: int | None = None) -> Tensor:
        """Return (n, traces, samples) panels of the averaged generator, from the same latent vectors for a seed.

        seed: by default the run's own.
        """
        seed = self.config.train.seed if seed is None else seed
        random = torch.Generator().manual_seed(seed)
        latent = torch.randn(n, self.config.generator.latent, generator=random)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            made = [self.averaged(part.to(self.device))[:, 0].cpu() for part in latent.split(SAMPLES_A_PASS)]
        return torch.cat(made)
