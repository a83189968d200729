"""`seisray refine` from end to end: trained, written, verified, learned from; and what it refuses."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seisray import shards
from seisray.cli import main
from seisray.formats.picks.first_breaks import first_breaks_csv
from seisray.gather import Gather
from seisray.ingest import IngestConfig, ingest
from seisray.ingest.verify import verify
from seisray.registry import Store

TINY = [
    "--panel.traces=8",
    "--panel.samples=32",
    "--body.channels=2",
    "2",
    "2",
    "2",
    "--refiner.channels=2",
    "--refiner.apart=1",
    "--keep.window=4",
    "--keep.stack=4",
    "--keep.history=4",
    "--train.steps=6",
    "--train.batch=2",
    "--train.workers=1",
    "--train.log-every=1",
    "--train.checkpoint-every=3",
    "--measured=16",
]


@pytest.fixture(scope="module")
def store(
    tiny_store: Path, line_gathers: Callable, write_segy: Callable, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the store with a survey "modelled", at half the field's sampling interval, of more traces."""
    folder = tmp_path_factory.mktemp("modelled")
    gathers = line_gathers(5, n_traces=20, n_samples=300, sample_interval_us=500.0, first_ffid=201, seed=7)
    (folder / "picks.csv").write_text(first_breaks_csv(gathers))
    file = write_segy(folder / "modelled.sgy", gathers)
    ingest("modelled", [str(file)], store=str(tiny_store), config=IngestConfig(picks=str(folder / "picks.csv")))
    ingest("unlabelled", [str(file)], store=str(tiny_store))
    return tiny_store


@pytest.fixture(scope="module")
def refined(store: Path) -> Path:
    """Return the store once a refiner "refiner" made "realistic" of the synthetic survey there."""
    command = ["refine", "modelled", "--like", "tiny", "--model=refiner", "--out=realistic", f"--store={store}"]
    assert main([*command, *TINY]) == 0
    return store


def gathers_of(store: Path, name: str) -> list[Gather]:
    place = Store(str(store))
    survey = place.survey(name)
    return [one for i in range(len(survey.shards)) for one in shards.read_gathers(place.shard(survey, i))]


def test_the_card_says_how_near_and_how_far(refined: Path) -> None:
    card = Store(str(refined)).model("refiner")
    assert card.kind == "refiner"
    assert set(card.surveys) == {"tiny", "modelled"}
    assert {"spectrum_distance_before", "spectrum_distance_after", "onset_shift_ms_median"} <= card.metrics.keys()
    assert card.details["onset_period"] > 0
    for picture in (refined / "models" / "refiner" / "v1" / "refined.png",):
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_refined_survey_keeps_labels_and_geometry(refined: Path) -> None:
    before, after = gathers_of(refined, "modelled"), gathers_of(refined, "realistic")
    factor = 500.0 / after[0].sample_interval_us
    assert [one.ffid for one in after] == [one.ffid for one in before]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(other.first_break_ms, one.first_break_ms)
        np.testing.assert_array_equal(other.receiver_x_m, one.receiver_x_m)
        assert (other.n_traces, other.n_samples) == (one.n_traces, int(np.ceil(one.n_samples * factor)))
        assert not other.samples[~other.live].any()
        assert np.isfinite(other.samples).all()
    assert {one.survey for one in after} == {"realistic"}


def test_the_manifest_says_what_made_it_and_it_verifies(refined: Path) -> None:
    survey = Store(str(refined)).survey("realistic")
    assert survey.made_from is not None
    assert survey.made_from["model"] == "refiner@v1"
    assert survey.made_from["fingerprint"] == Store(str(refined)).survey("modelled").fingerprint
    found = verify("realistic", store=str(refined))
    assert (found.n_gathers, found.n_traces) == (survey.n_gathers, survey.n_traces) == (5, 100)


def test_the_same_command_writes_the_same_survey_without_training_again(
    refined: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["refine", "modelled", "--model=refiner", f"--store={refined}"]
    assert main([*command, "--out=again"]) == 0
    assert "applied as it is" not in capsys.readouterr().err
    assert main([*command, "--out=again", "--like", "tiny"]) == 0
    assert "refiner@v1 is there and is applied as it is" in capsys.readouterr().err
    for one, other in zip(gathers_of(refined, "realistic"), gathers_of(refined, "again"), strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)
    assert main([*command, "--out=realistic"]) == 0
    assert Store(str(refined)).versions("refiner") == ["v1"]


def test_a_picker_learns_from_it_and_from_the_judge(refined: Path) -> None:
    how = ["--panel.traces=8", "--panel.samples=32", "--train.steps=2", "--train.batch=2", "--train.workers=1"]
    command = ["finetune", "realistic", "--from=refiner", "--model=unlabelled-picker", f"--store={refined}"]
    assert main([*command, *how]) == 0
    assert Store(str(refined)).model("unlabelled-picker").parent == "refiner@v1"


def test_a_shard_that_changed_is_noticed(refined: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["refine", "modelled", "--model=refiner", "--out=broken", f"--store={refined}"]) == 0
    place = Store(str(refined))
    location = place.shard(place.survey("broken"), 0)
    shards.write_shard(
        location, [one.replace(samples=2 * one.samples) for one in shards.read_gathers(location)], "float32"
    )
    assert main(["verify", "broken", f"--store={refined}"]) == 2
    assert "is not what was written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["modelled", "--model=new"], "name by --like the surveys that it is to learn from"),
        (["unlabelled", "--like", "tiny", "--model=new"], "survey 'unlabelled' has no first breaks"),
        (["modelled", "--like", "modelled", "--model=new"], "--like modelled is the synthetic survey itself"),
        (["modelled", "--like", "nowhere", "--model=new"], "survey 'nowhere' does not exist"),
        (["modelled", "--model=unlabelled-picker", "--out=x"], "is a picker, not a refiner"),
        (["modelled", "--model=refiner"], "say by --out what to call the survey"),
        (["modelled", "--model=refiner", "--out=tiny"], "survey 'tiny' already exists"),
        (["modelled", "--model=refiner", "--out=modelled"], "cannot be made from itself"),
        (
            ["modelled", "--like", "tiny", "--model=new", "--keep.stack=9", "--panel.traces=8"],
            "at most panel.traces = 8",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    command: list[str], why: str, refined: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["refine", *command, f"--store={refined}"]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert why in last
    assert "new" not in Store(str(refined)).names("models")


def test_nothing_is_appended_to_a_refined_survey(
    refined: Path, tiny_field_files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ingest", "realistic", str(tiny_field_files[0]), "--append", f"--store={refined}"]) == 2
    assert "was made from 'modelled'" in capsys.readouterr().err
