"""Field files with picks in their trace headers: copies, or in place beside a backup; every other byte stays."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from seisray.errors import ConfigError, ExistsError, FormatError, StorageError
from seisray.formats.picks.first_breaks import PickOrigin
from seisray.formats.segy.gathers import PickUnit, read_range
from seisray.formats.segy.headers import STANDARD, HeaderField
from seisray.formats.segy.layout import SegyLayout
from seisray.formats.segy.stamp import header_values, pick_field, stamp
from seisray.ingest.export import publish, room_for
from seisray.ingest.file_headers import read_file_headers
from seisray.ingest.sources import edge_sha256
from seisray.picking.aligned import align
from seisray.progress import Progress
from seisray.registry import PickSet, Store, Survey
from seisray.storage import Location, locate

WINDOW_BYTES = 16 << 20
BACKUP = ".before-picks"


@dataclass(frozen=True, kw_only=True)
class _Stamp:
    """Say what one field file gets. values, known: (n_traces,) of the file; traces the survey lacks are not known."""

    source: Location
    layout: SegyLayout
    word: HeaderField
    values: NDArray[np.float64] = field(repr=False)
    known: NDArray[np.bool_] = field(repr=False)


def stamp_picks(
    store: Store, picks: PickSet, out: str | None, *, header: str, unit: PickUnit, origin: PickOrigin
) -> tuple[list[Location], NDArray[np.float64], float]:
    """Write the field files of a survey with its picks; return the files, time_ms (n_traces,) and the largest rounding.

    out: a folder, local or s3://; None = in place. A trace without a pick gets 0; one that the survey rejected keeps
    its header. All is checked before anything is written, and each file is replaced whole or not at all.
    """
    survey = store.survey_of(picks)
    word = pick_field(header, _used(survey))
    layouts = _layouts(store, survey)
    traces = align(store, survey, picks, of_trace=["source", "source_trace"], of_gather=["delay_ms"])
    time_ms = traces.picks["pick_ms"] + (traces.spread("delay_ms") if origin == "shot" else 0)
    values, rounding_ms = header_values(time_ms, word, unit, survey.sample_interval_us, f"picks {picks.name!r}")
    stamps = {}
    for index, layout in layouts.items():
        own = np.flatnonzero(traces.of_trace["source"] == index)
        record = next(entry for entry in survey.sources if entry["index"] == index)
        source = _unchanged(record)
        word.check_within(layout.header_bytes, str(source))
        in_file, known = np.zeros(layout.n_traces), np.zeros(layout.n_traces, dtype=bool)
        at = traces.of_trace["source_trace"][own] - 1
        in_file[at], known[at] = values[own], True
        stamps[index] = _Stamp(source=source, layout=layout, word=word, values=in_file, known=known)
    if out is None:
        return _in_place(list(stamps.values())), time_ms, rounding_ms
    return _copies(stamps, survey, locate(out)), time_ms, rounding_ms


def _used(survey: Survey) -> dict[str, HeaderField]:
    """Return where the headers of a survey's field files hold what the standard or the survey reads there."""
    own = {name: place.split(":") for name, place in survey.headers.items()}
    return {**STANDARD, **{name: HeaderField(byte=int(byte), format=format) for name, (byte, format) in own.items()}}


def _layouts(store: Store, survey: Survey) -> dict[int, SegyLayout]:
    """Return the layouts of a survey's SEG-Y files; raise ConfigError where some are none."""
    headers = read_file_headers(store.folder("surveys", survey.survey))
    if len(headers) < len(survey.sources):
        raise ConfigError(
            f"survey {survey.survey!r} comes from SEG-2 files, which have no trace header words; export it with "
            f"seisray export {survey.survey} OUT --format segy, ingest and pick that, or export csv"
        )
    return {index: kept.layout for index, kept in headers.items()}


def _unchanged(record: Mapping[str, Any]) -> Location:
    """Return the field file of a source; raise FormatError where it is not the one that was ingested."""
    location = locate(record["uri"])
    if location.size() != record["bytes"] or edge_sha256(location) != record["edge_sha256"]:
        backup = f"{Path(location.path).resolve()}{BACKUP}"
        there = location.is_local and Path(backup).exists()
        remedy = f"put {backup} back in its place first, or " if there else ""
        raise FormatError(f"{location} has changed since it was ingested; {remedy}ingest and pick it again")
    return location


def _copies(stamps: Mapping[int, _Stamp], survey: Survey, target: Location) -> list[Location]:
    names = {one["index"]: f"{one['name']}{Path(one['uri']).suffix}" for one in survey.sources}
    made = {index: target / names[index] for index in stamps}
    for file in made.values():
        if file.exists():
            raise ExistsError(f"{file} exists; export into another folder")
    try:
        with TemporaryDirectory(prefix=".seisray-export-", dir=room_for(target)) as scratch:
            for index, file in made.items():
                path = Path(scratch) / names[index]
                _write(stamps[index], path)
                publish(path, file)
    except OSError as error:
        raise StorageError(f"cannot export to {target}: {error.strerror or error}") from error
    return list(made.values())


def _in_place(stamps: list[_Stamp]) -> list[Location]:
    """Replace field files by ones with picks; raise ConfigError where one is not on a disk of this machine."""
    paths = []
    for one in stamps:
        if not one.source.is_local:
            raise ConfigError(f"{one.source} is not on this machine; --in-place is for local files: name a folder OUT")
        path = Path(one.source.path).resolve()  # what a link points to, not the link
        backup = path.with_name(path.name + BACKUP)
        if backup.exists():
            raise ExistsError(f"{backup} exists, the backup of an earlier --in-place; move it away first")
        paths.append((path, backup))
    for one, (path, backup) in zip(stamps, paths, strict=True):
        try:
            with TemporaryDirectory(prefix=".seisray-export-", dir=path.parent) as scratch:
                made = Path(scratch) / path.name
                _write(one, made)
                shutil.copystat(path, made)
                os.utime(made)
                _back_up(path, backup)
                made.replace(path)
        except OSError as error:
            raise StorageError(f"cannot write {path} in place: {error.strerror or error}") from error
    return [Location(str(path)) for path, _ in paths]


def _back_up(path: Path, backup: Path) -> None:
    """Keep a file under another name, at no cost where the disk knows hard links; it never is without a name."""
    try:
        os.link(path, backup)
    except OSError:
        part = backup.with_name(f".{backup.name}.part")
        shutil.copy2(path, part)
        part.replace(backup)


def _write(one: _Stamp, path: Path) -> None:
    """Write a field file with its picks, window by window, and flush it to the disk."""
    layout, n_bytes = one.layout, one.source.size()
    step = max(WINDOW_BYTES // layout.trace_bytes, 1)
    with path.open("wb") as file, Progress("export", layout.n_traces, "traces") as progress:
        file.write(one.source.read_range(0, layout.data_start))
        for first in range(0, layout.n_traces, step):
            last = min(first + step, layout.n_traces)
            blocks = read_range(one.source.read_array, layout, first, last)
            file.write(stamp(blocks, one.values[first:last], one.known[first:last], one.word, layout).data)
            progress.update(last)
        _copy_rest(one.source, layout.offset(layout.n_traces), n_bytes, file)
        file.flush()
        os.fsync(file.fileno())


def _copy_rest(source: Location, first: int, end: int, file: BinaryIO) -> None:
    for at in range(first, end, WINDOW_BYTES):
        file.write(source.read_range(at, min(WINDOW_BYTES, end - at)))
