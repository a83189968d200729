import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from seisray.cli import main
from seisray.errors import PicksError
from seisray.gather import Gather
from seisray.picking.quality import assess_picks
from seisray.picking.quality.assess import QUALITY_SCHEMA
from seisray.picking.quality.suspects import SCHEMA
from seisray.registry import Store

LineGathers = Callable[..., list[Gather]]
PickedSurvey = Callable[[Sequence[Gather]], Store]


def mispicked(gathers: list[Gather]) -> list[Gather]:
    """Return the gathers with trace 8 of the third picked 30 ms late."""
    late = gathers[2].first_break_ms.copy()
    late[7] += 30
    return [*gathers[:2], gathers[2].replace(first_break_ms=late), *gathers[3:]]


def test_a_wrong_pick_is_flagged_in_a_row_a_trace_and_the_picks_stay(
    line_gathers: LineGathers, picked_survey: PickedSurvey
) -> None:
    store = picked_survey(mispicked(line_gathers(6)))
    folder = Path(str(store.folder("picks", "picks")))
    before = {path.name: hashlib.sha256(path.read_bytes()).digest() for path in folder.iterdir()}
    found = assess_picks("picks", store=str(store), polarity=False)
    assert {
        path.name: hashlib.sha256(path.read_bytes()).digest() for path in folder.iterdir()
    }.items() >= before.items()
    table = pq.read_table(folder / "quality.parquet")
    assert table.schema.equals(QUALITY_SCHEMA)
    rows = table.to_pylist()
    assert [(row["ffid"], row["trace"]) for row in rows] == [(101 + i, j) for i in range(6) for j in range(1, 13)]
    assert {(row["ffid"], row["trace"]) for row in rows if row["flag"] == "outlier"} == {(103, 8)}
    assert {row["trace"] for row in rows if row["flag"] == "dead"} == {3}
    assert found.flags == {flag: sum(row["flag"] == flag for row in rows) for flag in found.flags}
    assert pq.read_table(folder / "suspects.parquet").schema.equals(SCHEMA)


@pytest.mark.usefixtures("ray_session")
def test_a_station_connected_the_wrong_way_round_is_named(
    line_gathers: LineGathers, picked_survey: PickedSurvey, capsys: pytest.CaptureFixture[str]
) -> None:
    gathers = []
    for gather in line_gathers(6, n_samples=256):
        samples = gather.samples.copy()
        samples[8] *= -1
        gathers.append(gather.replace(samples=samples))
    store = picked_survey(gathers)
    found = assess_picks("picks", store=str(store))
    assert [(row["channel"], row["fault"]) for row in found.suspects] == [(3, "dead"), (9, "reversed")]
    assert main(["quality", "picks", "--store", str(store)]) == 0
    assert "reversed" in capsys.readouterr().out


def test_picks_that_lack_a_trace_are_refused(line_gathers: LineGathers, picked_survey: PickedSurvey) -> None:
    store = picked_survey(line_gathers(4))
    found = store.picks("picks")
    replace(found, parts=found.parts[:1]).write(store.folder("picks", "picks") / "manifest.json")
    with pytest.raises(PicksError, match="24 rows, survey 'line' has 48 traces"):
        assess_picks("picks", store=str(store), polarity=False)


def test_picks_of_an_earlier_survey_are_refused(line_gathers: LineGathers, picked_survey: PickedSurvey) -> None:
    store = picked_survey(line_gathers(4))
    replace(store.picks("picks"), survey_fingerprint="other").write(store.folder("picks", "picks") / "manifest.json")
    with pytest.raises(PicksError, match="earlier survey"):
        assess_picks("picks", store=str(store), polarity=False)


def test_labels_of_a_real_survey_with_errors_put_in(data_folder: Path, picked_survey: PickedSurvey) -> None:
    from seisray.formats.geometry import read_geometry
    from seisray.formats.picks.first_breaks import read_first_breaks_csv
    from seisray.formats.seg2 import read_seg2

    soda = data_folder / "soda_lakes"
    labels = read_first_breaks_csv((soda / "picks.csv").read_bytes(), "picks.csv")
    places = read_geometry([((soda / "geometry.csv").read_bytes(), "geometry.csv")])
    rng = np.random.default_rng(0)
    gathers, wrong = [], []
    for path in sorted((soda / "raw").glob("*.sg2"))[:30]:
        gather = labels.on(places.on(read_seg2(path.read_bytes(), survey="line", source_file=path.name)))
        picks = gather.first_break_ms.copy()
        own = (rng.random(len(picks)) < 0.02) & np.isfinite(picks)
        picks[own] += rng.uniform(10, 60, own.sum())
        picks[:] += 10 if gather.ffid == 1015 else 0
        gathers.append(gather.replace(first_break_ms=picks))
        wrong += own.tolist()
    store = picked_survey(gathers)
    found = assess_picks("picks", store=str(store), polarity=False)
    flag = np.array(pq.read_table(found.quality)["flag"].to_pylist())
    odd = np.isin(flag, ["outlier", "inconsistent"])
    assert odd[wrong].all()
    assert odd[~np.array(wrong)].mean() < 0.005
    assert [row["ffid"] for row in found.suspects if row["kind"] == "shot"] == [1015]
    assert {row["channel"] for row in found.suspects if row["fault"] == "dead"} == {48, 59, 60}
