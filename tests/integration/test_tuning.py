"""Searches over real local Ray: several trainings one after another, stopped, gone on with, refused."""

import io
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pyarrow.parquet as pq
import pytest
import ray
from optuna.trial import TrialState

from seisray.config import (
    BodyConfig,
    GanConfig,
    GeneratorConfig,
    PanelConfig,
    PickerConfig,
    TrainConfig,
    TuneConfig,
)
from seisray.errors import ConfigError
from seisray.ingest import IngestConfig, ingest
from seisray.storage import locate
from seisray.tuning.search import tune_gan, tune_picker
from seisray.tuning.searcher import Halving

BODY = BodyConfig(channels=(2, 2, 2, 2))
PANEL = PanelConfig(traces=8, samples=32, gain=3.0, per_gather=2)
TRAIN = TrainConfig(steps=4, batch=4, workers=1, log_every=1, checkpoint_every=2, retries=0)
GAN = GanConfig(panel=PANEL, body=BODY, generator=GeneratorConfig(latent=4, channels=(2, 2, 2, 2)), train=TRAIN)
PICKER = PickerConfig(panel=PANEL, body=BODY, train=TRAIN)

pytestmark = [
    pytest.mark.usefixtures("ray_session"),
    pytest.mark.filterwarnings(r"ignore::DeprecationWarning:ray\."),  # Ray's use of itself
]


@pytest.fixture(scope="module")
def store(tiny_field_files: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory, ray_session: None) -> str:
    store = str(tmp_path_factory.mktemp("tuning"))
    ingest("line", [str(tiny_field_files[0])], store=store, config=IngestConfig(picks=str(tiny_field_files[1])))
    return store


def study_of(store: str, name: str) -> optuna.Study:
    backend = optuna.storages.journal.JournalFileBackend(f"{store}/studies/{name}/journal.log")
    return optuna.load_study(study_name=name, storage=optuna.storages.JournalStorage(backend))


def states_of(store: str, name: str) -> list[str]:
    table = pq.read_table(io.BytesIO(Path(f"{store}/studies/{name}/trials.parquet").read_bytes()))
    return list(table["state"].to_pylist())


@pytest.mark.chaos
def test_a_search_that_was_killed_goes_on_from_its_last_checkpoint(store: str) -> None:
    never = TuneConfig(grace=1, concurrent=1)
    first = tune_gan(["line"], study="gan", store=store, trials=2, config=GAN, tune=never)
    assert first.trials == {"complete": 2}

    journal = Path(f"{store}/studies/gan/journal.log")
    lines = journal.read_bytes().splitlines(keepends=True)
    reports = [i for i, line in enumerate(lines) if json.loads(line).get("step") == 2]
    journal.write_bytes(b"".join(lines[: reports[1] + 1]))  # as though killed at step 2 of the second trial
    assert study_of(store, "gan").trials[1].state == TrialState.RUNNING

    best = tune_gan(["line"], study="gan", store=store, trials=3, config=GAN, tune=never, resume=True)
    assert best.trials == {"complete": 3}
    assert states_of(store, "gan") == ["complete", "interrupted", "complete", "complete"]
    trials = study_of(store, "gan").trials
    assert trials[2].params == trials[1].params
    assert trials[2].user_attrs["run"] == "trial-0001"
    assert len({trial.params["adversary.d_lr"] for trial in trials}) == 3
    assert sorted(trials[3].intermediate_values) == [2, 4]

    assert best.value == min(trial.value for trial in trials if trial.value is not None)
    kept = json.loads(Path(f"{store}/studies/gan/best.json").read_text())
    assert kept["config"]["adversary"]["d_lr"] == trials[best.number].params["adversary.d_lr"]
    assert kept["use"].startswith("seisray pretrain gan line --model gan --store ")
    assert Path(best.checkpoint, "state.pt").exists()

    with pytest.raises(ConfigError, match=r"panel.gain: 3.0 -> 2.0"):
        tune_gan(["line"], study="gan", store=store, trials=4, config=replace(GAN, panel=replace(PANEL, gain=2.0)))


def rough_space(trial: optuna.Trial) -> None:
    """Draw two rates that are allowed, and one that is not."""
    rate = (2e-3, 1e-3, 2.0)[trial.number]
    trial.suggest_float("adversary.d_lr", rate, rate)


class StopSecond(Halving):
    """Stop the second trial as soon as it says something."""

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        return "STOP" if trial.config["run"] == "trial-0001" else "CONTINUE"


def test_bad_trials_end_early_and_leave_their_cpus(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seisray.tuning.search.gan_space", rough_space)
    monkeypatch.setattr("seisray.tuning.search.Halving", StopSecond)
    best = tune_gan(["line"], study="rough", store=store, trials=3, config=GAN, tune=TuneConfig(concurrent=1))
    assert states_of(store, "rough") == ["complete", "pruned", "failed"]
    assert best.number == 0
    failed = study_of(store, "rough").trials[2]
    assert failed.state == TrialState.FAIL
    assert "AdversaryConfig.d_lr is 2.0" in failed.user_attrs["error"]
    end_s = time.monotonic() + 30
    while ray.available_resources().get("CPU") != ray.cluster_resources()["CPU"]:
        assert time.monotonic() < end_s
        time.sleep(0.2)


def test_a_picker_is_judged_by_gathers_held_out_in_a_store_in_s3(s3: str, tiny_field_files: tuple[Path, Path]) -> None:
    store = f"{s3}/tuning"
    ingest("line", [str(tiny_field_files[0])], store=store, config=IngestConfig(picks=str(tiny_field_files[1])))
    best = tune_picker(["line"], study="picker", store=store, trials=1, config=PICKER, tune=TuneConfig(grace=1))
    assert best.trials == {"complete": 1}
    assert 0 <= best.value <= 1
    folder = locate(store) / "studies" / "picker"
    study = json.loads((folder / "study.json").read_bytes())
    assert [name for _, name in study["validate"]] == ["line-107", "line-108"]
    assert {"best.json", "journal.log", "study.json", "trials.parquet"} <= {file.name for file in folder.files()}
    assert (folder / "trials" / f"trial-{best.number:04}" / "tensorboard").is_folder()
