"""The picker that comes with the package: there at once, and as good as its card says."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from seisray.cli import main
from seisray.registry import Store

pytestmark = pytest.mark.usefixtures("ray_session")


def test_a_field_file_needs_no_other_picker_and_no_name(
    line_gathers: Callable, write_segy: Callable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_segy(tmp_path / "line.sgy", line_gathers(2))
    store = Store(str(tmp_path / "store"))
    assert main(["pick", str(file), "--store", str(store), "--workers=1"]) == 0
    picks = store.picks("line-picks")
    assert (picks.model, picks.n_traces) == ("shipped@v1", 24)
    assert main(["pick", str(file), "--store", str(store)]) == 2
    assert "picks 'line-picks' already exist" in capsys.readouterr().err


def test_its_name_is_taken(tiny_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["finetune", "tiny", "--from", "scratch", "--model", "shipped", "--store", str(tiny_store)]) == 2
    assert "comes with seisray; choose another --model" in capsys.readouterr().err


def test_it_finds_first_breaks_of_shots_that_it_did_not_learn_from(
    data_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soda = data_folder / "soda_lakes"
    files = [str(soda / "raw" / f"Shot_{ffid:05d}.sg2") for ffid in range(1043, 1061)]
    store = str(tmp_path / "store")
    assert main(["pick", *files, "--out", "soda", "--store", store, "--workers=2"]) == 0
    capsys.readouterr()
    assert main(["score", "soda", str(soda / "picks.csv"), "--ffids", "1043-1060", "--store", store, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["n_labelled"] > 1500
    assert found["hit_rate_2ms"] > 0.92


def test_it_turns_a_survey_that_was_recorded_upside_down(
    data_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, labels = (str(data_folder / "geostack" / name) for name in ("geostack.sgy", "picks.csv"))
    found = {}
    for polarity in ("auto", "recorded"):
        command = ["pick", file, "--out", polarity, "--polarity", polarity, "--store", str(tmp_path), "--workers=2"]
        assert main(command) == 0
        assert ("polarity reversed" in capsys.readouterr().err) == (polarity == "auto")
        assert main(["score", polarity, labels, "--store", str(tmp_path), "--json"]) == 0
        found[polarity] = json.loads(capsys.readouterr().out)["hit_rate_2ms_debiased"]
    assert found["auto"] > 0.45
    assert found["recorded"] < 0.35
