import os
import resource
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import tenacity
from pyarrow import fs

from seisray import storage
from seisray.errors import ConfigError, NotFoundError, StorageError
from seisray.storage import Location, locate


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """Make every write past `size` bytes of a file fail, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = locate(str(tmp_path)) / "a" / "b.bin"
    file.write_bytes(b"0123456789")
    assert (file.read_bytes(), file.size(), file.read_range(3, 4)) == (b"0123456789", 10, b"3456")


def test_a_write_that_fails_leaves_no_file(tmp_path: Path) -> None:
    with files_end_at(1000), pytest.raises(StorageError, match=r"cannot write .*/part\.bin: File too large"):
        (locate(str(tmp_path)) / "part.bin").write_bytes(bytes(5000))
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path: Path) -> None:
    file = locate(str(tmp_path)) / "part.bin"
    file.write_bytes(b"old")
    with files_end_at(1000), pytest.raises(StorageError):
        file.write_bytes(bytes(5000))
    assert file.read_bytes() == b"old"


def test_a_range_past_the_end_is_an_error(tmp_path: Path) -> None:
    file = locate(str(tmp_path)) / "a"
    file.write_bytes(b"0123")
    with pytest.raises(StorageError, match="asked for 3 bytes at 2, got 2"):
        file.read_range(2, 3)


@pytest.mark.parametrize("read", [Location.read_bytes, Location.size])
def test_a_missing_file_is_named(read: object, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=rf"{tmp_path}/gone does not exist"):
        read(locate(str(tmp_path)) / "gone")  # type: ignore[operator]


def test_a_missing_file_is_named_by_ranges_too(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="gone does not exist"):
        (locate(str(tmp_path)) / "gone").read_range(0, 1)


def test_a_path_below_a_regular_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot write .*/file/store/a"):
        (locate(str(tmp_path)) / "file" / "store" / "a").write_bytes(b"")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(StorageError, match="Permission denied"):
        (locate(str(tmp_path)) / "a").write_bytes(b"")


def test_listings_are_sorted_and_hide_what_starts_with_a_dot(tmp_path: Path) -> None:
    for name in ("b", "a", ".hidden", "deep/c"):
        (locate(str(tmp_path)) / name).write_bytes(b"")
    here = locate(str(tmp_path))
    assert [file.name for file in here.files()] == ["a", "b"]
    assert [file.name for file in here.files(recursive=True)] == ["a", "b", "c"]
    assert [folder.name for folder in here.folders()] == ["deep"]


def test_a_folder_that_is_not_there_lists_nothing(tmp_path: Path) -> None:
    assert (locate(str(tmp_path)) / "gone").files() == []


def test_delete_takes_files_and_folders_and_forgives_what_is_not_there(tmp_path: Path) -> None:
    here = locate(str(tmp_path))
    (here / "f" / "g" / "a").write_bytes(b"")
    (here / "b").write_bytes(b"")
    for name in ("f", "b", "gone"):
        (here / name).delete()
    assert list(tmp_path.iterdir()) == []


def test_a_relative_path_becomes_absolute() -> None:
    assert locate("store").uri == str(Path.cwd() / "store")


def test_a_uri_keeps_its_bucket_and_key() -> None:
    location = locate("s3://bucket/a/b/")
    assert (location.uri, location.path, location.name, location.is_local) == (
        "s3://bucket/a/b",
        "bucket/a/b",
        "b",
        False,
    )


@pytest.mark.parametrize("uri", ["gs://bucket/a", "http://host/a", "s3://", "s3://a/b"])
def test_a_uri_that_cannot_be_used_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError, match=uri):
        locate(uri)


def test_a_page_in_s3_opens_in_a_browser(s3: str) -> None:
    page = locate(f"{s3}/reports/index.html")
    page.write_bytes(b"<!doctype html>")
    with page.filesystem.open_input_file(page.path) as file:
        assert file.metadata()["Content-Type"].startswith(b"text/html")


def test_a_local_file_has_no_etag(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0")
    assert (locate(str(tmp_path)) / "a").etag() is None


class FakeS3:
    """A filesystem that raises these errors in turn, then answers that there is nothing."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def get_file_info(self, path: str) -> fs.FileInfo:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return fs.FileInfo(path, fs.FileType.NotFound)


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeS3]:
    """Return a function that lets S3 raise errors with these words, between which nothing sleeps."""

    def fails(*words: str) -> FakeS3:
        fake = FakeS3(*(OSError(f"When reading information for key 'a' in bucket 'b': {w}") for w in words))
        monkeypatch.setattr(storage, "_s3", lambda attempts: fake)
        monkeypatch.setattr(tenacity, "wait_random_exponential", lambda **_: tenacity.wait_none())
        return fake

    return fails


@pytest.mark.parametrize(
    "words",
    [
        "AWS Error UNKNOWN (HTTP status 500) during HeadObject operation: No response body.",
        "AWS Error UNKNOWN (HTTP status 503) during HeadObject operation: No response body.",
        "AWS Error UNKNOWN (HTTP status 504) during PutObject operation: Unable to parse ExceptionName: GatewayTimeout",
        "AWS Error UNKNOWN (HTTP status 429) during PutObject operation: Unable to parse TooManyRequests",
        "AWS Error UNKNOWN (HTTP status 400) during CompleteMultipartUpload operation: ... ExceptionName: InvalidPart",
        "AWS Error SLOW_DOWN during PutObject operation: Please reduce your request rate.",
        "AWS Error INTERNAL_FAILURE during GetObject operation: Failed to flush response stream (eof: 0, bad: 1)",
        "AWS Error SERVICE_UNAVAILABLE during GetObject operation: ",
        "AWS Error REQUEST_TIMEOUT during PutObject operation: ",
        "AWS Error NO_SUCH_UPLOAD during CompleteMultipartUpload operation: The upload does not exist",
        "AWS Error NETWORK_CONNECTION during HeadObject operation: curlCode: 7, Could not connect to server",
    ],
)
def test_an_error_that_may_pass_is_outlasted_and_said_once(
    words: str, fails: Callable[..., FakeS3], caplog: pytest.LogCaptureFixture
) -> None:
    fake = fails(words, words, words)
    assert not locate("s3://bucket/a").exists()
    assert fake.calls == 4
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("seisray.patience", "WARNING")
    assert record.getMessage().startswith("cannot read s3://bucket/a yet: When reading information")


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("AWS Error ACCESS_DENIED during HeadObject operation: No response body.", "access denied"),
        ("AWS Error SIGNATURE_DOES_NOT_MATCH during PutObject operation: ", "check AWS_SECRET_ACCESS_KEY"),
        ("AWS Error INVALID_ACCESS_KEY_ID during PutObject operation: ", "check AWS_ACCESS_KEY_ID"),
        ("AWS Error NO_SUCH_BUCKET during PutObject operation: ", "the bucket does not exist"),
        ("AWS Error UNKNOWN (HTTP status 301) during HeadObject operation: No response body.", "set AWS_REGION"),
        ("AWS Error UNKNOWN (HTTP status 400) during HeadObject operation: No response body.", "check AWS_REGION"),
        ("AWS Error UNKNOWN (HTTP status 400) during PutObject operation: ExceptionName: ExpiredToken", "have expired"),
        ("AWS Error UNKNOWN (HTTP status 507) during PutObject operation: disk\nfull", "disk full"),
    ],
)
def test_an_error_that_time_does_not_heal_fails_at_once_in_one_line(
    words: str, remedy: str, fails: Callable[..., FakeS3], caplog: pytest.LogCaptureFixture
) -> None:
    fake = fails(words, words, words)
    with pytest.raises(StorageError, match=f"^cannot read s3://bucket/a: .*{remedy}") as caught:
        locate("s3://bucket/a").exists()
    assert "\n" not in str(caught.value)
    assert (fake.calls, caplog.records) == (1, [])


def test_patience_that_is_no_number_is_refused(fails: Callable[..., FakeS3], monkeypatch: pytest.MonkeyPatch) -> None:
    fails()
    monkeypatch.setenv("SEISRAY_S3_PATIENCE_S", "long")
    with pytest.raises(ConfigError, match=r"SEISRAY_S3_PATIENCE_S must be seconds.*'long'"):
        locate("s3://bucket/a").exists()
