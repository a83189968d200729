"""Adversarial realism: a refiner makes synthetic panels look like field ones. The step in plain torch.

Source: SimGAN, Shrivastava et al. 2017, 1612.07828. The game is that of the GAN (see `GameStep`): the refiner stands
where the generator stood, and is held to what it was given by the losses of `losses.keeping`.
"""

from typing import cast

import torch
from torch import Tensor, nn

from seisray.config import RefineConfig, RefinerConfig
from seisray.losses.keeping import onset_loss, rise_loss
from seisray.models.discriminator import Judgement
from seisray.models.refiner import Refiner
from seisray.models.unet import channels_last
from seisray.training.game import SAMPLES_A_PASS, Draw, GameStep, Wrap
from seisray.training.history import History
from seisray.transforms import Samples


class RefineStep(GameStep):
    """Train refiner and discriminator by one batch of field panels and one of synthetic ones a call.

    wrap, and the randomness of a step: as of GameStep. With `keep.cycle` a second refiner learns to bring back the
    synthetic panels.
    """

    config: RefineConfig

    def __init__(
        self, config: RefineConfig, *, device: str = "cpu", rank: int = 0, wrap: Wrap = lambda module: module
    ) -> None:
        super().__init__(config, device=device, rank=rank, wrap=wrap)
        self.earlier = History(config.keep.history)
        self.parts = (*self.parts, "earlier")
        self._synthetic = self._first_break = torch.empty(0)
        self._kept: dict[str, Tensor] = {}
        if config.keep.cycle:
            self.back = self._generator().to(device)
            channels_last(self.back)
            self._bring_back = wrap(self.back)
            adversary = config.adversary
            betas = (adversary.beta1, adversary.beta2)
            self.opt_back = torch.optim.Adam(
                self.back.parameters(), lr=adversary.d_lr / adversary.lr_ratio, betas=betas
            )
            self.parts = (*self.parts, "back", "opt_back")

    def _generator(self) -> nn.Module:
        return Refiner(self.config.refiner, self.config.panel)

    @property
    def _averaging(self) -> RefinerConfig:
        return self.config.refiner

    @property
    def refiner(self) -> Refiner:
        """The network that is trained; `averaged` is what comes of it."""
        return cast(Refiner, self.generator)

    def __call__(self, real: Tensor, synthetic: Tensor | None = None) -> dict[str, Tensor]:
        """Take one step on (batch, traces, samples) normalised field panels; return its figures as 0-d tensors.

        synthetic: (batch, traces, samples + 1), the last of each trace its first break in samples of the panel, NaN =
        none. Beside the figures of GameStep: likeness, onset, rise and cycle, as far as they are in use, before their
        weights.
        """
        assert synthetic is not None
        synthetic = synthetic.to(self.device)
        self._synthetic, self._first_break = synthetic[:, None, :, :-1].contiguous(), synthetic[:, :, -1]
        self._kept = {}
        return super().__call__(real) | self._kept

    def _draw(self, n: int) -> list[Draw]:
        """Return what the micro-batches of refined panels are made of: synthetic ones, latent vectors, noise."""
        drawn = self.refiner.draw(n, *self._synthetic.shape[2:])
        whole = (self._synthetic, *(one.to(self.device) for one in drawn))
        return list(zip(*(one.chunk(self.config.adversary.accumulate) for one in whole), strict=True))

    def _run_d(self, real: Tensor, fake: Tensor) -> tuple[dict[str, Tensor], list[Judgement]]:
        return super()._run_d(real, self.earlier.mix(fake, self._coins))

    def _ask_d(self, fake: Tensor, rivals: list[Judgement]) -> tuple[Tensor, Tensor]:
        gradient, loss = super()._ask_d(fake.detach(), rivals)
        return gradient + self._keep(fake.detach()), loss

    def _keep(self, refined: Tensor) -> Tensor:
        """Return the gradient, by refined panels, of what they cost beside the game."""
        keep = self.config.keep
        refined = refined.requires_grad_()
        pair = (refined[:, 0].float(), self._synthetic[:, 0], self._first_break)
        with torch.enable_grad():
            if keep.likeness:
                self._kept["likeness"] = (pair[0] - pair[1]).abs().mean()
            if keep.onset:
                self._kept["onset"] = onset_loss(*pair, window=keep.window, stack=keep.stack)
            if keep.rise:
                self._kept["rise"] = rise_loss(*pair, window=keep.window, stack=keep.stack)
            if keep.cycle:
                drawn = [one.to(self.device) for one in cast(Refiner, self.back).draw(len(refined), *refined.shape[2:])]
                with self._autocast:
                    brought = self._bring_back(refined, *drawn)
                self._kept["cycle"] = (brought.float() - self._synthetic).abs().mean()
                self.opt_back.zero_grad(set_to_none=True)
            if self._kept:
                torch.stack([getattr(keep, name) * cost for name, cost in self._kept.items()]).sum().backward()
        if keep.cycle:
            self.opt_back.step()
        self._kept = {name: cost.detach() for name, cost in self._kept.items()}
        return torch.zeros_like(refined) if refined.grad is None else refined.grad

    @torch.no_grad()
    def refined(self, panels: Samples) -> Samples:
        """Return (n, traces, samples) synthetic panels refined by the averaged copy, always with the same noise."""
        refiner = cast(Refiner, self.averaged)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.train.seed)
            made = []
            for part in torch.from_numpy(panels).split(SAMPLES_A_PASS):
                drawn = refiner.draw(len(part), *part.shape[1:])
                made.append(refiner(*(one.to(self.device) for one in (part[:, None], *drawn)))[:, 0].cpu())
        return torch.cat(made).numpy()
