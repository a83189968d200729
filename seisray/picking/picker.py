"""Gathers to pick rows: one picker, its weights proved, and a row for each trace whatever the gather holds."""

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import seisray
from seisray.config import PanelConfig, PickConfig, config_dict
from seisray.errors import ConfigError, GatherError, StorageError
from seisray.gather import Gather
from seisray.models.picker import Picker
from seisray.picking.decode import (
    LEAST_PROBABILITY,
    REACH_SAMPLES,
    SMOOTH_SAMPLES,
    Picks,
    candidates,
    decide,
    joined,
    moved_by,
    no_picks,
)
from seisray.picking.engine import averaged, make_engine
from seisray.picking.event import nearest_event
from seisray.picking.parts import PICK_SCHEMA
from seisray.picking.smoothness import N_CANDIDATES, smoothest
from seisray.picking.tiling import tile_logits
from seisray.picking.window import allowed_ms
from seisray.registry import Model, Store
from seisray.resampling import resample
from seisray.transforms import Samples
from seisray.units import ms_to_sample, sample_to_ms
from seisray.weights import card_settings, load_weights

LARGEST_PEAK = 1e30  # of a trace as it is; larger ones would leave float32 where they are resampled


def pick_settings(card: Model, config: PickConfig, *, resampling: float = 1.0) -> dict[str, Any]:
    """Return every setting, besides the weights, that the picks of a picker depend on; see GatherPicker."""
    return {
        "pick": config_dict(config),
        "resampling": resampling,
        "body": card.config.get("body"),
        "panel": card.config.get("panel"),
        "reach_samples": REACH_SAMPLES,
        "smooth_samples": SMOOTH_SAMPLES,
        "least_probability": LEAST_PROBABILITY,
        "columns": PICK_SCHEMA.names,
        "made_by": f"seisray {seisray.__version__}",
    }


def weights_sha256(store: Store, card: Model) -> str:
    """Return the hash of a model's weights as they lie in the store."""
    return hashlib.sha256(store.weights(card).read_bytes()).hexdigest()


class GatherPicker:
    """Hold one picker on one device, and turn gathers into pick rows.

    sample_interval_us: of the gathers, by default that which the picker learned at. resampling: the factor by which
    their samples are multiplied before the picker sees them; picks are times all the same. config: by default as
    the picker learned; polarity "auto" is as recorded here, `with_polarity` having settled it.
    """

    def __init__(
        self,
        store: Store,
        card: Model,
        *,
        sha256: str,
        device: str = "cpu",
        config: PickConfig | None = None,
        sample_interval_us: float | None = None,
        resampling: float = 1.0,
    ) -> None:
        """Load the weights; raise StorageError where they are not those with the hash."""
        if weights_sha256(store, card) != sha256:
            raise StorageError(f"the weights of {card.ref} changed while it was picking; pick with another --out")
        picker, panel = load_picker(store, card)
        self._config = config or PickConfig()
        predict = make_engine(self._config.engine, picker, device=device)
        self._model, self._predict = card.ref, averaged(predict) if self._config.average else predict
        self._gain, self._stretch, self._resampling = panel.gain, panel.samples, resampling
        self._interval_us = sample_interval_us or card.sample_interval_us

    def rows(self, gather: Gather) -> tuple[pa.Table, str | None]:
        """Return the pick rows of a gather, one a trace, and why it could not be picked, if it could not.

        Traces with NaN or infinite samples are flagged not_finite, traces of zeros dead; the others are picked as if
        those were dead. Where picking itself fails, the others are flagged failed.
        """
        peak = np.maximum(gather.samples.max(axis=1), -gather.samples.min(axis=1))  # NaN passes both
        finite = np.isfinite(peak)
        usable, failure = gather.live & finite, None
        picks = no_picks(gather.n_traces, "dead")
        if usable.any():
            try:
                picks = self._pick(gather, _calm(gather.samples, peak), usable)
            except Exception as error:  # whatever it is: the other gathers are picked
                failure = " ".join(f"{type(error).__name__}: {error}".split())[:500]
                picks = no_picks(gather.n_traces, "failed")
        flag = np.where(finite, np.where(gather.live, picks.flag, "dead"), "not_finite")
        return self._table(gather, picks, flag), failure

    def _pick(self, gather: Gather, samples: Samples, usable: NDArray[np.bool_]) -> Picks:
        config, interval_us = self._config, gather.sample_interval_us / self._resampling
        if gather.sample_interval_us != self._interval_us:
            raise GatherError(f"sampled at {gather.sample_interval_us:g} us, expected {self._interval_us:g} us")
        window_ms = allowed_ms(gather, config)
        allowed = None if window_ms is None else ms_to_sample(window_ms - config.habit_ms, interval_us)
        found, n = [], N_CANDIDATES if config.smoothness else 1
        seen = resample(-samples if config.polarity == "reversed" else samples, self._resampling)
        for keep, logits in tile_logits(self._predict, seen, gain=self._gain, stretch=self._stretch):
            if not np.isfinite(logits).all():
                raise GatherError("the network answers with NaN or infinite numbers")
            here = None if allowed is None else allowed[keep]
            found.append(candidates(logits, usable[keep], n=n, allowed=here))
        line = joined(found)
        chosen = smoothest(line, interval_us / 1000, config.smoothness) if config.smoothness else None
        picks = decide(line, interval_us, chosen=chosen)
        if config.habit_ms:
            end_ms = gather.n_samples * gather.sample_interval_us / 1000
            return moved_by(picks, config.habit_ms, end_ms)
        if config.event == "learned":
            return picks
        at, reach = (ms_to_sample(ms, gather.sample_interval_us) for ms in (picks.pick_ms, config.event_ms))
        moved = nearest_event(samples, at, config.event, float(reach))
        return replace(picks, pick_ms=sample_to_ms(moved, gather.sample_interval_us))

    def _table(self, gather: Gather, picks: Picks, flag: NDArray[np.str_]) -> pa.Table:
        same = {
            "survey": gather.survey,
            "gather_id": gather.gather_id,
            "source_file": gather.source_file,
            "ffid": gather.ffid,
            "model": self._model,
        }
        columns = {
            "trace": gather.trace,
            "pick_ms": picks.pick_ms,
            "probability": picks.probability,
            "sigma_ms": picks.sigma_ms,
            "flag": flag.tolist(),
        } | {name: pa.repeat(value, gather.n_traces) for name, value in same.items()}
        return pa.table(columns, schema=PICK_SCHEMA)


def _calm(samples: Samples, peak: Samples) -> Samples:
    """Return samples with zeros on traces that are not finite, and those near the end of float32 scaled down.

    peak: (n_traces,) largest size. What the network sees is normalised trace by trace, so a trace may have any scale.
    """
    if (peak < LARGEST_PEAK).all():  # so come nearly all gathers
        return samples
    finite = np.isfinite(peak)
    factor = np.where(finite, np.minimum(1, LARGEST_PEAK / np.maximum(peak, 1)), 0).astype(np.float32)
    return np.where(finite[:, None], samples, np.float32(0)) * factor[:, None]


def load_picker(store: Store, card: Model) -> tuple[Picker, PanelConfig]:
    """Return a picker ready to pick, and the panels it learned from."""
    weights, body = load_weights(store, card, "picker"), card.body
    try:
        picker = Picker(body)
        picker.load_state_dict(weights)
        return picker.eval(), card_settings(PanelConfig, card, "panel")
    except (KeyError, TypeError, RuntimeError, ConfigError) as error:
        reason = str(error).splitlines()[-1].strip(" \t.")
        raise StorageError(f"model {card.ref}: its card and its weights disagree: {reason}; train it again") from error
