"""What a picker's logits cost."""

import torch
import torch.nn.functional as F
from torch import Tensor


def soft_labels(first_break: Tensor, n_samples: int, sigma: float) -> Tensor:
    """Return (batch, traces, n_samples + 1) target distributions.

    first_break: (batch, traces) fractional samples from the panel's start; outside it = "no pick", the last class.
    """
    time = torch.arange(n_samples, device=first_break.device, dtype=torch.float32)
    inside = (first_break >= 0) & (first_break <= n_samples - 1)
    bell = torch.exp(-0.5 * ((time - first_break[..., None]) / sigma) ** 2) * inside[..., None]
    bell = bell / bell.sum(-1, keepdim=True).clamp(min=1e-12)
    return torch.cat([bell, (~inside)[..., None].float()], dim=-1)


def picking_loss(logits: Tensor, first_break: Tensor, known: Tensor, sigma: float) -> Tensor:
    """Return the cross-entropy of traces whose answer is known.

    logits: (batch, traces, samples + 1); first_break: (batch, traces) in samples; known: (batch, traces) bool.
    """
    target = soft_labels(first_break, logits.shape[-1] - 1, sigma)
    cost = -(target * F.log_softmax(logits, dim=-1)).sum(-1)  # (B, T)
    return (cost * known).sum() / known.sum().clamp(min=1)
