"""The game of a network that makes panels, of whatever, and one that judges them: the step in plain torch."""

import copy
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from seisray.config import GameConfig, GeneratorConfig, RefinerConfig
from seisray.errors import ConfigError
from seisray.losses.adversarial import best, game
from seisray.losses.regularisers import mean_logits
from seisray.models.augment import augment
from seisray.models.coarse import coarsen
from seisray.models.discriminator import Discriminator, Judgement
from seisray.models.masking import random_mask
from seisray.models.projected import ProjectedDiscriminator
from seisray.models.unet import channels_last, held_norms
from seisray.training.balance import Balance
from seisray.training.compilation import compiled
from seisray.training.exam import Exam, mark, penalty_weights, set_exam
from seisray.training.micro_batches import gradient_norm, mean_figures, parts
from seisray.training.precision import autocast
from seisray.training.rebuild import RebuildStep
from seisray.training.resumable import Resumable
from seisray.training.schedule import along_cosine, along_line, cooled, passed, step_seed

Wrap = Callable[[nn.Module], nn.Module]
Draw = tuple[Tensor, ...]
"""What the generator makes panels of: latent vectors, and noise where they are to be made twice."""
SAMPLES_A_PASS = 64  # bounds the memory of sheets and measurements


class GameStep(Resumable, ABC):
    """Train a generator, of whatever kind, and a discriminator by one batch a call.

    wrap: puts a module under DDP; plain torch needs none. The randomness of a step comes from (seed, step, rank) alone,
    so that a run goes on from a checkpoint exactly. All of it is drawn for the whole batch: micro-batches change only
    the order of sums, and which fakes top_k compares.
    """

    parts: tuple[str, ...] = ("generator", "discriminator", "averaged", "opt_g", "opt_d", "balance")

    def __init__(
        self, config: GameConfig, *, device: str = "cpu", rank: int = 0, wrap: Wrap = lambda module: module
    ) -> None:
        self.config, self.device, self.rank = config, device, rank
        adversary = config.adversary
        torch.manual_seed(config.train.seed)
        self.generator = self._generator().to(device)
        self.features = None
        if config.feature_steps:
            self.features = RebuildStep(config.repairing(), device=device, rank=rank, wrap=wrap)
            self.parts = (*self.parts, "features")
        self.discriminator = self._discriminator().to(device)
        for module in (self.generator, self.discriminator):
            channels_last(module)
        self._autocast = autocast(config.train, device)
        self.averaged = copy.deepcopy(self.generator).requires_grad_(False).eval()
        # A compiled network has no second derivatives, which penalties of its slope need.
        judge = self.discriminator if penalty_weights(adversary) else compiled(self.discriminator, config.train)
        self._generate, self._judge, self._alone = wrap(compiled(self.generator, config.train)), wrap(judge), judge
        betas = (adversary.beta1, adversary.beta2)
        judging = [parameter for parameter in self.discriminator.parameters() if parameter.requires_grad]
        self.opt_d = torch.optim.Adam(judging, lr=adversary.d_lr, betas=betas)
        g_lr = adversary.d_lr / adversary.lr_ratio
        self.opt_g = torch.optim.Adam(self.generator.parameters(), lr=g_lr, betas=betas)
        self.balance = Balance(adversary, device)
        self._coins = random.Random()
        self._hold_features()

    @abstractmethod
    def _generator(self) -> nn.Module:
        """Return a new network that makes panels, (batch, 1, traces, samples)."""

    @property
    @abstractmethod
    def _averaging(self) -> GeneratorConfig | RefinerConfig:
        """The settings by which its averaged copy follows it."""

    def _discriminator(self) -> nn.Module:
        config, adversary = self.config, self.config.adversary
        if self.features is None:
            return Discriminator(
                config.body,
                spectral_norm=adversary.spectral_norm,
                minibatch_std=adversary.minibatch_std,
                orthogonal=adversary.orthogonal,
            )
        return ProjectedDiscriminator(
            self.features.network.body,
            config.body,
            spectral_norm=adversary.spectral_norm,
            minibatch_std=adversary.minibatch_std,
            orthogonal=adversary.orthogonal,
        )

    @property
    def learns_features(self) -> bool:
        """Whether D's body still learns, and the game has not begun."""
        return self.step < self.config.feature_steps

    def _hold_features(self) -> None:
        if self.features is not None:
            self.features.network.requires_grad_(self.learns_features).zero_grad(set_to_none=True)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        super().load_state_dict(state)
        self._hold_features()

    def __call__(self, real: Tensor) -> dict[str, Tensor]:
        """Take one step on (batch, traces, samples) normalised panels; return its figures as 0-d tensors.

        Always d_loss, d_pixel, d_accuracy, g_loss, real_logit and fake_logit (means), d_gradient and g_gradient (norms
        before clipping); repair, penalty, cutmix, lecam, augment_p in steps that use them. While D's body learns its
        features only `repair` and `gradient`, the norm, of that. They are this worker's. Raises ConfigError where the
        batch cannot be divided as asked for.
        """
        seed, adversary = self.config.train.seed, self.config.adversary
        self._check(len(real))
        if self.features is not None and self.learns_features:
            found = self.features(real)
            self.step += 1
            self._hold_features()
            return {"repair": found["error"], "gradient": found["gradient"]}
        self._set_rates()
        torch.manual_seed(step_seed(seed, self.step, self.rank, salt=self.salt))
        self._coins.seed(step_seed(seed, self.step, salt=self.salt))  # equal on all ranks: none waits for another
        real = real.to(self.device)[:, None]
        for _ in range(adversary.d_steps - 1):
            with torch.no_grad():
                extra = self._make(self._draw(len(real)))
            self._run_d(real, extra)
        draws = self._draw(len(real))
        with torch.set_grad_enabled(adversary.accumulate == 1):  # micro-batches are made again, one by one
            fake = self._make(draws)
        figures, rivals = self._run_d(real, fake.detach())
        figures |= self._run_g(fake, rivals, draws)
        self._average()
        self.step += 1
        return figures

    @property
    def _played(self) -> int:
        """Steps of the game so far, without those in which D's body learned its features."""
        return self.step - self.config.feature_steps

    @property
    def _passed(self) -> float:
        """The share of the game that has passed."""
        return passed(self._played, self.config.train.steps - self.config.feature_steps)

    @property
    def _warmth(self) -> float:
        """What is left of rates and augmentation at this step."""
        return cooled(self.config.adversary.cool_share, passed(self.step, self.config.train.steps))

    def _set_rates(self) -> None:
        for group in (*self.opt_d.param_groups, *self.opt_g.param_groups):
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * self._warmth  # a rollback scales both

    def _check(self, n: int) -> None:
        adversary = self.config.adversary
        groups = adversary.accumulate * max(adversary.minibatch_std, 1)
        if n % groups:
            raise ConfigError(
                f"step {self.step}, rank {self.rank}: a batch of {n} panels a worker does not divide into "
                f"AdversaryConfig.accumulate = {adversary.accumulate} micro-batches of groups of "
                f"AdversaryConfig.minibatch_std = {adversary.minibatch_std}; expected a multiple of {groups}, change "
                "train.batch, train.workers or one of the two"
            )

    @abstractmethod
    def _draw(self, n: int) -> list[Draw]:
        """Return what the micro-batches of n panels are made of."""

    def _make(self, draws: list[Draw]) -> Tensor:
        made = []
        for draw in parts(draws, self.generator):
            with self._autocast:
                made.append(self._generate(*draw))
        return made[0] if len(made) == 1 else torch.cat(made)

    def _show(self, panels: Tensor) -> Tensor:
        """Return panels as D sees them."""
        adversary = self.config.adversary
        if self._passed < adversary.coarse_share:
            panels = coarsen(panels, self._passed / adversary.coarse_share)
        if adversary.augment or adversary.augment_target:
            panels = augment(panels, self.balance.probability * self._warmth)
        deviation = adversary.instance_noise * max(1 - self._played / adversary.instance_noise_steps, 0.0)
        return panels + deviation * torch.randn_like(panels) if deviation else panels

    def _judged(self, judge: nn.Module, panels: Tensor) -> Judgement:
        with self._autocast:
            said: Judgement = judge(panels)
        return said if self.config.adversary.loss == "sigmoid" else said.float()

    def _exam(self, real: Tensor, fake: Tensor, *, penalised: bool) -> Exam:
        adversary = self.config.adversary
        hidden = None
        if adversary.reconstruction_weight and self.features is None:
            hidden = random_mask(real, share_of_traces=adversary.hidden_traces, blocks=adversary.hidden_blocks)
        return set_exam(
            self._show(real),
            self._show(fake),
            whole=real,
            hidden=hidden,
            mix=self._coins.random() < adversary.cutmix,
            between=penalised and bool(adversary.gradient_penalty),
        )

    def _run_d(self, real: Tensor, fake: Tensor) -> tuple[dict[str, Tensor], list[Judgement]]:
        """Return the figures of D's step, and what it said of the real panels, a micro-batch each, without a graph."""
        adversary = self.config.adversary
        paid = bool(penalty_weights(adversary)) and self._played % adversary.penalty_every == 0
        decay = along_cosine(adversary.penalty_decay, self._passed)
        exam = self._exam(real, fake, penalised=paid)
        scale = adversary.penalty_every * decay if paid else 0.0
        self.opt_d.zero_grad(set_to_none=True)
        found, of_real = [], []
        for part in parts(list(exam.parts(adversary.accumulate)), self.discriminator, self._judge):
            panels = part.panels.requires_grad_(paid)
            said = self._judged(self._judge, panels)
            loss, figures = mark(said, part, panels, adversary, anchors=self.balance.anchors, penalty_scale=scale)
            (loss / adversary.accumulate).backward()
            found.append(figures)
            of_real.append(Judgement(*(head[: len(part.shown["real"])].detach() for head in said)))
        figures = mean_figures(found)
        figures["d_gradient"] = gradient_norm(self.discriminator, adversary.gradient_clip)
        self.opt_d.step()
        if adversary.augment or adversary.augment_target:
            figures["augment_p"] = self.balance.probability * self._warmth
        self.balance.update(figures.pop("confidence"), figures["real_logit"], figures["fake_logit"])
        return figures, of_real

    def _run_g(self, fake: Tensor, rivals: list[Judgement], draws: list[Draw]) -> dict[str, Tensor]:
        gradient, loss = self._ask_d(fake.detach(), rivals)
        self.opt_g.zero_grad(set_to_none=True)
        if len(draws) == 1:
            fake.backward(gradient)
        else:
            with held_norms(self.generator):
                pairs = list(zip(draws, gradient.chunk(len(draws)), strict=True))
                for draw, wanted in parts(pairs, self.generator, self._generate):
                    self._make([draw]).backward(wanted)
        norm = gradient_norm(self.generator, self.config.adversary.gradient_clip)
        self.opt_g.step()
        return {"g_loss": loss, "g_gradient": norm}

    def _ask_d(self, fake: Tensor, rivals: list[Judgement]) -> tuple[Tensor, Tensor]:
        """Return the gradient of G's loss by fake panels without a graph, and the loss. D is not under DDP here.

        rivals: what D said of real panels in its own step: for games that compare; asking again is a tenth of a step.
        """
        adversary, judge = self.config.adversary, self.discriminator
        cost = game(adversary.loss).g
        share = along_line(1.0, adversary.top_k, self._passed)
        learns = [parameter for parameter in judge.parameters() if parameter.requires_grad]
        judge.requires_grad_(False)
        fake.requires_grad_()
        shown = self._show(fake)
        gradients: list[Tensor] = []
        losses: list[dict[str, Tensor]] = []
        pairs = list(zip(shown.chunk(adversary.accumulate), rivals, strict=True))
        for part, rival in parts(pairs, judge):
            seen = part.detach().requires_grad_()
            said = self._judged(self._alone, seen)
            if share < 1:
                kept = best(mean_logits(said.panel.detach()), share)
                said, rival = (Judgement(*(head[kept] for head in one)) for one in (said, rival))
            loss = cost(said.panel, rival.panel) + adversary.pixel_weight * cost(said.pixel, rival.pixel)
            gradients += torch.autograd.grad(loss / adversary.accumulate, seen)
            losses.append({"g_loss": loss.detach()})
        for parameter in learns:
            parameter.requires_grad_()
        (gradient,) = torch.autograd.grad(shown, fake, torch.cat(gradients))
        return gradient, mean_figures(losses)["g_loss"]

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self._averaging.ema, (1 + self._played) / (1 + self._played + self._averaging.ema_ramp))
        for mean, now in zip(self.averaged.parameters(), self.generator.parameters(), strict=True):
            mean.lerp_(now, 1 - decay)
        for kept, new in zip(self.averaged.buffers(), self.generator.buffers(), strict=True):
            kept.copy_(new)
