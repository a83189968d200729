"""One set of features for labelled gathers and for field gathers without labels.

Source: domain-adversarial training of neural networks (DANN), Ganin et al. 2016, 1505.07818.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seisray.models.picker import Picker
from seisray.models.unet import SLOPE, conv


class DomainJudge(nn.Module):
    """Tell from a picker's deepest features, (batch, n_in, ...), which panels had labels: logits, positive = they had.

    One logit a place, so that it judges wavelets and noise and not where on the panel the first breaks lie; of features
    of unit RMS, since an encoder could otherwise escape it by ever larger ones.
    """

    def __init__(self, n_in: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(conv(n_in, n_in, kernel=(1, 1)), nn.LeakyReLU(SLOPE), conv(n_in, 1, kernel=(1, 1)))

    def forward(self, features: Tensor) -> Tensor:
        """Return (batch, places)."""
        even = F.rms_norm(features.movedim(1, -1), features.shape[1:2]).movedim(-1, 1)
        return torch.as_tensor(self.layers(even)).flatten(1)


class AlignedPicker(nn.Module):
    """A picker and a judge of domains as one network; the judge's gradient comes to the encoder reversed."""

    def __init__(self, picker: Picker, judge: DomainJudge) -> None:
        super().__init__()
        self.picker, self.judge = picker, judge

    def forward(self, labelled: Tensor, field: Tensor, strength: Tensor) -> tuple[Tensor, Tensor]:
        """Return the picker's logits (batch, traces, samples + 1) of labelled panels, and the judge's (2 * batch, n).

        labelled, field: (batch, 1, traces, samples) normalised panels; the judge's logits are of the former, then of
        the latter. strength: of the reversed gradient, 0-d.
        """
        features = self.picker.body.encode(torch.cat([labelled, field]))
        said = self.judge(_Reversed.apply(features[-1], strength))
        return self.picker.answer([level[: len(labelled)] for level in features]), said


class _Reversed(torch.autograd.Function):
    """The identity, whose gradient is reversed."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: Tensor) -> Tensor:
        ctx.save_for_backward(strength)
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (strength,) = ctx.saved_tensors
        return -strength * gradients[0], None
