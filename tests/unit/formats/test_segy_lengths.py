import struct
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisray.errors import SegyError
from seisray.formats.segy.file import ReadAs, SegyLayout, read_layout

MakeSegy = Callable[..., bytes]
TRACE_BYTES = 240 + 2 * 50


def layout_of(data: bytes, **read_as: object) -> SegyLayout:
    return read_layout(lambda at, n: data[at : at + n], len(data), "f.sgy", ReadAs(**read_as))  # type: ignore[arg-type]


def traces(lengths: Sequence[int]) -> bytes:
    """Return int16 traces of several lengths, each with its length in its header, at 500 us."""
    rng = np.random.default_rng(0)
    return b"".join(
        struct.pack(">114xHH122x", n, 500) + rng.integers(-9, 9, n).astype(">i2").tobytes() for n in lengths
    )


@pytest.fixture(scope="module")
def file(make_segy: MakeSegy) -> bytes:
    return make_segy(np.random.default_rng(0).integers(-999, 999, (20, 50)).astype("i2"), format=3)


@given(kept=st.integers(1, 20 * TRACE_BYTES - 1))
def test_a_cut_last_trace_is_counted_in_bytes(kept: int, file: bytes) -> None:
    n_traces, rest = divmod(kept, TRACE_BYTES)
    data = file[: 3600 + kept]
    if rest == 0 or kept < 240:
        return
    with pytest.raises(SegyError, match=rf"^f\.sgy: .*cut short: {rest} of 340 bytes after {n_traces} whole traces"):
        layout_of(data)


@pytest.mark.parametrize("trace", [1, 7, 18])
@pytest.mark.parametrize("change", [-100, -1, 1, 100, 340 - 1])
def test_bytes_missing_or_too_many_in_the_middle_are_placed(trace: int, change: int, file: bytes) -> None:
    at = 3600 + trace * TRACE_BYTES + 280
    data = file[:at] + (bytes(change) + file[at:] if change > 0 else file[at - change :])
    with pytest.raises(SegyError, match=rf"where trace {trace + 2} should start, at byte {3600 + (trace + 1) * 340}"):
        layout_of(data)


@pytest.mark.parametrize("flag", [0, 1])
@pytest.mark.parametrize("odd", [1, 5, 11])
@pytest.mark.parametrize("n", [30, 70])
def test_traces_of_different_lengths_are_named(n: int, odd: int, flag: int, file: bytes) -> None:
    head = bytearray(file[:3600])
    head[3500] = 1
    struct.pack_into(">h", head, 3502, flag)
    lengths = [50] * odd + [n] * (12 - odd)
    with pytest.raises(
        SegyError, match=rf"different lengths: trace {odd + 1} says {n} samples .*those before it 50.*--n-samples"
    ):
        layout_of(bytes(head) + traces(lengths))


def test_lengths_that_happen_to_fill_the_size_are_found_all_the_same(file: bytes) -> None:
    """Two traces of 220 samples are as long as three and more of 50."""
    lengths = [50] * 6 + [220] * 17
    assert sum(240 + 2 * n for n in lengths) % TRACE_BYTES == 0
    with pytest.raises(SegyError, match="different lengths: trace 7 says 220"):
        layout_of(file[:3600] + traces(lengths))


def test_trace_headers_that_all_deny_the_binary_header_are_believed_no_more_than_it(make_segy: MakeSegy) -> None:
    made = np.zeros((20, 50), dtype="i2")
    data = make_segy(made, format=3, counts=[49] * 20)
    with pytest.raises(
        SegyError,
        match=r"says 50 samples a trace .*, which fits the file's size, .* say 49 .*, which does not fit .*"
        r"--n-samples 50 or --n-samples 49$",
    ):
        layout_of(data)
    assert layout_of(data, n_samples=50).n_traces == 20


@pytest.mark.parametrize("odd", [0, 1, 10, 18, 19])
def test_a_single_odd_header_is_left_to_its_gather(odd: int, make_segy: MakeSegy) -> None:
    counts = [49 if trace == odd else 50 for trace in range(20)]
    assert layout_of(make_segy(np.zeros((20, 50), dtype="i2"), format=3, counts=counts)).n_traces == 20


@pytest.mark.parametrize("n_traces", [1, 2, 3, 20])
def test_headers_without_counts_deny_nothing(n_traces: int, make_segy: MakeSegy) -> None:
    made = np.ones((n_traces, 50), dtype="i2")
    assert layout_of(make_segy(made, format=3, counts=[0] * n_traces)).n_traces == n_traces


def test_a_cut_file_without_counts_names_both_options(make_segy: MakeSegy) -> None:
    data = make_segy(np.ones((4, 50), dtype="i2"), format=3, counts=[0] * 4)[:-1]
    with pytest.raises(SegyError, match=r"339 of 340 bytes after 3 whole traces.*--n-samples or --sample-format$"):
        layout_of(data)
