"""`seisray inspect` as a user types it."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from seisray.cli import main
from seisray.cli.app import app
from seisray.gather import Gather

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def line_file(
    tmp_path: Path,
    line_gathers: Callable[..., list[Gather]],
    write_segy: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return write_segy(tmp_path / "line 1.sgy", line_gathers(6))


def test_one_file_fits_a_screen(line_file: Path, capsys: Capture) -> None:
    assert main(["inspect", str(line_file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 45
    assert all(len(one) <= 100 for one in lines if str(line_file) not in one)
    assert any("72 traces of 128 samples at 1 ms = 128 ms" in one for one in lines)
    assert any("FFID (bytes 9-12) changes every 12 traces" in one for one in lines)
    assert (line_file.parent / "here" / "inspect-line_1.png").exists()


def test_the_last_line_is_a_command_that_parses(line_file: Path, capsys: Capture) -> None:
    assert main(["inspect", str(line_file), "--header", "ffid=17", "--no-picture", "--store", "my store"]) == 0
    words = shlex.split(capsys.readouterr().out.splitlines()[-1])
    assert words[:2] == ["seisray", "ingest"]
    assert words.pop() == "--store=my store"
    _, bound, _ = app.parse_args(words[1:], exit_on_error=False, print_error=False)
    assert (bound.arguments["name"], bound.arguments["files"]) == ("line_1", [str(line_file)])
    assert bound.arguments["config"].header == ("ffid=17",)


def test_no_picture_is_written_where_none_is_wanted(line_file: Path) -> None:
    assert main(["inspect", str(line_file), "--no-picture"]) == 0
    assert list(Path().iterdir()) == []


def test_what_a_file_should_have_said_is_read_so(line_file: Path, capsys: Capture) -> None:
    assert main(["inspect", str(line_file), "--no-picture", "--sample-interval-us", "500", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["files"][0]["sample_interval_us"] == 500
    assert "--sample-interval-us=500" in found["command"]


def test_json_holds_all_that_was_found(line_file: Path, capsys: Capture) -> None:
    assert main(["inspect", str(line_file), "--no-picture", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["files"][0]["n_traces"] == 72
    assert {field["name"]: field["maximum"] for field in found["fields"]}["ffid"] == 106
    assert found["key"]["gather_traces"] == 12


def test_a_file_that_cannot_be_read_is_one_line_and_exit_code_2(line_file: Path, capsys: Capture) -> None:
    line_file.write_bytes(line_file.read_bytes()[:-5])
    assert main(["inspect", str(line_file)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"seisray: {line_file}")
    assert said.err.count("\n") == 1


def test_files_none_of_which_can_be_read_are_listed_and_exit_code_2(line_file: Path, capsys: Capture) -> None:
    other = line_file.with_name("other.sgy")
    other.write_text("no seismics")
    line_file.write_bytes(line_file.read_bytes()[:-5])
    assert main(["inspect", str(line_file), str(other)]) == 2
    said = capsys.readouterr()
    assert str(line_file) in said.out
    assert str(other) in said.out
    assert "none of 2 files can be read" in said.err


def test_one_bad_file_among_good_ones_is_within_the_report(line_file: Path, capsys: Capture) -> None:
    other = line_file.with_name("other.sgy")
    other.write_text("no seismics")
    assert main(["inspect", str(other), str(line_file), "--no-picture"]) == 0
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert "is not a SEG-Y file" in " ".join(said.split())  # lines end where the screen does
    assert str(other) not in lines[-1]
