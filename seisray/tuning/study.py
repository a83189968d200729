"""A study: the memory of a search, which any later search of the same things goes on from."""

import json
from typing import Any, Literal

import optuna
from optuna.trial import FrozenTrial, TrialState

from seisray.config import TuneConfig, fingerprint
from seisray.errors import ConfigError
from seisray.storage import Location
from seisray.training.run import NETWORKS, differences
from seisray.tuning.journal import StoreJournal

Direction = Literal["minimize", "maximize"]


def claim_study(folder: Location, identity: dict[str, Any], *, resume: bool) -> None:
    """Make a study's folder ours; raise ConfigError where it is of another search, or resume finds none."""
    mark, identity = folder / "study.json", {"networks": NETWORKS, **identity}
    if not mark.exists():
        if resume:
            raise ConfigError(f"there is no study {folder.name!r} to go on with; leave --resume out")
        mark.write_bytes((json.dumps(identity, indent=1) + "\n").encode())
        return
    before = json.loads(mark.read_bytes())
    if fingerprint(before) != fingerprint(identity):
        changed = ", ".join(differences(before, json.loads(json.dumps(identity))))
        raise ConfigError(
            f"study {folder.name!r} exists and searched something else ({changed}); give the same surveys and settings "
            f"to go on with it, or choose another name"
        )


def open_study(folder: Location, direction: Direction, tune: TuneConfig) -> optuna.Study:
    """Return the study in a folder, new or with all that it remembers; queue again what its last search left undone."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = optuna.storages.JournalStorage(StoreJournal(folder / "journal.log"))
    study = optuna.create_study(storage=storage, study_name=folder.name, direction=direction, load_if_exists=True)
    # A sampler with the seed of an earlier search would draw that one's trials again.
    seed = tune.seed + len(study.get_trials(deepcopy=False))
    study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=tune.startup)
    study.pruner = optuna.pruners.NopPruner()
    _queue_interrupted(study)
    return study


def _queue_interrupted(study: optuna.Study) -> None:
    """Close trials left running by a search that ended, and queue their settings, to go on from their checkpoints."""
    trials = study.get_trials(deepcopy=False)
    queued = {trial.user_attrs.get("continues") for trial in trials}
    for trial in trials:
        if trial.state == TrialState.RUNNING:
            if trial.number not in queued:
                study.enqueue_trial(trial.params, user_attrs={"continues": trial.number, "run": run_name(trial)})
            study.tell(trial.number, state=TrialState.FAIL)


def run_name(trial: FrozenTrial | optuna.Trial) -> str:
    """Return the name of the training run of a trial: one that was interrupted hands its own on to its successor."""
    return str(trial.user_attrs.get("run", f"trial-{trial.number:04}"))


def finished_trials(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that ended: complete, pruned or failed, not those that another one continues."""
    trials = study.get_trials(deepcopy=False)
    continued = {trial.user_attrs.get("continues") for trial in trials}
    return [trial for trial in trials if trial.state.is_finished() and trial.number not in continued]
