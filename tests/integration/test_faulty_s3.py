"""An S3 server that fails for a while costs time, never data; what time will not heal fails at once, in one line."""

import hashlib
import logging
import random
import time
from collections.abc import Callable

import pytest
import tenacity
from faulty_proxy import CUT, INTERNAL_ERROR, LIE, LOST, PASS, RESET, SLOW_DOWN, Fault, FaultyProxy, stall

from seisray import storage
from seisray.errors import NotFoundError, StorageError
from seisray.storage import Location, locate

FAULTS = {"500": INTERNAL_ERROR, "503": SLOW_DOWN, "reset": RESET, "lost": LOST, "cut": CUT}
FOR_EVER = 1000


@pytest.fixture
def once(proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch) -> FaultyProxy:
    """Return a proxy whose faults Arrow does not repair by itself: it tries each request once. Nothing sleeps."""
    real = storage._s3
    monkeypatch.setattr(storage, "_s3", lambda attempts: real(1))
    monkeypatch.setattr(tenacity, "wait_random_exponential", lambda **_: tenacity.wait_fixed(0.01))
    return proxy


@pytest.fixture
def folder(s3: str, request: pytest.FixtureRequest) -> Location:
    """Return a folder of this test."""
    return locate(s3) / "faulty" / hashlib.sha1(request.node.name.encode()).hexdigest()[:8]


def content(n: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(n)


def name_once(caplog: pytest.LogCaptureFixture) -> str:
    """Return the one warning there is."""
    (record,) = [record for record in caplog.records if record.name == "seisray.patience"]
    assert record.levelno == logging.WARNING
    return record.getMessage()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_faults_of_any_request_of_an_operation_change_nothing(
    fault: Fault, once: FaultyProxy, folder: Location
) -> None:
    file, data = folder / "a.bin", content(200_000)

    def under_faults(method: str, operation: Callable[[], object]) -> object:
        once.plan(*[fault] * (1 if fault is CUT else 2), method=method)  # the first line of an answer can be enough
        found = operation()
        assert not once.waits, "the faults were not met"
        return found

    under_faults("PUT", lambda: file.write_bytes(data))
    once.calm()
    assert file.read_bytes() == data
    assert under_faults("HEAD", file.read_bytes) == data
    assert under_faults("GET", file.read_bytes) == data
    assert under_faults("HEAD", lambda: file.read_range(70_000, 240)) == data[70_000:70_240]
    assert under_faults("GET", lambda: file.read_range(70_000, 240)) == data[70_000:70_240]
    assert under_faults("GET", lambda: file.read_range(3, 1)) == data[3:4]
    assert under_faults("HEAD", file.size) == len(data)
    assert under_faults("HEAD", file.etag) == hashlib.md5(data).hexdigest()
    assert under_faults("HEAD", file.exists) is True
    assert under_faults("GET", folder.files) == [file]
    under_faults("DELETE", file.delete)
    assert folder.files() == []


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_that_outlasts_arrow_is_outlasted(fault: Fault, proxy: FaultyProxy, folder: Location) -> None:
    file, data = folder / "a.bin", content(200_000)
    file.write_bytes(data)
    proxy.plan(*[fault] * 5, method="GET")
    assert file.read_bytes() == data
    assert not proxy.waits


@pytest.mark.parametrize(
    "plan",
    [
        [("PUT", RESET), ("PUT", SLOW_DOWN)],
        [("POST", INTERNAL_ERROR)],
        [("POST", PASS), ("POST", LOST), ("POST", LOST)],
        [("POST", PASS), ("POST", LIE), ("POST", LIE)],
        [("PUT", CUT)],
        [("PUT", LOST), ("POST", CUT)],
    ],
    ids=["parts", "start", "end lost", "end failed under status 200", "part acknowledged in part", "mixed"],
)
def test_an_upload_in_parts_lands_whole(plan: list[tuple[str, Fault]], once: FaultyProxy, folder: Location) -> None:
    file, data = folder / "a.bin", content(21_000_000)
    file.write_bytes(b"old")
    for method, fault in plan:
        once.plan(fault, method=method)
    file.write_bytes(data)
    assert not once.waits
    assert file.read_bytes() == data


@pytest.mark.parametrize("n", [1000, 21_000_000], ids=["small", "in parts"])
def test_a_write_that_never_lands_is_never_acknowledged(
    n: int, once: FaultyProxy, folder: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEISRAY_S3_PATIENCE_S", "1")
    file = folder / "a.bin"
    file.write_bytes(b"old")
    once.plan(*[INTERNAL_ERROR] * FOR_EVER, method="PUT")
    with pytest.raises(
        StorageError, match=rf"^cannot write {file}: .*INTERNAL_FAILURE.*; gave up after 1 s .*PATIENCE_S"
    ):
        file.write_bytes(content(n))
    once.calm()
    assert file.read_bytes() == b"old"


def test_an_outage_is_waited_for_and_said_once(
    proxy: FaultyProxy, folder: Location, caplog: pytest.LogCaptureFixture
) -> None:
    file, data = folder / "a.bin", content(1000)
    start_s = time.monotonic()
    proxy.outage(5)
    file.write_bytes(data)
    assert time.monotonic() - start_s >= 5
    assert file.read_bytes() == data
    said = name_once(caplog)
    assert said.startswith(f"cannot write {file} yet: ")
    assert said.endswith("; trying for up to 120 s")


def test_silence_is_ended_and_said(proxy: FaultyProxy, folder: Location, caplog: pytest.LogCaptureFixture) -> None:
    file, data = folder / "a.bin", content(200_000)
    file.write_bytes(data)
    proxy.plan(stall(60), method="GET")
    start_s = time.monotonic()
    assert file.read_bytes() == data
    assert time.monotonic() - start_s < 20
    assert name_once(caplog) == f"cannot read {file} yet: no answer, or a slow one, for 2 s; trying for up to 120 s"


def test_patience_ends(proxy: FaultyProxy, folder: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEISRAY_S3_PATIENCE_S", "2")
    proxy.plan(*[SLOW_DOWN] * FOR_EVER)
    start_s = time.monotonic()
    with pytest.raises(StorageError, match=rf"^cannot read {folder}: .*503.*; gave up after 2 s") as caught:
        folder.size()
    assert time.monotonic() - start_s < 15
    assert "\n" not in str(caught.value)


def test_a_file_of_no_bytes_is_told_from_an_answer_without_a_length(proxy: FaultyProxy, folder: Location) -> None:
    (folder / "empty").write_bytes(b"")
    (folder / "full").write_bytes(b"0123")
    assert ((folder / "empty").size(), (folder / "empty").read_bytes()) == (0, b"")
    for read in (Location.size, lambda file: len(file.read_bytes()), lambda file: 2 + len(file.read_range(2, 2))):
        proxy.plan(CUT, CUT, CUT, method="HEAD")
        assert read(folder / "full") == 4


def test_a_workload_with_three_requests_in_ten_faulty_ends_with_equal_content(
    proxy: FaultyProxy, folder: Location
) -> None:
    rng = random.Random(20)
    proxy.plan_at_random(FAULTS.values(), share=0.3, seed=21)
    expected: dict[Location, bytes] = {}
    for step in range(40):
        kind = rng.choice(["put", "put", "range", "range", "list", "delete"])
        if kind == "put" or not expected:
            file = folder / f"{rng.randrange(12):02d}.bin"
            expected[file] = content(rng.choice([0, 1, 1000, 300_000]), seed=step)
            file.write_bytes(expected[file])
        elif kind == "list":
            assert folder.files() == sorted(expected, key=str)
        elif kind == "delete":
            gone = rng.choice(sorted(expected, key=str))
            gone.delete()
            del expected[gone]
        else:
            file = rng.choice(sorted(expected, key=str))
            offset = rng.randrange(len(expected[file]) + 1)
            length = rng.randrange(len(expected[file]) - offset + 1)
            assert file.read_range(offset, length) == expected[file][offset : offset + length]
    big = folder / "big.bin"
    expected[big] = content(21_000_000)
    big.write_bytes(expected[big])
    proxy.calm()
    assert {file: file.read_bytes() for file in folder.files()} == expected


def fails_at_once(operation: Callable[[], object], error: type[Exception], message: str) -> None:
    """Check that an operation fails within seconds, with this message in one line."""
    start_s = time.monotonic()
    with pytest.raises(error, match=message) as caught:
        operation()
    assert time.monotonic() - start_s < 5
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "remedy"),
    [("AWS_SECRET_ACCESS_KEY", "check AWS_SECRET_ACCESS_KEY"), ("AWS_ACCESS_KEY_ID", "check AWS_ACCESS_KEY_ID")],
)
def test_wrong_credentials_are_named_at_once(
    variable: str, remedy: str, proxy: FaultyProxy, folder: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "a.bin"
    file.write_bytes(b"old")
    monkeypatch.setenv(variable, "wrong")
    storage._s3.cache_clear()
    for size in (1, 21_000_000):
        fails_at_once(
            lambda size=size: file.write_bytes(bytes(size)), StorageError, f"^cannot write {file}: .*{remedy}$"
        )
    fails_at_once(folder.files, StorageError, f"^cannot read {folder}: .*{remedy}$")
    for operation in (file.read_bytes, file.size, file.exists, file.etag, lambda: file.read_range(0, 1)):
        fails_at_once(operation, StorageError, f"^cannot read {file}: access denied .*AWS_SECRET_ACCESS_KEY")


def test_a_missing_bucket_is_named_at_once(proxy: FaultyProxy) -> None:
    nowhere = locate("s3://no-such-bucket/a")
    for size in (1, 21_000_000):
        fails_at_once(
            lambda size=size: nowhere.write_bytes(bytes(size)),
            StorageError,
            f"^cannot write {nowhere}: the bucket does not",
        )
    for operation in (nowhere.files, nowhere.folders):
        fails_at_once(operation, NotFoundError, f"^cannot read {nowhere}: the bucket does not exist")
    for operation in (nowhere.read_bytes, nowhere.size, nowhere.etag, lambda: nowhere.read_range(0, 1)):
        fails_at_once(operation, NotFoundError, f"^{nowhere} does not exist")
    assert not nowhere.exists()


@pytest.mark.parametrize(
    ("status", "code"), [(301, "PermanentRedirect"), (400, "AuthorizationHeaderMalformed"), (400, "InvalidRegion")]
)
def test_a_wrong_region_is_named_at_once(status: int, code: str, proxy: FaultyProxy, folder: Location) -> None:
    proxy.plan(Fault("error", status=status, code=code), method="PUT")
    fails_at_once(lambda: folder.write_bytes(b"0"), StorageError, f"^cannot write {folder}: set AWS_REGION")
    proxy.plan(Fault("error", status=status, code=code), method="HEAD")
    fails_at_once(folder.size, StorageError, f"^cannot read {folder}: .*AWS_REGION")


def test_a_missing_object_is_asked_for_once(proxy: FaultyProxy, folder: Location) -> None:
    fails_at_once((folder / "gone").read_bytes, NotFoundError, f"^{folder}/gone does not exist; check the path$")
    assert len(proxy.heads) == 1


def test_a_small_file_is_one_request_without_a_trailing_checksum(proxy: FaultyProxy, folder: Location) -> None:
    (folder / "a.bin").write_bytes(b"0123")
    (head,) = proxy.heads
    assert head.startswith("PUT ")
    assert "content-length: 4\r\n" in head.lower()
    assert "x-amz-trailer" not in head.lower()
