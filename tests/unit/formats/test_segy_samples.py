import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import segyio
from hypothesis import given
from hypothesis import strategies as st

from seisray.formats.segy.file import SegyLayout, read_layout
from seisray.formats.segy.layout import SAMPLE_FORMATS, ReadAs
from seisray.formats.segy.samples import decode_samples

MakeSegy = Callable[..., bytes]
IbmWords = Callable[[np.ndarray], np.ndarray]

DTYPES = {2: "i4", 3: "i2", 5: "f4", 6: "f8", 8: "i1", 9: "i8", 10: "u4", 11: "u2", 12: "u8", 16: "u1"}
READ_BY_SEGYIO = [1, 2, 3, 5, 6, 8, 10, 11, 16]
REVISIONS = [(0, 0), (1, 0), (2, 0), (2, 1)]


def decoded(data: bytes, read_as: ReadAs = ReadAs()) -> np.ndarray:  # noqa: B008
    layout = read_layout(lambda at, n: data[at : at + n], len(data), "f.sgy", read_as)
    raw = np.frombuffer(data, np.uint8, layout.n_traces * layout.trace_bytes, layout.data_start)
    return decode_samples(raw.reshape(layout.n_traces, -1), layout)


def words(format: int, ibm_words: IbmWords, n_traces: int = 6, n_samples: int = 101) -> np.ndarray:
    """Return words of a format that spread over much of its range."""
    rng = np.random.default_rng(format)
    if format == 1:
        return ibm_words(rng.normal(scale=300, size=(n_traces, n_samples)))
    dtype = np.dtype(DTYPES[format])
    if dtype.kind == "f":
        return rng.normal(scale=300, size=(n_traces, n_samples)).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, (n_traces, n_samples), dtype=dtype, endpoint=True)


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("format", READ_BY_SEGYIO)
@pytest.mark.parametrize("revision", REVISIONS)
def test_every_sample_is_what_segyio_reads(
    revision: tuple[int, int], format: int, order: str, make_segy: MakeSegy, ibm_words: IbmWords, tmp_path: Path
) -> None:
    data = make_segy(words(format, ibm_words), format=format, order=order, revision=revision)
    (tmp_path / "f.sgy").write_bytes(data)
    endian = {">": "big", "<": "little"}[order]
    with segyio.open(str(tmp_path / "f.sgy"), ignore_geometry=True, endian=endian) as file:
        expected = np.stack([np.asarray(file.trace[i]) for i in range(6)]).astype(np.float32)
    found = decoded(data)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found.view(np.uint32), expected.view(np.uint32))


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("format", [code for code in DTYPES if code not in READ_BY_SEGYIO])
def test_wide_integers_round_as_numpy_rounds(format: int, order: str, make_segy: MakeSegy, ibm_words: IbmWords) -> None:
    made = words(format, ibm_words)
    found = decoded(make_segy(made, format=format, order=order))
    np.testing.assert_array_equal(found, made.astype(np.float32))


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize(("format", "least", "most"), [(7, -(2**23), 2**23 - 1), (15, 0, 2**24 - 1)])
def test_integers_of_three_bytes_keep_their_value_and_sign(
    format: int, least: int, most: int, order: str, make_segy: MakeSegy
) -> None:
    numbers = [[least, most, 0, 1, 2, 255, 256, 65536, least + 1, 70000]]
    if format == 7:
        numbers += [[-1, -2, -255, -256, -257, -65536, -65537, -70000, 5, 6]]
    side = {">": "big", "<": "little"}[order]
    raw = [b"".join(n.to_bytes(3, side, signed=format == 7) for n in row) for row in numbers]  # type: ignore[arg-type]
    data = make_segy(np.frombuffer(b"".join(raw), np.uint8).reshape(len(numbers), -1), format=format, order=order)
    n_samples = ReadAs(n_samples=10)
    np.testing.assert_array_equal(decoded(data, n_samples), np.float32(numbers))


def test_float64_beyond_float32_becomes_infinite_without_a_warning(make_segy: MakeSegy) -> None:
    made = np.array([[1e300, -1e300, 1e-300, np.pi, np.nan, np.inf]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = decoded(make_segy(made, format=6))
    np.testing.assert_array_equal(found, np.float32([[np.inf, -np.inf, 0, np.pi, np.nan, np.inf]]))


@given(
    format=st.sampled_from([1, *DTYPES]),
    order=st.sampled_from("><"),
    shape=st.tuples(st.integers(1, 5), st.integers(1, 40)),
    header_bytes=st.sampled_from([240, 480]),
    seed=st.integers(0, 99),
)
def test_any_block_decodes_to_its_words(
    format: int, order: str, shape: tuple[int, int], header_bytes: int, seed: int
) -> None:
    """The words are random bytes, so NaN, infinity, denormals and unnormalised IBM floats are among them."""
    layout = SegyLayout(
        byte_order=order,
        format_code=format,
        n_samples=shape[1],
        sample_interval_us=1.0,
        data_start=3600,
        n_traces=shape[0],
        header_bytes=header_bytes,
    )
    blocks = np.random.default_rng(seed).integers(0, 256, (shape[0], layout.trace_bytes), dtype=np.uint8)
    raw = np.ascontiguousarray(blocks[:, header_bytes:])
    with np.errstate(all="ignore"):
        if format == 1:
            word = raw.view(f"{order}u4").astype(np.int64)
            value = np.ldexp((word & 0xFFFFFF).astype(float), 4 * ((word >> 24) & 127) - 280)
            expected = np.copysign(value, np.where(word >> 31, -1, 1)).astype(np.float32)
        else:
            expected = raw.view(order + DTYPES[format]).astype(np.float32)
    np.testing.assert_array_equal(decode_samples(blocks, layout), expected)


def test_blocks_need_not_be_contiguous(make_segy: MakeSegy) -> None:
    layout = SegyLayout(byte_order=">", format_code=3, n_samples=3, sample_interval_us=1.0, data_start=3600, n_traces=4)
    blocks = np.random.default_rng(0).integers(0, 256, (layout.trace_bytes, 8), dtype=np.uint8).T[::2]
    np.testing.assert_array_equal(decode_samples(blocks, layout), decode_samples(blocks.copy(), layout))


def test_every_known_format_is_tested_here() -> None:
    assert set(SAMPLE_FORMATS) == {1, 7, 15, *DTYPES}
