import json
import resource
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seisray.errors import ConfigError, ExistsError, NotFoundError, StorageError
from seisray.registry import Model, PickSet, Store, Survey


def model(name: str = "m", version: str = "v1", **changes: Any) -> Model:
    given = {"kind": "gan", "config": {"a": 1}, "surveys": {"s": "0123"}, "sample_interval_us": 250.0}
    return Model(**{"name": name, "version": version, "parent": None, "metrics": {"d_loss": 1.5}} | given | changes)


def survey(name: str = "s") -> Survey:
    names = ["n_gathers", "n_traces", "n_live", "n_labelled", "n_samples", "rejects", "unused_labels"]
    numbers = dict.fromkeys(names, 1)
    return Survey(
        survey=name,
        **numbers,
        sample_interval_us=250.0,
        encoding="int16",
        fingerprint="0123",
        headers={},
        settings={},
        sources=[],
        shards=[{"uri": "shards/part-0.parquet", "n_gathers": 1}],
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


def test_a_record_comes_back_as_it_was(store: Store) -> None:
    survey().write(store.folder("surveys", "s") / "manifest.json")
    assert store.survey("s") == survey()


def test_a_survey_without_a_manifest_does_not_exist(store: Store) -> None:
    (store.folder("surveys", "half", "shards") / "part-0.parquet").write_bytes(b"")
    assert store.names("surveys") == []
    with pytest.raises(NotFoundError):
        store.survey("half")


def test_shards_lie_below_their_survey(store: Store) -> None:
    assert store.shard(survey(), 0).uri == f"{store}/surveys/s/shards/part-0.parquet"


def test_an_unknown_survey_is_answered_with_those_there_are(store: Store) -> None:
    for name in ("danube", "soda"):
        survey(name).write(store.folder("surveys", name) / "manifest.json")
    with pytest.raises(NotFoundError, match=r"survey 'sodo' does not exist in .* \(there: danube, soda\); .*ingest"):
        store.survey("sodo")


def test_of_many_surveys_the_likest_are_named(store: Store) -> None:
    for n in range(30):
        survey(f"line{n}").write(store.folder("surveys", f"line{n}") / "manifest.json")
    survey("soda").write(store.folder("surveys", "soda") / "manifest.json")
    with pytest.raises(NotFoundError, match=r"\(there: soda, (line\d+, ){7}23 others\)"):
        store.survey("sodo")


def test_an_empty_store_says_so(store: Store) -> None:
    with pytest.raises(NotFoundError, match=r"pick set 'p' .*\(there: none yet\).*seisray pick"):
        store.picks("p")


@pytest.mark.parametrize("ref", ["n", "m@v9"])
def test_an_unknown_model_is_answered_with_those_there_are(ref: str, store: Store) -> None:
    store.publish_model(model(), b"", {})
    with pytest.raises(NotFoundError, match=rf"model '{ref}' .*\(there: m, shipped\)"):
        store.model(ref)


def test_the_shipped_picker_is_in_every_store(store: Store) -> None:
    card = store.model("shipped")
    assert (card.kind, card.ref) == ("picker", "shipped@v1")
    assert len(store.weights(card).read_bytes()) < 5_000_000


def test_nobody_takes_the_name_of_the_shipped_picker(store: Store) -> None:
    with pytest.raises(ConfigError, match="'shipped' is the picker that comes with seisray; choose another --model"):
        store.next_version("shipped")


def test_versions_count_up_and_sort_as_numbers(store: Store) -> None:
    for expected in [f"v{i}" for i in range(1, 12)]:
        assert store.next_version("m") == expected
        store.publish_model(model(version=expected), b"", {})
    assert store.versions("m")[-2:] == ["v10", "v11"]


def test_a_name_means_its_newest_version(store: Store) -> None:
    for version in ("v1", "v2"):
        store.publish_model(model(version=version), b"", {})
    assert (store.model("m").ref, store.model("m@v1").ref) == ("m@v2", "m@v1")


def test_a_folder_that_is_no_version_is_passed_over(store: Store) -> None:
    store.publish_model(model(), b"", {})
    model().write(store.folder("models", "m", "backup") / "model.json")
    assert store.versions("m") == ["v1"]


def test_a_model_is_never_overwritten(store: Store) -> None:
    store.publish_model(model(), b"first", {})
    with pytest.raises(ExistsError, match="model m@v1 already exists"):
        store.publish_model(model(), b"second", {})
    assert store.weights(model()).read_bytes() == b"first"


def test_the_card_of_a_model_is_written_last(store: Store) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))  # the weights do not fit, the card would
    try:
        with pytest.raises(StorageError, match="weights"):
            store.publish_model(model(), bytes(8192), {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (store.names("models"), store.next_version("m")) == ([], "v1")


def test_of_cards_of_the_first_schema_those_of_pickers_alone_are_refused(store: Store) -> None:
    for kind in ("gan", "picker"):
        store.publish_model(replace(model(), name=kind, kind=kind, schema_version=1), b"", {})
    assert store.model("gan").kind == "gan"
    with pytest.raises(StorageError, match="has schema version 1, this seisray reads 2; make it again"):
        store.model("picker")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "is damaged"),
        ("{", "is damaged"),
        ("[1]", "is damaged"),
        ('{"schema_version": 2, "name": "m"}', "is damaged.*missing"),
        ('{"schema_version": 99}', "has schema version 99, this seisray reads 2"),
        ("\udcff", "is damaged"),
    ],
)
def test_a_damaged_card_is_named(text: str, named: str, store: Store) -> None:
    store.publish_model(model(), b"", {})
    (store.folder("models", "m", "v1") / "model.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(StorageError, match=rf"model\.json {named}"):
        store.model("m")


def test_fields_that_a_newer_version_adds_are_passed_over(store: Store) -> None:
    location = store.folder("surveys", "s") / "manifest.json"
    survey().write(location)
    location.write_bytes(json.dumps(json.loads(location.read_bytes()) | {"added_later": 1}).encode())
    assert store.survey("s") == survey()


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "../up", "m@v1", "  ", "a\n"])
def test_a_name_that_could_leave_the_store_is_refused(name: str, store: Store) -> None:
    with pytest.raises(ConfigError, match="is no name for the store"):
        store.folder("models", name)


def test_picks_that_were_begun_are_told_of(store: Store) -> None:
    (store.folder("picks", "half") / "run-0123456789ab.json").write_bytes(b"{}")
    with pytest.raises(
        NotFoundError, match="'half' were begun and not finished; give their command again, with --resume"
    ):
        store.picks("half")


def test_picks_exist_once_their_manifest_does(store: Store) -> None:
    picks = PickSet(
        name="p", survey="s", survey_fingerprint="0", model="m@v1", n_traces=2, n_picked=1, seconds=0.5, parts=[]
    )
    (store.folder("picks", "p") / "part-0.parquet").write_bytes(b"")
    assert store.names("picks") == []
    picks.write(store.folder("picks", "p") / "manifest.json")
    assert (store.names("picks"), store.picks("p")) == (["p"], picks)


def test_a_store_that_can_be_written_holds_nothing_after_the_check(store: Store) -> None:
    store.check_writable()
    assert list(Path(str(store)).iterdir()) == []


def test_a_store_below_a_regular_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        Store(str(tmp_path / "file" / "store")).check_writable()
