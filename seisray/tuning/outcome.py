"""What comes of a search: a table of its trials, and the best one with the command that uses it."""

import io
import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import optuna
import pyarrow as pa
import pyarrow.parquet as pq
from optuna.trial import FrozenTrial, TrialState

from seisray.config import config_dict
from seisray.errors import TrainingError
from seisray.storage import Location
from seisray.tuning.study import Direction, finished_trials, run_name
from seisray.tuning.trial import Plan


@dataclass(frozen=True, kw_only=True)
class BestTrial:
    """The best of a study.

    number: of the trial. metric, value: what it was judged by. drawn: its settings as drawn. config: the whole
    configuration. trials: how many there were in each state. use: the command that trains with these settings.
    """

    study: str
    kind: str
    number: int
    metric: str
    value: float
    steps: int
    drawn: dict[str, Any]
    config: dict[str, Any]
    checkpoint: str
    trials: dict[str, int]
    use: str


@dataclass(frozen=True, kw_only=True)
class Search:
    """A search of one kind: what it draws, runs and judges by. command: the start of the one that uses the best."""

    kind: str
    folder: Location
    metric: str
    direction: Direction
    base: Any
    space: Callable[[optuna.Trial], None]
    configure: Callable[[Any, dict[str, Any]], Any]
    trial: Callable[[dict[str, Any], Plan], None]
    command: Callable[[dict[str, Any]], list[str]]


def _state(trial: FrozenTrial, continued: bool) -> str:
    names = {TrialState.FAIL: "failed", TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned"}
    return "interrupted" if continued else names.get(trial.state, trial.state.name.lower())


def write_trials(search: Search, study: optuna.Study) -> None:
    """Write trials.parquet: one row a trial, with its settings under their own names."""
    trials = study.get_trials(deepcopy=False)
    continued = {trial.user_attrs.get("continues") for trial in trials}
    columns: dict[str, list[Any]] = {
        "number": [trial.number for trial in trials],
        "state": [_state(trial, trial.number in continued) for trial in trials],
        search.metric: [trial.value for trial in trials],
        "steps": [trial.user_attrs.get("steps") for trial in trials],
        "seconds": [trial.user_attrs.get("seconds") for trial in trials],
        "run": [run_name(trial) for trial in trials],
        "error": [trial.user_attrs.get("error") for trial in trials],
    }
    for name in sorted({name for trial in trials for name in trial.params}):
        columns[name] = [trial.params.get(name) for trial in trials]
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    (search.folder / "trials.parquet").write_bytes(sink.getvalue())


def best_trial(search: Search, study: optuna.Study) -> BestTrial:
    """Return the best of the trials that came to their end; raise TrainingError where none did."""
    ended = finished_trials(study)
    complete = [trial for trial in ended if trial.state == TrialState.COMPLETE and trial.value is not None]
    if not complete:
        errors = [trial.user_attrs["error"] for trial in ended if "error" in trial.user_attrs]
        why = errors[-1] if errors else "all were stopped early"
        raise TrainingError(f"none of {len(ended)} trials of study {study.study_name!r} came to its end: {why}")
    sign = 1 if search.direction == "minimize" else -1
    best = min(complete, key=lambda trial: sign * float(trial.value or 0))
    config = config_dict(search.configure(search.base, best.params))
    states = [_state(trial, False) for trial in ended]
    changed = flat(config).items() - flat(config_dict(type(search.base)())).items()
    flags = [part for name, value in sorted(changed, key=lambda pair: pair[0]) for part in _option(name, value)]
    return BestTrial(
        study=study.study_name,
        kind=search.kind,
        number=best.number,
        metric=search.metric,
        value=float(best.value or 0),
        steps=int(best.user_attrs["steps"]),
        drawn=dict(best.params),
        config=config,
        checkpoint=str(best.user_attrs.get("checkpoint", "")),
        trials={state: states.count(state) for state in sorted(set(states))},
        use=shlex.join([*search.command(best.params), *flags]),
    )


def _option(name: str, value: Any) -> list[str]:
    """Return a setting as options of the command line."""
    if isinstance(value, tuple):
        return [f"--{name.replace('_', '-')}", *map(str, value)]
    return ["--set", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]


def flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the settings of a nested configuration under section.field; lists as tuples."""
    found: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = tuple(value) if isinstance(value, list) else value
    return found
