"""What a refiner pays for moving first breaks, or for energy that comes before them.

Both look at panels in the frame in which the first breaks of all traces lie at one time. There an arrival, a ghost of
it or a change of its onset is alike on neighbouring traces, and noise is not: so noise may be added, and arrivals may
not.

Panels are (batch, traces, samples), normalised; first_break is (batch, traces) in samples of the panel, NaN = none.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def around(panels: Tensor, first_break: Tensor, before: int, after: int) -> tuple[Tensor, Tensor]:
    """Return the samples from `before` first breaks to `after` them, (batch, traces, before + after), and which exist.

    Those beyond the panel, and those of traces without a first break, are 0.
    """
    known = torch.isfinite(first_break)
    start = torch.where(known, first_break, 0.0).round().long()[..., None]
    place = start + torch.arange(-before, after, device=panels.device)
    there = known[..., None] & (place >= 0) & (place < panels.shape[-1])
    return panels.gather(2, place.clamp(0, panels.shape[-1] - 1)) * there, there


def onset_loss(refined: Tensor, synthetic: Tensor, first_break: Tensor, *, window: int, stack: int) -> Tensor:
    """Return the power of change that neighbouring traces share near their first breaks.

    It is the mean product of the changes of two different traces of `stack` neighbours, in the mean over the window
    before and the window after the first breaks: for independent noise 0 in expectation, however loud.
    """
    changed, there = around(refined - synthetic, first_break, window, window)

    def together(values: Tensor) -> Tensor:
        summed: Tensor = F.avg_pool2d(values[:, None].float(), (stack, 1), stride=1)[:, 0] * stack
        return summed  # (B, T - stack + 1, 2 window)

    pairs = together(there) * (together(there) - 1)
    shared = together(changed).square() - together(changed.square())
    halves = shared.unflatten(2, (2, window)).sum(dim=3), pairs.unflatten(2, (2, window)).sum(dim=3)
    paid = F.relu(halves[0] / halves[1].clamp(min=1))
    enough = halves[1] > 0
    return (paid * enough).sum() / enough.sum().clamp(min=1)


def rise_loss(refined: Tensor, synthetic: Tensor, first_break: Tensor, *, window: int, stack: int) -> Tensor:
    """Return by how much amplitudes rise towards the first break where the synthetic panel's do not.

    A rise: the mean amplitude in the window before the first breaks over that in the two windows before, of `stack`
    neighbouring traces. It sees what comes early with any polarity; noise, which comes all along, costs nothing.
    """

    def rise(panels: Tensor) -> tuple[Tensor, Tensor]:
        found, there = around(panels.abs(), first_break, 3 * window, 0)
        summed = F.avg_pool2d(torch.stack([found, there.float()], dim=1), (stack, window), stride=(1, window)) * (
            stack * window
        )
        total, n = summed.unbind(dim=1)  # (B, T - stack + 1, 3), far to near
        near = total[..., 2] / n[..., 2].clamp(min=1)
        far = total[..., :2].sum(dim=2) / n[..., :2].sum(dim=2).clamp(min=1)
        return near - far, (n[..., 2] > 0) & (n[..., :2].sum(dim=2) > 0)

    (risen, enough), (rose, _) = rise(refined), rise(synthetic)
    paid = F.relu(risen - F.relu(rose))
    return (paid * enough).sum() / enough.sum().clamp(min=1)
