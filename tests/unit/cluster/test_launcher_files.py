"""cluster/aws.yaml and cluster/gcp.yaml, by Ray's own checks."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).parents[3]
FILES = ["aws", "gcp"]


@pytest.fixture(params=FILES)
def config(request: pytest.FixtureRequest) -> dict[str, Any]:
    prepared: dict[str, Any] = prepare_config(yaml.safe_load((ROOT / f"cluster/{request.param}.yaml").read_text()))
    return prepared


def start_commands(config: dict[str, Any]) -> list[str]:
    commands = config["head_start_ray_commands"] + config["worker_start_ray_commands"]
    return [command for command in commands if "ray start" in command]


def workers(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    types = config["available_node_types"].items()
    return {name: node for name, node in types if name != config["head_node_type"]}


def test_ray_accepts_it(config: dict[str, Any]) -> None:
    validate_config(config)


def test_head_runs_no_tasks(config: dict[str, Any]) -> None:
    assert config["available_node_types"][config["head_node_type"]]["resources"] == {"CPU": 0}


@pytest.mark.parametrize("gpus", [0, 1])
def test_workers_with_and_without_gpus_scale_from_none(config: dict[str, Any], gpus: int) -> None:
    kind = [node for node in workers(config).values() if node["resources"].get("GPU", 0) == gpus]
    assert kind
    assert all(node["min_workers"] == 0 < node["max_workers"] for node in kind)


def test_types_together_fit_the_cluster(config: dict[str, Any]) -> None:
    assert sum(node["max_workers"] for node in workers(config).values()) == config["max_workers"]


def test_workers_are_spot(config: dict[str, Any]) -> None:
    for node in workers(config).values():
        assert re.search(r"\bspot\b", str(node["node_config"]), re.IGNORECASE)


def test_every_node_has_an_identity_instead_of_keys(config: dict[str, Any]) -> None:
    for node in config["available_node_types"].values():
        assert {"IamInstanceProfile", "serviceAccounts"} & set(node["node_config"])
    assert not re.search(r"AKIA|aws_secret|aws_credentials|private_key|gcp_credentials", str(config), re.IGNORECASE)


def test_workers_do_not_get_the_heads_identity(config: dict[str, Any]) -> None:
    assert all("seisray-head" not in str(node["node_config"]) for node in workers(config).values())


def test_every_start_takes_the_switches_first(config: dict[str, Any]) -> None:
    commands = start_commands(config)
    assert len(commands) == 2
    assert all(command.startswith(". ~/seisray/cluster/env.sh && ") for command in commands)


def test_every_node_has_the_token(config: dict[str, Any]) -> None:
    assert config["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    assert "chmod 600 ~/.ray/auth_token" in config["head_setup_commands"]


def test_dashboard_is_on_loopback(config: dict[str, Any]) -> None:
    assert "--dashboard-host=127.0.0.1" in start_commands(config)[0]
    assert "0.0.0.0" not in "".join(start_commands(config))


def test_seisray_is_installed_from_the_checkout_on_every_node(config: dict[str, Any]) -> None:
    sent = {remote: local for remote, local in config["file_mounts"].items() if remote.startswith("~/seisray/")}
    assert {"pyproject.toml", "seisray", "jobs", "cluster"} <= set(sent.values())
    assert all((ROOT / local).exists() for local in sent.values())
    for commands in (config["head_setup_commands"], config["worker_setup_commands"]):
        assert sum("pip install" in command and command.endswith(" ~/seisray") for command in commands) == 1


def test_the_checkout_is_not_sent_whole(config: dict[str, Any]) -> None:
    assert not {".", "./"} & set(config["file_mounts"].values())
