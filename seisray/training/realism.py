"""What a refiner is worth: how much nearer field panels it brings synthetic ones, and how far it moves their onsets."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seisray.config import RefineConfig
from seisray.errors import TrainingError
from seisray.losses.keeping import around
from seisray.metrics.diversity import diversity_ratio
from seisray.metrics.encoder import LEAST_SAMPLES, LEAST_TRACES, panel_features
from seisray.metrics.features import frechet_distance
from seisray.metrics.samples import score_samples
from seisray.metrics.spectra import spectrum_distance
from seisray.metrics.two_sample import LEAST_PANELS
from seisray.picking.classical import aic
from seisray.report.plots import plot_panels
from seisray.resampling import Factors
from seisray.stream import ShardRef, cut_live, cut_with_breaks
from seisray.training.measure import PANELS, SHARDS_MEASURED, reference_panels
from seisray.training.refine import RefineStep
from seisray.transforms import Samples

SHOWN = 8  # panels a row
NEAR = 2  # windows before and after a first break in which its onset is looked for


class Pair(NamedTuple):
    """Panels to judge a refiner by. field: (n, traces, samples). synthetic: (n, traces, samples + 1), with breaks."""

    field: Samples
    synthetic: Samples


def refined_of(step: RefineStep, pair: Pair) -> tuple[Samples, Samples, NDArray[np.float32]]:
    """Return the synthetic panels of a pair, refined ones, and the first breaks of both."""
    synthetic = np.ascontiguousarray(pair.synthetic[..., :-1])
    return synthetic, step.refined(synthetic), pair.synthetic[..., -1]


def score_refiner(step: RefineStep, pair: Pair) -> dict[str, float]:
    """Return the cheap scores of refined panels against field ones; diversity is not watched before the game.

    That is over the diversity of the synthetic panels before: neighbouring shots of a small survey may all look alike.
    """
    before, after, _ = refined_of(step, pair)
    found = score_samples(pair.field, after)
    found["diversity_ratio"] = diversity_ratio(before, after)
    if step.learns_features:
        del found["diversity_ratio"]
    return found


def plot_refined(step: RefineStep, pair: Pair, title: str) -> Figure:
    """Draw synthetic panels, the same refined, and field panels, a row each; first breaks are marked."""
    synthetic, refined, first_break = (
        one[:SHOWN] for one in refined_of(step, Pair(pair.field, pair.synthetic[:SHOWN]))
    )
    field = pair.field[: len(synthetic)]
    marks = np.concatenate([first_break, first_break, np.full(field.shape[:2], np.nan, np.float32)])
    rows = np.concatenate([synthetic, refined, field])
    return plot_panels(rows, columns=len(synthetic), title=f"{title}: synthetic, refined, field", first_break=marks)


def measure_refiner(
    step: RefineStep,
    field: Sequence[ShardRef],
    synthetic: Sequence[ShardRef],
    config: RefineConfig,
    factors: Factors,
) -> tuple[Pair, dict[str, float]]:
    """Return panels of either kind, and the distances of synthetic and of refined ones to the field's.

    Frechet distances in the features of a frozen encoder where panels are large enough for it, and distances of f-k
    spectra, both beside the floor that one half of the field panels gives against the other; and `onset_shift`.
    Nothing is measured where the settings ask for none.
    """
    n = config.measured or PANELS
    cut, cut_labelled = partial(cut_live, factors=factors), partial(cut_with_breaks, factors=factors)
    pair = Pair(
        reference_panels(field, config.panel, n, most_shards=SHARDS_MEASURED, cut=cut),
        reference_panels(synthetic, config.panel, n, most_shards=SHARDS_MEASURED, cut=cut_labelled),
    )
    if min(map(len, pair)) == 0:
        raise TrainingError("no gather of the surveys has a live trace; ingest them again")
    if not config.measured:
        return pair, {}
    before, after, first_break = refined_of(step, pair)
    kinds = {"floor": pair.field[1::2], "before": before, "after": after}
    real = {name: pair.field[::2] if name == "floor" else pair.field for name in kinds}
    found = {f"spectrum_distance_{name}": spectrum_distance(real[name], one) for name, one in kinds.items()}
    large = config.panel.traces >= LEAST_TRACES and config.panel.samples >= LEAST_SAMPLES
    if large and len(pair.field) >= 2 * LEAST_PANELS and len(before) >= LEAST_PANELS:
        for name, one in kinds.items():
            found[f"frechet_distance_{name}"] = frechet_distance(panel_features(real[name]), panel_features(one))
    interval_ms = step_interval_ms(factors)
    return pair, found | onset_shift(before, after, first_break, config.keep.window, interval_ms)


def step_interval_ms(factors: Factors) -> float:
    """Return the sampling interval of panels in ms: that of the first survey, which is not resampled."""
    (_, interval_us), factor = next(iter(factors.items()))
    return interval_us / factor / 1000


def onset_shift(
    synthetic: Samples, refined: Samples, first_break: NDArray[np.float32], window: int, interval_ms: float
) -> dict[str, float]:
    """Return how far AIC onsets near the first breaks moved, refined less synthetic, in ms: median, and 90 % within.

    Of single traces, which noise moves, and of means of eight neighbours along their first breaks, which it moves less.
    """
    near = [
        around(torch.from_numpy(one), torch.from_numpy(first_break), NEAR * window, NEAR * window)
        for one in (synthetic, refined)
    ]
    whole = near[0][1].all(dim=2)  # (n, traces)
    found = {}
    for name, stack in (("onset_shift", 1), ("stacked_onset_shift", min(8, synthetic.shape[1]))):
        together = F.avg_pool2d(whole[:, None, :, None].float(), (stack, 1), stride=1)[:, 0, :, 0] == 1
        picks = [
            aic(F.avg_pool2d(one[:, None], (stack, 1), stride=1)[:, 0][together].numpy(), window=window)
            for one, _ in near
        ]
        moved_ms = (picks[1] - picks[0]) * interval_ms
        moved_ms = moved_ms[np.isfinite(moved_ms)]
        if len(moved_ms):
            found[f"{name}_ms_median"] = float(np.median(moved_ms))
            found[f"{name}_ms_90"] = float(np.percentile(np.abs(moved_ms), 90))
    return found
