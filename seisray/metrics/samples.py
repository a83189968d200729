"""How far generated panels are from field panels, without labels.

Losses of a GAN say little: one that makes the same panel again and again can have calm ones. What tells it from a good
one is the samples themselves. score_samples joins three cheap measures that need no network, for the midst of a run and
for searches, each blind where the others see:

- their spectrum, frequency by wavenumber: apparent velocities, bandwidth, artefacts of upsampling;
- their amplitudes: the share of quiet and of strong samples, of which a mean spectrum knows nothing;
- their diversity: how much panels differ in where their energy lies; near 0 after a collapse.

Measured with 100 against 100 panels of each of two field surveys, sample_distance: real against real 0.06 and 0.07,
white noise 1.2 to 1.3, samples shuffled in time 0.9; one panel repeated 3.3 to 3.6, 4 repeated 3.1 to 3.3, 16 repeated
3.1; the same with a little noise added to each 1.6 to 1.8, 1.4 and 1.3 to 1.4.

measure_samples adds what that misses, in features of a frozen encoder and by a classifier of its own. A distance of raw
pixels, sliced Wasserstein say, is left out on purpose: it takes white noise for field panels.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from seisray.errors import ConfigError
from seisray.metrics.amplitudes import amplitude_distance
from seisray.metrics.coverage import density_coverage, precision_recall
from seisray.metrics.diversity import diversity, diversity_ratio
from seisray.metrics.encoder import Features, check_size, panel_features
from seisray.metrics.features import frechet_distance, kernel_distance
from seisray.metrics.novelty import novelty
from seisray.metrics.spectra import spectrum_distance
from seisray.metrics.two_sample import LEAST_PANELS, classifier_accuracy

__all__ = ["amplitude_distance", "diversity", "measure_samples", "score_samples", "spectrum_distance"]

Panels = NDArray[np.float32]

BROKEN = float("nan")
SCORES = ("spectrum_distance", "amplitude_distance", "diversity_ratio", "sample_distance")
MEASURES = (
    "frechet_distance",
    "kernel_distance",
    "precision",
    "recall",
    "density",
    "coverage",
    "spectrum_distance",
    "amplitude_distance",
    "diversity_ratio",
    "novelty",
    "copied",
    "classifier_accuracy",
)


def score_samples(real: Panels, fake: Panels) -> dict[str, float]:
    """Return every measure that needs no network, and `sample_distance`, which joins them: lower is better, 0 perfect.

    real, fake: (n, traces, samples), n >= 2. sample_distance = spectrum_distance + amplitude_distance
    + |log10 diversity_ratio|: all three are close to logarithms of a factor, so that 0.3 in any of them is about a
    factor of 2. diversity_ratio: as of metrics.diversity. Everything is NaN where a
    fake panel holds a value that is not finite, since a broken generator must not look like a bad one.
    """
    if not np.isfinite(fake).all():
        return dict.fromkeys(SCORES, BROKEN)
    spectrum, amplitude, ratio = (f(real, fake) for f in (spectrum_distance, amplitude_distance, diversity_ratio))
    joined = spectrum + amplitude + abs(float(np.log10(ratio)))
    return dict(zip(SCORES, (spectrum, amplitude, ratio, joined), strict=True))


def measure_samples(train: Panels, real: Panels, fake: Panels, seed: int = 0) -> dict[str, float]:
    """Return MEASURES of fake panels against real ones that the generator did not learn from.

    train, real, fake: (n, traces, samples) normalised panels of one size, at least 32 x 128 and multiples of 8 x 16, at
    least 16 of each; train are those, or some of those, that the generator learned from. Most measures depend on n:
    compare runs at the same numbers, or use control_table, which gives each its floor. seed: of the classifier.
    All are NaN where a fake panel holds a value that is not finite. Raises ConfigError for panels of another size, too
    few of them, or field panels that are not finite.
    """
    return measure_sets(train, real, {"fake": fake}, seed)["fake"]


def measure_sets(train: Panels, real: Panels, sets: Mapping[str, Panels], seed: int = 0) -> dict[str, dict[str, float]]:
    """Return what measure_samples returns for each of several sets of fake panels, by name.

    train, real, each of sets, and what is raised: as of measure_samples.
    """
    for name, panels in (("train", train), ("real", real), *sets.items()):
        check_size(panels)
        if len(panels) < LEAST_PANELS or panels.shape[1:] != real.shape[1:]:
            raise ConfigError(
                f"{name} panels to measure are {panels.shape}, real ones {real.shape}; "
                f"expected at least {LEAST_PANELS} of each, all of one size"
            )
        if name not in sets and not np.isfinite(panels).all():
            raise ConfigError(f"{name} panels to measure hold values that are not finite; cut them from sound gathers")
    in_train, in_real = panel_features(train), panel_features(real)
    return {name: _measures(in_train, in_real, real, fake, seed) for name, fake in sets.items()}


def _measures(in_train: Features, in_real: Features, real: Panels, fake: Panels, seed: int) -> dict[str, float]:
    if not np.isfinite(fake).all():
        return dict.fromkeys(MEASURES, BROKEN)
    in_fake = panel_features(fake)
    found = (
        frechet_distance(in_real, in_fake),
        kernel_distance(in_real, in_fake),
        *precision_recall(in_real, in_fake),
        *density_coverage(in_real, in_fake),
        spectrum_distance(real, fake),
        amplitude_distance(real, fake),
        diversity_ratio(real, fake),
        *novelty(in_train, in_real, in_fake),
        classifier_accuracy(real, fake, seed),
    )
    return dict(zip(MEASURES, found, strict=True))
