"""`seisray finetune`: a picker from learned weights, or from scratch, and a handful of labelled gathers."""

import dataclasses
import sys
from collections.abc import Sequence
from typing import Any

import ray.train
import ray.train.torch

from seisray.config import PickerConfig, config_dict
from seisray.errors import ConfigError
from seisray.gather import Gather
from seisray.heap import keep_heap
from seisray.picking.tempo import Tempo, in_one_tempo
from seisray.registry import Model, Store, Survey
from seisray.session import connect
from seisray.storage import Location
from seisray.training.agreement import highest
from seisray.training.checkpoint import load_checkpoint, report
from seisray.training.compilation import check_compiler
from seisray.training.journal import Journal
from seisray.training.label_habits import check_source, habits_ms, without_habits
from seisray.training.labelled_gathers import labelled_gathers
from seisray.training.picker import (
    PickerStep,
    learned_picker,
    pick_gathers,
    score_gathers,
    score_labels,
)
from seisray.training.precision import flush_denormals
from seisray.training.run import Run, repeatable
from seisray.training.suspects import describe, question_labels, suspect_labels, suspects_csv
from seisray.training.temperature import answers_on_gathers, answers_on_panels, calibrate
from seisray.training.trackers import check_tracker, open_trackers
from seisray.training.unlabelled import check_alignment, unlabelled_gathers
from seisray.training.validation import Validation, hold_out, not_judged
from seisray.weights import BODY_OF, load_weights, pack_weights

SCRATCH = "scratch"


def finetune(
    surveys: Sequence[str],
    *,
    source: str,
    model: str,
    store: str,
    labelled: int | None = None,
    ffids: str | None = None,
    labels: str | None = None,
    labels_of: Sequence[str] = (),
    least_probability: float | None = None,
    like: Sequence[str] = (),
    config: PickerConfig | None = None,
    restart: bool = False,
) -> Model:
    """Train a picker on labelled gathers of surveys and publish it; return its card.

    surveys: names, or name:FFIDs to learn from these of its gathers only. source: the model whose weights it starts
    from (name or name@version), or "scratch". labelled: how many gathers, spread evenly over the FFIDs; ffids: which,
    of the surveys that name none; neither: all. labels: a CSV, such as `review` writes, whose first breaks take the
    place of the first survey's own on the gathers that it names. labels_of: picks of surveys, one set of each; those
    without a flag and with least_probability or more (0.5) take the place of its own labels, but for gathers that
    `labels` names. like: surveys whose gathers, without labels, the picker is to see as it sees labelled ones
    (config.align).
    restart: remove what an interrupted run left. Raises ConfigError where these do not go together.
    """
    place = Store(store)
    config, parent = with_body_of(place, source, config or PickerConfig())
    names = [survey.partition(":")[0] for survey in surveys]
    check_alignment(config, like, names)
    if config.habits:
        check_source(None if source == SCRATCH else place.model(source), source)
    if config.habits and labels_of:
        raise ConfigError("--habits with --labels-of: picks are where the picker puts them already; leave one out")
    if labels_of and (config.validation.share or config.calibrate):
        raise ConfigError(
            "--validation.share and --calibrate would judge a picker by its own picks (--labels-of); leave them out"
        )
    field = [place.survey(name) for name in like]
    learning = labelled_gathers(
        place,
        surveys,
        labelled=labelled,
        ffids=ffids,
        labels=labels,
        labels_of=labels_of,
        least_probability=least_probability,
    )
    tempo = tempo_of(place, source, [*learning.surveys, *field])
    gathers, period, factors = in_one_tempo(learning.gathers, tempo)
    tempo = tempo or Tempo(gathers[0].sample_interval_us, period)
    unlabelled = unlabelled_gathers(place, field, tempo)
    doubts = question_labels(gathers)
    labelled_from, held_out = hold_out(gathers, config.validation.share)
    doubts += not_judged(gathers, held_out)
    learned_from, habits = labelled_from, dict[str, float]()
    if config.habits:
        habits = habits_ms(place, place.model(source), labelled_from)
        learned_from, held_out = without_habits(labelled_from, habits), without_habits(held_out, habits)
    version = place.next_version(model)
    fingerprints = {manifest.survey: manifest.fingerprint for manifest in learning.surveys}
    inherited = {} if source == SCRATCH else place.model(source).resampled
    source_of_field = {"like": {manifest.survey: manifest.fingerprint for manifest in field}} if field else {}
    run = Run(
        store=place,
        kind="finetune",
        name=f"{model}-{version}",
        train=config.train,
        identity={"config": repeatable(config), "surveys": fingerprints, "from": parent, "ffids": ffids_of(gathers)}
        | learning.digests
        | source_of_field,
    )
    check_tracker(config.train.tracker)
    if restart:
        run.folder.delete()
    run.claim()
    job = picker_job(place, config, parent, learned_from, held_out, unlabelled) | {"folder": run.folder.uri}
    for line in doubts:
        print(f"{model}: {line}", file=sys.stderr)
    with run.watch("finetune") as board:
        result = run.fit(picker_loop, job | {"board": board})
    state = load_checkpoint(result.checkpoint)
    picker = learned_picker(state, config)
    validation = None
    if held_out:
        validation = Validation(config.validation)
        validation.load_state_dict(state["validation"])
    calibration = None
    if config.calibrate:
        asked = answers_on_gathers if held_out else answers_on_panels
        answers = asked(picker, held_out or learned_from, config)
        calibration = calibrate(picker, answers)
    picks_ms = [  # as the labels of each survey mark it
        pick_ms + habits.get(gather.survey, 0.0)
        for gather, pick_ms in zip(labelled_from, pick_gathers(picker, labelled_from, config.panel), strict=True)
    ]
    suspects = suspect_labels(labelled_from, picks_ms)
    for line in describe(suspects, labelled_from):
        print(f"{model}: {line}", file=sys.stderr)
    card = Model(
        name=model,
        version=version,
        kind="picker",
        config=config_dict(config),
        surveys=fingerprints,
        sample_interval_us=tempo.interval_us,
        parent=parent,
        metrics={
            "loss": state["history"][-1]["loss"],
            "train_hit_rate_2ms": score_labels(picks_ms, labelled_from).hit_rate_2ms,
            "suspect_labels": len(suspects),
            **(validation.figures if validation else {}),
            **(calibration.metrics if calibration else {}),
        },
        details={
            "history": state["history"],
            "run": run.name,
            "ffids": ffids_of(learned_from),
            **({"validation": validation_details(validation, state["step"], held_out)} if validation else {}),
            "onset_period": period,
            "resampled": {**inherited, **{fingerprints[survey]: factor for (survey, _), factor in factors.items()}},
            "doubts": doubts,
            **({"habits_ms": habits} if config.habits else {}),
            **learning.origin,
            **source_of_field,
        },
    )
    place.publish_model(card, pack_weights(picker=picker), {"suspects.csv": suspects_csv(suspects)})
    return card


def with_body_of(store: Store, source: str, config: PickerConfig) -> tuple[PickerConfig, str | None]:
    """Return the configuration with the architecture of the source model, and that model's full name."""
    if source == SCRATCH:
        return config, None
    card = store.model(source)
    return dataclasses.replace(config, body=card.body), card.ref


def tempo_of(store: Store, source: str, surveys: Sequence[Survey]) -> Tempo | None:
    """Return the tempo at which the source model sees records where it is a picker; others have none of their own."""
    card = None if source == SCRATCH else store.model(source)
    period = card.details.get("onset_period") if card else None
    if card is None or not period:
        return None
    known = {one.survey: card.resampled[one.fingerprint] for one in surveys if one.fingerprint in card.resampled}
    return Tempo(card.sample_interval_us, period, known)


def ffids_of(gathers: Sequence[Gather]) -> dict[str, list[int]]:
    """Return the FFIDs of gathers by survey."""
    found: dict[str, list[int]] = {}
    for gather in gathers:
        found.setdefault(gather.survey, []).append(gather.ffid)
    return found


def validation_details(validation: Validation, last_step: int, held_out: Sequence[Gather]) -> dict[str, Any]:
    """Return what a card says of a run's validation: FFIDs by survey, the step whose picker it is, and the last one."""
    return {"ffids": ffids_of(held_out), "step": validation.step, "last_step": last_step, **validation.figures}


def picker_job(
    store: Store,
    config: PickerConfig,
    parent: str | None,
    gathers: Sequence[Gather],
    held_out: Sequence[Gather],
    unlabelled: Sequence[Gather] = (),
) -> dict[str, Any]:
    """Return what a worker of `picker_loop` needs, but for its folder and board.

    held_out: to validate by, if any. unlabelled: see PickerStep.
    """
    connect()
    body = None
    if parent is not None:
        card = store.model(parent)
        body = load_weights(store, card, BODY_OF[card.kind])
    validation = ray.put(list(held_out)) if held_out else None
    shared = {"gathers": ray.put(list(gathers)), "unlabelled": ray.put(list(unlabelled))}
    return {"config": config, "held_out": validation, "body": body} | shared


def picker_loop(job: dict[str, Any]) -> None:
    """Train on one worker; every worker runs this. job["scored"]: gathers to score at each checkpoint, if any."""
    keep_heap()
    flush_denormals()
    config: PickerConfig = job["config"]
    train = config.train
    context = ray.train.get_context()
    rank, workers = context.get_world_rank(), context.get_world_size()
    device = str(ray.train.torch.get_device())
    check_compiler(train, device)
    step = PickerStep(
        config,
        ray.get(job["gathers"]),
        unlabelled=ray.get(job["unlabelled"]),
        body=job["body"],
        device=device,
        rank=rank,
        wrap=ray.train.torch.prepare_model,
    )
    history: list[dict[str, float]] = []
    validation = Validation(config.validation) if job["held_out"] is not None else None
    found = ray.train.get_checkpoint()
    if found is not None:
        state = load_checkpoint(found)
        history = state["history"]
        step.load_state_dict(state)
        if validation:
            validation.load_state_dict(state["validation"])
    folder = Location(job["folder"])
    journal = None
    if rank == 0:
        trackers = open_trackers(train.tracker, folder, config_dict(config), job["board"].tell.remote)
        journal = Journal(folder, job["board"], history, trackers=trackers)
    figures: dict[str, float] = {}
    last = step.step == train.steps or (validation is not None and validation.over)
    while not last:
        losses = step(train.batch // workers)
        last = step.step == train.steps
        seen: dict[str, float] = {}
        if validation and (last or step.step % config.validation.every == 0):
            if journal:
                seen = validation.look(step.step, step.learned, *step.score(ray.get(job["held_out"])))
            last = bool(highest(int(last or validation.over), device))
        if journal and (last or seen or step.step % train.log_every == 0):
            figures = {name: value.item() for name, value in losses.items()} | seen
            journal.log(step.step, figures)
            journal.show(step.step, figures)
        if last or step.step % train.checkpoint_every == 0:
            if journal is None:
                ray.train.report(figures)
                continue
            state = step.state_dict() | {"history": journal.history}
            if validation:
                state["validation"] = validation.state_dict()
            if job.get("scored") is not None:
                picker = learned_picker(state, config).to(device) if validation else step.learned
                score = score_gathers(picker, ray.get(job["scored"]), config.panel, device)
                figures |= {"hit_rate_2ms": score.hit_rate_2ms, "hit_rate_4ms": score.hit_rate_4ms}
            journal.publish()
            report(state, {**figures, "step": step.step}, folder)
    if journal:
        journal.close(step.step, figures)
