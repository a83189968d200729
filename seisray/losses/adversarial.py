"""The games that discriminator and generator play: what logits cost the one and the other.

Logits have any shape, of panels or of pixels; positive means field data. Each cost is a mean. The games are minimax in
spirit and non-saturating in form: G is paid for what D takes for real.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

RELATIVE = ("wgan", "rpgan")
"""Games that only see differences of logits: their signs mean nothing."""


class Game(NamedTuple):
    """d(real, fake): the cost of D; g(fake, real): the cost of G. Both of logits of one shape."""

    d: Callable[[Tensor, Tensor], Tensor]
    g: Callable[[Tensor, Tensor], Tensor]


def game(loss: str, *, label_smoothing: float = 0.0) -> Game:
    """Return a game by its name in `AdversaryConfig.loss`; label_smoothing: of bce and sigmoid, one-sided."""
    games = {
        "bce": Game(partial(d_bce, smoothing=label_smoothing), lambda fake, _real: bce_real(fake)),
        "hinge": Game(d_hinge, lambda fake, _real: -fake.mean()),
        "wgan": Game(lambda real, fake: fake.mean() - real.mean(), lambda fake, _real: -fake.mean()),
        "rpgan": Game(lambda real, fake: bce_real(real - fake), lambda fake, real: bce_real(fake - real)),
        "sigmoid": Game(partial(d_sigmoid, smoothing=label_smoothing), lambda fake, _real: squashed_bce(fake, 1.0)),
    }
    return games[loss]


def bce_real(logits: Tensor) -> Tensor:
    """Return the mean cost of not taking logits for field data; of differences of logits it is RpGAN's (2501.05441)."""
    return F.softplus(-logits).mean()


def bce_fake(logits: Tensor) -> Tensor:
    """Return the mean cost of not taking logits for generated data."""
    return F.softplus(logits).mean()


def d_bce(real: Tensor, fake: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Return D's cross-entropy; smoothing: share by which real ones count as fakes (Salimans 2016, 1606.03498)."""
    taken = bce_real(real)
    if smoothing:
        taken = (1 - smoothing) * taken + smoothing * bce_fake(real)
    return taken + bce_fake(fake)


def d_hinge(real: Tensor, fake: Tensor) -> Tensor:
    """Return D's hinge loss: logits beyond 1 on their own side cost nothing (Lim and Ye 2017, 1705.02894)."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def d_sigmoid(real: Tensor, fake: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Return the cross-entropy of squashed logits: equal to `d_bce` until the sigmoid rounds to 0 or 1."""
    return squashed_bce(real, 1 - smoothing) + squashed_bce(fake, 0.0)


def squashed_bce(logits: Tensor, label: float) -> Tensor:
    """Return the cross-entropy of sigmoid(logits), squashed in the precision of the logits; logarithms end at -100."""
    probability = torch.sigmoid(logits)
    return F.binary_cross_entropy(probability, torch.full_like(probability, label)).float()


def accuracy(loss: str, real: Tensor, fake: Tensor) -> Tensor:
    """Return the share of logits, of panels or their patches, that are right; in a relative game, of pairs in order."""
    if loss in RELATIVE:
        return (real > fake).float().mean()
    return torch.cat([real > 0, fake < 0]).float().mean()


def confidence(loss: str, real: Tensor, fake: Tensor) -> Tensor:
    """Return the mean sign of logits of field panels; in a relative game, that of what they have over a fake's.

    -1 = D takes all of them for generated, 0 = it cannot tell, 1 = it knows them all (r_t of ADA, 2006.06676).
    """
    return (real - fake if loss in RELATIVE else real).sign().mean()


def best(fake: Tensor, share: float) -> Tensor:
    """Return the places of the fakes that D likes best: (batch,) logits -> (k,), at least one (2002.06224)."""
    return fake.topk(max(1, round(share * len(fake)))).indices
