"""Which way up records are: as a picker is surer of them, since a first break of the other polarity is none to it."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

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

MOST_TRACES, MOST_SHOWN = 96, 9  # by which a survey is judged
LEAST_GAIN = 0.02
"""Of probability in the mean, for which records are reversed: geostack gains 0.19 (77 gathers, 0.03 to 0.35);
soda_lakes loses 0.13 (each of its 60), danube_island 0.09 (36, of which four gain, 0.05 at most)."""
LARGE_GAIN, MANY = 0.05, 0.25  # so many gathers that gain more the other way are told of

Sureness = NDArray[np.float64]


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
    """Return "reversed" where a picker is surer of gathers so, else "recorded", and tell on standard error.

    gathers: at the tempo that the picker learned at; where many are surer the other way, that is told, too. label: for
    what is told.
    """
    picker, panel = load_picker(store, card)
    sure = sureness_either_way(torch_engine(picker), gathers, panel)
    if not len(sure):
        return "recorded"
    (as_recorded, as_reversed), gain, chosen = sure.mean(axis=0), sure[:, 1] - sure[:, 0], surer_of(sure)
    print(
        f"{label}: polarity {chosen}; of {len(sure)} gathers {card.ref} is sure by {as_recorded:.2f} as recorded, by "
        f"{as_reversed:.2f} reversed",
        file=sys.stderr,
    )
    n_others = int((gain < -LARGE_GAIN if chosen == "reversed" else gain > LARGE_GAIN).sum())
    if n_others >= MANY * len(sure):
        print(
            f"{label}: of {n_others} of these gathers it is surer the other way; where a survey was recorded both "
            "ways, pick its files apart",
            file=sys.stderr,
        )
    return chosen


def surer_of(sure: Sureness) -> Polarity:
    """Return "reversed" where gathers gain more than LEAST_GAIN by it in the mean; sure: of `sureness_either_way`."""
    return "reversed" if len(sure) and (sure[:, 1] - sure[:, 0]).mean() > LEAST_GAIN else "recorded"


def sureness_either_way(predict: Predict, gathers: Iterable[Gather], panel: PanelConfig) -> Sureness:
    """Return (n, 2) mean probabilities of the picks of a gather as recorded, and in reversed polarity.

    Gathers that are dead or hold NaN or infinite samples tell nothing, and have no row.
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
    return np.array(found).reshape(-1, 2)
