"""What the measures say of panels whose worth is known.

Other real ones, white noise, a collapsed generator's, and those of one that knows nothing but what it learned from.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seisray.errors import ConfigError
from seisray.metrics.samples import measure_sets
from seisray.metrics.two_sample import LEAST_PANELS

Panels = NDArray[np.float32]

MODES = 8
MODE_NOISE = 0.05
"""Of the standard deviation of the panels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlledMeasure:
    """One measure of the fake panels, and what it is for other real panels (floor), and for bad ones.

    noise: white. collapsed: 8 panels repeated. learned: panels of the gathers learned from, as a generator would make
    them that had learned these by heart.
    """

    value: float
    floor: float
    noise: float
    collapsed: float
    learned: float


def control_table(train: Panels, real: Panels, fake: Panels, seed: int = 0) -> dict[str, ControlledMeasure]:
    """Measure fake panels and four controls alike: each against the same half of the real ones, as many of each.

    train, real, fake: as in measure_samples; of the real ones at least 32, and of train as many as half of these and 16
    more, else ConfigError. The other half of the real ones gives the floor; so many of train are what a generator that
    had learned by heart would make, and are compared with the others. With fewer fakes than that half, all sets are cut
    to their number.
    """
    if len(real) < 2 * LEAST_PANELS:
        raise ConfigError(f"controls need two halves of the real panels; got {len(real)}, expected {2 * LEAST_PANELS}")
    n = min(len(real) // 2, len(fake))
    if len(train) < n + LEAST_PANELS:
        raise ConfigError(f"controls need panels learned from; got {len(train)}, expected {n + LEAST_PANELS}")
    rng = np.random.default_rng(seed)
    train = train[rng.permutation(len(train))]
    order = rng.permutation(len(real))
    reference, other = real[order[: len(real) // 2]], real[order[len(real) // 2 :]][:n]
    sets = {
        "value": fake[rng.permutation(len(fake))[:n]],
        "floor": other,
        "noise": white_noise(other, seed),
        "collapsed": collapsed(other, seed),
        "learned": train[:n],
    }
    found = measure_sets(train[n:], reference, sets, seed)
    return {measure: ControlledMeasure(**{name: found[name][measure] for name in sets}) for measure in found["value"]}


def white_noise(like: Panels, seed: int = 0) -> Panels:
    """Return white noise normalised as panels are: (n, traces, samples).

    Panels are asinh(gain * x / RMS), so the RMS of sinh(panel) along a live trace tells the gain.
    """
    rms = np.sqrt(np.mean(np.sinh(like.astype(np.float64)) ** 2, axis=2))
    live = rms > 0
    gain = float(np.median(rms[live])) if live.any() else 1.0
    noise = np.random.default_rng(seed).normal(size=like.shape)
    return np.arcsinh(gain * noise / np.sqrt(np.mean(noise**2, axis=2, keepdims=True))).astype(np.float32)


def collapsed(panels: Panels, seed: int = 0, modes: int = MODES) -> Panels:
    """Return as many panels, but only `modes` different ones, with a little noise each."""
    rng = np.random.default_rng(seed)
    chosen = panels[rng.permutation(len(panels))[:modes]]
    noise = MODE_NOISE * float(panels.std()) * rng.normal(size=panels.shape)
    return (chosen[np.arange(len(panels)) % len(chosen)] + noise).astype(np.float32)
