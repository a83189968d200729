"""cluster/kuberay.yaml and kuberay-job.yaml, by what Ray's autoscaler derives from them."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.kuberay.autoscaling_config import _derive_autoscaling_config_from_ray_cr

ROOT = Path(__file__).parents[3]


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((ROOT / "cluster" / name).read_text()))


@pytest.fixture
def cluster() -> dict[str, Any]:
    (found,) = [document for document in documents("kuberay.yaml") if document["kind"] == "RayCluster"]
    found["metadata"].setdefault("namespace", "default")  # the API server fills it in
    return found


@pytest.fixture
def pods(cluster: dict[str, Any]) -> list[dict[str, Any]]:
    spec = cluster["spec"]
    return [group["template"]["spec"] for group in [spec["headGroupSpec"], *spec["workerGroupSpecs"]]]


def environment(container: dict[str, Any]) -> dict[str, Any]:
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container["env"]}


def test_ray_derives_an_autoscaling_config(cluster: dict[str, Any]) -> None:
    assert cluster["apiVersion"] == "ray.io/v1"
    assert cluster["spec"]["enableInTreeAutoscaling"] is True
    types = _derive_autoscaling_config_from_ray_cr(cluster)["available_node_types"]
    assert types["headgroup"]["resources"]["CPU"] == 0
    assert types["gpu"]["resources"]["GPU"] == 1
    assert "GPU" not in types["cpu"]["resources"]


@pytest.mark.parametrize("group", ["cpu", "gpu"])
def test_workers_scale_from_none(cluster: dict[str, Any], group: str) -> None:
    node = _derive_autoscaling_config_from_ray_cr(cluster)["available_node_types"][group]
    assert node["min_workers"] == 0 < node["max_workers"]


def test_operator_and_every_container_use_the_token(cluster: dict[str, Any], pods: list[dict[str, Any]]) -> None:
    spec = cluster["spec"]
    assert spec["authOptions"] == {"mode": "token", "secretName": "seisray-token"}
    secret = {"secretKeyRef": {"name": "seisray-token", "key": "auth_token"}}
    for container in [spec["autoscalerOptions"], *[container for pod in pods for container in pod["containers"]]]:
        assert environment(container)["RAY_AUTH_MODE"] == "token"
        assert environment(container)["RAY_AUTH_TOKEN"] == secret


def test_head_is_not_reachable_from_outside(cluster: dict[str, Any]) -> None:
    assert cluster["spec"]["headGroupSpec"]["serviceType"] == "ClusterIP"
    assert not cluster["spec"]["headGroupSpec"].get("enableIngress")


def test_no_secret_and_no_key_is_in_the_file() -> None:
    assert {document["kind"] for document in documents("kuberay.yaml")} == {"ServiceAccount", "RayCluster"}
    assert "AWS_ACCESS_KEY_ID" not in (ROOT / "cluster/kuberay.yaml").read_text()


def test_pods_reach_the_bucket_through_service_accounts(pods: list[dict[str, Any]]) -> None:
    accounts = {
        document["metadata"]["name"]: document["metadata"]["annotations"]
        for document in documents("kuberay.yaml")
        if document["kind"] == "ServiceAccount"
    }
    assert {pod["serviceAccountName"] for pod in pods} == set(accounts)
    assert all("eks.amazonaws.com/role-arn" in annotations for annotations in accounts.values())


def test_workers_have_no_rights_in_kubernetes(pods: list[dict[str, Any]]) -> None:
    assert [pod.get("automountServiceAccountToken", True) for pod in pods] == [True, False, False]


def test_object_store_has_shared_memory(pods: list[dict[str, Any]]) -> None:
    for pod in pods:
        (mount,) = pod["containers"][0]["volumeMounts"]
        (volume,) = pod["volumes"]
        assert mount == {"name": volume["name"], "mountPath": "/dev/shm"}
        assert volume["emptyDir"]["medium"] == "Memory"


def test_job_runs_an_entry_of_the_image_on_that_cluster(cluster: dict[str, Any]) -> None:
    (job,) = documents("kuberay-job.yaml")
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    assert job["spec"]["clusterSelector"] == {"ray.io/cluster": cluster["metadata"]["name"]}
    python, entry, *_ = shlex.split(job["spec"]["entrypoint"])
    assert python == "python"
    assert (ROOT / entry.removeprefix("/opt/seisray/")).is_file()
