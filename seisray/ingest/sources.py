"""Field files: which there are, what identifies them, and what their gathers are called after."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from seisray.errors import ConfigError, NotFoundError
from seisray.formats.seg2 import SEG2_MAGIC
from seisray.formats.segy.file import ReadAs, SegyLayout, read_layout
from seisray.storage import Location, locate

SUFFIXES = (".sgy", ".segy", ".sg2", ".seg2", ".dat")
EDGE_BYTES = 65536
CONNECTIONS = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One field file: its place among the survey's, what its gathers are called after, and what identifies it.

    edge_sha256: of its first and last 64 KiB. etag: S3's. layout: None for SEG-2.
    """

    index: int
    name: str
    uri: str
    bytes: int
    edge_sha256: str
    etag: str | None
    layout: SegyLayout | None

    @property
    def location(self) -> Location:
        """Return where it is."""
        return locate(self.uri)

    @property
    def record(self) -> dict[str, Any]:
        """Return what the manifest says of it."""
        known = {key: getattr(self, key) for key in ("index", "name", "uri", "bytes", "edge_sha256", "etag")}
        return known | {"format": "SEG-Y" if self.layout else "SEG-2"}


def field_files(files: Sequence[str]) -> list[Location]:
    """Return the field files that names stand for: files as they are, folders as the SEG-Y and SEG-2 files in them.

    Raises NotFoundError where a name stands for nothing, ConfigError where a file is given twice.
    """
    found: list[Location] = []
    for uri in files:
        location = locate(uri)
        if not location.is_folder():
            found.append(location)
            continue
        inside = [file for file in location.files(recursive=True) if file.name.lower().endswith(SUFFIXES)]
        if not inside:
            raise NotFoundError(f"folder {location} holds no field files (*{', *'.join(SUFFIXES)})")
        found += inside
    if not found:
        raise NotFoundError("no field files given")
    twice = [uri for uri, count in Counter(map(str, found)).items() if count > 1]
    if twice:
        raise ConfigError(f"{twice[0]} is given {Counter(map(str, found))[twice[0]]} times; name each file once")
    return found


def describe(
    files: Sequence[Location], read_as: ReadAs, *, first_index: int = 0, taken: Collection[str] = ()
) -> list[Source]:
    """Return the sources that files are; raise SegyError where one cannot be read.

    first_index, taken: how many sources the survey already has, and their names. Only the ends of a file and a few
    traces of it are read, of many files at once.
    """
    names = _names([file.uri for file in files], taken)

    def one(index: int) -> Source:
        file = files[index]
        size = file.size()
        record = file.read_range(0, min(2, size)) in SEG2_MAGIC
        layout = None if record else read_layout(file.read_range, size, file.uri, read_as)
        return Source(
            index=first_index + index,
            name=names[index],
            uri=file.uri,
            bytes=size,
            edge_sha256=edge_sha256(file),
            etag=file.etag(),
            layout=layout,
        )

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return list(pool.map(one, range(len(files))))


def changed(sources: Iterable[Source]) -> Source | None:
    """Return a source that is no longer what it was when it was described."""

    def same(source: Source) -> bool:
        file = source.location
        return (file.size(), file.etag()) == (source.bytes, source.etag) and edge_sha256(file) == source.edge_sha256

    listed = list(sources)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return next((source for source, kept in zip(listed, pool.map(same, listed), strict=True) if not kept), None)


def edge_sha256(file: Location) -> str:
    size = file.size()
    edge = min(EDGE_BYTES, size)
    return hashlib.sha256(file.read_range(0, edge) + file.read_range(size - edge, edge)).hexdigest()


def _names(uris: Sequence[str], taken: Collection[str]) -> list[str]:
    """Return the stem of each file, with as many folders before it as it takes to tell the files apart."""
    paths = [PurePosixPath(uri.removeprefix("s3://")) for uri in uris]
    alike = Counter(path.with_suffix("") for path in paths)  # but for their suffix
    bare = [
        path.with_suffix("") if alike[path.with_suffix("")] == 1 else path.with_name(path.name.replace(".", "-"))
        for path in paths
    ]
    parts = [[part for part in path.parts if part != path.anchor] for path in bare]
    names = [own[-1] for own in parts]
    for depth in range(2, max(map(len, parts), default=0) + 1):
        counts = Counter([*names, *taken])
        names = ["-".join(own[-depth:]) if counts[name] > 1 else name for name, own in zip(names, parts, strict=True)]
    counts = Counter([*names, *taken])
    return [name if counts[name] == 1 else f"{name}-{len(taken) + index}" for index, name in enumerate(names)]
