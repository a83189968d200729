"""Coarse versions of panels, for a game that goes from coarse to fine.

Progressive growing (Karras et al. 2018, 1710.10196) in the form that needs no layers of its own: what D is shown,
recorded and generated alike, sharpens in the course of the game.
"""

from torch import Tensor
from torch.nn import functional as F

LEVELS = 3
"""Halvings of both axes at the coarsest."""


def coarsen(panels: Tensor, sharpness: float) -> Tensor:
    """Return (batch, 1, traces, samples) panels at a resolution of 0 (1/8 of both axes) .. 1 (all of it).

    Between two resolutions, one fades into the other.
    """
    level = (1 - sharpness) * LEVELS
    fine, share = int(level), level - int(level)
    found = _halved(panels, fine)
    return found if share == 0 else found.lerp(_halved(panels, fine + 1), share)


def _halved(panels: Tensor, times: int) -> Tensor:
    if times == 0:
        return panels
    size = panels.shape[2:]
    small = F.avg_pool2d(panels, 2**times, ceil_mode=True)
    return F.interpolate(small, size=size, mode="bilinear", align_corners=False)
