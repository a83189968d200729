"""The peer in label_efficiency.py: the network of PhaseNet, a U-Net of each trace by itself, trained as pickers are.

Zhu and Beroza 2019, 1803.03211, as SeisBench has it: pip install seisbench==0.12.6. Panels, labels, loss and schedule
are those of a picker from scratch, and one threshold, which is learned, says "no pick".
"""

import importlib.util
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from seisray.config import PickerConfig
from seisray.gather import Gather
from seisray.losses.picking import picking_loss
from seisray.training.labelled_panels import LabelledPanels

PEER = "PhaseNet"
MULTIPLE = 256


def is_there() -> bool:
    """Return whether the peer is installed."""
    return importlib.util.find_spec("seisbench") is not None


class Peer(nn.Module):
    """Map panels (batch, 1, traces, samples) to logits (batch, traces, samples + 1), as a picker does."""

    def __init__(self) -> None:
        super().__init__()
        from seisbench.models import PhaseNet

        self.network = PhaseNet(in_channels=1, classes=1, phases="P")
        self.none = nn.Parameter(torch.zeros(1))

    def forward(self, panels: Tensor) -> Tensor:
        """Return logits; the last class is "no pick"."""
        n, _, n_traces, n_samples = panels.shape
        whole = -n_samples % MULTIPLE  # of other lengths it loses the last samples
        traces = pad(panels.reshape(n * n_traces, 1, n_samples), (0, whole))
        found = self.network(traces, logits=True).reshape(n, n_traces, -1)[..., :n_samples]
        return torch.cat([found, self.none.expand(n, n_traces, 1)], dim=-1)


def trained_peer(config: PickerConfig, gathers: Sequence[Gather]) -> Peer:
    """Return a peer that learned from labelled gathers: the panels, labels, loss and schedule of a picker."""
    train, rate = config.train, config.transfer.lr
    panels = LabelledPanels(gathers, config.panel, config.augment)
    torch.manual_seed(train.seed)
    peer = Peer()
    optimiser = torch.optim.AdamW(peer.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=rate, total_steps=train.steps + 1)
    for step in range(train.steps):
        drawn = panels.draw(np.random.default_rng([train.seed, step, 0]), train.batch)
        samples, first_break, known = map(torch.from_numpy, drawn)
        loss = picking_loss(peer(samples[:, None]), first_break, known, config.label_sigma)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(peer.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return peer.eval()
