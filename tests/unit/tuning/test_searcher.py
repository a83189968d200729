"""What a study remembers of its trials, and who is stopped early; Ray Tune's part is played by the tests."""

import json
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState
from ray.tune.schedulers import TrialScheduler

from seisray.config import TuneConfig
from seisray.errors import ConfigError
from seisray.progress import Progress
from seisray.storage import Location
from seisray.training.run import NETWORKS
from seisray.tuning.searcher import Halving, StudySearch, stopper
from seisray.tuning.study import claim_study, finished_trials, open_study

NAN = float("nan")


def space(trial: optuna.Trial) -> None:
    trial.suggest_float("section.x", 0, 1)


def result(step: int, score: float, **more: Any) -> dict[str, Any]:
    return {"step": step, "score": score, "time_total_s": 1.5, **more}


@pytest.fixture
def folder(tmp_path: Path) -> Location:
    return Location(str(tmp_path / "study"))


@pytest.fixture
def study(folder: Location) -> optuna.Study:
    return open_study(folder, "minimize", TuneConfig())


@pytest.fixture
def search(study: optuna.Study) -> StudySearch:
    return StudySearch(study, space, metric="score", steps=8, progress=Progress("tune", 4, "trials"))


def test_a_trial_gets_settings_and_the_name_of_its_run(search: StudySearch) -> None:
    first, second = search.suggest("a"), search.suggest("b")
    assert (first["run"], second["run"]) == ("trial-0000", "trial-0001")
    assert 0 <= first["drawn"]["section.x"] <= 1


def test_a_trial_that_took_all_steps_is_complete(study: optuna.Study, search: StudySearch) -> None:
    search.suggest("a")
    search.on_trial_result("a", result(4, 0.5))
    search.on_trial_complete("a", result(8, 0.25, checkpoint_path="there"))
    (trial,) = study.trials
    assert (trial.state, trial.value, trial.intermediate_values) == (TrialState.COMPLETE, 0.25, {4: 0.5, 8: 0.25})
    assert {"steps": 8, "seconds": 1.5, "checkpoint": "there"}.items() <= trial.user_attrs.items()


def test_a_trial_that_was_stopped_early_is_pruned_with_its_last_value(study: optuna.Study, search: StudySearch) -> None:
    search.suggest("a")
    search.on_trial_complete("a", result(4, 0.5))
    assert (study.trials[0].state, study.trials[0].value) == (TrialState.PRUNED, 0.5)


@pytest.mark.parametrize(
    ("last", "error", "why"),
    [
        (result(8, NAN), False, "not a number"),
        (result(8, 0.1, d_loss=NAN), False, "not a number"),
        (result(0, NAN, error="no room"), False, "no room"),
        (None, True, "the worker died"),
        (None, False, "not a number"),
    ],
)
def test_a_trial_without_a_number_is_failed(
    study: optuna.Study, search: StudySearch, last: dict[str, Any] | None, error: bool, why: str
) -> None:
    search.suggest("a")
    if last:
        search.on_trial_result("a", last)
    search.on_trial_complete("a", last, error=error)
    assert (study.trials[0].state, study.trials[0].user_attrs["error"]) == (TrialState.FAIL, why)


def test_a_step_that_comes_again_after_a_restart_counts_once(study: optuna.Study, search: StudySearch) -> None:
    search.suggest("a")
    for step, score in ((2, 0.9), (4, 0.8), (2, 0.7), (4, 0.6)):
        search.on_trial_result("a", result(step, score))
    assert study.trials[0].intermediate_values == {2: 0.9, 4: 0.8}


def test_an_interrupted_trial_is_tried_again_with_its_settings_and_its_run(
    folder: Location, search: StudySearch
) -> None:
    before = search.suggest("a")
    again = open_study(folder, "minimize", TuneConfig())
    found = StudySearch(again, space, metric="score", steps=8, progress=Progress("tune", 1, "trials"))
    assert finished_trials(again) == []
    assert found.suggest("b") == before
    found.on_trial_complete("b", result(8, 0.5))
    assert [trial.state for trial in again.trials] == [TrialState.FAIL, TrialState.COMPLETE]
    assert [trial.number for trial in finished_trials(again)] == [1]


def test_an_interrupted_trial_is_queued_once_however_often_the_search_starts(
    folder: Location, search: StudySearch
) -> None:
    search.suggest("a")
    for _ in range(3):
        again = open_study(folder, "minimize", TuneConfig())
    assert [trial.state for trial in again.trials] == [TrialState.FAIL, TrialState.WAITING]


def test_a_study_that_goes_on_draws_other_settings(folder: Location, search: StudySearch) -> None:
    drawn = search.suggest("a")["drawn"]
    search.on_trial_complete("a", result(8, 0.5))
    again = open_study(folder, "minimize", TuneConfig())
    found = StudySearch(again, space, metric="score", steps=8, progress=Progress("tune", 1, "trials"))
    assert found.suggest("b")["drawn"] != drawn


def test_a_search_is_pickled_without_its_study(search: StudySearch) -> None:
    assert b"journal" not in pickle.dumps(search)


def test_what_is_no_number_stops_a_trial() -> None:
    stop = stopper("score")
    assert stop("a", result(2, NAN))
    assert stop("a", result(2, 0.5, loss=float("inf")))
    assert not stop("a", result(2, 0.5, loss=0.1))


def decide(halving: Halving, name: str, step: int, score: float) -> str:
    nobody: Any = None
    return str(halving.on_trial_result(nobody, SimpleNamespace(trial_id=name), result(step, score)))  # type: ignore[arg-type]


def halving_of(study: optuna.Study, names: str, tune: TuneConfig | None = None) -> Halving:
    halving = Halving(study, metric="score", mode="min", steps=8, tune=tune or TuneConfig(grace=0.25))
    for name in names:
        halving.on_trial_add(None, SimpleNamespace(trial_id=name))  # type: ignore[arg-type]
    return halving


def test_the_worse_of_two_is_stopped_after_its_grace(study: optuna.Study) -> None:
    halving = halving_of(study, "ab", TuneConfig(grace=0.25, reduction=2))
    assert decide(halving, "a", 2, 0.5) == TrialScheduler.CONTINUE
    assert decide(halving, "b", 1, 0.9) == TrialScheduler.CONTINUE
    assert decide(halving, "b", 2, 0.9) == TrialScheduler.STOP


def test_nobody_is_stopped_at_the_last_step_or_with_full_grace(study: optuna.Study) -> None:
    halving = halving_of(study, "ab", TuneConfig(grace=1))
    for step in (2, 4, 8):
        assert decide(halving, "a", step, 0.5) == TrialScheduler.CONTINUE
        assert decide(halving, "b", step, 0.9) == TrialScheduler.CONTINUE


def test_a_trial_is_measured_by_those_of_earlier_searches(study: optuna.Study, search: StudySearch) -> None:
    search.suggest("a")
    search.on_trial_result("a", result(2, 0.5))
    search.on_trial_complete("a", result(8, 0.25))
    halving = halving_of(study, "b")
    assert decide(halving, "b", 2, 0.9) == TrialScheduler.STOP


def test_a_broken_trial_is_no_measure(study: optuna.Study) -> None:
    halving = halving_of(study, "ab")
    halving.on_trial_complete(None, SimpleNamespace(trial_id="a"), result(2, NAN))
    assert decide(halving, "b", 2, 0.9) == TrialScheduler.CONTINUE


def test_a_study_goes_on_only_with_what_it_began_with(folder: Location) -> None:
    identity = {"surveys": {"soda": "abc"}, "config": {"train": {"steps": 4}}}
    claim_study(folder, identity, resume=False)
    claim_study(folder, identity, resume=True)
    with pytest.raises(ConfigError, match=r"config\.train\.steps: 4 -> 5"):
        claim_study(folder, {**identity, "config": {"train": {"steps": 5}}}, resume=True)
    assert json.loads((folder / "study.json").read_bytes()) == {"networks": NETWORKS, **identity}


def test_a_study_of_other_networks_does_not_go_on(folder: Location) -> None:
    claim_study(folder, {}, resume=False)
    (folder / "study.json").write_bytes(json.dumps({"networks": NETWORKS - 1}).encode())
    with pytest.raises(ConfigError, match=rf"networks: {NETWORKS - 1} -> {NETWORKS}"):
        claim_study(folder, {}, resume=True)


def test_a_study_that_does_not_exist_cannot_go_on(folder: Location) -> None:
    with pytest.raises(ConfigError, match="there is no study 'study'"):
        claim_study(folder, {}, resume=True)
