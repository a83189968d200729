"""Gathers to pick rows: one picker, its weights proved, and a row for each trace whatever the gather holds."""

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa

import seisray
from seisray.config import BodyConfig, PanelConfig
from seisray.errors import StorageError
from seisray.gather import Gather
from seisray.models.picker import Picker
from seisray.models.unet import channels_last
from seisray.picking.decode import LEAST_PROBABILITY, REACH_SAMPLES, decode
from seisray.picking.parts import PICK_SCHEMA
from seisray.picking.tiling import OVERLAP_TRACES, TILE_TRACES, gather_logits
from seisray.registry import Model, Store
from seisray.weights import load_weights


def pick_settings(card: Model) -> dict[str, Any]:
    """Return every setting, besides the weights, that the picks of a picker depend on."""
    return {
        "body": card.config.get("body"),
        "panel": card.config.get("panel"),
        "tile_traces": TILE_TRACES,
        "overlap_traces": OVERLAP_TRACES,
        "reach_samples": REACH_SAMPLES,
        "least_probability": LEAST_PROBABILITY,
        "columns": PICK_SCHEMA.names,
        "made_by": f"seisray {seisray.__version__}",
    }


def weights_sha256(store: Store, card: Model) -> str:
    """Return the hash of a model's weights as they lie in the store."""
    return hashlib.sha256(store.weights(card).read_bytes()).hexdigest()


class GatherPicker:
    """Hold one picker on one device, and turn gathers into pick rows."""

    def __init__(self, store: Store, card: Model, *, sha256: str, device: str = "cpu") -> None:
        """Load the weights; raise StorageError where they are not those with the hash."""
        if weights_sha256(store, card) != sha256:
            raise StorageError(f"the weights of {card.ref} changed while it was picking; pick with another --out")
        self._model, self._device = card.ref, device
        self._picker, panel = load_picker(store, card)
        self._gain, self._window = panel.gain, panel.samples
        self._picker.to(device)
        channels_last(self._picker)

    def rows(self, gather: Gather) -> pa.Table:
        """Return the pick rows of a gather, one a trace."""
        logits = gather_logits(self._picker, gather.samples, gain=self._gain, window=self._window, device=self._device)
        picks = decode(logits, gather.live, gather.sample_interval_us)
        same = {"survey": gather.survey, "gather_id": gather.gather_id, "source_file": gather.source_file}
        columns = {name: [value] * gather.n_traces for name, value in same.items()} | {
            "ffid": np.full(gather.n_traces, gather.ffid),
            "trace": gather.trace,
            "pick_ms": picks.pick_ms,
            "probability": picks.probability,
            "sigma_ms": picks.sigma_ms,
            "flag": picks.flag.tolist(),
            "model": [self._model] * gather.n_traces,
        }
        return pa.table(columns, schema=PICK_SCHEMA)


def load_picker(store: Store, card: Model) -> tuple[Picker, PanelConfig]:
    """Return a picker ready to pick, and the panels it learned from."""
    weights = load_weights(store, card, "picker")
    try:
        picker = Picker(BodyConfig(channels=tuple(card.config["body"]["channels"])))
        picker.load_state_dict(weights)
        return picker.eval(), PanelConfig(**card.config["panel"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise StorageError(f"model {card.ref}: its card and its weights disagree: {error}; train it again") from error
