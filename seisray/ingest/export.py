"""The way back: a survey as the SEG-Y files it came from, header for header."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from pyarrow import fs

from seisray import shards
from seisray.errors import ConfigError, ExistsError
from seisray.formats.segy_layout import SegyLayout
from seisray.formats.segy_writer import segy_bytes, trace_blocks
from seisray.gather import Gather
from seisray.ingest.file_headers import read_file_headers
from seisray.progress import Progress
from seisray.registry import Store, Survey
from seisray.storage import Location, locate

TRACE_COUNT_BYTE = 3513  # of the binary header, since rev 2
SEG2 = -1  # stands for all SEG-2 records, which become one file


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """What was written. n_left_out: traces of the field files that the survey rejected."""

    files: list[str]
    n_traces: int
    n_left_out: int


def export_segy(name: str, out: str, *, store: str) -> Exported:
    """Write a survey as SEG-Y files into a folder, local or s3://; return what was written.

    Each SEG-Y file it came from is written again under its name: file header and trace headers as they were, samples in
    the file's own format and byte order, traces in the file's order. A float32 survey gives the same bytes, an int16
    survey samples within its quantisation. SEG-2 records become one rev 1 file, called after the survey.
    Raises ExistsError where a file of that name is there, so that no field file is ever written over.
    """
    place = Store(store)
    survey = place.survey(name)
    folder = place.folder("surveys", name)
    headers = read_file_headers(folder)
    target = locate(out)
    names = {index: _file_name(survey, index) for index in headers}
    from_seg2 = [source["index"] for source in survey.sources if source["index"] not in headers]
    if from_seg2:
        names[SEG2] = f"{name}.sgy"
    for file in names.values():
        if (target / file).exists():
            raise ExistsError(f"{target / file} exists; export into another folder")
    numbers = _numbers(survey, folder)
    with TemporaryDirectory(prefix=".seisray-export-", dir=_room_for(target)) as scratch:
        made = {index: Path(scratch) / file for index, file in names.items()}
        for index, (layout, header) in headers.items():
            own = len(numbers.get(index, ()))
            made[index].write_bytes(_counted(header, layout, own))
        with Progress("export", survey.n_traces, "traces") as progress:
            done = 0
            for gather in _gathers(survey, folder):
                for index in np.intersect1d(gather.source, list(headers)):
                    _write_traces(made[index], gather, index, *headers[index], numbers[index])
                done += gather.n_traces
                progress.update(done)
        if from_seg2:
            records = (gather for gather in _gathers(survey, folder) if int(gather.source[0]) not in headers)
            with made[SEG2].open("wb") as sink:
                sink.writelines(segy_bytes(records, text=f"survey {name}"))
        for index, file in names.items():
            _publish(made[index], target / file)
    kept = sum(len(own) for index, own in numbers.items() if index in headers)
    return Exported(
        files=[str(target / file) for file in names.values()],
        n_traces=survey.n_traces,
        n_left_out=sum(layout.n_traces for layout, _ in headers.values()) - kept,
    )


def _file_name(survey: Survey, index: int) -> str:
    record = next(source for source in survey.sources if source["index"] == index)
    suffix = locate(record["uri"]).name.rpartition(".")[2]
    return f"{record['name']}.{suffix}"


def _room_for(target: Location) -> str | None:
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


def _counted(header: bytes, layout: SegyLayout, n_traces: int) -> bytes:
    """Return a file header whose count of traces, where it has one, is right."""
    if n_traces == layout.n_traces or layout.revision < (2, 0):
        return header
    changed = bytearray(header)
    struct.pack_into(layout.byte_order + "Q", changed, TRACE_COUNT_BYTE - 1, n_traces)
    return bytes(changed)


def _write_traces(
    path: Path, gather: Gather, source: int, layout: SegyLayout, header: bytes, numbers: NDArray[np.int64]
) -> None:
    """Write the traces that a gather has of a source to their places among those that the survey holds of it."""
    rows = np.flatnonzero(gather.source == source)
    rows = rows[np.argsort(gather.source_trace[rows])]
    if gather.trace_headers.shape[1] != layout.header_bytes:
        raise ConfigError(f"gather {gather.gather_id!r} joins files with trace headers of different sizes")
    blocks = trace_blocks(gather.samples[rows], gather.trace_headers[rows], layout)
    places = np.searchsorted(numbers, gather.source_trace[rows])
    with path.open("r+b") as file:
        for run in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(places) != 1) + 1):
            file.seek(len(header) + int(places[run[0]]) * layout.trace_bytes)
            file.write(blocks[run].data)


def _publish(made: Path, target: Location) -> None:
    if target.is_local:
        made.replace(target.path)
    else:
        fs.copy_files(
            str(made), target.path, source_filesystem=fs.LocalFileSystem(), destination_filesystem=target.filesystem
        )
