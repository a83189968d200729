from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisray.errors import NotFoundError, StorageError
from seisray.gather import PER_TRACE, Gather
from seisray.shards import decode_samples, encode_samples, read_gathers, read_notes, read_shard, write_shard
from seisray.storage import Location, locate

LineGathers = Callable[..., list[Gather]]


@pytest.fixture
def place(tmp_path: Path) -> Location:
    return locate(str(tmp_path)) / "part.parquet"


def through_int16(samples: np.ndarray) -> np.ndarray:
    encoding, stored, scale = encode_samples(samples, "int16")
    n_traces, n_samples = samples.shape
    row = {"n_traces": n_traces, "n_samples": n_samples, "encoding": encoding, "samples": stored, "scale": scale}
    return decode_samples(row)


@given(st.integers(0, 2**32 - 1), st.floats(-30, 30))
def test_int16_is_within_a_ten_thousandth_of_the_rms_of_a_trace(seed: int, exponent: float) -> None:
    rng = np.random.default_rng(seed)
    samples = (rng.normal(size=(4, 500)) * 10**exponent).astype(np.float32)
    error = np.sqrt(np.mean((through_int16(samples) - samples.astype(float)) ** 2, axis=1))
    assert (error <= 1e-4 * np.sqrt(np.mean(samples.astype(float) ** 2, axis=1))).all()


@pytest.mark.parametrize(("spike", "encoding"), [(8, "int16"), (16, "float32")])
def test_a_gather_with_a_trace_too_spiky_for_int16_stays_exact(spike: float, encoding: str) -> None:
    samples = np.random.default_rng(0).normal(size=(3, 1000)).astype(np.float32)
    samples[1, 500] = spike
    assert encode_samples(samples, "int16")[0] == encoding
    if encoding == "float32":
        np.testing.assert_array_equal(through_int16(samples), samples)


@given(st.integers(0, 2**32 - 1))
def test_int16_is_off_by_half_a_step_at_most(seed: int) -> None:
    samples = np.random.default_rng(seed).normal(size=(4, 500)).astype(np.float32)
    step = np.abs(samples).max(axis=1, keepdims=True).astype(float) / 32767
    assert (np.abs(through_int16(samples) - samples.astype(float)) <= 0.505 * step).all()


@given(st.integers(0, 2**32 - 1))
def test_int16_preserves_the_peak_of_each_trace(seed: int) -> None:
    samples = np.random.default_rng(seed).normal(size=(4, 50)).astype(np.float32)
    np.testing.assert_allclose(np.abs(through_int16(samples)).max(axis=1), np.abs(samples).max(axis=1), rtol=2e-7)


def test_int16_scales_each_trace_by_itself() -> None:
    samples = np.float32([[1e-3, -1e-3], [1e6, 1e6], [0, 0]])
    np.testing.assert_allclose(through_int16(samples), samples, rtol=1e-6)


@pytest.mark.parametrize("encoding", ["int16", "float32"])
def test_gathers_come_back_with_all_that_is_known(encoding: str, line_gathers: LineGathers, place: Location) -> None:
    made = line_gathers(delay_ms=-10.0)
    size = write_shard(place, made, encoding)  # type: ignore[arg-type]
    assert place.size() == size
    for found, gather in zip(read_gathers(place), made, strict=True):
        for name in ("survey", "gather_id", "source_file", "ffid", "shot_point", "sample_interval_us", "delay_ms"):
            assert getattr(found, name) == getattr(gather, name)
        for name in PER_TRACE:
            np.testing.assert_array_equal(getattr(found, name), getattr(gather, name), err_msg=name)
        np.testing.assert_array_equal(found.trace_headers, gather.trace_headers)
        if encoding == "float32":
            np.testing.assert_array_equal(found.samples, gather.samples)


def test_float32_is_exact_to_the_last_bit(line_gathers: LineGathers, place: Location) -> None:
    odd = np.float32([[np.finfo(np.float32).max, 1e-45, -0.0, 1 / 3]])
    gather = line_gathers(1, n_traces=12)[0]
    only = Gather(**{n: getattr(gather, n) for n in ("survey", "gather_id", "source_file", "ffid", "shot_point")},
                  sample_interval_us=1.0, samples=odd)  # fmt: skip
    write_shard(place, [only], "float32")
    assert next(read_gathers(place)).samples.tobytes() == odd.tobytes()


def test_gathers_of_different_sizes_share_a_shard(line_gathers: LineGathers, place: Location) -> None:
    made = [*line_gathers(1, n_traces=5), *line_gathers(1, n_traces=9, n_samples=64)]
    write_shard(place, made, "int16")
    assert [gather.samples.shape for gather in read_gathers(place)] == [(5, 128), (9, 64)]


def test_row_groups_stay_small_so_that_a_few_gathers_can_be_read(line_gathers: LineGathers, place: Location) -> None:
    write_shard(place, line_gathers(10), "int16")
    file = pq.ParquetFile(place.path)
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [8, 2]


def test_one_column_can_be_read_without_the_samples(line_gathers: LineGathers, place: Location) -> None:
    write_shard(place, line_gathers(), "int16")
    assert read_shard(place, columns=["ffid"]) == [{"ffid": 101}, {"ffid": 102}, {"ffid": 103}]


def test_notes_taken_on_the_way_stay_beside_the_gathers(line_gathers: LineGathers, place: Location) -> None:
    seen: list[int] = []

    def noting() -> Iterator[Gather]:
        for gather in line_gathers():
            seen.append(gather.ffid)
            yield gather

    write_shard(place, noting(), "int16", notes=lambda: {"seen": seen})
    assert read_notes(place) == {"seen": [101, 102, 103]}


def test_a_damaged_shard_is_named(line_gathers: LineGathers, place: Location) -> None:
    write_shard(place, line_gathers(), "int16")
    place.write_bytes(place.read_bytes()[:-20])
    with pytest.raises(StorageError, match=r"part\.parquet is not a readable table"):
        list(read_gathers(place))


def test_a_missing_shard_is_named(place: Location) -> None:
    with pytest.raises(NotFoundError, match=r"part\.parquet does not exist"):
        list(read_gathers(place))
