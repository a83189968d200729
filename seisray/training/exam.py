"""What the discriminator is asked in a step, and what its answers cost."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from seisray.config import AdversaryConfig
from seisray.losses.adversarial import accuracy, confidence, game
from seisray.losses.regularisers import (
    cutmix_loss,
    lecam_loss,
    mean_logits,
    repair_loss,
    slope,
    summed_logits,
    unit_penalty,
    zero_penalty,
)
from seisray.models.augment import random_box
from seisray.models.discriminator import Judgement


@dataclass(frozen=True, kw_only=True, slots=True)
class Exam:
    """Panels for one joint forward of D: DDP then reduces once, and every head is used.

    shown: (batch, 1, traces, samples) each: `real` and `fake` to judge; `damaged` to repair; `mixed` of both;
    `between`, on the line from one to the other, for D's slope there. whole, hidden: what `damaged` was, and where
    (bool). n_hidden: samples hidden. from_real: bool, which samples of `mixed` are real.
    """

    shown: dict[str, Tensor]
    whole: Tensor | None = None
    hidden: Tensor | None = None
    n_hidden: Tensor | None = None
    from_real: Tensor | None = None

    @property
    def panels(self) -> Tensor:
        """All that is shown, one after the other: (batch * len(shown), 1, traces, samples)."""
        return torch.cat(list(self.shown.values()))

    def parts(self, n: int) -> Iterator["Exam"]:
        """Yield the exam in n parts; n_hidden becomes its mean, so that costs of parts add up to that of the whole."""

        def cut(panels: Tensor | None) -> tuple[Tensor | None, ...]:
            return (None,) * n if panels is None else panels.chunk(n)

        pieces = zip(*(panels.chunk(n) for panels in self.shown.values()), strict=True)
        for shown, whole, hidden, from_real in zip(
            pieces, cut(self.whole), cut(self.hidden), cut(self.from_real), strict=True
        ):
            yield Exam(
                shown=dict(zip(self.shown, shown, strict=True)),
                whole=whole,
                hidden=hidden,
                n_hidden=None if self.n_hidden is None else self.n_hidden / n,
                from_real=from_real,
            )


def set_exam(real: Tensor, fake: Tensor, *, whole: Tensor, hidden: Tensor | None, mix: bool, between: bool) -> Exam:
    """Return an exam on real and fake panels as D sees them, (batch, 1, traces, samples).

    whole: real panels as they are, hidden: bool of the same shape, what D has to repair. The task stays without
    augmentation: it is what D's body hands on to a picker, which meets plain panels, and a cut-out has no answer.
    mix: add panels of both. between: add panels on the line from one to the other.
    """
    shown = {"real": real, "fake": fake}
    from_real = None
    if hidden is not None:
        shown["damaged"] = whole.masked_fill(hidden, 0)
    if mix:
        box = random_box(real, 1.0)
        swap = torch.rand(len(real), 1, 1, 1, device=real.device) < 0.5
        from_real = box ^ swap
        shown["mixed"] = torch.where(from_real, real, fake)
    if between:
        share = torch.rand(len(real), 1, 1, 1, device=real.device)
        shown["between"] = torch.lerp(fake, real, share)
    return Exam(
        shown=shown,
        whole=None if hidden is None else whole,
        hidden=hidden,
        n_hidden=None if hidden is None else hidden.sum(),
        from_real=from_real,
    )


def penalty_weights(adversary: AdversaryConfig) -> dict[str, float]:
    """Return the weights of the slope penalties in use, by what is shown."""
    weights = {"real": 0.5 * adversary.r1, "fake": 0.5 * adversary.r2, "between": adversary.gradient_penalty}
    return {name: weight for name, weight in weights.items() if weight}


def _judgement(said: Judgement, shown: str, pixel_weight: float) -> Tensor:
    """Return (batch,) what D's slope is of: between field and fake ones of its value, at either of each of its logits.

    Its value, as a critic's, is the mean of its logits.
    """
    joined = mean_logits if shown == "between" else summed_logits
    return joined(said.panel) + pixel_weight * joined(said.pixel)


def mark(
    said: Judgement, exam: Exam, panels: Tensor, adversary: AdversaryConfig, *, anchors: Tensor, penalty_scale: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return D's loss, with a graph, and its figures, without one.

    said: of `panels`, which are the exam's and require gradients where penalty_scale, of the slope penalties, is not 0.
    anchors: (2,) LeCam's.
    """
    n = len(exam.shown["real"])
    rows = [head.split(n) for head in said]
    answers = {name: Judgement(*heads) for name, *heads in zip(exam.shown, *rows, strict=True)}
    real, fake = answers["real"], answers["fake"]
    cost = game(adversary.loss, label_smoothing=adversary.label_smoothing).d
    panel, pixel = cost(real.panel, fake.panel), cost(real.pixel, fake.pixel)
    loss = panel + adversary.pixel_weight * pixel
    figures = {"d_loss": panel, "d_pixel": pixel}
    if exam.whole is not None and exam.hidden is not None:
        repaired = answers["damaged"].repair
        figures["repair"] = repair_loss(repaired, exam.whole[:, 0], exam.hidden[:, 0], n_hidden=exam.n_hidden)
        loss = loss + adversary.reconstruction_weight * figures["repair"]
    if exam.from_real is not None:
        mixed, from_real = answers["mixed"], exam.from_real[:, 0]
        pieces = torch.where(from_real, mixed.pixel, real.pixel), torch.where(from_real, fake.pixel, mixed.pixel)
        if real.panel.ndim == 1:  # of patches some lie in the real piece
            loss = loss + cost(real.panel, mixed.panel)
        loss = loss + adversary.pixel_weight * cost(*pieces)
        figures["cutmix"] = cutmix_loss(mixed.pixel, real.pixel, fake.pixel, from_real)
        loss = loss + adversary.cutmix_weight * figures["cutmix"]
    if adversary.lecam:
        figures["lecam"] = lecam_loss(real.panel.float(), fake.panel.float(), anchors)
        loss = loss + adversary.lecam * figures["lecam"]
    # Answers that nobody asked for still take part, or DDP waits for their gradients.
    loss = loss + 0.0 * sum(head.sum() for head in said)
    weights = penalty_weights(adversary)
    if penalty_scale and weights:
        judged = [_judgement(answers[name], name, adversary.pixel_weight) for name in weights]
        slopes = slope(torch.cat(judged), panels).split(n)
        at = dict(zip(exam.shown, slopes, strict=True))
        paid = [
            weight * (unit_penalty if name == "between" else zero_penalty)(at[name]) for name, weight in weights.items()
        ]
        figures["penalty"] = torch.stack(paid).sum()
        loss = loss + penalty_scale * figures["penalty"]
    figures["d_accuracy"] = accuracy(adversary.loss, real.panel, fake.panel)
    figures["confidence"] = confidence(adversary.loss, real.panel, fake.panel)
    figures["real_logit"], figures["fake_logit"] = real.panel.float().mean(), fake.panel.float().mean()
    return loss, {name: figure.detach() for name, figure in figures.items()}
