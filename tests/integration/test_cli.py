"""The commands as a user types them: the whole chain, and what bad input gets."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pickable import write_picker, write_survey
from picked import picked_store

from seisray.cli import main
from seisray.config import BodyConfig
from seisray.gather import Gather
from seisray.models.picker import Picker
from seisray.registry import Store
from seisray.weights import load_weights

SMALL_PANEL = ("--panel.traces=8", "--panel.samples=32")
SMALL_RUN = ("--train.steps=4", "--train.batch=4", "--train.checkpoint-every=2", "--train.log-every=1")
SMALL_BODY = ("--body.channels", "2", "2", "2", "2")
GAN = (*SMALL_PANEL, *SMALL_RUN, *SMALL_BODY)
PICKER = (*SMALL_PANEL, *SMALL_RUN)

Capture = pytest.CaptureFixture[str]
LineGathers = Callable[..., list[Gather]]


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run_json(tokens: Sequence[str], store: Path, capsys: Capture) -> dict:
    capsys.readouterr()
    assert main([*tokens, "--store", str(store), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.timeout(900)
def test_the_whole_chain_from_field_file_to_report(
    ray_session: None, tiny_field_files: tuple[Path, Path], tmp_path: Path, capsys: Capture
) -> None:
    file, picks = map(str, tiny_field_files)

    def step(*tokens: str) -> dict:
        return run_json(tokens, tmp_path, capsys)

    assert step("ingest", "line", file, "--picks", picks)["n_gathers"] == 8
    assert step("pretrain", "gan", "line", "--model", "g", *GAN)["model"] == "g@v1"
    tuned = step("finetune", "line", "--from", "g", "--model", "p", "--ffids", "101-104", "--calibrate", *PICKER)
    assert tuned["gathers"] == 4
    assert 0.1 <= tuned["temperature"] <= 10
    assert (tmp_path / "models" / "p" / "v1" / "suspects.csv").read_text().startswith("survey,ffid,trace,")
    assert Store(str(tmp_path)).model("p").details["doubts"] == []
    assert step("pick", "line", "--model", "p", "--out", "p")["traces"] == 96
    found = step("score", "p", "--ffids", "105-108")
    assert found["n_labelled"] == 4 * 11
    assert step("score", "p", picks)["n_labelled"] == 8 * 11
    corrected = ["--labels", picks, "--train.workers=1"]
    again = step("finetune", "line:102", "--from", "p", "--model", "q", *PICKER, *corrected)
    assert again["gathers"] == 1
    assert "temperature" not in again
    page = Path(step("report", "p")["report"])
    assert "First breaks of line" in page.read_text()
    written = step("export", "p", str(tmp_path / "out.csv"))
    assert written["picks"] + written["traces_without"] == 96
    assert (tmp_path / "out.csv").read_text().splitlines()[0].replace('"', "").startswith("ffid,trace,time_ms")
    listed = step("list")
    assert (listed["surveys"], listed["models"], listed["picks"]) == (["line"], ["g", "p", "q"], ["p"])


def test_a_picker_learns_from_sure_picks(
    ray_session: None, line_gathers: LineGathers, tmp_path: Path, capsys: Capture
) -> None:
    store = picked_store(tmp_path, line_gathers(4), probability=[0.9, 0.4, 0.9, 0.9])
    write_picker(store, name="known", onset_period=12.0, resampled={"another": 2.0})
    words = ("finetune", "line", "--from", "known", "--model", "taught", "--labels-of", "line-picks", *PICKER)
    assert run_json(words, tmp_path, capsys)["gathers"] == 3
    card = store.model("taught")
    assert card.details["ffids"] == {"line": [101, 103, 104]}
    assert card.details["labels_of"][0]["picks"] == "line-picks"
    assert card.resampled == {"another": 2.0, store.survey("line").fingerprint: 1.0}
    assert main([*words, "--calibrate", "--store", str(tmp_path)]) == 2
    assert "judge a picker by its own picks" in capsys.readouterr().err


def test_a_picker_that_is_validated_is_the_best_that_was_met(
    ray_session: None, tiny_store: Path, capsys: Capture
) -> None:
    validation = ["--validation.share=0.3", "--validation.every=2", "--validation.patience=1"]
    train = ["--train.steps=400", "--train.batch=4", "--train.workers=2"]
    tokens = ["finetune", "tiny", "--from", "scratch", "--model", "validated", *SMALL_PANEL, *validation, *train]
    tuned = run_json(tokens, tiny_store, capsys)
    details = Store(str(tiny_store)).model("validated").details
    learned, found = details["ffids"]["tiny"], details["validation"]
    assert max(learned) < min(found["ffids"]["tiny"])
    assert tuned["gathers"] == len(learned)
    looks = {row["step"]: row["validation_hit_rate_2ms"] for row in details["history"] if row["step"] % 2 == 0}
    assert looks[found["step"]] == max(looks.values()) == tuned["validation_hit_rate_2ms"]
    assert found["last_step"] == max(looks) == found["step"] + 2  # patience ended both workers
    assert found["last_step"] < 400


def test_a_picker_that_is_aligned_says_with_which_surveys(
    ray_session: None, tiny_store: Path, line_gathers: LineGathers, capsys: Capture
) -> None:
    store = Store(str(tiny_store))
    write_survey(store, line_gathers(3), name="field", fingerprint="of-field")
    train = ["--train.steps=4", "--train.batch=4", "--train.workers=2", "--train.log-every=1"]
    tokens = ["finetune", "tiny", "--from", "scratch", "--model", "aligned", *SMALL_PANEL, *train]
    run_json([*tokens, "--like", "field", "--align.weight=0.1"], tiny_store, capsys)
    card = store.model("aligned")
    assert card.details["like"] == {"field": "of-field"}
    assert all({"loss", "domain"} <= set(row) for row in card.details["history"])
    assert set(load_weights(store, card, "picker")) == set(Picker(BodyConfig()).state_dict())  # no judge is published


BAD = {
    "missing file": (["ingest", "new", "nowhere.sgy"], "nowhere.sgy"),
    "not a SEG-Y": (["ingest", "new", "{text}"], "SEG-Y"),
    "unknown survey": (["pretrain", "gan", "nowhere", "--model", "m"], "'nowhere'"),
    "FFIDs without end": (
        ["finetune", "tiny", "--from", "scratch", "--model", "m", "--ffids", "1-99999999999999"],
        "FFIDs",
    ),
    "home of nobody": (["ingest", "new", "~nobody-at-all/x.sgy"], "nobody-at-all"),
    "unknown model": (["pick", "tiny", "--model", "nowhere", "--out", "o"], "'nowhere'"),
    "labels of unknown FFIDs": (["ingest", "new", "{file}", "--picks", "{stranger}"], "999"),
    "picks of a missing column": (["ingest", "new", "{file}", "--picks", "{text}"], "ffid"),
    "survey that exists": (["ingest", "tiny", "{file}"], "--replace"),
    "header byte outside": (["ingest", "new", "{file}", "--header", "ffid=900"], "900"),
    "unlabelled FFIDs": (["finetune", "tiny", "--from", "scratch", "--model", "m", "--ffids", "7"], "7"),
    "unlabelled FFIDs of a survey": (["finetune", "tiny:7", "--from", "scratch", "--model", "m"], "7"),
    "review of picks that do not exist": (["review", "nowhere"], "'nowhere'"),
    "labels that do not exist": (
        ["finetune", "tiny", "--from", "scratch", "--model", "m", "--labels", "nowhere.csv"],
        "nowhere.csv",
    ),
    "too few gathers to validate by": (
        ["finetune", "tiny", "--from", "scratch", "--model", "m", "--labelled", "1", "--validation.share=0.5"],
        "validation.share",
    ),
    "field surveys that are not aligned to": (
        ["finetune", "tiny", "--from", "scratch", "--model", "m", "--like", "field"],
        "--align.weight",
    ),
    "a weight of alignment and no field surveys": (
        ["finetune", "tiny", "--from", "scratch", "--model", "m", "--align.weight=0.1"],
        "--like",
    ),
    "unknown field survey": (
        ["finetune", "tiny", "--from", "scratch", "--model", "m", "--like", "nowhere", "--align.weight=0.1"],
        "nowhere",
    ),
    "a search that is to align": (
        ["tune", "picker", "tiny", "--study", "aligned", "--align.weight=0.1"],
        "AlignConfig.weight",
    ),
    "labels of picks that do not exist": (
        ["finetune", "tiny", "--from", "scratch", "--model", "m", "--labels-of", "nothing"],
        "nothing",
    ),
    "too many labels": (["finetune", "tiny", "--from", "scratch", "--model", "m", "--labelled", "99"], "99"),
    "picks that do not exist": (["score", "nowhere"], "'nowhere'"),
    "setting out of range": (["pretrain", "gan", "tiny", "--model", "m", "--train.steps", "0"], "steps"),
    "setting that does not exist": (["pretrain", "gan", "tiny", "--model", "m", "--set", "train.stepz=1"], "stepz"),
    "command that does not exist": (["pikc", "tiny"], "pikc"),
    "name that would leave the store": (["ingest", "../new", "{file}"], "../new"),
    "scheme that is unknown": (["ingest", "new", "ftp://host/file.sgy"], "ftp://"),
    "TOML that is none": (["list", "--config", "{text}"], "TOML"),
}


@pytest.mark.parametrize(("tokens", "named"), BAD.values(), ids=BAD.keys())
def test_bad_input_gets_one_line_and_exit_code_2_and_leaves_the_store_alone(
    tokens: list[str],
    named: str,
    tiny_store: Path,
    tiny_field_files: tuple[Path, Path],
    tmp_path: Path,
    capsys: Capture,
) -> None:
    text, stranger = tmp_path / "text.csv", tmp_path / "stranger.csv"
    text.write_text("these are = not the bytes\nthat anybody wants\n" * 200)
    stranger.write_text("ffid,trace,time_ms\n101,1,10\n999,1,10\n")
    places = {"text": str(text), "stranger": str(stranger), "file": str(tiny_field_files[0])}
    before = snapshot(tiny_store)
    status = main([*(token.format(**places) for token in tokens), "--store", str(tiny_store)])
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("seisray: ")]
    assert status == 2
    assert len(lines) == 1
    assert named in lines[0]
    assert snapshot(tiny_store) == before


def test_a_store_that_cannot_be_written_is_one_line_and_exit_code_2(
    tiny_field_files: tuple[Path, Path], tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main(["ingest", "new", str(tiny_field_files[0]), "--store", str(tmp_path / "file" / "store")]) == 2
    assert str(tmp_path / "file" / "store") in capsys.readouterr().err


def test_a_setting_means_the_same_in_toml_as_flag_and_as_set(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "bad.toml").write_text("[train]\nsteps = 0\n")
    ways = (["--config", str(tmp_path / "bad.toml")], ["--train.steps=0"], ["--set", "train.steps=0"])
    said = []
    for way in ways:
        assert main(["pretrain", "gan", "x", "--model", "m", "--store", str(tmp_path), *way]) == 2
        said.append(capsys.readouterr().err)
    assert len(set(said)) == 1
    assert "TrainConfig.steps is 0" in said[0]


def test_settings_not_given_keep_the_defaults_of_their_own_command() -> None:
    from seisray.cli import app

    _, bound, _ = app.parse_args(
        ["finetune", "x", "--from", "scratch", "--model", "m", "--panel.traces=64"], exit_on_error=False
    )
    assert bound.arguments["config"].panel.samples == 512


def test_help_groups_the_commands_by_the_steps_of_the_job(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "COLUMNS", "100")
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    steps = [
        shown.index(title) for title in ("─ Start here", "─ Field files to a survey", "─ Learn", "─ Pick and judge")
    ]
    assert steps == sorted(steps)


def test_picks_of_a_survey_that_was_replaced_are_not_scored(
    ray_session: None, tiny_field_files: tuple[Path, Path], tmp_path: Path, capsys: Capture
) -> None:
    file, picks = map(str, tiny_field_files)
    store = ["--store", str(tmp_path)]
    assert main(["ingest", "line", file, "--picks", picks, *store]) == 0
    write_picker(Store(str(tmp_path)))
    assert main(["pick", "line", "--model", "p", "--out", "p", *store]) == 0
    assert main(["score", "p", *store]) == 0
    assert main(["ingest", "line", file, "--picks", picks, "--encoding", "float32", "--replace", *store]) == 0
    capsys.readouterr()
    assert main(["score", "p", *store]) == 2
    assert "earlier survey 'line'" in capsys.readouterr().err
