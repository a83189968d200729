"""`seisray pretrain`: the GAN and its rivals under Ray Train, fed by Ray Data."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seisray.config import AutoencoderConfig, GameConfig, GanConfig, InpaintConfig, MaskedConfig, config_dict
from seisray.errors import TrainingError
from seisray.registry import Model, Store
from seisray.report.plots import png_bytes
from seisray.stream import divide, shard_refs
from seisray.training.checkpoint import load_checkpoint
from seisray.training.journal import Journal
from seisray.training.loop import pretrain_loop
from seisray.training.run import Run, repeatable
from seisray.training.trackers import check_tracker, open_trackers
from seisray.training.ways import WAYS
from seisray.weights import pack_weights


def pretrain_gan(
    surveys: Sequence[str],
    *,
    model: str,
    store: str,
    config: GanConfig | None = None,
    resume: bool = False,
    restart: bool = False,
) -> Model:
    """Train a GAN on the unlabelled gathers of surveys and publish it; return its card.

    A run that was interrupted goes on from its last checkpoint when called again in the same way; resume: there must be
    such a run; restart: there must not, what it left is removed.
    """
    return train_model("gan", surveys, model, Store(store), config or GanConfig(), resume=resume, restart=restart)


def pretrain_autoencoder(
    surveys: Sequence[str],
    *,
    model: str,
    store: str,
    config: AutoencoderConfig | None = None,
    resume: bool = False,
    restart: bool = False,
) -> Model:
    """Train an autoencoder on the unlabelled gathers of surveys, as `pretrain_gan` trains a GAN; return its card."""
    settings = config or AutoencoderConfig()
    return train_model("autoencoder", surveys, model, Store(store), settings, resume=resume, restart=restart)


def pretrain_masked(
    surveys: Sequence[str],
    *,
    model: str,
    store: str,
    config: MaskedConfig | None = None,
    resume: bool = False,
    restart: bool = False,
) -> Model:
    """Train a network to repair hidden parts of unlabelled gathers, as `pretrain_gan` trains a GAN; return its card."""
    settings = config or MaskedConfig()
    return train_model("masked", surveys, model, Store(store), settings, resume=resume, restart=restart)


def pretrain_inpaint(
    surveys: Sequence[str],
    *,
    model: str,
    store: str,
    config: InpaintConfig | None = None,
    resume: bool = False,
    restart: bool = False,
) -> Model:
    """Train a network to find the repairs that another makes in unlabelled gathers; return its card."""
    settings = config or InpaintConfig()
    return train_model("inpaint", surveys, model, Store(store), settings, resume=resume, restart=restart)


def train_model(
    kind: str,
    surveys: Sequence[str],
    model: str,
    place: Store,
    config: GameConfig | MaskedConfig,
    *,
    resume: bool,
    restart: bool,
    also: Sequence[str] = (),
    more: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> Model:
    """Train one kind of model (see WAYS) on surveys and publish it; return its card.

    also: surveys that the run sees by other ways, which `more` gives to its workers and to its outcome. details: for
    the card.
    """
    manifests = [place.survey(name) for name in (*surveys, *also)]
    version = place.next_version(model)
    fingerprints = {manifest.survey: manifest.fingerprint for manifest in manifests}
    run = Run(
        store=place,
        kind="pretrain",
        name=f"{model}-{version}",
        train=config.train,
        identity={"kind": kind, "config": repeatable(config), "surveys": fingerprints},
    )
    check_tracker(config.train.tracker)
    if restart:
        run.folder.delete()
    run.claim(resume=resume)
    costs = WAYS[kind].costs(WAYS[kind].step(config))
    for name, cost in costs.items():
        print(f"{name}: {cost}", file=sys.stderr)
    learned, held_out = divide(shard_refs(place, manifests[: len(surveys)]), config.held_out)
    more = more or {}
    job = {"kind": kind, "config": config, "refs": learned, "folder": run.folder.uri, **more}
    with run.watch("pretrain") as board:
        result = run.fit(pretrain_loop, job | {"board": board})
        state = load_checkpoint(result.checkpoint)
        if state["stopped"]:
            raise TrainingError(
                f"run {run.name!r} was stopped at {state['stopped']}; change the settings, or what watch.* does, and "
                "pass --restart"
            )
        step = WAYS[kind].step(config)
        step.load_state_dict(state)
        outcome = WAYS[kind].outcome(step, learned, held_out, config, **more)
        trackers = open_trackers(config.train.tracker, run.folder, config_dict(config), board.tell.remote)
        journal, found = Journal(run.folder, board, trackers=trackers), dict(outcome.metrics)
        journal.log(step.step, found)
        journal.close(step.step, found)
    last = {name: figure for name, figure in state["history"][-1].items() if name not in ("step", "elapsed_s")}
    last["data_wait_share"] = waited(state["history"])
    card = Model(
        name=model,
        version=version,
        kind=kind,
        config=config_dict(config),
        surveys=fingerprints,
        sample_interval_us=manifests[0].sample_interval_us,
        parent=None,
        metrics={**last, **outcome.metrics},
        details={key: state[key] for key in ("history", "alarms", "resumed_at")}
        | {
            "run": run.name,
            "costs": {name: cost._asdict() for name, cost in costs.items()},
            **outcome.details,
            **(details or {}),
        },
    )
    pictures = {name: png_bytes(figure) for name, figure in outcome.pictures.items()}
    place.publish_model(card, pack_weights(**outcome.modules), pictures)
    return card


def waited(history: Sequence[Mapping[str, float]]) -> float:
    """Return which share of the time of all steps of a run was spent waiting for panels, by its history."""
    n_steps = np.diff([row["step"] for row in history], prepend=0)
    busy_ms = n_steps * [row["step_ms"] for row in history]
    return float(np.average([row["data_wait_share"] for row in history], weights=busy_ms))
