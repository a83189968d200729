"""Which way up records are: as a picker is surer of them, since a first break of the other polarity is none to it."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from seisray.config import PanelConfig, PickConfig, Polarity
from seisray.gather import Gather
from seisray.picking.decode import decode
from seisray.picking.engine import Predict, torch_engine
from seisray.picking.picker import load_picker
from seisray.picking.tempo import gathers_shown
from seisray.picking.tiling import gather_logits
from seisray.picking.work import Work
from seisray.registry import Model, Store
from seisray.resampling import resample_gather

MOST_TRACES = 96  # of a gather, by which it is judged
LEAST_GAIN = 0.02
"""Of probability in the mean, for which records are reversed: geostack gains 0.19 (77 gathers, 0.03 to 0.35);
soda_lakes loses 0.13 (each of its 60), danube_island 0.09 (36, of which four gain, 0.05 at most)."""


def with_polarity(store: Store, card: Model, work: Work, config: PickConfig, resampling: float) -> PickConfig:
    """Return settings whose polarity is not "auto": of a survey that the picker learned from it is as recorded.

    resampling: of what is picked.
    """
    if config.polarity != "auto":
        return config
    if work.manifest()["survey_fingerprint"] in card.resampled:
        return replace(config, polarity="recorded")
    shown = [resample_gather(gather, resampling) for gather in gathers_shown(work)]
    return replace(config, polarity=polarity_of(store, card, shown, work.label))


def polarity_of(store: Store, card: Model, gathers: Sequence[Gather], label: str) -> Polarity:
    """Return "reversed" where a picker is surer of gathers so, else "recorded"; what is reversed is told.

    gathers: at the tempo that the picker learned at. label: for what is told on standard error.
    """
    picker, panel = load_picker(store, card)
    as_recorded, as_reversed = sureness_either_way(torch_engine(picker), gathers, panel)
    if not as_reversed - as_recorded > LEAST_GAIN:
        return "recorded"
    print(
        f"{label}: {card.ref} sees it in reversed polarity, of which it is surer: probability {as_reversed:.2f} in the "
        f"mean of {len(gathers)} gathers, {as_recorded:.2f} as recorded",
        file=sys.stderr,
    )
    return "reversed"


def sureness_either_way(predict: Predict, gathers: Iterable[Gather], panel: PanelConfig) -> tuple[float, float]:
    """Return the mean probability of the picks of gathers as recorded, and in reversed polarity; 0 where none is live.

    Gathers that hold NaN or infinite samples tell nothing.
    """
    found: list[list[float]] = []
    for gather in gathers:
        samples, live = gather.samples[:MOST_TRACES], gather.live[:MOST_TRACES]
        if live.any() and np.isfinite(samples).all():
            either = (
                gather_logits(predict, one, gain=panel.gain, stretch=panel.samples) for one in (samples, -samples)
            )
            picks = [decode(logits, live, gather.sample_interval_us) for logits in either]
            found.append([float(one.probability[live].mean()) for one in picks])
    as_recorded, as_reversed = np.mean(found, axis=0).tolist() if found else (0.0, 0.0)
    return as_recorded, as_reversed
