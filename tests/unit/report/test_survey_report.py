"""The report of a survey's picks: what it shows, what it reads, and how it looks in a browser."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from matplotlib.figure import Figure
from picked import picked_store

import seisray.report.learned
import seisray.report.survey
import seisray.report.worst
from seisray.errors import PicksError
from seisray.picking.quality.suspects import SCHEMA
from seisray.registry import Store
from seisray.report.plots import png_bytes
from seisray.report.survey import report

pytestmark = pytest.mark.usefixtures("quick")
UNKNOWN = dict.fromkeys(("source_x_m", "source_y_m", "receiver_x_m", "receiver_y_m", "offset_m"), np.full(12, np.nan))


@pytest.fixture
def store(line_gathers: Callable, tmp_path: Path) -> Store:
    """Return a store with five gathers, FFID 104 the least sure, then 102."""
    return picked_store(
        tmp_path / "store", line_gathers(5), late_ms=[1, 3, 1, 1, 1], probability=[0.9, 0.4, 0.8, 0.3, 0.95]
    )


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let figures be made, but not be drawn: that takes most of the time."""
    png = png_bytes(Figure(figsize=(1, 1)), dpi=20)
    for module in (seisray.report.survey, seisray.report.worst, seisray.report.learned):
        monkeypatch.setattr(module, "png_bytes", lambda figure, **options: png)


def words(store: Store, **options: Any) -> str:
    """Return the text of the report, without its pictures."""
    page = report(["line-picks"], store=str(store), **options).read_bytes().decode()
    return re.sub(r"base64,[A-Za-z0-9+/=]*", "", page)


def test_the_report_has_what_a_crew_asks_for(store: Store) -> None:
    page = words(store)
    for title in ("Against the labels", "Where picks are good", "All picks", "The 5 worst gathers", "picker picker@v1"):
        assert f"<h2>{title}</h2>" in page
    assert "30 traces/s" in page
    assert "Where picks are doubtful" in page


def test_the_least_sure_gathers_come_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seisray.report.worst, "WORST", 2)
    shown = re.findall(r"<figcaption>FFID (\d+)", words(store))
    assert shown[:4] == ["104", "104", "102", "102"]  # density and wiggles
    assert sorted(shown[4:]) == ["101", "103", "105"]


def test_samples_are_read_of_the_gathers_shown_only(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    inner = seisray.report.worst.read_gather
    monkeypatch.setattr(seisray.report.worst, "WORST", 1)
    monkeypatch.setattr(seisray.report.worst, "SPREAD", 1)
    monkeypatch.setattr(seisray.report.worst, "read_gather", lambda *at: read.append(at[1]) or inner(*at))
    words(store)
    assert len(read) == 2


def test_without_coordinates_there_is_a_matrix_of_gathers_by_channels(line_gathers: Callable, tmp_path: Path) -> None:
    bare = [gather.replace(**UNKNOWN) for gather in line_gathers(3)]
    page = words(picked_store(tmp_path, bare))
    assert "has no coordinates" in page
    assert "Picks against channel" in page


def test_without_labels_there_are_no_scores(line_gathers: Callable, tmp_path: Path) -> None:
    gathers = line_gathers(3)
    store = picked_store(tmp_path, gathers)
    blank = picked_store(tmp_path / "blank", [g.replace(first_break_ms=np.full(12, np.nan)) for g in gathers])
    for part in store.folder("picks", "line-picks").files():
        (blank.folder("picks", "line-picks") / part.name).write_bytes(part.read_bytes())
    assert "Against the labels" not in words(blank)


def test_labels_of_a_csv_take_the_place_of_the_surveys_own(store: Store, tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("ffid,trace,time_ms\n101,1,40\n101,2,41\n")
    assert ">2</td>" in words(store, truth=str(tmp_path / "truth.csv"))


def test_labels_on_traces_that_are_not_there_are_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("ffid,trace,time_ms\n101,1,40\n101,99,41\n")
    with pytest.raises(PicksError, match="1 labels are on traces"):
        words(store, truth=str(tmp_path / "truth.csv"))


def test_only_the_ffids_asked_for_are_counted(store: Store) -> None:
    page = words(store, ffids=[101, 103])
    assert "<dd>22</dd>" in page  # live traces
    assert "The 2 worst gathers" in page
    with pytest.raises(PicksError, match="FFID 7"):
        words(store, ffids=[7])


def test_the_command_that_finds_suspects_is_named_where_they_were_not_looked_for(store: Store) -> None:
    assert "seisray quality line-picks" in words(store)


def test_suspects_are_listed_with_their_reasons(store: Store) -> None:
    rows = {"kind": ["shot", "station"], "ffid": [104, None], "channel": [None, 7], "x_m": [292512.5, 292513.0]}
    rows |= {"figure": [12.5, None], "times_spread": [8.25, None], "reason": ["late", "<dead>"]}
    rows |= {name: [None, None] for name in SCHEMA.names if name not in rows}
    table = pa.table(rows, schema=SCHEMA)
    pq.write_table(table, f"{store.folder('picks', 'line-picks')}/suspects.parquet")
    page = words(store)
    assert "1 shot, 1 station" in page
    assert "12.5" in page
    assert "times the spread" in page
    assert "8.25" in page
    assert "292512.5" in page, "to tell neighbouring pegs apart"
    assert "&lt;dead&gt;" in page


def test_inconsistent_picks_make_a_gather_worse_than_unsure_ones(store: Store) -> None:
    traces = [trace for trace in range(1, 13) if trace != 3]
    found = {"gather_id": ["line-105"] * 11, "trace": traces, "flag": ["inconsistent"] * 11}
    pq.write_table(pa.table(found), f"{store.folder('picks', 'line-picks')}/quality.parquet")
    page = words(store)
    assert re.findall(r"<figcaption>FFID (\d+)", page)[0] == "105"
    assert "does not fit the picks around it" in page


def test_the_page_goes_where_out_says(store: Store, tmp_path: Path) -> None:
    page = report(["line-picks"], store=str(store), out=str(tmp_path / "page.html"))
    assert (tmp_path / "page.html").read_bytes() == page.read_bytes()


def test_sets_are_compared(store: Store) -> None:
    page = report(["line-picks", "line-picks"], store=str(store)).read_bytes()
    assert b"Share of labelled traces" in page
