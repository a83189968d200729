"""`seisray refine`: a refiner learns what field gathers look like, and writes a synthetic survey anew as such ones."""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import xxhash

from seisray.config import PanelConfig, RefineConfig, RefinerConfig
from seisray.errors import ConfigError
from seisray.gather import Gather
from seisray.ingest.derived import derive
from seisray.models.refiner import Refiner, refine_gather
from seisray.picking.tempo import Tempo, tempo_factors
from seisray.registry import Model, Store, Survey
from seisray.resampling import resample_gather
from seisray.stream import shard_refs, some_gathers
from seisray.training.pretrain import train_model
from seisray.transforms import compress, trace_rms
from seisray.weights import card_settings, load_weights

KIND = "refiner"
TEMPO_SHARDS, TEMPO_GATHERS = 4, 4  # of each survey, by which its tempo is judged


class Refined(NamedTuple):
    """What came of it. trained: whether the model is new; survey: None where none was asked for."""

    model: Model
    trained: bool
    survey: Survey | None


def refine(
    synthetic: str,
    *,
    like: Sequence[str] = (),
    model: str,
    store: str,
    out: str | None = None,
    config: RefineConfig | None = None,
    resume: bool = False,
    restart: bool = False,
    replace: bool = False,
) -> Refined:
    """Train a refiner unless it is there, and write the synthetic survey as it refines it.

    like: surveys whose unlabelled gathers are to be resembled. out: name of the refined survey, with the labels and the
    geometry of the synthetic one; None = train only. A run that was interrupted goes on when called again in the same
    way; resume: there must be such a run; restart: train anew, whatever is there. replace: make `out` anew.
    """
    place = Store(store)
    manifest = place.survey(synthetic)
    if not manifest.n_labelled:
        raise ConfigError(
            f"survey {synthetic!r} has no first breaks, which refining is to keep; ingest it with --picks"
        )
    trained = restart or resume or not place.versions(model)
    if not trained and out is None:
        raise ConfigError(f"model {model!r} is there already; say by --out what to call the survey it is to make")
    if trained and not like:
        raise ConfigError(f"there is no model {model!r} to go by; name by --like the surveys that it is to learn from")
    if out is not None and not replace and out in place.names("surveys") and trained:
        raise ConfigError(f"survey {out!r} already exists in {place}; choose another --out, or pass --replace")
    if trained:
        card = _train(manifest, like, model, place, config or RefineConfig(), resume=resume, restart=restart)
    else:
        card = place.model(model)
        if card.kind != KIND:
            raise ConfigError(f"{card.ref} is a {card.kind}, not a refiner; choose another --model")
        if like or config:
            print(f"{card.ref} is there and is applied as it is; pass --restart to train another", file=sys.stderr)
    return Refined(card, trained, apply_refiner(card, manifest, out, store=place, replace=replace) if out else None)


def _train(
    synthetic: Survey,
    like: Sequence[str],
    model: str,
    place: Store,
    config: RefineConfig,
    *,
    resume: bool,
    restart: bool,
) -> Model:
    field = [place.survey(name) for name in like]
    if synthetic.survey in like:
        raise ConfigError(f"--like {synthetic.survey} is the synthetic survey itself; name field surveys")
    gathers = [gather for survey in (*field, synthetic) for gather in _tempo_gathers(place, survey)]
    factors, period = tempo_factors(gathers)
    return train_model(
        KIND,
        like,
        model,
        place,
        config,
        resume=resume,
        restart=restart,
        also=[synthetic.survey],
        more={"synthetic": shard_refs(place, [synthetic]), "factors": factors},
        details={"onset_period": period},
    )


def _tempo_gathers(place: Store, survey: Survey) -> list[Gather]:
    return some_gathers(shard_refs(place, [survey]), shards=TEMPO_SHARDS, gathers=TEMPO_GATHERS)


class Manner(NamedTuple):
    """How a gather is refined. weights: of the refiner; factor: by which it is resampled before."""

    refiner: RefinerConfig
    panel: PanelConfig
    weights: dict[str, torch.Tensor]
    factor: float
    seed: int


def apply_refiner(card: Model, survey: Survey, out: str, *, store: Store, replace: bool = False) -> Survey:
    """Write a survey as a refiner makes it look, in the tempo that the refiner learned at; return its manifest."""
    tempo = Tempo(card.sample_interval_us, card.details["onset_period"])
    factors, _ = tempo_factors(_tempo_gathers(store, survey), tempo)
    how = Manner(
        refiner=card_settings(RefinerConfig, card, "refiner"),
        panel=card_settings(PanelConfig, card, "panel"),
        weights=load_weights(store, card, "refiner"),
        factor=factors[survey.survey, survey.sample_interval_us],
        seed=card.config["train"]["seed"],
    )
    made_from = {"model": card.ref, "weights_xxh3": _digest(how.weights), "resampled": how.factor}
    return derive(out, survey, store=store, by=refined, with_=how, made_from=made_from, replace_=replace)


def refined(gather: Gather, how: Manner) -> Gather:
    """Return a gather as a refiner makes it look; traces stay as loud as they were, and dead ones dead."""
    gather = resample_gather(gather, how.factor)
    refiner = Refiner(how.refiner, how.panel).eval()
    refiner.load_state_dict(how.weights)
    rms = trace_rms(gather.samples, how.panel.samples)
    panel = torch.from_numpy(compress(gather.samples, rms, how.panel.gain))
    seed = xxhash.xxh3_64_intdigest(f"{how.seed}/{gather.gather_id}".encode()) >> 1
    made = np.sinh(refine_gather(refiner, panel, seed).numpy().astype(np.float64)) * rms / how.panel.gain
    return gather.replace(samples=np.where(gather.live[:, None], made, 0).astype(np.float32))


def _digest(weights: dict[str, Any]) -> str:
    found = xxhash.xxh3_128()
    for name in sorted(weights):
        found.update(name.encode())
        found.update(weights[name].numpy().tobytes())
    return found.hexdigest()
