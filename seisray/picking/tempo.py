"""How finely a picker sees records: the samples in a period of what follows the onsets, at whatever interval."""

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seisray.errors import ConfigError
from seisray.gather import Gather
from seisray.picking.classical import aic
from seisray.picking.work import Work
from seisray.registry import Model
from seisray.resampling import (
    Factors,
    median_period,
    resample_gather,
    resampling_factor,
    samples_per_period,
    whole_traces,
)
from seisray.transforms import Samples

Floats = NDArray[np.floating[Any]]

GATHERS_A_PLACE = 3  # looked at to tell how long a period is
ONSET_SHARE = 0.02  # of the peak of the energy ratio: weak first arrivals before loud ground roll count


def aic_onsets(samples: Samples, period: float) -> Floats:
    """Return (n_traces,) onsets by the AIC, in samples of (n_traces, n_samples); NaN on dead traces.

    period: samples in one, of whole records. They are right on half of the traces of a noisy survey.
    """
    return aic(samples, window=max(round(period / 8), 4), share=ONSET_SHARE)


def onset_period(gathers: Sequence[Gather]) -> float:
    """Return the `median_period` of what follows the onsets, as long as one of whole records; NaN of silent gathers.

    Of whole records most is ground roll, which on soft ground is several times slower than what is picked. It needs no
    labels: that half of the onsets are wrong moves it by an eighth (soda_lakes 55.8 by onsets and 56.6 by labels,
    geostack 52.6 and 46.5).
    """
    length = samples_per_period(gathers)
    return math.nan if math.isnan(length) else median_period(_after_onsets(gathers, length))


def _after_onsets(gathers: Iterable[Gather], period: float) -> Iterable[Samples]:
    """Yield (n, 5/4 period) samples of each gather, a quarter period of them before the onset; short records whole."""
    length, before = math.ceil(5 * period / 4), math.ceil(period / 4)
    for gather in gathers:
        traces = gather.samples[whole_traces(gather)]
        if len(traces) and traces.shape[1] >= length:
            start = np.clip(np.nan_to_num(aic_onsets(traces, period)).astype(int) - before, 0, traces.shape[1] - length)
            yield np.take_along_axis(traces, start[:, None] + np.arange(length), axis=1)
        else:
            yield traces


class Tempo(NamedTuple):
    """Say how finely a network sees records: the sampling interval it learned at, and the `onset_period` there.

    known: by survey that it learned from, by how much that was resampled.
    """

    interval_us: float
    onset_period: float
    known: Mapping[str, float] = MappingProxyType({})


class InTempo(NamedTuple):
    """Hold gathers in one tempo, their `onset_period` there, and how they came to it."""

    gathers: list[Gather]
    onset_period: float
    factors: Factors


def in_one_tempo(gathers: Sequence[Gather], tempo: Tempo | None = None) -> InTempo:
    """Return gathers of surveys in one tempo.

    tempo: of a picker that goes on learning; by default that of the first gather. Gathers of its interval stay as they
    are, those of surveys that it knows become what it learned from. Raises ConfigError where a survey is silent.
    """
    factors, wanted = tempo_factors(gathers, tempo)
    found = [resample_gather(gather, factors[gather.survey, gather.sample_interval_us]) for gather in gathers]
    return InTempo(found, wanted, factors)


def tempo_factors(gathers: Sequence[Gather], tempo: Tempo | None = None) -> tuple[Factors, float]:
    """Return by which factor `in_one_tempo` resamples gathers, and the samples in a period then.

    What is resampled is told on standard error, in a line for each survey.
    """
    factors: dict[tuple[str, float], float] = {}
    interval_us, wanted = (tempo.interval_us, tempo.onset_period) if tempo else (math.nan, math.nan)
    known = tempo.known if tempo else {}
    of_survey: dict[tuple[str, float], list[Gather]] = {}
    for gather in gathers:
        of_survey.setdefault((gather.survey, gather.sample_interval_us), []).append(gather)
    for (survey, own_us), own in of_survey.items():
        if math.isnan(wanted):
            interval_us, wanted = own_us, _period_of(survey, own)
        factor, why = 1.0, ""
        if survey in known:
            factor, why = known[survey], "as the picker learned from it"
        elif own_us != interval_us:
            period = _period_of(survey, own)
            factor = resampling_factor(period, wanted)
            why = f"a period has {period:.0f} samples, {wanted:.0f} are expected"
        factors[survey, own_us] = factor
        if factor != 1:
            shown = f"{len(own)} gathers of {survey}, sampled at {own_us:g} us, are resampled to {own_us / factor:g} us"
            print(f"{shown}: {why}", file=sys.stderr)
    return factors, wanted


def resampling_of(card: Model, work: Work) -> float:
    """Return by how much gathers are resampled for a picker that learned at another interval, and say so.

    What counts are the samples in a period, not the interval: gathers spread over the shards tell. A survey that it
    learned from is resampled as it was then.
    """
    if factor := card.resampled.get(work.manifest()["survey_fingerprint"]):
        if factor != 1:
            print(
                f"{work.label} is resampled to {work.sample_interval_us / factor:g} us, as {card.ref} learned from it; "
                "picks are times as ever",
                file=sys.stderr,
            )
        return factor
    if card.sample_interval_us == work.sample_interval_us:
        return 1.0
    intervals = f"{work.label} is sampled at {work.sample_interval_us:g} us, picker {card.ref} learned from traces at "
    intervals += f"{card.sample_interval_us:g} us"
    wanted = card.details.get("onset_period")
    if not wanted:
        raise ConfigError(f"{intervals}, and its card does not say how many samples a period had; fine-tune it again")
    period = onset_period(gathers_shown(work))
    if not period > 0:
        raise ConfigError(f"{intervals}, and how long a period is cannot be told: the first gathers are silent")
    factor = resampling_factor(period, wanted)
    print(
        f"{intervals}; a period has {period:.0f} samples, {wanted:.0f} as it learned: gathers are resampled to "
        f"{work.sample_interval_us / factor:g} us for it, picks are times as ever",
        file=sys.stderr,
    )
    return factor


def gathers_shown(work: Work) -> list[Gather]:
    """Return gathers from the beginning, the middle and the end of what is picked."""
    places = sorted({0, len(work.shards) // 2, len(work.shards) - 1})
    return [gather for place in places for gather in islice(work.gathers(place, []), GATHERS_A_PLACE)]


def _period_of(survey: str, gathers: Sequence[Gather]) -> float:
    period = onset_period(gathers)
    if math.isnan(period):
        interval_us = gathers[0].sample_interval_us
        raise ConfigError(f"the gathers of {survey} sampled at {interval_us:g} us are silent; leave them out")
    return period
