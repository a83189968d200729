import struct
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisray.errors import ConfigError, SegyError
from seisray.formats.segy.file import ReadAs, SegyLayout, read_layout
from seisray.formats.segy.samples import decode_samples

MakeSegy = Callable[..., bytes]
REVISIONS = [(0, 0), (1, 0), (2, 0), (2, 1)]
END = b"((SEG: EndText))"


def layout_of(data: bytes, **read_as: object) -> SegyLayout:
    return read_layout(lambda at, n: data[at : at + n], len(data), "f.sgy", ReadAs(**read_as))  # type: ignore[arg-type]


def samples_of(data: bytes, layout: SegyLayout) -> np.ndarray:
    raw = np.frombuffer(data, np.uint8, layout.n_traces * layout.trace_bytes, layout.data_start)
    return decode_samples(raw.reshape(layout.n_traces, -1), layout)


def numbered(n_traces: int = 6, n_samples: int = 50) -> np.ndarray:
    return np.arange(n_traces * n_samples, dtype=np.int16).reshape(n_traces, n_samples)


def put(data: bytes, byte: int, format: str, *values: float) -> bytes:
    changed = bytearray(data)
    struct.pack_into(format, changed, byte - 1, *values)
    return bytes(changed)


@given(
    revision=st.sampled_from(REVISIONS),
    order=st.sampled_from("><"),
    n_texts=st.integers(0, 3),
    additional=st.integers(0, 2),
    n_trailers=st.integers(0, 2),
    said=st.sampled_from(["exactly", "variably", "by offset"]),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 40)),
    ebcdic=st.booleans(),
)
def test_any_layout_of_the_standard_is_found(
    revision: tuple[int, int],
    order: str,
    n_texts: int,
    additional: int,
    n_trailers: int,
    said: str,
    shape: tuple[int, int],
    ebcdic: bool,
    make_segy: MakeSegy,
) -> None:
    encoding = "cp037" if ebcdic else "ascii"
    texts = [b"((SEG: Location Data))".decode().encode(encoding)] * n_texts if revision > (0, 0) else []
    additional, n_trailers = (additional, n_trailers) if revision >= (2, 0) else (0, 0)
    binary: dict[int, tuple[str, float]] = {3213: ("h", 2)}
    if texts and said == "variably":
        texts[-1] = END.decode().encode(encoding)
        binary[3505] = ("h", -1)
    if revision >= (2, 0) and said == "variably":
        binary[3529] = ("i", -1)
        binary[3513] = ("Q", shape[0])
    if revision >= (2, 0) and said == "by offset":
        binary |= {3505: ("h", -1), 3521: ("Q", 3600 + 3200 * len(texts)), 3513: ("Q", shape[0])}
    made = numbered(*shape)
    data = make_segy(
        made,
        format=3,
        order=order,
        revision=revision,
        texts=texts,
        additional=additional,
        trailers=["((SEG: Trailer))".encode(encoding)] * n_trailers,
        binary=binary,
    )
    layout = layout_of(data)
    assert layout == SegyLayout(
        byte_order=order,
        format_code=3,
        n_samples=shape[1],
        sample_interval_us=500.0,
        data_start=3600 + 3200 * len(texts),
        n_traces=shape[0],
        header_bytes=240 * (1 + additional),
        revision=revision,
        ensemble_traces=2,
    )
    np.testing.assert_array_equal(samples_of(data, layout), made)


def test_what_rev_2_extends_overrides_the_short_fields(make_segy: MakeSegy) -> None:
    binary = {3221: ("H", 7), 3269: ("I", 50), 3273: ("d", 62.5), 3213: ("h", 3), 3261: ("i", 40_000)}
    data = make_segy(numbered(), format=3, revision=(2, 0), binary=binary)
    layout = layout_of(data)
    assert (layout.n_samples, layout.sample_interval_us, layout.ensemble_traces) == (50, 62.5, 40_000)
    with pytest.raises(SegyError, match="says 7 samples a trace"):
        layout_of(put(data, 3501, "B", 1))  # these bytes mean nothing in rev 1


@pytest.mark.parametrize("order", "><")
def test_traces_longer_than_16_bits_can_count(order: str, make_segy: MakeSegy) -> None:
    made = np.arange(2 * 70_000, dtype=np.int32).reshape(2, -1)
    data = make_segy(made, format=2, order=order, revision=(2, 0))
    layout = layout_of(data)
    assert (layout.n_samples, layout.n_traces) == (70_000, 2)
    np.testing.assert_array_equal(samples_of(data, layout), made)


@pytest.mark.parametrize(
    ("bytes_3501", "revision"), [((0, 1), (1, 0)), ((0, 2), (2, 0)), ((1, 2), (2, 1)), ((2, 1), (2, 1))]
)
def test_a_little_endian_revision_may_be_swapped_or_not(
    bytes_3501: tuple[int, int], revision: tuple[int, int], make_segy: MakeSegy
) -> None:
    """Rev 1 has one 16-bit number there, rev 2 two bytes; writers of either do both."""
    data = put(make_segy(numbered(), format=3, order="<"), 3501, "BB", *bytes_3501)
    assert layout_of(data).revision == revision


def test_the_byte_order_mark_of_rev_2_decides_over_the_format_code(make_segy: MakeSegy) -> None:
    data = make_segy(numbered(), format=3, order="<", revision=(2, 0), binary={3225: ("h", 0x0300)})
    with pytest.raises(SegyError, match="format code 768 "):
        layout_of(data)
    assert layout_of(data, sample_format=3).byte_order == "<"


@pytest.mark.parametrize("major", [3, 32, 64, 255])
def test_leftovers_where_rev_0_has_no_revision_mean_nothing(major: int, make_segy: MakeSegy) -> None:
    data = put(put(make_segy(numbered(), format=3), 3501, "B", major), 3505, ">h", 5)
    assert layout_of(data).revision == (0, 0)
    assert layout_of(data).data_start == 3600


def test_trailers_of_unknown_number_are_found_by_their_stanza(make_segy: MakeSegy) -> None:
    """A trailer record is ten traces long here, so the size alone says nothing."""
    made = numbered(n_traces=40, n_samples=40)  # 320 bytes a trace
    data = make_segy(
        made,
        format=3,
        revision=(2, 0),
        trailers=[b"((SEG: Trailer))", b"goes on"],
        binary={3529: ("i", -1)},
    )
    assert layout_of(data).n_traces == 40
    none = make_segy(made, format=3, revision=(2, 0), binary={3529: ("i", -1)})
    assert layout_of(none).n_traces == 40


def test_feet_are_known(make_segy: MakeSegy) -> None:
    assert layout_of(make_segy(numbered(), format=3, binary={3255: ("h", 2)})).unit_m == 0.3048


@pytest.mark.parametrize(
    ("binary", "named"),
    [
        ({3225: ("h", 0)}, r"format code 0 in bytes 3225-3226, expected one of 1 = IBM float, .*--sample-format 5"),
        ({3225: ("h", 13)}, "format code 13"),
        ({3225: ("h", 4)}, r"fixed point with gain, is not supported.*--sample-format"),
        ({3221: ("H", 0)}, r"0 samples a trace at 500 us .* first trace's header 50 .*--n-samples 50$"),
        ({3217: ("H", 0)}, r"at 0 us .*--sample-interval-us 500$"),
        ({3221: ("H", 0), 3217: ("H", 0)}, "--n-samples 50 --sample-interval-us 500$"),
        ({3221: ("H", 60)}, r"says 60 samples .* does not fit .* say 50 .* fits .*--n-samples 60 or --n-samples 50$"),
        (
            {3225: ("h", 5)},
            r"code 5 in bytes 3225-3226 means 4 bytes a sample, .* with 2; pass --sample-format .* 3, 11$",
        ),
        ({3225: ("h", 6)}, r"means 8 bytes a sample, .* with 2; pass"),
        ({3225: ("h", 8)}, r"means 1 bytes a sample, .* with 2; pass"),
        ({3297: ("I", 0x02010403)}, r"every pair of bytes is swapped.*--byte-order"),
        ({3505: ("h", -2)}, "-2 extended text headers"),
        ({3505: ("h", -1)}, r"none of the 1 records after byte 3600 holds that stanza"),
        ({3505: ("h", 20)}, r"first trace should start at byte 67600 \(20 extended text headers"),
        ({3521: ("Q", 2**63)}, r"first trace should start at byte 9223372036854775808 \(bytes 3521-3528\)"),
        ({3521: ("Q", 100)}, "first trace should start at byte 100 "),
        ({3507: ("i", -1)}, "-1 additional trace headers"),
        ({3507: ("i", 2**31 - 1)}, "with 515396075520 bytes of headers"),
        ({3529: ("i", -2)}, "-2 trailer records"),
        ({3273: ("d", -1.0)}, r"says -1.0 us a sample .*--sample-interval-us"),
        ({3273: ("d", float("nan"))}, "says nan us"),
        ({3513: ("Q", 7)}, r"missing whole traces: the binary header says 7 .* the file holds 6"),
        ({3513: ("Q", 5)}, r"more traces than there should be: the binary header says 5 .* the file holds 6"),
    ],
)
def test_a_binary_header_that_lies_is_refused(
    binary: dict[int, tuple[str, float]], named: str, make_segy: MakeSegy
) -> None:
    data = make_segy(numbered(), format=3, revision=(2, 0), binary=binary)
    with pytest.raises(SegyError, match=rf"^f\.sgy.*{named}"):
        layout_of(data)


def test_missing_whole_traces_are_found_where_the_header_counts_them(make_segy: MakeSegy) -> None:
    data = make_segy(numbered(), format=3, revision=(2, 0), binary={3513: ("Q", 6)})
    assert layout_of(data).n_traces == 6
    with pytest.raises(SegyError, match=r"missing whole traces: .* says 6 .* holds 4; fetch"):
        layout_of(data[: -2 * 340])


@pytest.mark.parametrize(
    ("binary", "read_as"),
    [
        ({3225: ("h", 0)}, {"sample_format": 3}),
        ({3225: ("h", 99)}, {"sample_format": 3}),
        ({3225: ("h", 5)}, {"sample_format": 3}),
        ({3221: ("H", 0)}, {"n_samples": 50}),
        ({3221: ("H", 60)}, {"n_samples": 50}),
        ({3217: ("H", 0)}, {"sample_interval_us": 500.0}),
        ({3297: ("I", 0x02010403)}, {"byte_order": "big"}),
        ({3297: ("I", 0x04030201)}, {"byte_order": "big"}),
        ({3273: ("d", float("inf"))}, {"sample_interval_us": 500.0}),
    ],
)
def test_what_the_user_says_overrides_a_lie(
    binary: dict[int, tuple[str, float]], read_as: dict[str, object], make_segy: MakeSegy
) -> None:
    truth = make_segy(numbered(), format=3, revision=(2, 0))
    lie = make_segy(numbered(), format=3, revision=(2, 0), binary=binary)
    assert layout_of(lie, **read_as) == layout_of(truth)


def test_a_told_interval_may_be_a_fraction(make_segy: MakeSegy) -> None:
    assert layout_of(make_segy(numbered(), format=3), sample_interval_us=62.5).sample_interval_us == 62.5


def test_the_byte_order_of_a_file_without_format_code_can_be_told(make_segy: MakeSegy) -> None:
    data = make_segy(numbered(), format=3, order="<", binary={3225: ("h", 0)})
    assert layout_of(data, sample_format=3, byte_order="little").n_traces == 6


@pytest.mark.parametrize(
    "wrong",
    [
        {"byte_order": "middle"},
        {"sample_format": 4},
        {"sample_format": 0},
        {"n_samples": 0},
        {"n_samples": 2**32},
        {"sample_interval_us": 0.0},
        {"sample_interval_us": float("nan")},
        {"sample_interval_us": float("inf")},
    ],
)
def test_what_the_user_says_must_be_possible(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        ReadAs(**wrong)  # type: ignore[arg-type]


def test_a_tape_label_is_named(make_segy: MakeSegy) -> None:
    label = b"   1SY1.0RECORD".ljust(128)
    with pytest.raises(SegyError, match="starts with a SEG-Y tape label"):
        layout_of(label + make_segy(numbered(), format=3))


@pytest.mark.parametrize("size", [0, 1, 3600, 3839])
def test_less_than_a_trace_header_is_no_file(size: int) -> None:
    with pytest.raises(SegyError, match=rf"^f\.sgy is not a SEG-Y file: {size} bytes"):
        layout_of(bytes(size))


def test_only_a_little_of_a_large_file_is_read(make_segy: MakeSegy) -> None:
    small = make_segy(np.random.default_rng(0).normal(size=(1, 1000)).astype("f4"))
    trace = small[3600:]
    reads = []

    def read_at(offset: int, length: int) -> bytes:
        """Read a file that is one trace again and again."""
        reads.append(length)
        at = (offset - 3600) % len(trace)
        return (
            small[offset : offset + length] if offset < 3600 else (trace * (2 + length // len(trace)))[at : at + length]
        )

    assert read_layout(read_at, 3600 + 10**6 * len(trace), "big.sgy").n_traces == 10**6
    assert sum(reads) < 500_000
    assert len(reads) < 20


def test_the_real_surveys_are_believed(data_folder: Path) -> None:
    expected = {"geostack/geostack.sgy": (5, 14688)} | {f"danube_island/line_{i}.sgy": (1, 2256) for i in (1, 2, 3)}
    for name, (format, n_traces) in expected.items():
        layout = layout_of((data_folder / name).read_bytes())
        assert (layout.format_code, layout.n_traces, layout.n_samples) == (format, n_traces, 1024)
        assert (layout.byte_order, layout.sample_interval_us) == (">", 250.0)


def test_every_pair_of_orders_and_revisions_agrees(make_segy: MakeSegy) -> None:
    for revision, order in product(REVISIONS, "><"):
        layout = layout_of(make_segy(numbered(), format=3, order=order, revision=revision))
        assert (layout.revision, layout.byte_order) == (revision, order)
