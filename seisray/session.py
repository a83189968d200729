"""A Ray session: this machine by default, or the cluster that an address names."""

import logging
import os
import socket
import sys
from typing import Any

from seisray.errors import SessionError

# Measured with Ray 2.60: Ray Data's second Parquet reader starts 32 actors an execution, 7 to 11 s each time.
_ENVIRONMENT = {
    "RAY_DATA_USE_DATASOURCE_V2": "0",
    "RAY_DATA_PARQUET_FOOTER_NUM_ACTORS": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_TRAIN_ENABLE_PRINT_PATCH": "0",
    # Each start, report and end of a training waits for Ray Train's next look: every 2 s was 10 s of a run's 34 s.
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.5",
    # S3 servers other than AWS may refuse or corrupt the newer default checksums.
    "AWS_REQUEST_CHECKSUM_CALCULATION": "WHEN_REQUIRED",
    "AWS_RESPONSE_CHECKSUM_VALIDATION": "WHEN_REQUIRED",
    # Arrays in huge pages that are kept for the next task: faulting pages in one by one took 40 % of an ingest.
    "GLIBC_TUNABLES": ":".join(
        ["glibc.malloc.hugetlb=1", "glibc.malloc.mmap_threshold=268435456", "glibc.malloc.trim_threshold=268435456"]
    ),
}

STREAMING_CPUS = 2
TOO_LATE = "timed out during startup"  # in what Ray then says


def connect(*, dashboard: bool = True) -> None:
    """Join the cluster that RAY_ADDRESS names, or start Ray on this machine; nothing happens where Ray runs already.

    On this machine Ray gets STREAMING_CPUS logical CPUs more than there are cores: training workers hold one each all
    the time, and the tasks that stream gathers to them must find room beside them. SEISRAY_VERBOSE shows Ray's own
    messages. Raises SessionError where the cluster cannot be reached.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import ray
    import ray.data

    verbose = bool(os.environ.get("SEISRAY_VERBOSE"))
    ray.data.DataContext.get_current().enable_progress_bars = verbose
    if not verbose:
        for name in ("ray.data", "ray.train", "ray.tune"):
            logging.getLogger(name).setLevel(logging.ERROR)
    if ray.is_initialized():
        return
    quiet: dict[str, Any] = {} if verbose else {"log_to_driver": False, "logging_level": logging.ERROR}
    address = os.environ.get("RAY_ADDRESS")
    if address:
        _probe(address)
    # "local": without it Ray joins any cluster that somebody else has left running on this machine.
    if not address:  # nobody takes this machine away with a notice: one process less
        os.environ.setdefault("RAY_TRAIN_ENABLE_PREEMPTION_WATCHER", "0")
    own: dict[str, Any] = {"address": "local", "num_cpus": cores() + STREAMING_CPUS, "include_dashboard": dashboard}
    try:
        started = _start(**quiet, **({} if address else own))
    except Exception as error:  # Ray raises a bare one where its start takes too long
        if not address:
            raise SessionError(f"Ray does not start on this machine: {error}") from error
        raise SessionError(f"no Ray cluster answers at {address}: {error}; start one, or unset RAY_ADDRESS") from error
    if started.dashboard_url:
        print(f"Ray dashboard: http://{started.dashboard_url}", file=sys.stderr)


def _start(**settings: Any) -> Any:
    """Start Ray or join it, a second time where a busy machine was not ready in the 30 s that Ray gives itself."""
    import ray

    try:
        return ray.init(**settings)
    except Exception as error:  # a bare one
        if TOO_LATE not in str(error):
            raise
    print("seisray: Ray was not up in 30 s; this machine is busy; trying once more", file=sys.stderr)
    ray.shutdown()
    return ray.init(**settings)


def _probe(address: str) -> None:
    """Raise SessionError where nothing listens at host:port: Ray itself would wait for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdigit():  # "auto" and the like: Ray finds out
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, ValueError) as error:
        raise SessionError(f"no Ray cluster answers at {address}: {error}; start one, or unset RAY_ADDRESS") from error


def cores() -> int:
    """Return the processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


def free_cores() -> int:
    """Return how many tasks that keep a core busy should run at a time, on this machine or the cluster joined."""
    import ray

    return max(int(ray.cluster_resources().get("CPU", 1)) - STREAMING_CPUS, 1)
