"""An S3 server that is away for half a minute in mid-training costs time and nothing else."""

import json
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest
import ray.train
from faulty_proxy import LOST, SLOW_DOWN, FaultyProxy
from killing import check_same_weights

from seisray.errors import StorageError
from seisray.ingest import ingest
from seisray.patient_files import patient_filesystem
from seisray.storage import Location, locate
from seisray.training.checkpoint import upload

pytestmark = pytest.mark.chaos
STEPS, EVERY, OUTAGE_S = 60, 2, 30
COMMAND = [sys.executable, "-c", "import sys; from seisray.cli import main; sys.exit(main(sys.argv[1:]))"]
SETTINGS = [
    f"--train.steps={STEPS}",
    f"--train.checkpoint-every={EVERY}",
    "--train.log-every=1",
    "--train.batch=4",
    "--train.workers=1",
    "--train.retries=0",
    "--panel.traces=8",
    "--panel.samples=32",
    "--body.channels=2",
    "2",
    "2",
    "2",
    "--measured=0",
]


@pytest.fixture
def kept(s3: str, tmp_path: Path) -> tuple[Location, Path]:
    """Return a place in the bucket, and a local folder such as Ray Train uploads there."""
    made = tmp_path / "checkpoint"
    made.mkdir()
    (made / "state.pt").write_bytes(os.urandom(300_000))
    (made / "more.json").write_bytes(b"{}")
    return locate(s3) / "patient" / tmp_path.name, made


def test_what_ray_keeps_goes_up_comes_back_and_goes_away_in_spite_of_an_outage(
    proxy: FaultyProxy, kept: tuple[Location, Path], tmp_path: Path
) -> None:
    place, made = kept
    files = pickle.loads(pickle.dumps(patient_filesystem(place)))  # as it travels to a worker

    def put() -> None:
        kept_as = upload(place, ray.train.Checkpoint.from_directory(str(made)), "checkpoint_1")
        assert kept_as.path == f"{place.path}/checkpoint_1"

    def get() -> None:
        found = ray.train.Checkpoint(f"{place.path}/checkpoint_1", filesystem=files)
        back = Path(found.to_directory(str(tmp_path / "back")))
        assert (back / "state.pt").read_bytes() == (made / "state.pt").read_bytes()

    def write() -> None:
        with files.open_output_stream(f"{place.path}/snapshot.json") as stream:
            stream.write(b"[1]")
        with files.open_input_stream(f"{place.path}/snapshot.json") as stream:
            assert stream.readall() == b"[1]"

    for work in (put, get, write, lambda: files.delete_dir(place.path)):
        proxy.plan(LOST, SLOW_DOWN)
        proxy.outage(4)
        work()
        assert not proxy.waits
    assert place.files() == []


def test_an_upload_that_never_lands_is_an_error_in_one_line(
    proxy: FaultyProxy, kept: tuple[Location, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEISRAY_S3_PATIENCE_S", "1")
    place, made = kept
    proxy.plan(*[SLOW_DOWN] * 1000, method="PUT")
    with pytest.raises(StorageError, match=r"^cannot write s3://.*; gave up after 1 s") as caught:
        upload(place, ray.train.Checkpoint.from_directory(str(made)), "checkpoint_1")
    assert "\n" not in str(caught.value)
    with pytest.raises(StorageError, match=r"^cannot write s3://.*; gave up after 1 s"):  # noqa: SIM117
        with patient_filesystem(place).open_output_stream(f"{place.path}/snapshot.json") as stream:
            stream.write(b"[1]")


@pytest.mark.timeout(900)
def test_a_run_whose_store_was_away_for_half_a_minute_has_the_weights_of_a_calm_one(
    ray_session: None, s3: str, proxy: FaultyProxy, tiny_field_files: tuple[Path, Path], tmp_path: Path
) -> None:
    store = f"{s3}/outage"
    ingest("tiny", [str(tiny_field_files[0])], store=store)
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}

    def pretrain(model: str) -> "subprocess.Popen[str]":
        tokens = ["pretrain", "gan", "tiny", "--model", model, "--store", store, *SETTINGS]
        return subprocess.Popen(
            [*COMMAND, *tokens], env=environment | {"AWS_ENDPOINT_URL": proxy.url}, stderr=subprocess.PIPE, text=True
        )

    calm = pretrain("calm")
    said = calm.communicate()[1]
    assert calm.returncode == 0, said
    cut_off = pretrain("cut-off")
    run = locate(store) / "runs" / "pretrain" / "cut-off-v1"
    while not any(file.name == "state.pt" for file in run.files(recursive=True)):
        assert cut_off.poll() is None, cut_off.communicate()[1]
        time.sleep(0.05)
    n_before = len(proxy.heads)
    proxy.outage(OUTAGE_S)
    start_s = time.monotonic()
    said = cut_off.communicate()[1]
    assert cut_off.returncode == 0, said
    assert time.monotonic() - start_s > OUTAGE_S, "the run was over before the store was back"
    assert len(proxy.heads) > n_before

    cards = [
        json.loads((locate(store) / "models" / model / "v1" / "model.json").read_bytes())
        for model in ("calm", "cut-off")
    ]
    losses = [
        [(row["step"], row.get("d_loss", row.get("repair")), row.get("g_loss")) for row in card["details"]["history"]]
        for card in cards
    ]
    assert [step for step, _, _ in losses[0]] == list(range(1, STEPS + 1))
    assert losses[0] == losses[1]
    assert cards[1]["details"]["resumed_at"] == []
    check_same_weights(store, "calm", "cut-off")
