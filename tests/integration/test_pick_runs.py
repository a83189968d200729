"""Runs of picking that meet others of the same name: each trace is picked once, by one model."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pickable import pickable_store, write_picker

from seisray.errors import ConfigError, ExistsError, StorageError
from seisray.ingest.rejects import read_rejects
from seisray.picking.parts import part_name, read_picks
from seisray.picking.survey import pick_survey
from seisray.picking.verify import verify_picks
from seisray.registry import PickSet, Store

pytestmark = pytest.mark.usefixtures("ray_session")


@pytest.fixture
def store(line_gathers: Callable, tmp_path: Path) -> Store:
    return pickable_store(tmp_path / "store", line_gathers(6))


def pick(store: Store, **options: bool | str) -> PickSet:
    return pick_survey("line", **{"model": "p@v1", "out": "picks", "store": str(store), "workers": 1, **options})


def interrupted(store: Store) -> PickSet:
    """Return the picks of a run whose manifest and second part were never written."""
    picks = pick(store)
    folder = store.folder("picks", "picks")
    (folder / "manifest.json").delete()
    (folder / picks.parts[1]["uri"]).delete()
    return picks


def test_each_trace_is_picked_once_and_the_parts_say_what_is_in_them(store: Store) -> None:
    picks = pick(store)
    table = read_picks(store, picks)
    rows = zip(table["ffid"].to_pylist(), table["trace"].to_pylist(), strict=True)
    assert sorted(rows) == [(ffid, trace) for ffid in range(101, 107) for trace in range(1, 13)]
    assert [part["shard"] for part in picks.parts] == [f"part-{first:05}.parquet" for first in (0, 2, 4)]
    assert [(part["n_gathers"], part["n_traces"], part["flags"]["dead"]) for part in picks.parts] == [(2, 24, 2)] * 3
    for part in picks.parts:
        assert part["uri"] == part_name(part["shard"], picks.identity, part["xxh3"])
    assert sum(picks.flags.values()) == picks.n_traces == 72
    assert store.picks("picks") == picks


def test_an_interrupted_run_is_told_of_and_goes_on_with_what_is_missing(store: Store) -> None:
    first = interrupted(store)
    kept = store.folder("picks", "picks").path + "/" + first.parts[0]["uri"]
    made_ns = Path(kept).stat().st_mtime_ns
    with pytest.raises(ExistsError, match="begun with p@v1 and not finished; pass --resume"):
        pick(store)
    again = pick(store, resume=True)
    assert replace(again, seconds=0, n_kept=0) == replace(first, seconds=0)
    assert again.n_kept == 48, "of 72 traces, by which the speed of this run is not counted"
    assert Path(kept).stat().st_mtime_ns == made_ns
    assert pick(store, resume=True) == again, "finished picks are returned as they are"
    with pytest.raises(ExistsError, match="already exist"):
        pick(store)


def test_a_model_whose_weights_do_not_fit_its_card_is_told_before_anything_is_begun(store: Store) -> None:
    card = store.folder("models", "p", "v1") / "model.json"
    about = json.loads(card.read_bytes())
    about["config"]["body"]["channels"][-1] += 2
    card.write_bytes(json.dumps(about).encode())
    with pytest.raises(StorageError, match=r"model p@v1: its card and its weights disagree: .*; train it again$"):
        pick(store)
    assert not Path(store.folder("picks", "picks").path).exists(), "no claim is left"


def test_a_run_of_another_model_takes_nothing_over_and_deletes_nothing(store: Store) -> None:
    interrupted(store)
    write_picker(store, seed=1)
    before = store.folder("picks", "picks").files()
    for resume in (False, True):
        with pytest.raises(ExistsError, match="begun with model p@v1, not p@v2"):
            pick(store, model="p", resume=resume)
    assert store.folder("picks", "picks").files() == before


def test_weights_made_anew_under_the_same_version_are_another_model(store: Store) -> None:
    interrupted(store)
    store.folder("models", "p").delete()
    write_picker(store, seed=1)
    with pytest.raises(ExistsError, match="other weights of p@v1"):
        pick(store, resume=True)


def test_a_damaged_part_is_made_again(store: Store) -> None:
    first = interrupted(store)
    part = store.folder("picks", "picks") / first.parts[0]["uri"]
    part.write_bytes(part.read_bytes()[:-5])
    again = pick(store, resume=True)
    assert replace(again, seconds=0, n_kept=0) == replace(first, seconds=0)
    assert again.n_kept == 24, "the third part alone"


def test_a_part_that_was_lost_after_the_run_is_made_again(store: Store) -> None:
    first = pick(store)
    (store.folder("picks", "picks") / first.parts[1]["uri"]).delete()
    assert pick(store, resume=True).parts == first.parts
    assert verify_picks("picks", store=str(store)).faults == []


@pytest.mark.parametrize("workers", [0, -2])
def test_fewer_workers_than_one_are_refused(store: Store, workers: int) -> None:
    with pytest.raises(ConfigError, match=f"--workers is {workers}, expected at least 1"):
        pick(store, workers=workers)


def test_gathers_that_break_something_are_flagged_and_the_rest_is_picked(
    line_gathers: Callable, tmp_path: Path
) -> None:
    first, second, third, fourth = line_gathers(4)
    broken = second.samples.copy()
    broken[5, 7] = np.nan
    gathers = [
        first,
        second.replace(samples=broken),
        third.replace(sample_interval_us=250.0),
        fourth.replace(samples=np.zeros_like(fourth.samples), live=np.zeros(12, dtype=bool)),
    ]
    store = pickable_store(tmp_path / "store", gathers)
    picks = pick(store)
    assert {flag: picks.flags[flag] for flag in ("dead", "failed", "not_finite")} == {
        "dead": 1 + 1 + 1 + 12,
        "failed": 11,
        "not_finite": 1,
    }
    (reject,) = read_rejects(store.folder("picks", "picks"))
    assert (picks.rejects, reject.gather_id, reject.n_traces) == (1, third.gather_id, 12)
    assert "sampled at 250 us" in reject.reason
    proved = verify_picks("picks", store=str(store))
    assert (proved.n_traces, proved.faults, proved.flags) == (48, [], picks.flags)


def test_a_survey_at_another_interval_is_resampled_and_this_is_said(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    write_picker(store, name="coarse", sample_interval_us=4000.0, onset_period=24.0)
    picks = pick(store, model="coarse")
    said = capsys.readouterr().err
    factor = picks.settings["resampling"]
    assert factor in (0.5, 2.0, 4.0, 8.0)
    assert f"gathers are resampled to {1000 / factor:g} us for it" in said
    assert picks.sample_interval_us == 1000
    assert verify_picks("picks", store=str(store)).faults == []
    end_ms = store.survey("line").n_samples
    times = read_picks(store, picks)["pick_ms"].drop_null().to_numpy()
    assert np.nanmin(times) >= 0
    assert np.nanmax(times) <= end_ms


def test_a_survey_that_a_picker_learned_from_is_resampled_as_it_was_then(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    fingerprint = store.survey("line").fingerprint
    write_picker(store, name="coarse", onset_period=24.0, resampled={fingerprint: 0.25})
    assert pick(store, model="coarse").settings["resampling"] == 0.25
    assert "survey 'line' is resampled to 4000 us, as coarse@v1 learned from it" in " ".join(
        capsys.readouterr().err.split()
    )
    write_picker(store, name="other", onset_period=24.0, resampled={"another": 0.25})
    assert pick(store, model="other", out="others").settings["resampling"] == 1


def test_a_picker_that_does_not_know_its_period_picks_its_own_interval_only(store: Store) -> None:
    write_picker(store, name="coarse", sample_interval_us=4000.0)
    with pytest.raises(ConfigError, match="at 4000 us, and its card does not say how many samples a period had"):
        pick(store, model="coarse")
