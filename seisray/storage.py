"""Files behind a URI, on a local disk or in S3: listing, ranges, and writes that are seen whole or not at all."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from seisray.errors import ConfigError, NotFoundError, StorageError


@cache
def _s3() -> fs.S3FileSystem:
    """Return S3 with credentials from the usual AWS chain; they are never written down.

    AWS_ENDPOINT_URL names a server other than AWS, AWS_REGION the region.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    scheme, _, host = endpoint.rpartition("://")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return fs.S3FileSystem(
        endpoint_override=host or None,
        scheme=scheme or "https",
        region=region or ("us-east-1" if host else None),
        connect_timeout=10,
        request_timeout=60,
    )


@dataclass(frozen=True, slots=True)
class Location:
    """Name a file or folder. `uri` is an absolute path or s3://bucket/key without a trailing slash.

    It is plain text, so it travels to any worker, which opens its own connection with its own credentials.
    """

    uri: str

    def __str__(self) -> str:
        return self.uri

    def __truediv__(self, part: str) -> "Location":
        return Location(f"{self.uri}/{part}")

    @property
    def name(self) -> str:
        """Return the last part of the path."""
        return self.uri.rpartition("/")[2]

    @property
    def is_local(self) -> bool:
        """Return whether this is a path on this machine."""
        return not self.uri.startswith("s3://")

    @property
    def filesystem(self) -> fs.FileSystem:
        """Return the Arrow filesystem, for libraries that take one with `path`."""
        return fs.LocalFileSystem() if self.is_local else _s3()

    @property
    def path(self) -> str:
        """Return the path within `filesystem`."""
        return self.uri.removeprefix("s3://")

    def exists(self) -> bool:
        """Return whether a file or folder is there."""
        with _named(self, "read"):
            return bool(self.filesystem.get_file_info(self.path).type != fs.FileType.NotFound)

    def is_folder(self) -> bool:
        """Return whether a folder is there."""
        with _named(self, "read"):
            return bool(self.filesystem.get_file_info(self.path).type == fs.FileType.Directory)

    def size(self) -> int:
        """Return the bytes of a file; raise NotFoundError where there is none."""
        with _named(self, "read"):
            info = self.filesystem.get_file_info(self.path)
        if info.type != fs.FileType.File:
            raise NotFoundError(f"{self} does not exist, or is no file; check the path")
        return int(info.size)

    def read_bytes(self) -> bytes:
        """Return a whole file; raise NotFoundError where there is none."""
        with _named(self, "read"), self.filesystem.open_input_file(self.path) as file:
            return bytes(file.read())

    def read_range(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`; raise StorageError where fewer are there."""
        with _named(self, "read"), self.filesystem.open_input_file(self.path) as file:
            data = bytes(file.read_at(length, offset))
        if len(data) != length:
            raise StorageError(f"{self}: asked for {length} bytes at {offset}, got {len(data)}; did the file change?")
        return data

    def write_bytes(self, data: bytes) -> None:
        """Write a whole file, so that readers see the old or the new one and never a part."""
        with _named(self, "write"):
            if not self.is_local:
                with self.filesystem.open_output_stream(self.path) as stream:
                    stream.write(data)
                return
            target = Path(self.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
            try:
                with part.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)

    def delete(self) -> None:
        """Remove a file, or a folder with all that is in it; nothing happens where there is none."""
        with _named(self, "write"):
            kind = self.filesystem.get_file_info(self.path).type
            if kind == fs.FileType.File:
                self.filesystem.delete_file(self.path)
            elif kind == fs.FileType.Directory:
                self.filesystem.delete_dir(self.path)

    def files(self, *, recursive: bool = False) -> list["Location"]:
        """Return the files in a folder, sorted; none where the folder does not exist."""
        return self._children(fs.FileType.File, recursive)

    def folders(self) -> list["Location"]:
        """Return the folders in a folder, sorted; none where the folder does not exist."""
        return self._children(fs.FileType.Directory, False)

    def _children(self, kind: fs.FileType, recursive: bool) -> list["Location"]:
        with _named(self, "read"):
            found = self.filesystem.get_file_info(fs.FileSelector(self.path, recursive=recursive, allow_not_found=True))
        scheme = "" if self.is_local else "s3://"
        visible = (info.path for info in found if info.type == kind and not info.base_name.startswith("."))
        return [Location(scheme + path) for path in sorted(visible)]


def locate(uri: str) -> Location:
    """Return the location of a path or s3:// URI; raise ConfigError on other schemes."""
    if uri.startswith("s3://"):
        if len(uri.removeprefix("s3://").split("/")[0]) < 3:
            raise ConfigError(f"{uri!r} names no bucket; expected s3://bucket/prefix")
        return Location(uri.rstrip("/"))
    if "://" in uri and not uri.startswith("file://"):
        raise ConfigError(f"{uri!r}: unknown scheme; expected a local path or s3://bucket/prefix")
    try:
        return Location(str(Path(uri.removeprefix("file://")).expanduser().absolute()))
    except RuntimeError as error:
        raise ConfigError(f"{uri!r}: {error}") from error


@contextmanager
def _named(location: Location, verb: str) -> Iterator[None]:
    """Turn errors of the filesystem into ones that say which location failed and how."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(f"{location} does not exist; check the path") from error
    except (OSError, pa.ArrowException) as error:
        reason = (getattr(error, "strerror", None) or str(error)).strip().splitlines()[0]
        raise StorageError(f"cannot {verb} {location}: {reason}") from error
