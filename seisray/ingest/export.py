"""The way back: a survey as the SEG-Y files it came from, header for header."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyarrow import fs

from seisray import shards
from seisray.errors import ConfigError, ExistsError, StorageError
from seisray.formats.segy.writer import segy_bytes, trace_blocks, with_trace_count
from seisray.gather import Gather
from seisray.ingest.file_headers import FileHeader, read_file_headers
from seisray.progress import Progress
from seisray.registry import Store, Survey
from seisray.storage import Location, locate


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """What was written. n_left_out: traces of the field files that the survey rejected."""

    files: list[str]
    n_traces: int
    n_left_out: int


def export_segy(name: str, out: str, *, store: str) -> Exported:
    """Write a survey as SEG-Y files into a folder, local or s3://; return what was written.

    Each SEG-Y file it came from is written again under its name: file header and trace headers as they were, samples
    in the file's own format and byte order, traces in the file's order. A float32 survey gives the same bytes where
    float32 holds the file's samples (not float64, nor integers beyond 24 bits), an int16 survey samples within its
    quantisation. SEG-2 records become one rev 1 file, called after the survey. Raises ExistsError where a file of that
    name is there, so that no field file is ever written over; StorageError where it cannot be written.
    """
    place = Store(store)
    survey, folder, target = place.survey(name), place.folder("surveys", name), locate(out)
    headers = read_file_headers(folder)
    names = {source["index"]: _file_name(source) for source in survey.sources if source["index"] in headers}
    together = f"{name}.sgy" if f"{name}.sgy" not in names.values() else f"{name}-seg2.sgy"
    from_seg2 = len(names) < len(survey.sources)
    files = [*names.values(), *([together] if from_seg2 else [])]
    for file in files:
        if (target / file).exists():
            raise ExistsError(f"{target / file} exists; export into another folder")
    numbers = _numbers(survey, folder)
    try:
        with TemporaryDirectory(prefix=".seisray-export-", dir=room_for(target)) as scratch:
            _write_files(survey, folder, headers, numbers, {index: Path(scratch) / names[index] for index in names})
            if from_seg2:
                records = (gather for gather in _gathers(survey, folder) if int(gather.source[0]) not in headers)
                with (Path(scratch) / together).open("wb") as sink:
                    sink.writelines(segy_bytes(records, text=f"survey {name}"))
            for file in files:
                publish(Path(scratch) / file, target / file)
    except OSError as error:
        raise StorageError(f"cannot export to {target}: {error.strerror or error}") from error
    kept = sum(len(own) for index, own in numbers.items() if index in headers)
    return Exported(
        files=[str(target / file) for file in files],
        n_traces=survey.n_traces,
        n_left_out=sum(header.layout.n_traces for header in headers.values()) - kept,
    )


def _write_files(
    survey: Survey,
    folder: Location,
    headers: Mapping[int, FileHeader],
    numbers: Mapping[int, NDArray[np.int64]],
    made: Mapping[int, Path],
) -> None:
    """Write each SEG-Y source to its path: what stands before its traces, the traces, what stands behind them."""
    for index, path in made.items():
        path.write_bytes(with_trace_count(headers[index].header, headers[index].layout, len(numbers.get(index, ()))))
    with Progress("export", survey.n_traces, "traces") as progress:
        done = 0
        for gather in _gathers(survey, folder):
            for index in np.intersect1d(gather.source, list(made)):
                _write_traces(made[index], gather, index, headers[index], numbers[index])
            done += gather.n_traces
            progress.update(done)
    for index, path in made.items():
        with path.open("ab") as file:
            file.write(headers[index].trailer)


def _file_name(source: Mapping[str, Any]) -> str:
    return f"{source['name']}{PurePosixPath(source['uri']).suffix}"


def room_for(target: Location) -> str | None:
    """Return a folder for files in the making: beside the target, so that they can be moved there at once."""
    if not target.is_local:
        return None
    Path(target.path).mkdir(parents=True, exist_ok=True)
    return target.path


def _gathers(survey: Survey, folder: Location) -> Iterator[Gather]:
    for shard in survey.shards:
        yield from shards.read_gathers(folder / shard["uri"])


def _numbers(survey: Survey, folder: Location) -> dict[int, NDArray[np.int64]]:
    """Return which traces of each source the survey holds, in order."""
    found: dict[int, list[NDArray[np.int64]]] = {}
    for shard in survey.shards:
        for row in shards.read_shard(folder / shard["uri"], columns=["source", "source_trace"]):
            for source in np.unique(row["source"]):
                found.setdefault(int(source), []).append(row["source_trace"][row["source"] == source])
    return {source: np.sort(np.concatenate(numbers)) for source, numbers in found.items()}


def _write_traces(path: Path, gather: Gather, source: int, file_header: FileHeader, numbers: NDArray[np.int64]) -> None:
    """Write the traces that a gather has of a source to their places among those that the survey holds of it."""
    layout = file_header.layout
    rows = np.flatnonzero(gather.source == source)
    rows = rows[np.argsort(gather.source_trace[rows])]
    if gather.trace_headers.shape[1] != layout.header_bytes:
        raise ConfigError(f"gather {gather.gather_id!r} joins files with trace headers of different sizes")
    blocks = trace_blocks(gather.samples[rows], gather.trace_headers[rows], layout)
    places = np.searchsorted(numbers, gather.source_trace[rows])
    with path.open("r+b") as file:
        for run in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(places) != 1) + 1):
            file.seek(len(file_header.header) + int(places[run[0]]) * layout.trace_bytes)
            file.write(blocks[run].data)


def publish(made: Path, target: Location) -> None:
    if target.is_local:
        made.replace(target.path)
        return
    local = fs.LocalFileSystem()
    fs.copy_files(str(made), target.path, source_filesystem=local, destination_filesystem=target.filesystem)
