"""What a discriminator pays beside its game: for steep slopes, for bad repairs, for strong opinions."""

import math

import torch
from torch import Tensor


def slope(logits: Tensor, panels: Tensor) -> Tensor:
    """Return the gradients of (batch,) logits by panels of any shape, which themselves can be differentiated."""
    (gradient,) = torch.autograd.grad(logits.sum(), panels, create_graph=True)
    return gradient


def mean_logits(logits: Tensor) -> Tensor:
    """Return (batch,) means of each panel's logits: (batch, ...), one, or one a patch or a pixel."""
    return logits.reshape(len(logits), -1).mean(dim=1)


def summed_logits(logits: Tensor) -> Tensor:
    """Return (batch,) sums of each panel's n logits over the root of n: (batch, ...), one, or one a patch or a pixel.

    The square of its slope is the mean of that of each logit, where no two of them see the same samples: so a weight of
    R1 means the same for a judge of patches as for one of whole panels. The slope of their mean is n times smaller.
    """
    return logits.reshape(len(logits), -1).sum(dim=1) / math.sqrt(logits[0].numel())


def zero_penalty(gradient: Tensor) -> Tensor:
    """Return the mean squared norm of (batch, ...) gradients: R1 at field panels, R2 at generated (1801.04406)."""
    return gradient.square().flatten(1).sum(1).mean()


def unit_penalty(gradient: Tensor) -> Tensor:
    """Return the mean squared departure of (batch, ...) gradients from norm 1 (WGAN-GP, 1704.00028)."""
    norm = gradient.square().flatten(1).sum(1).add(1e-12).sqrt()  # a root has no slope at 0
    return (norm - 1).square().mean()


def repair_loss(repaired: Tensor, panels: Tensor, hidden: Tensor, *, n_hidden: Tensor | None = None) -> Tensor:
    """Return the mean absolute error over the hidden samples. All (batch, traces, samples); hidden is bool.

    n_hidden: what to divide by instead, where the panels are one of several parts.
    """
    error = (repaired - panels).abs() * hidden
    return error.sum() / (hidden.sum() if n_hidden is None else n_hidden).clamp(min=1)


def lecam_loss(real: Tensor, fake: Tensor, anchors: Tensor) -> Tensor:
    """Return the squared distances of real logits from the anchor of fakes, and of fakes from that of real ones.

    anchors: (2,) running means of real and of fake logits. D's opinions then stay near each other where data are few
    (LeCam divergence, Tseng et al. 2021, 2104.03310).
    """
    return (real - anchors[1]).square().mean() + (fake - anchors[0]).square().mean()


def cutmix_loss(mixed: Tensor, real: Tensor, fake: Tensor, from_real: Tensor) -> Tensor:
    """Return the mean squared difference between the logits of pieced panels and the pieces of logits (2002.12655).

    All (batch, traces, samples) pixel logits; from_real is bool. A judge of pixels alone pays nothing.
    """
    return (mixed - torch.where(from_real, real, fake)).square().mean()
