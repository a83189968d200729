"""`seisray tune gan | picker`: many short trainings; the worse are stopped early, the better say what to try next."""

import functools
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import optuna
import ray
from ray import tune as ray_tune

from seisray.config import GanConfig, PickerConfig, TrainConfig, TuneConfig, config_dict
from seisray.errors import ConfigError, TrainingError
from seisray.gather import Gather
from seisray.picking.tempo import in_one_tempo
from seisray.progress import Progress
from seisray.registry import Store, Survey
from seisray.session import connect
from seisray.stream import divide, read_labelled, shard_refs
from seisray.training.finetune import SCRATCH, tempo_of
from seisray.training.picker import choose_gathers, parse_ffids
from seisray.tuning.leftovers import Leftovers
from seisray.tuning.outcome import BestTrial, Search, best_trial, write_trials
from seisray.tuning.searcher import Halving, StudySearch, stopper
from seisray.tuning.spaces import VERSION, gan_config, gan_space, picker_config, picker_space
from seisray.tuning.study import claim_study, finished_trials, open_study
from seisray.tuning.trial import Plan, gan_trial, picker_trial

HELD_OUT_SHARE = 4  # one gather in so many
HELD_OUT_MOST = 12  # gathers scored at each checkpoint, or scoring would take longer than training
SETTLE_S = 60.0  # for the last trial to go


def tune_gan(
    surveys: Sequence[str],
    *,
    study: str,
    store: str,
    trials: int = 16,
    config: GanConfig | None = None,
    tune: TuneConfig | None = None,
    resume: bool = False,
) -> BestTrial:
    """Search the settings of the GAN whose samples come nearest to the panels of surveys; return the best trial.

    Judged by sample_distance (see seisray.metrics.samples), lower is better. config: what is not searched, such as
    sizes and steps a trial. trials: in all; a study that has fewer goes on. resume: there must be such a study.
    """
    place = Store(store)
    base = config or GanConfig()
    manifests = [place.survey(name) for name in surveys]
    search = Search(
        kind="gan",
        folder=place.folder("studies", study),
        metric="sample_distance",
        direction="minimize",
        base=base,
        space=gan_space,
        configure=gan_config,
        trial=gan_trial,
        command=lambda drawn: ["seisray", "pretrain", "gan", *surveys, "--model", study, "--store", str(place)],
    )
    _check(trials, base.train)
    claim_study(search.folder, _identity(search, manifests), resume=resume)
    learned, _ = divide(shard_refs(place, manifests), base.held_out)
    return _run(search, place, {"refs": learned}, trials, tune or TuneConfig())


def tune_picker(
    surveys: Sequence[str],
    *,
    study: str,
    store: str,
    trials: int = 16,
    sources: Sequence[str] = (SCRATCH,),
    labelled: int | None = None,
    ffids: str | None = None,
    validate: str | None = None,
    config: PickerConfig | None = None,
    tune: TuneConfig | None = None,
    resume: bool = False,
) -> BestTrial:
    """Search how a picker best learns from labelled gathers of surveys; return the best trial.

    Judged by the share of traces within 2 ms on gathers held out. sources: models to start from, or "scratch".
    labelled, ffids: the gathers to learn from, as in finetune. validate: FFIDs held out; by default the last quarter by
    FFID of each survey, since neighbours look alike and a random choice would flatter. Of these at most 12 are scored.
    Where a source is a picker, gathers are brought to its tempo.
    trials: in all; a study that has fewer goes on. resume: there must be such a study.
    """
    place = Store(store)
    base = config or PickerConfig()
    manifests = [place.survey(name) for name in surveys]
    known = [source if source == SCRATCH else place.model(source).ref for source in sources]
    if base.habits:
        raise ConfigError("PickerConfig.habits is true; the search learns from labels as they are, leave it out")
    if base.align.weight:
        raise ConfigError(f"AlignConfig.weight is {base.align.weight:g}; the search does not align, leave it at 0")
    if not known:
        raise ConfigError('sources names nothing to start from; expected models, or "scratch"')
    gathers, held_out = _split(place, manifests, labelled, ffids, validate)
    tempos = [tempo for source in known if (tempo := tempo_of(place, source, manifests))]
    both = in_one_tempo([*gathers, *held_out], tempos[0] if tempos else None).gathers
    gathers, held_out = both[: len(gathers)], both[len(gathers) :]

    def command(drawn: dict[str, Any]) -> list[str]:
        chosen = ["--ffids", ",".join(str(gather.ffid) for gather in gathers)]
        return [
            "seisray",
            "finetune",
            *surveys,
            "--from",
            drawn["source"],
            *chosen,
            "--model",
            study,
            "--store",
            str(place),
        ]

    search = Search(
        kind="picker",
        folder=place.folder("studies", study),
        metric="hit_rate_2ms",
        direction="maximize",
        base=base,
        space=functools.partial(picker_space, sources=known),
        configure=picker_config,
        trial=picker_trial,
        command=command,
    )
    _check(trials, base.train)
    more = {
        "sources": known,
        "gathers": [[gather.survey, gather.gather_id] for gather in gathers],
        "validate": [[gather.survey, gather.gather_id] for gather in held_out],
    }
    claim_study(search.folder, _identity(search, manifests) | more, resume=resume)
    return _run(search, place, {"gathers": ray.put(gathers), "scored": ray.put(held_out)}, trials, tune or TuneConfig())


def _split(
    store: Store, surveys: Sequence[Survey], labelled: int | None, ffids: str | None, validate: str | None
) -> tuple[list[Gather], list[Gather]]:
    """Return the gathers to learn from and those held out."""
    if ffids and validate:
        wanted: list[int] | None = parse_ffids(ffids) + parse_ffids(validate)
    else:
        wanted = None
    known = sorted(read_labelled(store, surveys, wanted), key=lambda gather: gather.ffid)
    if validate:
        out = set(parse_ffids(validate))
        held_out = [gather for gather in known if gather.ffid in out]
        if missing := out - {gather.ffid for gather in held_out}:
            raise ConfigError(f"validate: FFID {min(missing)} is not in the surveys, or has no first breaks")
    else:
        held_out = []
        for survey in surveys:
            of_it = [gather for gather in known if gather.survey == survey.survey]
            held_out += of_it[len(of_it) - len(of_it) // HELD_OUT_SHARE :]
        if not held_out:
            raise ConfigError(
                f"{len(known)} labelled gathers are too few to hold a quarter out; name some with validate"
            )
    kept = {(gather.survey, gather.gather_id) for gather in held_out}
    rest = [gather for gather in known if (gather.survey, gather.gather_id) not in kept]
    if ffids:
        named = set(parse_ffids(ffids))
        rest = [gather for gather in rest if gather.ffid in named]
        if missing := named - {gather.ffid for gather in rest}:
            raise ConfigError(f"FFID {min(missing)} is held out, is not in the surveys, or has no first breaks")
    if not rest:
        raise ConfigError("every labelled gather is held out; there is none to learn from")
    return choose_gathers(rest, labelled), choose_gathers(held_out, min(len(held_out), HELD_OUT_MOST))


def _check(trials: int, train: TrainConfig) -> None:
    if trials < 1:
        raise ConfigError(f"trials is {trials}, expected at least 1")
    connect()
    cpus = ray.cluster_resources().get("CPU", 0)
    if train.workers >= cpus:
        raise ConfigError(
            f"a trial needs a CPU for each of its {train.workers} workers and one to read; the cluster has {cpus:g}; "
            f"set train.workers lower"
        )


def _identity(search: Search, surveys: Sequence[Survey]) -> dict[str, Any]:
    return {
        "kind": search.kind,
        "space": VERSION,
        "surveys": {survey.survey: survey.fingerprint for survey in surveys},
        "metric": search.metric,
        "config": config_dict(search.base),
    }


def _run(search: Search, store: Store, job: dict[str, Any], trials: int, tune: TuneConfig) -> BestTrial:
    study = open_study(search.folder, search.direction, tune)
    train: TrainConfig = search.base.train
    done = len(finished_trials(study))
    if done < trials:
        plan = Plan(
            store=str(store),
            folder=search.folder,
            metric=search.metric,
            config=search.base,
            leftovers=Leftovers.remote(),  # type: ignore[attr-defined]
            job=job,
        )
        with Progress("tune", trials, "trials") as progress:
            progress.update(done)
            found = StudySearch(study, search.space, metric=search.metric, steps=train.steps, progress=progress)
            _fit(search, plan, study, found, trials - done, tune)
    write_trials(search, study)
    ended = len(finished_trials(study))
    if ended < trials:
        raise TrainingError(
            f"study {search.folder.name!r} was interrupted after {ended} of {trials} trials; "
            f"the same command goes on from there"
        )
    best = best_trial(search, study)
    (search.folder / "best.json").write_bytes((json.dumps(asdict(best), indent=1) + "\n").encode())
    return best


def _fit(search: Search, plan: Plan, study: optuna.Study, searcher: StudySearch, trials: int, tune: TuneConfig) -> None:
    # Each trial's own training writes its figures; Tune's copies of them would only slow a store in S3.
    os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")  # the new one talks even when it is told not to
    os.environ.setdefault("TUNE_PRINT_ALL_TRIAL_ERRORS", "0")
    os.environ.setdefault("TUNE_FORCE_TRIAL_CLEANUP_S", "20")  # one that hangs as it is stopped held all up for 600 s
    train: TrainConfig = search.base.train
    halving = Halving(study, metric=search.metric, mode=searcher.mode, steps=train.steps, tune=tune)
    # A trial itself does nothing but wait for its workers; holding a CPU it would keep them from theirs.
    trainable = ray_tune.with_resources(ray_tune.with_parameters(search.trial, plan=plan), {"CPU": 0.01})
    tuner = ray_tune.Tuner(
        trainable,
        tune_config=ray_tune.TuneConfig(
            search_alg=searcher,
            scheduler=halving,
            num_samples=trials,
            max_concurrent_trials=room_for(train, ray.cluster_resources(), tune.concurrent),
            trial_dirname_creator=_folder_name,
        ),
        run_config=ray_tune.RunConfig(
            name=f"session-{len(study.get_trials(deepcopy=False)):04}",
            storage_path=(search.folder / "tune").path,
            storage_filesystem=search.folder.filesystem,
            stop=stopper(search.metric),
            verbose=0,
        ),
    )
    tuner.fit()
    ray.wait([plan.leftovers.settle.remote()], timeout=SETTLE_S)


def room_for(train: TrainConfig, resources: dict[str, float], wanted: int = 0) -> int:
    """Return how many trials a cluster can run at a time; two CPUs stay free for the tasks that stream gathers.

    More would lock each other out: all hold some workers and wait for the rest.
    """
    room = int(resources.get("CPU", 0) - 2) // train.workers
    if train.gpus:
        room = min(room, int(resources.get("GPU", 0) / (train.workers * train.gpus)))
    return max(min(room, wanted or room), 1)


def _folder_name(trial: Any) -> str:
    return str(trial.config["run"])
