"""A store's files as Arrow sees them, for libraries that keep files there by themselves: outages are outlasted.

Ray Train reads checkpoints, and writes and reads its state, through Arrow, which gives up sooner than patience.py.
Not for `copy_files` to S3: in Arrow 26 that loses errors of a file's end, which is where all of an upload happens here.
"""

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import pyarrow as pa
from pyarrow import fs

from seisray.patience import outlast
from seisray.storage import Location


def patient_filesystem(location: Location) -> fs.FileSystem:
    """Return the filesystem of a location, for paths like its `path`; on S3 every call goes on while errors may pass.

    Files go through memory as a whole, so this is for checkpoints and not for surveys.
    """
    return location.filesystem if location.is_local else fs.PyFileSystem(_PatientFiles())


class _Upload(io.BytesIO):
    """Become an object when closed."""

    def __init__(self, target: Location) -> None:
        super().__init__()
        self._target = target

    def close(self) -> None:
        if not self.closed:
            data = self.getvalue()
            super().close()
            self._target.write_bytes(data)


def _at(path: str) -> Location:
    return Location(f"s3://{path}")


def _file_info(path: str, s3: fs.FileSystem) -> fs.FileInfo:
    return s3.get_file_info(path)


class _PatientFiles(fs.FileSystemHandler):  # type: ignore[misc]  # Arrow has no types
    """Pass calls on to S3 until they come through. It travels as a name: each process opens its own connection."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _PatientFiles)

    def __hash__(self) -> int:
        return hash(_PatientFiles)

    def _outlast(self, verb: str, path: str, call: Callable[[fs.FileSystem], Any]) -> Any:
        location = _at(path)
        return outlast(lambda: call(location.filesystem), f"cannot {verb} {location} yet")

    def get_type_name(self) -> str:
        return "s3"

    def normalize_path(self, path: str) -> str:
        return path

    def get_file_info(self, paths: list[str]) -> list[fs.FileInfo]:
        return [self._outlast("read", path, partial(_file_info, path)) for path in paths]

    def get_file_info_selector(self, selector: fs.FileSelector) -> list[fs.FileInfo]:
        return list(self._outlast("read", selector.base_dir, lambda s3: s3.get_file_info(selector)))

    def create_dir(self, path: str, recursive: bool) -> None:
        self._outlast("write", path, lambda s3: s3.create_dir(path, recursive=recursive))

    def delete_dir(self, path: str) -> None:
        self._outlast("remove", path, lambda s3: s3.delete_dir(path))

    def delete_dir_contents(self, path: str, missing_dir_ok: bool) -> None:
        self._outlast("remove", path, lambda s3: s3.delete_dir_contents(path, missing_dir_ok=missing_dir_ok))

    def delete_root_dir_contents(self) -> None:
        raise NotImplementedError("no run empties a whole bucket")

    def delete_file(self, path: str) -> None:
        self._outlast("remove", path, lambda s3: s3.delete_file(path))

    def move(self, source: str, target: str) -> None:
        self._outlast("write", target, lambda s3: s3.move(source, target))

    def copy_file(self, source: str, target: str) -> None:
        self._outlast("write", target, lambda s3: s3.copy_file(source, target))

    def open_input_stream(self, path: str) -> pa.NativeFile:
        return pa.BufferReader(_at(path).read_bytes())

    def open_input_file(self, path: str) -> pa.NativeFile:
        return self.open_input_stream(path)

    def open_output_stream(self, path: str, metadata: Any) -> pa.NativeFile:
        return pa.PythonFile(_Upload(_at(path)), mode="w")

    def open_append_stream(self, path: str, metadata: Any) -> pa.NativeFile:
        raise NotImplementedError("S3 has no appending")
