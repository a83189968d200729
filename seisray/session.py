"""A Ray session: this machine by default, or the cluster that an address names."""

import logging
import os
from typing import Any

from seisray.errors import SessionError

# Measured with Ray 2.60: Ray Data's second Parquet reader starts 32 actors an execution, 7 to 11 s each time.
_ENVIRONMENT = {
    "RAY_DATA_USE_DATASOURCE_V2": "0",
    "RAY_DATA_PARQUET_FOOTER_NUM_ACTORS": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_TRAIN_ENABLE_PRINT_PATCH": "0",
    # S3 servers other than AWS may refuse or corrupt the newer default checksums.
    "AWS_REQUEST_CHECKSUM_CALCULATION": "WHEN_REQUIRED",
    "AWS_RESPONSE_CHECKSUM_VALIDATION": "WHEN_REQUIRED",
}


def connect(address: str | None = None, *, verbose: bool = False, dashboard: bool = True) -> str | None:
    """Join the cluster at `address` (or in RAY_ADDRESS), or start Ray on this machine; return the dashboard's URL.

    On this machine Ray gets two logical CPUs more than there are cores: training workers hold one each all the time,
    and the tasks that stream gathers to them must find room beside them. Nothing happens where Ray runs already.
    Raises SessionError where the cluster cannot be reached.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import ray
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = verbose
    context.print_on_execution_start = False
    quiet: dict[str, Any] = {} if verbose else {"log_to_driver": False, "logging_level": logging.ERROR}
    if not verbose:
        for name in ("ray.data", "ray.train", "ray.tune"):
            logging.getLogger(name).setLevel(logging.ERROR)
    if ray.is_initialized():
        return None
    joined = address or os.environ.get("RAY_ADDRESS")
    own: dict[str, Any] = {} if joined else {"num_cpus": cores() + 2, "include_dashboard": dashboard}
    try:
        started = ray.init(address=joined, **quiet, **own)
    except ConnectionError as error:
        raise SessionError(f"no Ray cluster answers at {joined}: {error}; start one, or leave the address out") from error
    return f"http://{started.dashboard_url}" if started.dashboard_url else None


def cores() -> int:
    """Return the processor cores that this process may use."""
    return len(os.sched_getaffinity(0))
