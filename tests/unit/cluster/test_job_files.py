"""Each job is an entry and the settings beside it, and the settings are ones that the steps accept."""

import ast
import json
import runpy
import tomllib
from pathlib import Path
from typing import Any

import pytest

from seisray.cli import app
from seisray.config import GanConfig, PanelConfig, PickerConfig, TrainConfig

JOBS = Path(__file__).parents[3] / "jobs"
SHIPPED_MODEL = JOBS.parent / "seisray" / "pretrained" / "shipped" / "v1" / "model.json"
COMMANDS = {
    "ingest": ["ingest"],
    "pretrain": ["pretrain", "gan"],
    "tune": ["tune", "gan"],
    "finetune": ["finetune"],
    "pick": ["pick"],
}


def settings(name: str) -> dict[str, Any]:
    return tomllib.loads((JOBS / f"{name}.toml").read_text())


def test_every_entry_has_settings_and_every_settings_an_entry() -> None:
    assert {path.stem for path in JOBS.glob("*.toml")} == set(COMMANDS)
    assert {path.stem for path in JOBS.glob("*.py")} == {*COMMANDS, "ship"}


@pytest.mark.parametrize("name", COMMANDS)
def test_entry_runs_its_command_and_documents_it(name: str) -> None:
    tree = ast.parse((JOBS / f"{name}.py").read_text())
    lists = [node for node in ast.walk(tree) if isinstance(node, ast.List)]
    words = [element.value for element in lists[0].elts if isinstance(element, ast.Constant)]
    assert words == [*COMMANDS[name], "--config"]
    assert f"http://127.0.0.1:8265 --working-dir jobs -- python {name}.py" in (ast.get_docstring(tree) or "")


@pytest.mark.parametrize("name", COMMANDS)
def test_settings_name_a_store_that_every_node_reaches(name: str) -> None:
    assert settings(name)["store"].startswith("s3://")


@pytest.mark.parametrize(("name", "config"), [("pretrain", GanConfig), ("tune", GanConfig), ("finetune", PickerConfig)])
def test_sections_are_valid(name: str, config: type) -> None:
    sections = {key: value for key, value in settings(name).items() if isinstance(value, dict)}
    made = config(panel=PanelConfig(**sections["panel"]), train=TrainConfig(**sections["train"]))
    assert set(sections) == {"panel", "train"}
    assert made.train.gpus == 1


def test_jobs_hand_over_by_name() -> None:
    survey, gan, picker = settings("ingest")["name"], settings("pretrain")["model"], settings("finetune")["model"]
    assert settings("pretrain")["names"] == settings("tune")["names"] == settings("finetune")["names"] == [survey]
    assert settings("finetune")["from"] == gan
    assert (settings("pick")["name"], settings("pick")["model"]) == (survey, picker)


def test_the_shipped_picker_is_made_by_commands_and_settings_that_exist() -> None:
    found = runpy.run_path(str(JOBS / "ship.py"))["steps"]("s3://bucket/store")
    for words in found:
        assert words.pop() == "--store=s3://bucket/store"
        _, bound, _ = app.parse_args(words, exit_on_error=False)
    card = json.loads(SHIPPED_MODEL.read_text())
    assert bound.arguments["names"] == ["soda_lakes:1001-1040", "varied"]
    assert {name: len(ffids) for name, ffids in card["details"]["ffids"].items()} == {"soda_lakes": 40, "varied": 768}
