"""The whole way, field file to picks, with everything that lasts in a real S3 bucket."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seisray import shards
from seisray.config import (
    BodyConfig,
    GanConfig,
    GeneratorConfig,
    PanelConfig,
    PickerConfig,
    TrainConfig,
)
from seisray.errors import ExistsError, NotFoundError, StorageError
from seisray.gather import PER_TRACE, Gather
from seisray.ingest import IngestConfig, ingest
from seisray.picking.parts import read_picks
from seisray.picking.survey import pick_survey
from seisray.registry import Model, PickSet, Store, Survey
from seisray.storage import locate
from seisray.training.finetune import finetune
from seisray.training.pretrain import pretrain_gan

pytestmark = pytest.mark.usefixtures("ray_session")

PANEL = PanelConfig(traces=8, samples=32)
BODY = BodyConfig(channels=(2, 2, 2, 2))
TRAIN = TrainConfig(steps=4, batch=4, workers=2, log_every=1, checkpoint_every=2, retries=0)
GAN = GanConfig(
    panel=PANEL, body=BODY, generator=GeneratorConfig(latent=4, channels=(2, 2, 2, 2)), train=TRAIN, sample_every=4
)
PICKER = PickerConfig(panel=PANEL, train=replace(TRAIN, workers=1))


@pytest.fixture(scope="module")
def made(line_gathers: Callable[..., list[Gather]]) -> list[Gather]:
    return line_gathers(4)


@pytest.fixture(scope="module")
def store(s3: str) -> str:
    return f"{s3}/store"


@pytest.fixture(scope="module")
def field_files(
    s3: str,
    made: list[Gather],
    write_segy: Callable[..., Path],
    write_picks: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[str, str]:
    """Return the URIs of a SEG-Y file and its first breaks in the bucket."""
    folder = tmp_path_factory.mktemp("field")
    files = write_segy(folder / "line.sgy", made), write_picks(folder / "picks.csv", made)
    for file in files:
        locate(f"{s3}/field/{file.name}").write_bytes(file.read_bytes())
    return f"{s3}/field/line.sgy", f"{s3}/field/picks.csv"


@pytest.fixture(scope="module")
def survey(store: str, field_files: tuple[str, str]) -> Survey:
    file, picks = field_files
    return ingest("line", [file], store=store, config=IngestConfig(picks=picks, encoding="float32"))


@pytest.fixture(scope="module")
def gan(store: str, survey: Survey) -> Model:
    return pretrain_gan(["line"], model="gan", store=store, config=GAN)


@pytest.fixture(scope="module")
def picker(store: str, gan: Model) -> Model:
    return finetune(["line"], source="gan", model="picker", store=store, labelled=2, config=PICKER)


@pytest.fixture(scope="module")
def picks(store: str, picker: Model) -> PickSet:
    return pick_survey("line", model="picker", out="first", store=store)


def test_an_object_is_seen_whole_and_by_ranges(s3: str) -> None:
    file = locate(s3) / "plain" / "a.bin"
    file.write_bytes(b"0123456789")
    assert (file.read_bytes(), file.read_range(3, 4), file.size()) == (b"0123456789", b"3456", 10)
    file.delete()
    assert not file.exists()


def test_a_missing_object_is_named(s3: str) -> None:
    with pytest.raises(NotFoundError, match=f"{s3}/gone does not exist"):
        (locate(s3) / "gone").read_bytes()


def test_a_bucket_that_is_not_there_cannot_be_written() -> None:
    with pytest.raises(StorageError, match="cannot write s3://no-such-bucket/store"):
        Store("s3://no-such-bucket/store").check_writable()


def test_a_survey_from_s3_to_s3_holds_every_gather(store: str, survey: Survey, made: list[Gather]) -> None:
    place = Store(store)
    found = [g for i in range(len(survey.shards)) for g in shards.read_gathers(place.shard(survey, i))]
    for ours, gather in zip(found, made, strict=True):
        np.testing.assert_array_equal(ours.samples, gather.samples)
        for name in set(PER_TRACE) & {"trace", "channel", "live", "first_break_ms", "receiver_x_m"}:
            np.testing.assert_array_equal(getattr(ours, name), getattr(gather, name), err_msg=name)


def test_the_manifest_on_s3_is_the_one_returned(store: str, survey: Survey, field_files: tuple[str, str]) -> None:
    assert Store(store).survey("line") == survey
    assert survey.sources[0]["uri"] == field_files[0]


def test_a_name_taken_on_s3_is_refused(store: str, survey: Survey, field_files: tuple[str, str]) -> None:
    with pytest.raises(ExistsError, match=f"'line' already exists in {store}"):
        ingest("line", [field_files[0]], store=store)


def test_a_refused_ingest_leaves_no_object(store: str, survey: Survey, field_files: tuple[str, str]) -> None:
    wrong = locate(f"{store}-notes/wrong.csv")
    wrong.write_bytes(b"ffid,trace,time_ms\n999,1,10\n")
    with pytest.raises(ValueError, match="999"):
        ingest("wrong", [field_files[0]], store=store, config=IngestConfig(picks=wrong.uri))
    assert (locate(store) / "surveys" / "wrong").files(recursive=True) == []
    assert Store(store).names("surveys") == ["line"]


def test_replace_on_s3_leaves_nothing_of_the_old_survey(
    store: str, survey: Survey, field_files: tuple[str, str]
) -> None:
    ingest("twice", [field_files[0]], store=store)
    new = ingest("twice", [field_files[0]], store=store, config=IngestConfig(encoding="float32"), replace=True)
    folder = locate(store) / "surveys" / "twice" / "shards"
    assert [f"shards/{file.name}" for file in folder.files()] == [shard["uri"] for shard in new.shards]
    (locate(store) / "surveys" / "twice" / "manifest.json").delete()


def test_a_gan_trains_on_two_workers(gan: Model, survey: Survey) -> None:
    assert (gan.ref, gan.kind, gan.surveys) == ("gan@v1", "gan", {"line": survey.fingerprint})
    assert [figures["step"] for figures in gan.details["history"]] == [1, 2, 3, 4]
    assert np.isfinite([gan.metrics["d_loss"], gan.metrics["g_loss"], gan.metrics["d_pixel"]]).all()


def test_a_run_keeps_its_checkpoints_and_events_in_the_bucket(store: str, gan: Model) -> None:
    kept = [file.uri for file in (locate(store) / "runs" / "pretrain" / "gan-v1").files(recursive=True)]
    assert any(uri.endswith("state.pt") for uri in kept)
    assert any("/tensorboard/events." in uri for uri in kept)


def test_a_picker_says_what_it_was_made_of(picker: Model, survey: Survey) -> None:
    assert (picker.ref, picker.kind, picker.parent) == ("picker@v1", "picker", "gan@v1")
    assert picker.details["ffids"] == {"line": [101, 104]}
    assert picker.sample_interval_us == survey.sample_interval_us


def test_every_trace_is_picked_exactly_once(store: str, picks: PickSet, made: list[Gather]) -> None:
    table = read_picks(Store(store), picks)
    rows = sorted(zip(table["ffid"].to_pylist(), table["trace"].to_pylist(), strict=True))
    assert rows == [(gather.ffid, trace) for gather in made for trace in range(1, 13)]
    assert picks.n_traces == 48
    dead = [
        flag for flag, trace in zip(table["flag"].to_pylist(), table["trace"].to_pylist(), strict=True) if trace == 3
    ]
    assert dead == ["dead"] * 4


def test_picks_say_which_model_and_survey_they_are_of(store: str, picks: PickSet, survey: Survey) -> None:
    assert (picks.model, picks.survey_fingerprint) == ("picker@v1", survey.fingerprint)
    assert Store(store).picks("first") == picks


def test_the_store_lists_what_is_in_it(store: str, picks: PickSet) -> None:
    place = Store(store)
    assert {kind: place.names(kind) for kind in ("surveys", "models", "picks")} == {
        "surveys": ["line"],
        "models": ["gan", "picker"],
        "picks": ["first"],
    }


def test_the_next_model_of_a_name_is_another_version(store: str, picker: Model) -> None:
    assert Store(store).next_version("picker") == "v2"


def test_no_credential_is_in_the_bucket(store: str, picks: PickSet) -> None:
    for file in locate(store).files(recursive=True):
        assert b"seisray-test-secret" not in file.read_bytes(), file
