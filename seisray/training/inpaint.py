"""Adversarial inpainting: one network repairs what is hidden, another finds the repairs, and repairs too.

The detector learns what is plausible at each place, from repairs that grow as hard to find as the repairer makes them
(corrupted image modelling, Fang et al. 2022, 2202.03382; per-pixel discriminators, 2002.12655).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seisray.config import InpaintConfig
from seisray.losses.regularisers import repair_loss
from seisray.models.autoencoder import Repairer
from seisray.models.discriminator import Discriminator
from seisray.models.masking import random_mask
from seisray.models.unet import channels_last
from seisray.training.compilation import compiled
from seisray.training.precision import autocast
from seisray.training.resumable import Resumable
from seisray.training.schedule import step_seed
from seisray.transforms import Samples


class InpaintStep(Resumable):
    """Train repairer and detector by one batch a call.

    wrap: puts a module under DDP; plain torch needs none. The randomness of a step comes from (seed, step, rank) alone.
    """

    parts = ("repairer", "detector", "opt_g", "opt_d")

    def __init__(
        self,
        config: InpaintConfig,
        *,
        device: str = "cpu",
        rank: int = 0,
        wrap: Callable[[nn.Module], nn.Module] = lambda module: module,
    ) -> None:
        self.config, self.device, self.rank = config, device, rank
        torch.manual_seed(config.train.seed)
        self.repairer = Repairer(config.body).to(device)
        self.detector = Discriminator(config.body, spectral_norm=config.spectral_norm).to(device)
        for module in (self.repairer, self.detector):
            channels_last(module)
        self._autocast = autocast(config.train, device)
        self._find = compiled(self.detector, config.train)
        self._repair, self._judge = wrap(compiled(self.repairer, config.train)), wrap(self._find)
        betas = (0.0, 0.99)
        self.opt_g = torch.optim.Adam(self.repairer.parameters(), lr=config.lr, betas=betas)
        self.opt_d = torch.optim.Adam(self.detector.parameters(), lr=config.lr, betas=betas)

    def __call__(self, real: Tensor) -> dict[str, Tensor]:
        """Take one step on (batch, traces, samples) normalised panels; return its figures as 0-d tensors.

        d_loss: of finding repairs, pixel by pixel. d_accuracy: share of the repaired and of the recorded samples, half
        each, that D knows. repair, guess: mean absolute errors of D's and of G's repairs. g_loss: of being found.
        d_gradient, g_gradient: norms before clipping.
        """
        config = self.config
        torch.manual_seed(step_seed(config.train.seed, self.step, self.rank, salt=self.salt))
        whole = real.to(self.device)
        hidden = self._mask(whole)
        with self._autocast:
            guess = self._repair(self._damaged(whole, hidden, torch.randn_like(whole)))
        guess = guess.float()
        mended = torch.where(hidden, guess, whole)
        figures = self._train_d(whole, mended.detach(), hidden) | self._train_g(whole, guess, mended, hidden)
        self.step += 1
        return figures

    def _mask(self, whole: Tensor) -> Tensor:
        config = self.config
        hidden = random_mask(whole[:, None], share_of_traces=config.hidden_traces, blocks=config.hidden_blocks)
        return hidden[:, 0]

    def _damaged(self, whole: Tensor, hidden: Tensor, noise: Tensor) -> Tensor:
        """Return panels with noise in place of what is hidden, from which G can make more than one repair."""
        return torch.where(hidden, noise, whole)[:, None]

    def _train_d(self, whole: Tensor, mended: Tensor, hidden: Tensor) -> dict[str, Tensor]:
        other = self._mask(whole)
        shown = torch.cat([whole, mended, whole.masked_fill(other, 0)])[:, None]
        with self._autocast:
            said = self._judge(shown)
        recorded, suspect, _ = said.pixel.float().chunk(3)
        trusted = F.softplus(-recorded).mean() + mean_where(F.softplus(-suspect), ~hidden)
        loss = 0.5 * trusted + mean_where(F.softplus(suspect), hidden)
        repair = repair_loss(said.repair.float().chunk(3)[2], whole, other)
        self.opt_d.zero_grad(set_to_none=True)
        # The judgement of whole panels takes part with nothing, or DDP waits for its gradient.
        (loss + self.config.reconstruction_weight * repair + 0.0 * said.panel.sum()).backward()
        norm = nn.utils.clip_grad_norm_(self.detector.parameters(), self.config.gradient_clip)
        self.opt_d.step()
        known = (mean_where((suspect < 0).float(), hidden) + mean_where((suspect > 0).float(), ~hidden)) / 2
        return {"d_loss": loss.detach(), "repair": repair.detach(), "d_accuracy": known, "d_gradient": norm}

    def _train_g(self, whole: Tensor, guess: Tensor, mended: Tensor, hidden: Tensor) -> dict[str, Tensor]:
        self.detector.requires_grad_(False)
        with self._autocast:
            said = self._find(mended[:, None])
        found = mean_where(F.softplus(-said.pixel.float()), hidden)
        error = repair_loss(guess, whole, hidden)
        self.opt_g.zero_grad(set_to_none=True)
        (found + self.config.guess_weight * error).backward()
        self.detector.requires_grad_(True)
        norm = nn.utils.clip_grad_norm_(self.repairer.parameters(), self.config.gradient_clip)
        self.opt_g.step()
        return {"g_loss": found.detach(), "guess": error.detach(), "g_gradient": norm}

    @torch.no_grad()
    def rebuild(self, panels: Samples) -> tuple[Samples, Samples, float]:
        """Return field panels as G sees them, as it repairs them, and the error of D's repairs; the same holes always.

        panels: (n, traces, samples).
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.train.seed)
            whole = torch.from_numpy(panels)
            hidden = self._mask(whole)
            damaged = self._damaged(whole, hidden, torch.randn_like(whole))
        for network in (self.repairer, self.detector):
            network.eval()
        guess = torch.cat([self.repairer(part.to(self.device)).float().cpu() for part in damaged.split(64)])
        blank = whole.masked_fill(hidden, 0)[:, None]
        repair = torch.cat([self.detector(part.to(self.device)).repair.float().cpu() for part in blank.split(64)])
        for network in (self.repairer, self.detector):
            network.train()
        return (
            damaged[:, 0].numpy(),
            torch.where(hidden, guess, whole).numpy(),
            repair_loss(repair, whole, hidden).item(),
        )


def mean_where(values: Tensor, where: Tensor) -> Tensor:
    """Return the mean of values where a bool tensor of the same shape says so; 0 where it says so nowhere."""
    return (values * where).sum() / where.sum().clamp(min=1)
