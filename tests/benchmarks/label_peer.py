"""The peer in label_efficiency.py: PhaseNet, a U-Net of each trace by itself, trained as pickers are from scratch.

Zhu and Beroza 2019, 1803.03211, as SeisBench has it: pip install seisbench==0.12.6
"""

import importlib.util
import sys
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from seisray.config import PickerConfig
from seisray.gather import Gather
from seisray.losses.picking import picking_loss
from seisray.training.labelled_panels import LabelledPanels

PEER = "PhaseNet"


def check_peer(starts: Sequence[str]) -> None:
    """End the script where the peer is asked for and not installed."""
    if PEER in starts and importlib.util.find_spec("seisbench") is None:
        sys.exit(f"{PEER} is not installed: pip install seisbench==0.12.6, or name the other starts by --only")


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
        found = self.network(panels.reshape(n * n_traces, 1, n_samples), logits=True).reshape(n, n_traces, n_samples)
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
