"""Adversarial pre-training: the step in plain torch."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from seisray.config import GanConfig
from seisray.losses import bce_fake, bce_real, gradient_penalty, repair_loss
from seisray.models.discriminator import Discriminator, Judgement
from seisray.models.generator import Generator
from seisray.models.masking import random_mask
from seisray.models.unet import channels_last
from seisray.training.precision import autocast

Wrap = Callable[[nn.Module], nn.Module]


class GanStep:
    """Train generator and discriminator by one batch a call.

    wrap: puts a module under DDP; plain torch needs none. The randomness of a step comes from (seed, step, rank) alone,
    so that a run goes on from a checkpoint exactly.
    """

    def __init__(
        self, config: GanConfig, *, device: str = "cpu", rank: int = 0, wrap: Wrap = lambda module: module
    ) -> None:
        self.config, self.device, self.rank, self.step = config, device, rank, 0
        adversary = config.adversary
        torch.manual_seed(config.train.seed)
        self.generator = Generator(config.generator, config.panel).to(device)
        self.discriminator = Discriminator(config.body, spectral_norm=adversary.spectral_norm).to(device)
        for module in (self.generator, self.discriminator):
            channels_last(module)
        self._autocast = autocast(config.train, device)
        self.averaged = copy.deepcopy(self.generator).requires_grad_(False)
        self._generate, self._judge = wrap(self.generator), wrap(self.discriminator)
        betas = (adversary.beta1, adversary.beta2)
        self.opt_d = torch.optim.Adam(self.discriminator.parameters(), lr=adversary.d_lr, betas=betas)
        g_lr = adversary.d_lr / adversary.lr_ratio
        self.opt_g = torch.optim.Adam(self.generator.parameters(), lr=g_lr, betas=betas)

    def __call__(self, real: Tensor) -> dict[str, Tensor]:
        """Take one step on (batch, traces, samples) normalised panels; return the losses as 0-d tensors."""
        torch.manual_seed(hash((self.config.train.seed, self.step, self.rank)) % 2**63)
        real = real.to(self.device)[:, None]
        latent = torch.randn(len(real), self.config.generator.latent, device=self.device)
        with self._autocast:
            fake = self._generate(latent)
        figures = self._run_d(real, fake.detach()) | self._run_g(fake)
        self._average()
        self.step += 1
        return figures

    def _run_d(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        adversary = self.config.adversary
        hidden = random_mask(real, share_of_traces=adversary.hidden_traces, blocks=adversary.hidden_blocks)
        n = len(real)
        if adversary.r1:
            real = real.clone().requires_grad_()
        # One forward for all three: DDP then reduces once, and every head is used.
        with self._autocast:
            said = as_float(
                self._judge(torch.cat([real, fake, real.detach().masked_fill(hidden, 0)]))
            )  # (3 B, 1, T, S)
        panel = bce_real(said.panel[:n]) + bce_fake(said.panel[n : 2 * n])
        pixel = bce_real(said.pixel[:n]) + bce_fake(said.pixel[n : 2 * n])
        repair = repair_loss(said.repair[2 * n :], real.detach()[:, 0], hidden[:, 0])
        loss = panel + adversary.pixel_weight * pixel + adversary.reconstruction_weight * repair
        # Heads that carry no weight still take part, or DDP waits for their gradients.
        loss = loss + 0.0 * (said.panel[2 * n :].sum() + said.pixel[2 * n :].sum() + said.repair[: 2 * n].sum())
        if adversary.r1:
            loss = loss + 0.5 * adversary.r1 * gradient_penalty(said.panel[:n], real)
        self.opt_d.zero_grad(set_to_none=True)
        loss.backward()
        self.opt_d.step()
        right = torch.cat([said.panel[:n] > 0, said.panel[n : 2 * n] < 0]).float().mean()
        return {"d_loss": panel.detach(), "d_pixel": pixel.detach(), "repair": repair.detach(), "d_accuracy": right}

    def _run_g(self, fake: Tensor) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(False)
        with self._autocast:
            said = as_float(self.discriminator(fake))
        loss = bce_real(said.panel) + self.config.adversary.pixel_weight * bce_real(said.pixel)
        self.opt_g.zero_grad(set_to_none=True)
        loss.backward()
        self.opt_g.step()
        self.discriminator.requires_grad_(True)
        return {"g_loss": loss.detach()}

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.config.generator.ema, (1 + self.step) / (10 + self.step))
        for mean, now in zip(self.averaged.parameters(), self.generator.parameters(), strict=True):
            mean.lerp_(now, 1 - decay)
        for kept, new in zip(self.averaged.buffers(), self.generator.buffers(), strict=True):
            kept.copy_(new)

    @torch.no_grad()
    def samples(self, n: int) -> Tensor:
        """Return (n, traces, samples) panels of the averaged generator, always from the same latent vectors."""
        random = torch.Generator().manual_seed(self.config.train.seed)
        latent = torch.randn(n, self.config.generator.latent, generator=random)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.train.seed)
            panels: Tensor = self.averaged(latent.to(self.device))[:, 0]
        return panels.cpu()

    def state_dict(self) -> dict[str, Any]:
        """Return all that the next step depends on."""
        parts = ("generator", "discriminator", "averaged", "opt_g", "opt_d")
        return {"step": self.step} | {part: getattr(self, part).state_dict() for part in parts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.step = state["step"]
        for part in ("generator", "discriminator", "averaged", "opt_g", "opt_d"):
            getattr(self, part).load_state_dict(state[part])


def as_float(said: Judgement) -> Judgement:
    """Return logits and repairs in float32, in which the losses are computed."""
    return Judgement(*(part.float() for part in said))
