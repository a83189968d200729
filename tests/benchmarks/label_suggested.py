"""The gathers that `seisray suggest` has people label, for label_efficiency.py, found by the commands themselves."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from seisray.config import PickerConfig, config_dict
from seisray.ingest import ingest
from seisray.models.picker import Picker
from seisray.models.transfer import load_body
from seisray.picking.suggest import suggest
from seisray.picking.survey import pick_survey
from seisray.picking.tempo import onset_period
from seisray.registry import Model, Store
from seisray.stream import read_labelled
from seisray.training.picker import parse_ffids
from seisray.weights import pack_weights

SURVEY, NO_LABELS, DOUBTER = "soda_lakes", "soda_lakes-without-labels", "picker-that-doubts"
"""The one survey with more labelled gathers than are learned from; its gathers to learn from, as raw traces; and the
picker whose doubts of them count."""


def suggested(data: Path, store: Store, ffids: str, n: int, picker: Mapping[str, Tensor] | None) -> list[int]:
    """Return the FFIDs of n gathers to label, of these FFIDs. picker: whose doubts count, None = looks alone do."""
    uri = str(store)
    if NO_LABELS not in store.names("surveys"):
        files = [str(data / SURVEY / "raw" / f"Shot_{ffid:05}.sg2") for ffid in parse_ffids(ffids)]
        ingest(NO_LABELS, files, store=uri, resume=True)
    picks = None
    if picker is not None:
        picks = f"{NO_LABELS}-doubted"
        if picks not in store.names("picks"):
            model = store.model(DOUBTER) if store.versions(DOUBTER) else _published(store, picker)
            pick_survey(NO_LABELS, model=model.ref, out=picks, store=uri, resume=True)
    return [one.ffid for one in suggest(NO_LABELS, n=n, store=uri, picks=picks)]


def _published(store: Store, weights: Mapping[str, Tensor]) -> Model:
    """Publish the picker that a start is, as one that learned at the tempo of the survey."""
    config = PickerConfig()
    picker = Picker(config.body)
    load_body(picker, dict(weights), decoder=True)
    labelled = read_labelled(store, [store.survey(SURVEY)], None)
    card = Model(
        name=DOUBTER,
        version=store.next_version(DOUBTER),
        kind="picker",
        config=config_dict(config),
        surveys={},
        sample_interval_us=labelled[0].sample_interval_us,
        parent=None,
        metrics={},
        details={"onset_period": onset_period(labelled)},
    )
    store.publish_model(card, pack_weights(picker=picker))
    return card
