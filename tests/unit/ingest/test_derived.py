"""Surveys made from another: interrupted, made twice, made of a parent that changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seisray import shards
from seisray.errors import ExistsError, FormatError, GatherError
from seisray.formats.picks.first_breaks import first_breaks_csv
from seisray.gather import Gather
from seisray.ingest import IngestConfig, ingest
from seisray.ingest.derived import derive
from seisray.ingest.verify import verify
from seisray.registry import Store, Survey

pytestmark = pytest.mark.usefixtures("ray_session")


@pytest.fixture
def store(tmp_path: Path, line_gathers: Callable, write_segy: Callable) -> Store:
    """Return a store with a survey "line" of two shards, a file of three gathers each."""
    where = str(tmp_path / "store")
    for name, part in (("a", line_gathers(6)[:3]), ("b", line_gathers(6)[3:])):
        (tmp_path / f"{name}.csv").write_text(first_breaks_csv(part))
        file, picks = write_segy(tmp_path / f"{name}.sgy", part), str(tmp_path / f"{name}.csv")
        ingest("line", [str(file)], store=where, append=name == "b", config=IngestConfig(picks=picks))
    return Store(where)


def made(store: Store, factor: float = 2.0, **how: Any) -> Survey:
    def louder(gather: Gather, factor: float) -> Gather:  # in here, or Ray's workers would look for this module
        return gather.replace(samples=gather.samples * np.float32(factor))

    return derive(
        "loud", store.survey("line"), store=store, by=louder, with_=factor, made_from={"factor": factor}, **how
    )


def test_only_samples_differ_from_the_parent(store: Store) -> None:
    survey, parent = made(store), store.survey("line")
    assert len(survey.shards) == 2
    assert survey.made_from == {"survey": "line", "fingerprint": parent.fingerprint, "factor": 2.0}
    assert (survey.n_labelled, survey.n_live, survey.n_samples) == (parent.n_labelled, parent.n_live, parent.n_samples)
    for index in range(2):
        pairs = zip(*(list(shards.read_gathers(store.shard(one, index))) for one in (survey, parent)), strict=True)
        for loud, quiet in pairs:
            np.testing.assert_array_equal(loud.samples, 2 * quiet.samples)
            np.testing.assert_array_equal(loud.first_break_ms, quiet.first_break_ms)
    assert verify("loud", store=str(store)).n_traces == parent.n_traces


def test_a_call_that_was_interrupted_keeps_the_shards_it_had_made(store: Store) -> None:
    survey = made(store)
    (store.folder("surveys", "loud") / "manifest.json").delete()
    store.shard(survey, 1).delete()
    kept = Path(store.shard(survey, 0).path)
    before = kept.stat().st_mtime_ns
    assert made(store) == survey
    assert kept.stat().st_mtime_ns == before


def test_another_change_does_not_write_over_a_survey_unless_told(store: Store) -> None:
    first = made(store)
    with pytest.raises(ExistsError, match=r"survey 'loud' already exists in .*; pass --replace"):
        made(store, 3.0)
    second = made(store, 3.0, replace_=True)
    assert second.fingerprint != first.fingerprint
    assert {file.name for file in (store.folder("surveys", "loud") / "shards").files()} == {
        Path(shard["uri"]).name for shard in second.shards
    }


def test_a_parent_that_was_made_anew_is_noticed(store: Store, tmp_path: Path) -> None:
    made(store)
    ingest("line", [str(tmp_path / "a.sgy")], store=str(store), replace=True)
    with pytest.raises(FormatError, match="survey 'line' is another one than 'loud' was made from"):
        verify("loud", store=str(store))


def test_a_gather_that_cannot_be_changed_leaves_no_survey(store: Store) -> None:
    def faulty(gather: Gather, _: Any) -> Gather:
        raise GatherError(f"{gather.gather_id} cannot be changed")

    with pytest.raises(GatherError, match="cannot be changed"):
        derive("none", store.survey("line"), store=store, by=faulty, with_=None, made_from={})
    assert "none" not in store.names("surveys")
