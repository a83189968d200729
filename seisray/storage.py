"""Files behind a URI, on a local disk or in S3: listing, ranges, and writes that are seen whole or not at all.

Where an S3 server fails for a while, patience.py outlasts it; what time will not heal (credentials, a missing bucket)
fails at once.
"""

import functools
import os
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import fs

from seisray import patience
from seisray.errors import ConfigError, NotFoundError, StorageError
from seisray.patience import BrokenAnswerError, outlast, passes, patience_s

Method = TypeVar("Method", bound=Callable[..., Any])

_REMEDIES = {
    "INVALID_ACCESS_KEY_ID": "the server does not know the access key; check AWS_ACCESS_KEY_ID",
    "SIGNATURE_DOES_NOT_MATCH": "the signature is wrong; check AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "the credentials have expired; renew them",
    "ACCESS_DENIED": "access denied (HTTP 403); check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and their rights",
    "NO_SUCH_BUCKET": "the bucket does not exist; make it, or check its name and AWS_ENDPOINT_URL",
    "PermanentRedirect|AuthorizationHeaderMalformed|InvalidRegion|status 30": "set AWS_REGION to that of the bucket",
    "HTTP status 400": "the server refuses the request (HTTP 400); check AWS_REGION and the credentials",
}


@functools.cache
def _s3(attempts: int) -> fs.S3FileSystem:
    """Return S3 with credentials from the usual AWS chain; they are never written down.

    AWS_ENDPOINT_URL names a server other than AWS, AWS_REGION the region. Each request is tried `attempts` times.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    scheme, _, host = (endpoint or "").rpartition("://")
    if host:
        # Some servers refuse or corrupt checksums that trail the body, which TLS or the signature covers anyway.
        os.environ.setdefault("AWS_REQUEST_CHECKSUM_CALCULATION", "WHEN_REQUIRED")
        os.environ.setdefault("AWS_RESPONSE_CHECKSUM_VALIDATION", "WHEN_REQUIRED")
    return fs.S3FileSystem(
        endpoint_override=host or None,
        scheme=scheme or "https",
        region=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ("us-east-1" if host else None),
        connect_timeout=10,
        request_timeout=patience.STALL_S,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=attempts),
        allow_delayed_open=True,  # a small file is one PUT, not an upload in parts
    )


def _patient(verb: str) -> Callable[[Method], Method]:
    """Make a method of Location name its location in errors and, on S3, run again while its errors may pass."""

    def wrap(method: Method) -> Method:
        @functools.wraps(method)
        def run(self: "Location", *args: Any, **kwargs: Any) -> Any:
            with _named(self, verb):
                if self.is_local:
                    return method(self, *args, **kwargs)
                return outlast(lambda: method(self, *args, **kwargs), f"cannot {verb} {self} yet")

        return cast(Method, run)

    return wrap


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
        """Return the Arrow filesystem, for libraries that take one with `path`; S3 sits out half a minute by itself."""
        return fs.LocalFileSystem() if self.is_local else _s3(8)

    @property
    def _files(self) -> fs.FileSystem:
        return fs.LocalFileSystem() if self.is_local else _s3(3)

    @property
    def path(self) -> str:
        """Return the path within `filesystem`."""
        return self.uri.removeprefix("s3://")

    @_patient("read")
    def exists(self) -> bool:
        """Return whether a file or folder is there."""
        return bool(self._files.get_file_info(self.path).type != fs.FileType.NotFound)

    @_patient("read")
    def is_folder(self) -> bool:
        """Return whether a folder is there."""
        return bool(self._files.get_file_info(self.path).type == fs.FileType.Directory)

    @_patient("read")
    def size(self) -> int:
        """Return the bytes of a file; raise NotFoundError where there is none."""
        info = self._files.get_file_info(self.path)
        if info.type != fs.FileType.File:
            raise NotFoundError(f"{self} does not exist, or is no file; check the path")
        return self._true_size(info.size)

    @_patient("read")
    def etag(self) -> str | None:
        """Return what S3 calls this version of the file, without quotes; None for local files."""
        if self.is_local:
            return None
        with self._files.open_input_file(self.path) as file:
            about = file.metadata()
        if "ETag" not in about and "Last-Modified" not in about:
            raise BrokenAnswerError("an answer broke off in its head")
        return about["ETag"].decode().strip('"') if "ETag" in about else None

    @_patient("read")
    def read_bytes(self) -> bytes:
        """Return a whole file; raise NotFoundError where there is none."""
        with self._files.open_input_file(self.path) as file:
            size = self._true_size(file.size())
            data = bytes(file.read())
        if len(data) < size:
            raise BrokenAnswerError(f"{len(data)} of {size} bytes came")
        return data

    def read_range(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`; raise StorageError where fewer are there."""
        return self.read_array(offset, length).tobytes()

    @_patient("read")
    def read_array(self, offset: int, length: int) -> NDArray[np.uint8]:
        """Return `length` bytes from `offset`, to be read only; raise StorageError where fewer are there."""
        if self.is_local:
            data = np.fromfile(self.path, np.uint8, length, offset=offset)
        else:
            data = self._remote_range(offset, length)
        if len(data) != length:
            raise StorageError(f"{self}: asked for {length} bytes at {offset}, got {len(data)}; did the file change?")
        return data

    def _remote_range(self, offset: int, length: int) -> NDArray[np.uint8]:
        with self._files.open_input_file(self.path) as file:
            size = self._true_size(file.size())
            data = file.read_at(length, offset)
        if len(data) < min(length, size - offset):
            raise BrokenAnswerError(f"{len(data)} of {length} bytes at {offset} came")
        return np.frombuffer(data, dtype=np.uint8)

    @_patient("write")
    def write_bytes(self, data: bytes) -> None:
        """Write a whole file, so that readers see the old or the new one and never a part."""
        if not self.is_local:
            about = {"Content-Type": "text/html; charset=utf-8"} if self.name.endswith(".html") else None
            with self._files.open_output_stream(self.path, metadata=about) as stream:
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

    @_patient("write")
    def delete(self) -> None:
        """Remove a file, or a folder with all that is in it; nothing happens where there is none."""
        kind = self._files.get_file_info(self.path).type
        if kind == fs.FileType.File:
            self._files.delete_file(self.path)
        elif kind == fs.FileType.Directory:
            self._files.delete_dir(self.path)

    def files(self, *, recursive: bool = False) -> list["Location"]:
        """Return the files in a folder, sorted; none where the folder does not exist."""
        return self._children(fs.FileType.File, recursive)

    def folders(self) -> list["Location"]:
        """Return the folders in a folder, sorted; none where the folder does not exist."""
        return self._children(fs.FileType.Directory, False)

    @_patient("read")
    def _children(self, kind: fs.FileType, recursive: bool) -> list["Location"]:
        wanted = fs.FileSelector(self.path, recursive=recursive, allow_not_found=True)
        try:
            found = self._files.get_file_info(wanted)
        except FileNotFoundError:  # Arrow raises where a folder is made while it looks
            found = self._files.get_file_info(wanted)
        bucket = self.path.partition("/")[0]
        if not (found or self.is_local) and self._files.get_file_info(bucket).type == fs.FileType.NotFound:
            raise NotFoundError(f"cannot read {self}: {_REMEDIES['NO_SUCH_BUCKET']}")
        scheme = "" if self.is_local else "s3://"
        visible = (info.path for info in found if info.type == kind and not info.base_name.startswith("."))
        return [Location(scheme + path) for path in sorted(visible)]

    def _true_size(self, size: int) -> int:
        """Return the size; where that is 0, look again: an answer that broke off before its length passes for it."""
        if size == 0 and not self.is_local:
            info = self._files.get_file_info(self.path)
            if info.size != 0 or not info.mtime_ns:
                raise BrokenAnswerError("an answer broke off in its head")
        return size


def locate(uri: str) -> Location:
    """Return the location of a path or s3:// URI; raise ConfigError on other schemes."""
    if uri.startswith("s3://"):
        if len(uri.removeprefix("s3://").split("/")[0]) < 3:
            raise ConfigError(f"{uri!r} names no bucket; expected s3://bucket/prefix")
        return Location(uri.rstrip("/"))
    if "://" in uri and not uri.startswith("file://"):
        raise ConfigError(f"{uri!r}: unknown scheme; expected a local path or s3://bucket/prefix")
    try:
        return Location(os.path.normpath(Path(uri.removeprefix("file://")).expanduser().absolute()))
    except RuntimeError as error:
        raise ConfigError(f"{uri!r}: {error}") from error


@contextmanager
def _named(location: Location, verb: str) -> Iterator[None]:
    """Turn errors of the filesystem into ones that say which location failed, how, and what to do."""
    try:
        yield
    except (NotFoundError, StorageError):
        raise
    except FileNotFoundError as error:
        raise NotFoundError(f"{location} does not exist; check the path") from error
    except (OSError, pa.ArrowException) as error:
        reason = " ".join((getattr(error, "strerror", None) or str(error)).split())
        if passes(error):
            reason += f"; gave up after {patience_s():.0f} s (SEISRAY_S3_PATIENCE_S)"
        else:
            reason = next((remedy for pattern, remedy in _REMEDIES.items() if re.search(pattern, reason)), reason)
        raise StorageError(f"cannot {verb} {location}: {reason}") from error
