"""How well picks meet the labelled first breaks."""

from dataclasses import asdict, dataclass
from math import isfinite

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seisray.errors import ConfigError, PicksError
from seisray.metrics.calibration import calibration_error
from seisray.units import ms_to_sample

ROUNDING_MS = 1e-3
"""Slack that keeps a residual of exactly the tolerance a hit after float32 storage; far below any sample interval."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PickScore:
    """Hold what one set of picks scores against the labelled first breaks; rates are fractions of the labelled traces.

    coverage: labelled traces that carry a pick. hit_rate_*ms: picked within that time of the first break, inclusive.
    hit_rate_2ms_debiased: the same once the median residual is taken off every pick.
    mae_ms, rmse_ms, bias_ms, median_residual_ms: over labelled traces that carry a pick; NaN where none does.
    hr_at_k: HR@k px of the hardpicks benchmark: pick and first break, both on whole samples, lie fewer than k samples
    apart (hr_at_1: on the same sample).
    ece_2ms: how far probabilities lie from the share of picks within 2 ms, by `calibration_error`; NaN where no
    probability is known.
    """

    n_labelled: int
    n_picked: int
    coverage: float
    hit_rate_1ms: float
    hit_rate_2ms: float
    hit_rate_4ms: float
    hit_rate_2ms_debiased: float
    mae_ms: float
    rmse_ms: float
    bias_ms: float
    median_residual_ms: float
    hr_at_1: float
    hr_at_3: float
    hr_at_5: float
    hr_at_7: float
    hr_at_9: float
    ece_2ms: float = float("nan")

    def to_dict(self) -> dict[str, int | float | None]:
        """Return the fields as plain JSON values; NaN becomes None."""
        return {name: value if isfinite(value) else None for name, value in asdict(self).items()}


def residual_ms(pick_ms: ArrayLike, first_break_ms: ArrayLike) -> NDArray[np.float64]:
    """Return pick minus first break in ms; NaN where either is missing.

    pick_ms, first_break_ms: same shape, ms from the first sample; NaN = none.
    Raises PicksError where the shapes differ.
    """
    pick, first_break = _pair(pick_ms, first_break_ms)
    return pick - first_break


def hit_rate(pick_ms: ArrayLike, first_break_ms: ArrayLike, tolerance_ms: float) -> float:
    """Return the fraction of labelled traces picked within `tolerance_ms` of the first break.

    pick_ms, first_break_ms: (n_traces,), ms from the first sample; NaN = none. A missing pick on a labelled trace is a
    miss; traces without a label do not count. Raises PicksError where nothing is labelled.
    """
    if not tolerance_ms >= 0:
        raise ConfigError(f"tolerance_ms is {tolerance_ms}, expected 0 or more")
    return _share_within(_labelled_residual_ms(pick_ms, first_break_ms), tolerance_ms)


def score_picks(
    pick_ms: ArrayLike, first_break_ms: ArrayLike, *, sample_interval_us: float, probability: ArrayLike | None = None
) -> PickScore:
    """Return every score of a set of picks.

    pick_ms, first_break_ms: (n_traces,), ms from the first sample; NaN = none. Traces of many gathers may be joined.
    sample_interval_us: what one sample of the HR@k scores lasts. probability: (n_traces,), that the pick is right.
    Raises PicksError where nothing is labelled or shapes differ, ConfigError on a sample interval that is not positive.
    """
    if not (sample_interval_us > 0 and isfinite(sample_interval_us)):
        raise ConfigError(f"sample_interval_us is {sample_interval_us}, expected more than 0")
    residual = _labelled_residual_ms(pick_ms, first_break_ms)
    known = residual[np.isfinite(residual)]
    median = float(np.median(known)) if known.size else float("nan")
    pick, first_break = _pair(pick_ms, first_break_ms)
    apart = np.abs(_nearest_sample(pick, sample_interval_us) - _nearest_sample(first_break, sample_interval_us))

    def hr_at(samples: int) -> float:
        return float(np.count_nonzero(apart < samples) / residual.size)  # NaN compares False: a miss

    return PickScore(
        n_labelled=residual.size,
        n_picked=known.size,
        coverage=known.size / residual.size,
        hit_rate_1ms=_share_within(residual, 1.0),
        hit_rate_2ms=_share_within(residual, 2.0),
        hit_rate_4ms=_share_within(residual, 4.0),
        hit_rate_2ms_debiased=_share_within(residual - median, 2.0),
        mae_ms=float(np.mean(np.abs(known))) if known.size else float("nan"),
        rmse_ms=float(np.sqrt(np.mean(known**2))) if known.size else float("nan"),
        bias_ms=float(np.mean(known)) if known.size else float("nan"),
        median_residual_ms=median,
        hr_at_1=hr_at(1),
        hr_at_3=hr_at(3),
        hr_at_5=hr_at(5),
        hr_at_7=hr_at(7),
        hr_at_9=hr_at(9),
        ece_2ms=float("nan") if probability is None else calibration_error(*sureness(pick, first_break, probability)),
    )


def sureness(
    pick_ms: ArrayLike, first_break_ms: ArrayLike, probability: ArrayLike, tolerance_ms: float = 2.0
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the probabilities of the picks on labelled traces, and which of these picks lie within `tolerance_ms`.

    All of the same shape; raises PicksError where they are not.
    """
    residual, said = residual_ms(pick_ms, first_break_ms), np.asarray(probability, dtype=np.float64)
    if said.shape != residual.shape:
        raise PicksError(f"probabilities have shape {said.shape}, picks {residual.shape}; expected the same")
    known = np.isfinite(residual)
    return said[known], np.abs(residual[known]) <= tolerance_ms + ROUNDING_MS


def _pair(pick_ms: ArrayLike, first_break_ms: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both as float64 with every non-finite value as NaN."""
    pick, first_break = np.asarray(pick_ms, dtype=np.float64), np.asarray(first_break_ms, dtype=np.float64)
    if pick.shape != first_break.shape:
        raise PicksError(f"picks have shape {pick.shape}, first breaks {first_break.shape}; expected the same")
    return np.where(np.isfinite(pick), pick, np.nan), np.where(np.isfinite(first_break), first_break, np.nan)


def _labelled_residual_ms(pick_ms: ArrayLike, first_break_ms: ArrayLike) -> NDArray[np.float64]:
    """Return (n_labelled,) residuals, NaN where a labelled trace carries no pick."""
    pick, first_break = _pair(pick_ms, first_break_ms)
    labelled = np.isfinite(first_break)
    if not labelled.any():
        raise PicksError(f"none of {first_break.size} traces has a labelled first break; scoring picks needs labels")
    return (pick - first_break)[labelled]


def _share_within(residual: NDArray[np.float64], tolerance_ms: float) -> float:
    return float(np.count_nonzero(np.abs(residual) <= tolerance_ms + ROUNDING_MS) / residual.size)


def _nearest_sample(time_ms: NDArray[np.float64], sample_interval_us: float) -> NDArray[np.float64]:
    return np.floor(ms_to_sample(time_ms, sample_interval_us) + 0.5)
