"""What a generator is worth: its samples against field panels, cheaply in mid-training and in full at the end."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seisray.config import GanConfig, PanelConfig
from seisray.gather import spread_over
from seisray.metrics.controls import ControlledMeasure, control_table
from seisray.metrics.encoder import LEAST_SAMPLES, LEAST_TRACES
from seisray.metrics.samples import score_samples
from seisray.metrics.two_sample import LEAST_PANELS
from seisray.stream import Cut, ShardRef, cut_live
from seisray.training.gan import GanStep
from seisray.transforms import Samples

PANELS = 128
SHARDS = 8  # at most, spread over the surveys: bounds what is read before the first step
SHARDS_MEASURED = 64
LEARNED = 8  # times as many panels of what was learned: with fewer, hardly one lies near a copy
MOST_LEARNED = 1 << 26  # samples of these, 256 MB
BLIND_PANELS = 32


def reference_panels(
    refs: Sequence[ShardRef],
    config: PanelConfig,
    n: int = PANELS,
    *,
    most_shards: int = SHARDS,
    cut: Cut = cut_live,
) -> Samples:
    """Return (n, traces, samples) field panels of shards spread over the surveys; always the same ones.

    Each gather counts alike, as it does in training, however many a shard holds; where there are more of them than
    panels, they lie spread over it.
    """
    if not refs:
        return np.empty((0, config.traces, config.samples), np.float32)
    rng = np.random.default_rng(0)
    places = spread_over(range(len(refs)), min(most_shards, n))
    passed = np.cumsum([refs[place].n_gathers for place in places])
    wanted = np.diff((n * passed / passed[-1]).round().astype(int), prepend=0)
    panels: list[Samples] = []
    for place, share in zip(places, wanted, strict=True):
        live = [gather for gather in refs[place].gathers() if gather.live.any()]
        spread = np.arange(share) * len(live) // max(share, 1)
        panels += [cut(live[i], rng, config, 1) for i in spread] if live else []
    return np.concatenate(panels) if panels else np.empty((0, config.traces, config.samples), np.float32)


def score_generator(step: GanStep, reference: Samples) -> dict[str, float]:
    """Return the scores of as many samples of the averaged generator as there are reference panels."""
    return score_samples(reference, step.samples(len(reference)).numpy())


class Measured(NamedTuple):
    """Every measure of samples, or why there is none."""

    table: dict[str, ControlledMeasure]
    missing: str = ""


def measure_generator(
    step: GanStep, learned: Sequence[ShardRef], held_out: Sequence[ShardRef], config: GanConfig
) -> Measured:
    """Return every measure of samples of the averaged generator, with its floor and controls.

    learned, held_out: where the generator's own field panels and others lie. There are none where the settings ask for
    none, panels are smaller than the frozen encoder takes, or too few gathers with live traces were held out.
    """
    panel, n = config.panel, config.measured
    if n == 0:
        return Measured({}, "measured is 0")
    if panel.traces < LEAST_TRACES or panel.samples < LEAST_SAMPLES:
        found, least = f"{panel.traces} x {panel.samples}", f"{LEAST_TRACES} x {LEAST_SAMPLES}"
        return Measured({}, f"panels are {found}, and the frozen encoder takes none below {least}")
    n_learned = n + max(min(LEARNED * n, MOST_LEARNED // (panel.traces * panel.samples)), LEAST_PANELS)
    own = reference_panels(learned, panel, n_learned, most_shards=SHARDS_MEASURED)
    others = reference_panels(held_out, panel, 2 * n, most_shards=SHARDS_MEASURED)
    for panels, fewest, which in ((own, n + LEAST_PANELS, "learned from"), (others, 2 * LEAST_PANELS, "held out")):
        if len(panels) < fewest:
            return Measured({}, f"too few gathers with live traces were {which} (held_out = {config.held_out:g})")
    return Measured(control_table(own, others, step.samples(n).numpy()))


def blind_panels(real: Samples, fake: Samples, seed: int = 0) -> tuple[Samples, list[bool]]:
    """Return field and generated panels in random order, and which of them were recorded, for eyes to judge."""
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.arange(len(real) + len(fake)) < len(real))
    shuffled = np.empty((len(truth), *real.shape[1:]), dtype=np.float32)
    shuffled[truth], shuffled[~truth] = real, fake
    return shuffled, truth.tolist()
