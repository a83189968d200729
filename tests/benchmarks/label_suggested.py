"""The gathers that `seisray suggest` has people label, for label_efficiency.py, found by the commands themselves."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from seisray.config import PickerConfig, config_dict, fingerprint
from seisray.gather import Gather
from seisray.ingest import ingest
from seisray.models.picker import Picker
from seisray.models.transfer import load_body
from seisray.picking.suggest import suggest
from seisray.picking.survey import pick_survey
from seisray.registry import Model, Store
from seisray.weights import pack_weights

SURVEY = "soda_lakes"
"""The one survey with more labelled gathers than are learned from."""


def suggested(
    data: Path, store: Store, learn: Mapping[int, Gather], n: int, picker: Mapping[str, Tensor] | None
) -> list[int]:
    """Return the FFIDs of the n gathers that are to be labelled first.

    learn: to choose from, by FFID; their labels are not looked at. picker: whose doubts count, None = looks alone do.
    """
    uri, survey = str(store), f"{SURVEY}-without-labels"
    if survey not in store.names("surveys"):
        ingest(survey, [str(data / SURVEY / "raw" / f"Shot_{ffid:05}.sg2") for ffid in learn], store=uri, resume=True)
    picks = None
    if picker is not None:
        doubter = _published(store, picker, next(iter(learn.values())).sample_interval_us)
        picks = f"{survey}-by-{doubter.name}"
        if picks not in store.names("picks"):
            pick_survey(survey, model=doubter.ref, out=picks, store=uri, resume=True)
    return [one.ffid for one in suggest(survey, n=n, store=uri, picks=picks)]


def _published(store: Store, weights: Mapping[str, Tensor], sample_interval_us: float) -> Model:
    """Return the model that weights of a picker are in the store, under a name of their own."""
    name = f"doubter-{fingerprint({part: float(tensor.double().sum()) for part, tensor in sorted(weights.items())})}"
    if store.versions(name):
        return store.model(name)
    config = PickerConfig()
    picker = Picker(config.body)
    load_body(picker, dict(weights), decoder=True)
    card = Model(
        name=name,
        version=store.next_version(name),
        kind="picker",
        config=config_dict(config),
        surveys={},
        sample_interval_us=sample_interval_us,
        parent=None,
        metrics={},
        details={},
    )
    store.publish_model(card, pack_weights(picker=picker), {})
    return card
