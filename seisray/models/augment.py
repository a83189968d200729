"""Changes to panels before a discriminator sees them, through which a generator still learns.

Applied to field panels and generated ones alike they keep D from learning few gathers by heart, and, since both are
changed alike, do not teach G to make changed panels while some stay as they are (Zhao et al. 2020, DiffAugment,
2006.10738; Karras et al. 2020, ADA, 2006.06676). The changes are those that an acquisition could have made.

Panels are (batch, 1, traces, samples), asinh(gain * x / RMS). `chosen` is (batch, 1, 1, 1) bool; panels that are not
chosen stay as they are, to the bit. Randomness comes from torch's own generator.
"""

import math

import torch
from torch import Tensor

SHIFT = 1 / 8  # at most, of either axis
GAIN = 1.5  # at most, either way
NOISE = 0.5  # standard deviation at most; the RMS of a trace is the panel's gain, 10 by default
CUT = 1 / 2  # at most, of either axis
DEAD = 0.1  # share of traces
SAFE = 0.8  # probability up to which G learns the panels as they are (2006.06676, figure 5)


def augment(panels: Tensor, probability: Tensor | float) -> Tensor:
    """Return panels, each change applied to each panel with a probability; to mirrored twins with half of it."""
    for change, share in CHANGES:
        chosen = torch.rand(len(panels), 1, 1, 1, device=panels.device) < probability * share
        panels = change(panels, chosen)
    return panels


def shift(panels: Tensor, chosen: Tensor) -> Tensor:
    """Move panels along both axes by whole traces and samples; what comes in is the reflection of what went out."""
    for axis in (2, 3):
        size = panels.shape[axis]
        most = int(size * SHIFT)
        by = torch.randint(-most, most + 1, chosen.shape, device=panels.device) * chosen
        place = (
            torch.arange(size, device=panels.device).view(-1, 1)
            if axis == 2
            else torch.arange(size, device=panels.device)
        ) + by
        place = (size - 1) - ((size - 1) - place.abs()).abs()
        panels = panels.gather(axis, place.expand_as(panels))
    return panels


def flip(panels: Tensor, chosen: Tensor) -> Tensor:
    """Mirror panels in offset."""
    return torch.where(chosen, panels.flip(2), panels)


def polarity(panels: Tensor, chosen: Tensor) -> Tensor:
    """Reverse the sign of panels, as a geophone may."""
    return torch.where(chosen, -panels, panels)


def gain(panels: Tensor, chosen: Tensor) -> Tensor:
    """Multiply the amplitudes of panels by a factor."""
    factor = torch.exp((2 * torch.rand(chosen.shape, device=panels.device) - 1) * math.log(GAIN))
    return torch.where(chosen, torch.asinh(factor * torch.sinh(panels)), panels)


def noise(panels: Tensor, chosen: Tensor) -> Tensor:
    """Add white noise of a random strength to the amplitudes of panels."""
    strength = NOISE * torch.rand(chosen.shape, device=panels.device)
    return torch.where(chosen, torch.asinh(torch.sinh(panels) + strength * torch.randn_like(panels)), panels)


def cut_out(panels: Tensor, chosen: Tensor) -> Tensor:
    """Silence a block of each panel."""
    return panels.masked_fill(chosen & random_box(panels, CUT), 0)


def dead_traces(panels: Tensor, chosen: Tensor) -> Tensor:
    """Silence a share of the traces."""
    dead = torch.rand(panels.shape[:3], device=panels.device)[..., None] < DEAD  # (B, 1, T, 1)
    return panels.masked_fill(chosen & dead, 0)


CHANGES = ((shift, 1.0), (flip, 0.5), (polarity, 0.5), (gain, 1.0), (noise, 1.0), (cut_out, 1.0), (dead_traces, 1.0))


def random_box(panels: Tensor, largest: float) -> Tensor:
    """Return (batch, 1, traces, samples) bool, True in a block of each panel up to a share of each axis."""
    n, _, traces, samples = panels.shape

    def inside(size: int) -> Tensor:
        length = torch.rand(n, 1, device=panels.device) * largest * size
        start = torch.rand(n, 1, device=panels.device) * (size - length)
        at = torch.arange(size, device=panels.device) + 0.5
        return (at >= start) & (at < start + length)  # (B, size)

    return inside(traces)[:, None, :, None] & inside(samples)[:, None, None, :]
