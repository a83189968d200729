"""Whether an interrupted run may go on."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from seisray.config import GanConfig, TrainConfig, fingerprint
from seisray.errors import ConfigError
from seisray.models.discriminator import Discriminator
from seisray.models.generator import Generator
from seisray.models.picker import Picker
from seisray.registry import Store
from seisray.training import run
from seisray.training.run import Run


@pytest.fixture
def first(tmp_path: Path) -> Run:
    identity = {"config": {"train": {"steps": 5}}, "ffids": [1, 2]}
    return Run(store=Store(str(tmp_path)), kind="pretrain", name="gan", train=TrainConfig(), identity=identity)


def test_a_run_begins_and_goes_on(first: Run) -> None:
    assert not first.claim()
    assert first.claim()
    assert first.claim(resume=True)


def test_without_one_there_is_nothing_to_go_on_with(first: Run) -> None:
    with pytest.raises(ConfigError, match="no interrupted run 'gan'"):
        first.claim(resume=True)
    assert not first.claim()  # and nothing was begun


def test_a_run_with_other_settings_is_another(first: Run) -> None:
    first.claim()
    other = replace(first, identity={**first.identity, "config": {"train": {"steps": 6}}})
    with pytest.raises(ConfigError, match=r"other settings \(config\.train\.steps: 5 -> 6\)"):
        other.claim()


def test_a_run_of_other_networks_does_not_go_on(first: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first.claim()
    monkeypatch.setattr(run, "NETWORKS", run.NETWORKS + 1)
    with pytest.raises(ConfigError, match="networks of another version of seisray; pass --restart"):
        first.claim()


def test_a_run_of_before_networks_were_numbered_does_not_go_on(first: Run) -> None:
    first.claim()
    (first.folder / "run.json").write_bytes(json.dumps(first.identity).encode())
    with pytest.raises(ConfigError, match="networks of another version of seisray"):
        first.claim(resume=True)


def test_the_number_of_the_networks_is_that_of_their_weights() -> None:
    """Where this fails, raise NETWORKS: interrupted runs of the weights before cannot go on."""
    config = GanConfig()
    judge = Discriminator(config.body, spectral_norm=True)
    networks = [judge, Generator(config.generator, config.panel), Picker(config.body)]
    shapes = [{name: list(one.shape) for name, one in network.state_dict().items()} for network in networks]
    assert (run.NETWORKS, fingerprint({"shapes": shapes})) == (4, "a6da637caf0b")
