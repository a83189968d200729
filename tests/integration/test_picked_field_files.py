"""Picks straight from field files: those of the survey that they would make, without one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pickable import write_picker

from seisray.cli import main
from seisray.config import PickConfig
from seisray.errors import ExistsError, FormatError, PicksError
from seisray.gather import Gather
from seisray.ingest import IngestConfig, ingest, parts
from seisray.ingest.rejects import read_rejects
from seisray.picking.parts import read_picks
from seisray.picking.survey import pick_files, pick_survey
from seisray.picking.verify import verify_picks
from seisray.registry import PickSet, Store
from seisray.report.survey import report

pytestmark = pytest.mark.usefixtures("ray_session")
COLUMNS = ["gather_id", "source_file", "ffid", "trace", "pick_ms", "probability", "sigma_ms", "flag", "model"]


def small_ranges(patch: pytest.MonkeyPatch) -> None:
    """Let a task take 7 traces, which cuts gathers of 12."""
    patch.setattr(parts, "SMALLEST_RANGE_BYTES", 7 * (240 + 4 * 128))
    patch.setattr(parts, "SHARDS_WANTED", 100)


@pytest.fixture(scope="module")
def gathers(line_gathers: Callable) -> list[Gather]:
    return line_gathers(8)


@pytest.fixture(scope="module")
def file(gathers: list[Gather], write_segy: Callable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_segy(tmp_path_factory.mktemp("field") / "line.sgy", gathers)


@pytest.fixture(scope="module")
def store(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return a store with the file's survey, its picks "ingested", and picks "straight" of the file itself."""
    store = Store(str(tmp_path_factory.mktemp("store")))
    write_picker(store)
    with pytest.MonkeyPatch.context() as patch:
        small_ranges(patch)
        pick(store, file, "straight")
    ingest("line", [str(file)], store=str(store), config=IngestConfig(encoding="float32"))
    pick_survey("line", model="p", out="ingested", store=str(store), workers=1)
    return store


def pick(store: Store, file: Path, out: str, **options: Any) -> PickSet:
    return pick_files([str(file)], model="p", out=out, store=str(store), workers=1, **options)


def rows(store: Store, name: str) -> list[tuple[object, ...]]:
    table = read_picks(store, store.picks(name)).select(COLUMNS)
    return sorted(tuple(map(str, row.values())) for row in table.to_pylist())


def test_picks_are_those_of_the_survey(store: Store, file: Path) -> None:
    straight = store.picks("straight")
    assert len(straight.parts) == 14
    assert rows(store, "straight") == rows(store, "ingested")
    assert (straight.survey, straight.n_traces, straight.rejects) == (None, 96, 0)
    (source,) = straight.sources
    assert (source["uri"], source["bytes"], source["format"]) == (str(file), file.stat().st_size, "SEG-Y")


def beside_the_default(store: Store, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return picks, in samples, and what the default engine picked."""
    tables = (read_picks(store, store.picks(picks)) for picks in (name, "straight"))
    ordered = [table.sort_by([("ffid", "ascending"), ("trace", "ascending")])["pick_ms"].to_numpy() for table in tables]
    interval_ms = store.picks(name).sample_interval_us / 1000
    return ordered[0] / interval_ms, ordered[1] / interval_ms


def test_another_engine_finds_the_same_picks(store: Store, file: Path) -> None:
    pytest.importorskip("openvino")
    assert pick(store, file, "vino", config=PickConfig(engine="openvino")).settings["pick"]["engine"] == "openvino"
    np.testing.assert_allclose(*beside_the_default(store, "vino"), atol=0.1)


def test_the_engine_in_bfloat16_finds_nearly_the_same_picks(store: Store, file: Path) -> None:
    assert pick(store, file, "rounded", config=PickConfig(engine="bf16")).settings["pick"]["engine"] == "bf16"
    found, default = beside_the_default(store, "rounded")
    np.testing.assert_array_equal(np.isnan(found), np.isnan(default))
    apart = np.abs(found - default)[np.isfinite(found)]
    assert apart.max() > 0
    assert (apart < 0.1).mean() > 0.9


def test_they_are_proved_against_the_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    small_ranges(monkeypatch)
    found = verify_picks("straight", store=str(store))
    assert (found.n_traces, found.faults) == (96, [])


def test_an_interrupted_run_goes_on(file: Path, tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    write_picker(store)
    first = pick(store, file, "x")
    (store.folder("picks", "x") / "manifest.json").delete()
    with pytest.raises(ExistsError, match="pass --resume"):
        pick(store, file, "x")
    assert pick(store, file, "x", resume=True).parts == first.parts


def test_they_are_scored_with_a_csv_and_exported(
    store: Store, gathers: list[Gather], write_picks: Callable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = write_picks(tmp_path / "truth.csv", gathers)
    assert main(["score", "straight", str(truth), "--store", str(store), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_labelled"] == 88
    for out in ("x.csv", "x.parquet"):
        assert main(["export", "straight", str(tmp_path / out), "--format", out[2:], "--store", str(store)]) == 0
        assert (tmp_path / out).stat().st_size > 0
    with pytest.raises(PicksError, match="needs their survey; ingest the files"):
        report(["straight"], store=str(store))
    assert main(["score", "straight", "--store", str(store)]) == 2
    assert "name a CSV or a survey" in capsys.readouterr().err


def test_what_is_neither_survey_nor_file_gets_one_line(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pick", "lime", "--model", "p", "--out", "x", "--store", str(store)]) == 2
    told = capsys.readouterr().err.strip()
    assert told.startswith("seisray: 'lime' is neither a survey in ")
    assert "(there: line) nor a field file" in told
    assert main(["pick", "line", "x.sgy", "--model", "p", "--out", "x", "--store", str(store)]) == 2
    assert "one survey at a time" in capsys.readouterr().err


def test_segy_needs_a_header_word(store: Store, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pick", str(file), "--model", "p", "--out", "picked.sgy", "--store", str(store)]) == 2
    assert "write them with seisray export" in capsys.readouterr().err
    assert "picked" not in store.names("picks")


def test_the_command_writes_a_file_where_out_is_one(store: Store, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "direct.parquet"
    assert main(["pick", str(file), "--model", "p", "--out", str(out), "--store", str(store), "--workers=1"]) == 0
    assert out.stat().st_size > 0
    assert store.picks("direct").n_traces == 96


@pytest.mark.parametrize(
    ("out", "told"),
    [
        ("there.csv", "there.csv exists; choose another --out, or delete it"),
        ("file/x.csv", "is no folder that can be written"),
        ("x.sgt", "--out x.sgt: name the picks, and write them with seisray export"),
        ("  ", "is no name for the store"),
        ("", "'' is no name for the store"),
    ],
)
def test_an_out_that_cannot_be_is_told_before_anything_is_picked(
    store: Store, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    out: str, told: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    for name in ("there.csv", "file"):
        (tmp_path / name).write_text("mine")
    before = store.names("picks")
    for more in ([], ["--resume"]):
        assert main(["pick", str(file), "--model", "p", "--out", out, "--store", str(store), *more]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert told in line
    assert store.names("picks") == before
    assert (tmp_path / "there.csv").read_text() == "mine"


def test_gathers_that_break_something_get_rows_and_what_is_no_gather_a_reason(
    gathers: list[Gather], write_segy: Callable, tmp_path: Path
) -> None:
    odd = gathers[1].samples.copy()
    odd[4, 9] = np.nan
    twice = gathers[2].samples.copy()
    twice[7] = twice[6]
    wrong = [
        gathers[0].replace(samples=np.zeros_like(odd)),
        gathers[1].replace(samples=odd),
        gathers[2].replace(samples=twice, channel=np.array([1, 2, 3, 4, 5, 6, 7, 7, 9, 10, 11, 12])),
        gathers[3],
    ]
    store = Store(str(tmp_path))
    write_picker(store)
    picks = pick(store, write_segy(tmp_path / "odd.sgy", wrong), "x")
    assert (picks.n_traces, picks.flags["dead"], picks.flags["not_finite"], picks.rejects) == (36, 12 + 1 + 1, 1, 1)
    (reject,) = read_rejects(store.folder("picks", "x"))
    assert (reject.ffid, reject.n_traces) == (103, 12)
    assert "hold the same samples" in reject.reason
    assert verify_picks("x", store=str(store)).faults == []


def test_gathers_in_pieces_are_left_to_ingest(gathers: list[Gather], write_segy: Callable, tmp_path: Path) -> None:
    pieces = [gather.take(np.arange(half, 12, 2)) for half in (0, 1) for gather in gathers]
    store = Store(str(tmp_path))
    write_picker(store)
    with pytest.raises(FormatError, match="ingest the files, pick the survey"):
        pick(store, write_segy(tmp_path / "pieces.sgy", pieces), "x")
    assert store.folder("picks", "x").files() == []


def test_a_file_that_changed_is_not_what_was_picked(store: Store, file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "line.sgy"
    copy.write_bytes(file.read_bytes())
    pick(store, copy, "copied")
    copy.write_bytes(file.read_bytes()[:-1] + b"\x01")
    with pytest.raises(FormatError, match="changed since it was picked"):
        verify_picks("copied", store=str(store))
