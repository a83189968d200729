"""The switches of cluster/env.sh are the same wherever a Ray process starts."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from seisray.session import _ENVIRONMENT

CLUSTER = Path(__file__).parents[3] / "cluster"
SWITCHES = {
    "RAY_AUTH_MODE": "token",
    "RAY_DATA_USE_DATASOURCE_V2": "0",
    "RAY_DATA_PARQUET_FOOTER_NUM_ACTORS": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "AWS_REQUEST_CHECKSUM_CALCULATION": "WHEN_REQUIRED",
    "AWS_RESPONSE_CHECKSUM_VALIDATION": "WHEN_REQUIRED",
    "GLIBC_TUNABLES": _ENVIRONMENT["GLIBC_TUNABLES"],
}


def shell(command: str, **env: str) -> str:
    clean = {"PATH": os.environ["PATH"], "HOME": "/home/somebody", **env}
    return subprocess.run(["bash", "-c", command], env=clean, capture_output=True, text=True, check=True).stdout


def test_env_sh_sets_them() -> None:
    set_by_it = dict(line.split("=", 1) for line in shell(f". {CLUSTER}/env.sh; env").splitlines() if "=" in line)
    assert SWITCHES.items() <= set_by_it.items()
    assert set_by_it["RAY_AUTH_TOKEN_PATH"] == "/home/somebody/.ray/auth_token"


def test_env_sh_keeps_a_token_path_that_is_set() -> None:
    assert shell(f". {CLUSTER}/env.sh; echo $RAY_AUTH_TOKEN_PATH", RAY_AUTH_TOKEN_PATH="/run/token") == "/run/token\n"


def test_the_image_sets_them() -> None:
    set_by_it = dict(re.findall(r"(?:ENV|^) +([A-Z0-9_]+)=(\S+)", (CLUSTER / "Dockerfile").read_text(), re.MULTILINE))
    assert set_by_it == SWITCHES


def test_every_pod_sets_them() -> None:
    (cluster,) = [d for d in yaml.safe_load_all((CLUSTER / "kuberay.yaml").read_text()) if d["kind"] == "RayCluster"]
    groups = [cluster["spec"]["headGroupSpec"], *cluster["spec"]["workerGroupSpecs"]]
    for group in groups:
        (container,) = group["template"]["spec"]["containers"]
        set_by_it = {entry["name"]: entry.get("value") for entry in container["env"]}
        assert SWITCHES.items() <= set_by_it.items()


def test_the_local_cluster_hands_them_to_its_clients() -> None:
    exported = shell(
        f'eval "$({CLUSTER}/local.sh env)"; env', SEISRAY_LOCAL_DIR="/tmp/none", SEISRAY_LOCAL_PORT="31000"
    )
    set_by_it = dict(line.split("=", 1) for line in exported.splitlines() if "=" in line)
    assert SWITCHES.items() <= set_by_it.items()
    assert set_by_it["RAY_ADDRESS"] == "127.0.0.1:31000"


@pytest.mark.parametrize("path", sorted(CLUSTER.glob("*")), ids=lambda path: path.name)
def test_no_dashboard_listens_on_all_addresses(path: Path) -> None:
    assert "0.0.0.0" not in path.read_text()


def test_the_local_cluster_never_stops_rays_of_others() -> None:
    commands = [line.split("#")[0] for line in (CLUSTER / "local.sh").read_text().splitlines()]
    assert not [line for line in commands if re.search(r"ray stop|pkill|killall", line)]


def test_the_local_cluster_says_what_is_missing() -> None:
    asked = subprocess.run(
        [CLUSTER / "local.sh", "status"],
        env={"PATH": os.environ["PATH"], "SEISRAY_LOCAL_DIR": "/tmp/none"},
        capture_output=True,
        text=True,
    )
    assert asked.returncode == 2
    assert asked.stderr == "local.sh: no cluster in /tmp/none; run: cluster/local.sh start\n"
