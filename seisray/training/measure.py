"""What a generator is worth in mid-training: its samples against field panels that stay the same all run long."""

from collections.abc import Sequence

import numpy as np

from seisray.config import PanelConfig
from seisray.metrics.samples import score_samples
from seisray.shards import read_gathers
from seisray.stream import ShardRef
from seisray.training.gan import GanStep
from seisray.transforms import Samples, cut_panels

PANELS = 128
SHARDS = 8  # at most, spread over the surveys: bounds what is read before the first step


def reference_panels(refs: Sequence[ShardRef], config: PanelConfig, n: int = PANELS) -> Samples:
    """Return (n, traces, samples) field panels of shards spread over the surveys; always the same ones."""
    rng = np.random.default_rng(0)
    places = np.unique(np.linspace(0, len(refs) - 1, min(len(refs), SHARDS)).round().astype(int))
    wanted = [len(part) for part in np.array_split(np.arange(n), len(places))]
    panels: list[Samples] = []
    for place, share in zip(places, wanted, strict=True):
        live = [gather.samples[gather.live] for gather in read_gathers(refs[place].location) if gather.live.any()]
        panels += [cut_panels(live[i], rng, config, 1) for i in np.arange(share) % len(live)] if live else []
    return np.concatenate(panels)


def score_generator(step: GanStep, reference: Samples) -> dict[str, float]:
    """Return the scores of as many samples of the averaged generator as there are reference panels."""
    return score_samples(reference, step.samples(len(reference)).numpy())
