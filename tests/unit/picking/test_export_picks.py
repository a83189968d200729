from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from seisray.cli import main
from seisray.formats.picks.files import read_first_breaks
from seisray.formats.picks.pck import read_pck
from seisray.gather import Gather
from seisray.picking.aligned import align
from seisray.picking.export import export_picks
from seisray.picking.export_config import ExportConfig
from seisray.picking.parts import read_picks
from seisray.registry import Store

LineGathers = Callable[..., list[Gather]]
PickedSurvey = Callable[[Sequence[Gather]], Store]


@pytest.mark.parametrize("kind", ["csv", "sgt", "vs", "pck"])
@pytest.mark.parametrize("origin", [None, "first-sample", "shot"])
def test_every_pick_file_labels_the_survey_as_it_was_picked(
    kind: str, origin: str | None, line_gathers: LineGathers, picked_survey: PickedSurvey, tmp_path: Path
) -> None:
    gathers = line_gathers(5, delay_ms=7.0)
    store = picked_survey(gathers)
    if kind == "vs":  # shots and geophones stand on two parallel lines, and positions are along both
        gathers = [gather.replace(source_y_m=gather.receiver_y_m) for gather in gathers]
        store = picked_survey(gathers)
    out = tmp_path / f"p.{kind}"
    config = ExportConfig(format=kind, pick_origin=origin)
    made = export_picks("picks", str(out), store=str(store), config=config)
    assert (made.n_picks, made.n_without) == (55, 5)
    labels = read_first_breaks(out.read_bytes(), out.name, config.origin)
    for gather in gathers:
        back = labels.on(gather.replace(first_break_ms=np.full(12, np.nan)))
        np.testing.assert_allclose(back.first_break_ms, gather.first_break_ms, atol=6e-4)


def test_parquet_holds_every_pick_row(line_gathers: LineGathers, picked_survey: PickedSurvey, tmp_path: Path) -> None:
    store = picked_survey(line_gathers(5))
    made = export_picks("picks", str(tmp_path / "p.parquet"), store=str(store), config=ExportConfig(format="parquet"))
    back, picks = pq.read_table(tmp_path / "p.parquet"), read_picks(store, store.picks("picks"))
    np.testing.assert_array_equal(back["pick_ms"], picks["pick_ms"])  # Arrow's NaN equal nothing
    assert back.drop_columns("pick_ms").equals(picks.drop_columns("pick_ms"))
    assert (made.n_picks, made.n_without) == (55, 5)


def test_a_folder_of_pck_has_a_file_a_gather_and_a_row_a_trace(
    line_gathers: LineGathers, picked_survey: PickedSurvey, tmp_path: Path
) -> None:
    gathers = line_gathers(3)
    store = picked_survey(gathers)
    made = export_picks("picks", str(tmp_path / "out"), store=str(store), config=ExportConfig(format="pck"))
    assert [Path(file).name for file in made.files] == ["line-101.pck", "line-102.pck", "line-103.pck"]
    for file, gather in zip(made.files, gathers, strict=True):
        rows = Path(file).read_text().splitlines()
        assert len(rows) == 12
        assert rows[2].startswith("   -1.000000 0")
        back = read_pck(Path(file).read_bytes(), file).on(gather.replace(first_break_ms=np.full(12, np.nan)))
        np.testing.assert_allclose(back.first_break_ms, gather.first_break_ms, atol=6e-4)


def test_picks_come_beside_their_traces_in_any_order_of_parts(
    line_gathers: LineGathers, picked_survey: PickedSurvey
) -> None:
    gathers = line_gathers(5)
    store = picked_survey(gathers)
    found = align(store, store.survey("line"), store.picks("picks"), of_trace=["first_break_ms"])
    np.testing.assert_array_equal(found.picks["pick_ms"].astype(np.float32), found.of_trace["first_break_ms"])


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["out.csv", "--format", "xyz"], "xyz"),
        (["--format", "csv"], "say where the picks go"),
        (["out", "--format", "segy"], "--header first_break=201:int16"),
        (["out", "--format", "segy", "--header", "first_break=108:int16"], "hold delay_ms"),
        (["out.sgt", "--format", "sgt", "--units", "ms"], "sgt holds times in s"),
        (["out.sgt", "--format", "sgt", "--in-place"], "are for --format segy"),
        (["out.vs", "--format", "vs"], "no coordinates"),
        (["out.sgt", "--format", "sgt"], "no coordinates"),
        (["out", "--format", "segy", "--in-place", "--header", "first_break=201"], "leave out 'out'"),
        (["out.parquet", "--format", "parquet", "--pick-origin", "shot"], "from the first sample"),
    ],
)
def test_what_cannot_be_exported_is_said_in_one_line(
    options: list[str],
    named: str,
    line_gathers: LineGathers,
    picked_survey: PickedSurvey,
    capsys: pytest.CaptureFixture[str],
) -> None:
    unknown = {name: np.full(12, np.nan) for name in ("source_x_m", "receiver_x_m")}
    store = picked_survey([gather.replace(**unknown) for gather in line_gathers(2)])
    assert main(["export", "picks", *options, "--store", str(store)]) == 2
    said = capsys.readouterr().err
    assert named in said
    assert said.count("\n") == 1
    assert not Path("out").exists()
