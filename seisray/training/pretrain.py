"""`seisray pretrain gan`: the GAN step under Ray Train, fed by Ray Data."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import ray.train
import ray.train.torch
import torch

from seisray.config import GanConfig, config_dict
from seisray.models.transfer import bake_spectral_norm
from seisray.registry import Model, Store
from seisray.report.plots import plot_panels, png_bytes
from seisray.storage import Location
from seisray.stream import panel_batches, shard_refs
from seisray.training.checkpoint import checkpoint, load_checkpoint
from seisray.training.gan import GanStep
from seisray.training.journal import Journal
from seisray.training.measure import reference_panels, score_generator
from seisray.training.run import Run
from seisray.weights import pack_weights

SHEET_PANELS = 16


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
    config = config or GanConfig()
    place = Store(store)
    manifests = [place.survey(name) for name in surveys]
    version = place.next_version(model)
    fingerprints = {manifest.survey: manifest.fingerprint for manifest in manifests}
    run = Run(
        store=place,
        kind="pretrain",
        name=f"{model}-{version}",
        train=config.train,
        identity={"config": config_dict(config), "surveys": fingerprints},
    )
    if restart:
        run.folder.delete()
    run.claim(resume=resume)
    job = {"config": config, "refs": shard_refs(place, manifests), "folder": run.folder.uri}
    with run.watch("pretrain") as board:
        result = run.fit(gan_loop, job | {"board": board})
    state = load_checkpoint(result.checkpoint)
    step = GanStep(config)
    step.load_state_dict(state)
    card = Model(
        name=model,
        version=version,
        kind="gan",
        config=config_dict(config),
        surveys=fingerprints,
        sample_interval_us=manifests[0].sample_interval_us,
        parent=None,
        metrics={key: value for key, value in state["history"][-1].items() if key != "step"},
        details={"history": state["history"], "run": run.name, "resumed_at": state["resumed_at"]},
    )
    sheet = png_bytes(plot_panels(step.samples(SHEET_PANELS).numpy(), title=f"{card.ref}: generated panels"))
    for module in (step.averaged, step.discriminator):
        bake_spectral_norm(module)
    weights = pack_weights(generator=step.averaged, discriminator=step.discriminator)
    place.publish_model(card, weights, {"samples.png": sheet})
    return card


def gan_loop(job: dict[str, Any]) -> None:
    """Train on one worker; every worker runs this."""
    config: GanConfig = job["config"]
    train = config.train
    context = ray.train.get_context()
    rank, workers = context.get_world_rank(), context.get_world_size()
    device = str(ray.train.torch.get_device())
    step = GanStep(config, device=device, rank=rank, wrap=ray.train.torch.prepare_model)
    history: list[dict[str, float]] = []
    resumed_at: list[int] = []
    found = ray.train.get_checkpoint()
    if found is not None:
        state = load_checkpoint(found)
        history, resumed_at = state["history"], [*state["resumed_at"], state["step"]]
        step.load_state_dict(state)
    journal = Journal(Location(job["folder"]), job["board"], history) if rank == 0 else None
    reference = reference_panels(job["refs"], config.panel) if rank == 0 else np.empty(0, np.float32)
    batches = panel_batches(
        job["refs"],
        config.panel,
        batch=train.batch // workers,
        first_step=step.step,
        steps=train.steps,
        seed=train.seed,
        rank=rank,
        workers=workers,
    )
    figures: dict[str, float] = {}
    wait_s, start_s, first = 0.0, time.perf_counter(), True
    while step.step < train.steps:
        asked_s = time.perf_counter()
        panels = next(batches)
        if first:  # the stream starts up once a run; what counts is whether it keeps pace
            start_s, first = time.perf_counter(), False
        else:
            wait_s += time.perf_counter() - asked_s
        losses = step(torch.from_numpy(panels))
        last = step.step == train.steps
        saves = last or step.step % train.checkpoint_every == 0
        if journal and (saves or step.step % train.log_every == 0):
            took_s = time.perf_counter() - start_s
            figures = {name: value.item() for name, value in losses.items()}
            figures |= {"data_wait_share": wait_s / took_s}
            if saves:
                figures |= score_generator(step, reference)
            journal.log(step.step, figures)
            journal.show(step.step, figures)
        if journal and (last or step.step % config.sample_every == 0):
            title = f"step {step.step}"
            journal.sheet("samples", step.step, png_bytes(plot_panels(step.samples(SHEET_PANELS).numpy(), title=title)))
        if saves:
            if journal is None:
                ray.train.report(figures)
                continue
            journal.publish()
            with checkpoint(step.state_dict() | {"history": journal.history, "resumed_at": resumed_at}) as saved:
                ray.train.report({**figures, "step": step.step}, checkpoint=saved)
    if journal:
        journal.close(step.step, figures)
