"""How fast `seisray ingest` is, beside who merely reads the file and beside multidimio, and what memory it takes.

    python tests/benchmarks/ingest_speed.py [--gigabytes 2 8] [--rounds 3] [--folder DIR] [--s3]

Files: IBM floats, gathers of 48 traces x 1000 samples, in the page cache. In each round everybody has a turn; figures
are medians over the rounds, ratios medians of the ratios within a round. Reading: segyio, gather by gather, in a fresh
process. Ingest: to int16 shards, flushed to the disk; in a fresh process where Ray runs and an ingest of 0.6 GB has
warmed it up, and as a command from its start to its end, that of Python and Ray included. multidimio: to float32 Zarr,
in a virtual environment that this makes in DIR, its imports left out; for the smallest file only. Memory: the largest
of all processes during a command of its own, seen every 0.1 s; RSS holds what processes share, USS does not.
--s3: the smallest file again, from and to a SeaweedFS server on this machine, which takes its share of the processor;
there pyarrow fetches ranges of 16 MB, one after the other, and segyio converts their gathers. DIR needs room for twice
the largest file.
"""

import argparse
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
import psutil
import segyio._segyio  # without it segyio.tools.native fails
from pyarrow import fs

from seisray.formats.segy.float_ibm import float32_to_ibm
from seisray.ingest import ingest
from seisray.session import connect
from seisray.storage import locate

T = TypeVar("T")

N_TRACES, N_SAMPLES = 48, 1000
GATHER_BYTES = N_TRACES * (240 + 4 * N_SAMPLES)
HEADER_BYTES, RANGE_GATHERS = 3600, 80
MOST_S = 600  # that multidimio gets
BUCKET = "seisray-benchmark"
SERVICES, FIRST_PORT = ("s3", "master", "volume", "filer", "admin"), 24600
SCRIPTS = Path(sysconfig.get_path("scripts"))
READ, RIVAL, WARM, COMMAND = "reading it", "multidimio", "seisray ingest, Ray running", "seisray ingest, whole command"


@dataclass(kw_only=True)
class Case:
    """A file in its place, and what was measured: seconds a round, largest RSS and USS with the name of the process."""

    label: str
    file: str
    store: str
    n_bytes: int
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    memory: list[tuple[int, str]] = field(default_factory=list)

    def rate(self, who: str) -> str:
        """Return median, lowest and highest MB/s."""
        rates = [self.n_bytes / 1e6 / seconds for seconds in self.seconds[who]]
        return f"{statistics.median(rates):,.0f} ({min(rates):,.0f}-{max(rates):,.0f})" if rates else ""

    def ratio(self, other: str) -> str:
        """Return the rate of ingest over another's, the median of the rounds."""
        pairs = zip(self.seconds[other], self.seconds[WARM], strict=True)
        return f"{statistics.median(theirs / own for theirs, own in pairs):.2f}" if self.seconds[other] else ""


def made_folder(path: str) -> Path:
    """Return a folder, which is made where it is not there yet."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return Path(path)


def make_file(path: Path, gigabytes: float, n_traces: int = N_TRACES) -> int:
    """Write noise that dies down with time, n_traces a gather, no two gathers alike; return its bytes."""
    rng = np.random.default_rng(0)
    decay = np.exp(-np.arange(N_SAMPLES) / 500)
    noise = float32_to_ibm((rng.normal(size=(8 * n_traces, N_SAMPLES)) * decay).astype(np.float32))
    header = np.zeros(3600, dtype=np.uint8)
    header[:3200] = 0x40  # blanks of EBCDIC
    header[3216:3226].view(">u2")[:] = (2000, 0, N_SAMPLES, 0, 1)  # interval in us, samples, IBM
    header[3500] = header[3503] = 1  # rev 1, traces of one length
    traces = np.zeros(n_traces, dtype=[("head", ">i2", 120), ("samples", ">u4", N_SAMPLES)])
    head, wide = traces["head"], traces["head"].view(">i4")
    head[:, (35, 57, 58)] = (1, N_SAMPLES, 2000)  # coordinate scalar, samples, interval
    wide[:, 3] = np.arange(n_traces) + 1  # channel
    wide[:, 20] = 5 * np.arange(n_traces) + 25  # receiver x
    with path.open("wb") as file:
        file.write(header.tobytes())
        for gather in range(round(gigabytes * 1e9 / traces.nbytes)):
            wide[:, 2] = gather + 1  # FFID
            traces["samples"] = noise[rng.permutation(len(noise))[:n_traces]]
            file.write(traces.tobytes())
    return path.stat().st_size


def read(uri: str) -> float:
    """Return the seconds in which a file is merely read."""
    began_s = time.perf_counter()
    if uri.startswith("s3://"):
        with locate(uri).filesystem.open_input_file(locate(uri).path) as remote:
            for first in range(HEADER_BYTES, remote.size(), RANGE_GATHERS * GATHER_BYTES):
                data = np.frombuffer(remote.read_at(RANGE_GATHERS * GATHER_BYTES, first), dtype=np.uint8)
                for gather in data.reshape(-1, N_TRACES, GATHER_BYTES // N_TRACES):
                    segyio.tools.native(np.ascontiguousarray(gather[:, 240:]).view(np.float32), format=1, copy=False)
    else:
        with segyio.open(uri, ignore_geometry=True) as file:
            for first in range(0, file.tracecount, N_TRACES):
                file.trace.raw[first : first + N_TRACES]
    return time.perf_counter() - began_s


def ingest_warm(uri: str, store: str, small: str) -> float:
    """Start Ray, ingest a small file, then return the seconds of an ingest."""
    connect()
    ingest("warm", [small], store=store, replace=True)
    os.sync()
    began_s = time.perf_counter()
    survey = ingest("line", [uri], store=store)
    seconds = time.perf_counter() - began_s
    n_gathers = locate(uri).size() // GATHER_BYTES
    if survey.n_gathers != n_gathers or survey.rejects:
        raise RuntimeError(f"{survey.n_gathers} of {n_gathers} gathers came, and {survey.rejects} rejects")
    return seconds


def fresh(call: Callable[..., T], *args: object) -> T:
    """Return what a function returns in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(call, *args).result()


def start_command(case: Case) -> subprocess.Popen[bytes]:
    """Start `seisray ingest`."""
    command = [str(SCRIPTS / "seisray"), "ingest", "line", case.file, "--store", case.store]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def whole_command(case: Case) -> float:
    """Return the seconds of `seisray ingest` from its start to its end."""
    began_s = time.perf_counter()
    if code := start_command(case).wait():
        raise RuntimeError(f"seisray ingest ended with {code}")
    return time.perf_counter() - began_s


def peak_memory(case: Case) -> list[tuple[int, str]]:
    """Return the largest RSS and the largest USS of any process of an ingest, each with the process's name."""
    largest = [(0, ""), (0, "")]
    running = start_command(case)
    driver = psutil.Process(running.pid)
    while running.poll() is None:
        for process in (driver, *driver.children(recursive=True)):
            try:
                found, name = process.memory_full_info(), process.name()
            except psutil.Error:  # it has ended
                continue
            name = "driver" if process == driver else "worker" if name.startswith("ray::") else name
            largest = [max(known, (size, name)) for known, size in zip(largest, (found.rss, found.uss), strict=True)]
        time.sleep(0.1)
    if running.returncode:
        raise RuntimeError(f"seisray ingest ended with {running.returncode}")
    return largest


def multidimio(python: Path, case: Case) -> tuple[str, float]:
    """Return the version of multidimio and the seconds it took; MOST_S where it was not done by then."""
    script, out = Path(__file__).with_name("multidimio_ingest.py"), f"{case.store}/line.mdio"
    try:
        done = subprocess.run([python, script, case.file, out], capture_output=True, text=True, timeout=MOST_S)
    except subprocess.TimeoutExpired:
        print(f"multidimio was stopped after {MOST_S} s: it is slower than the table says", file=sys.stderr)
        return "", MOST_S
    if done.returncode:
        raise RuntimeError(f"multidimio failed:\n{done.stderr[-3000:]}")
    locate(out).delete()
    version, seconds = done.stdout.split()[-2:]
    return version, float(seconds)


def measure(case: Case, small: str, n_rounds: int, python: Path | None) -> str:
    """Fill a case in; python: that of multidimio, None to leave it out. Return its version."""
    version = ""
    for number in range(1, n_rounds + 1):
        case.seconds[READ].append(fresh(read, case.file))
        case.seconds[WARM].append(fresh(ingest_warm, case.file, case.store, small))
        clear(case)
        case.seconds[COMMAND].append(whole_command(case))
        clear(case)
        if python:
            version, seconds = multidimio(python, case)
            case.seconds[RIVAL].append(seconds)
        shown = ", ".join(f"{who} {seconds[-1]:.1f} s" for who, seconds in case.seconds.items())
        print(f"{case.label}, round {number}: {shown}; load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    case.memory = peak_memory(case)
    clear(case)
    return version


def clear(case: Case) -> None:
    """Remove the surveys and let the disk catch up, so that nobody pays for another."""
    locate(f"{case.store}/surveys").delete()
    os.sync()


def multidimio_python(folder: Path) -> Path:
    """Return a Python that has multidimio."""
    home = folder / "multidimio"
    if not home.exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([home / "bin" / "pip", "install", "--quiet", "multidimio[cloud]>=1.1,<1.2"], check=True)
    return home / "bin" / "python"


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """Run SeaweedFS, its address and keys in the environment; yield s3://bucket."""
    keys = {"AWS_ACCESS_KEY_ID": "benchmark", "AWS_SECRET_ACCESS_KEY": "benchmark", "AWS_REGION": "us-east-1"}
    os.environ |= keys | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{FIRST_PORT}", "AWS_DEFAULT_REGION": "us-east-1"}
    flags = [f"-{name}.port{kind}" for name in SERVICES for kind in ("", ".grpc")]
    ports = [f"{flag}={FIRST_PORT + i}" for i, flag in enumerate(flags)]
    command = [str(SCRIPTS / "weed"), "mini", f"-dir={folder}", f"-bucket={BUCKET}"]
    command += [
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        *ports,
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-webdav=false",
        "-admin.ui=false",
    ]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen([*command, "-master.telemetry=false"], stdout=log, stderr=log, cwd=folder)
    try:
        for _ in range(300):
            try:
                if locate(f"s3://{BUCKET}").filesystem.get_file_info(BUCKET).type == fs.FileType.Directory:
                    break
            except OSError:  # it does not listen yet
                pass
            time.sleep(0.2)
        else:
            raise RuntimeError(f"the S3 server did not start: {(folder / 'server.log').read_text()[-2000:]}")
        yield f"s3://{BUCKET}"
    finally:
        server.kill()
        server.wait()


def table(cases: Sequence[Case], version: str) -> Iterator[str]:
    """Yield the lines of a table, a column a case."""
    names = {
        READ: "segyio reading it gather by gather (on S3: ranges by pyarrow)",
        RIVAL: f"multidimio {version} ingesting it",
    }
    rows = {"MB/s: median (lowest-highest)": [case.label for case in cases], "---": ["---"] * len(cases)}
    rows |= {names.get(who, who): [case.rate(who) for case in cases] for who in (READ, RIVAL, WARM, COMMAND)}
    rows |= {f"**ingest, Ray running / {who}**": [case.ratio(who) for case in cases] for who in (READ, RIVAL)}
    for what, measured in zip(("RSS", "USS"), zip(*(case.memory for case in cases), strict=True), strict=True):
        rows[f"**largest process, {what}**"] = [f"{size / 1e9:.2f} GB ({name})" for size, name in measured]
    for name, cells in rows.items():
        yield f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Measure every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, nargs="+", default=[2.0, 8.0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--folder", type=made_folder, help="for everything; multidimio stays there (default: temporary)"
    )
    parser.add_argument("--s3", action="store_true", help="measure on an S3 server, too")
    options = parser.parse_args()
    os.environ.pop("RAY_ADDRESS", None)
    with tempfile.TemporaryDirectory(prefix="ingest-speed-", dir=options.folder, ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch).resolve()
        python = multidimio_python((options.folder or folder).resolve())
        small, line = folder / "small.sgy", folder / "line.sgy"
        make_file(small, 0.6)
        cases, version = [], ""
        for gigabytes in sorted(options.gigabytes):
            size = make_file(line, gigabytes)
            case = Case(label=f"{size / 1e9:.1f} GB, disk", file=str(line), store=str(folder / "store"), n_bytes=size)
            version = measure(case, str(small), options.rounds, None if cases else python) or version
            cases.append(case)
        if options.s3:
            size = make_file(line, min(options.gigabytes))
            (folder / "s3").mkdir()
            with s3_server(folder / "s3") as bucket:
                there = [f"{bucket}/{file.name}" for file in (line, small)]
                for file, uri in zip((line, small), there, strict=True):
                    target = locate(uri)
                    fs.copy_files(str(file), target.path, fs.LocalFileSystem(), target.filesystem)
                line.unlink()
                cases.append(
                    Case(label=f"{size / 1e9:.1f} GB, S3", file=there[0], store=f"{bucket}/store", n_bytes=size)
                )
                measure(cases[-1], there[1], options.rounds, python)
    print("\n".join(table(cases, version)))


if __name__ == "__main__":
    main()
