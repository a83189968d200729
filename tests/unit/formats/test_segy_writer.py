from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import segyio

from seisray.errors import SegyError
from seisray.formats.segy.file import read_layout
from seisray.formats.segy.gathers import Reading, gathers_starting_in, read_range
from seisray.formats.segy.headers import STANDARD
from seisray.formats.segy.key import gather_key
from seisray.formats.segy.layout import SAMPLE_FORMATS, SegyLayout
from seisray.formats.segy.samples import decode_samples
from seisray.formats.segy.writer import segy_bytes, trace_blocks
from seisray.gather import PER_TRACE, Gather

LineGathers = Callable[..., list[Gather]]


def read_back(data: bytes) -> list[Gather]:
    def read_at(offset: int, length: int) -> bytes:
        return data[offset : offset + length]

    layout = read_layout(read_at, len(data), "line.sgy")
    key = gather_key("ffid", STANDARD)
    reading = Reading(
        survey="line", name="line", source_file="line.sgy", source=0, layout=layout, key=key, mapping=STANDARD
    )
    blocks = read_range(read_at, layout, 0, layout.n_traces)
    found = list(gathers_starting_in(blocks, 0, read_at, reading))
    assert all(isinstance(gather, Gather) for gather in found)
    return [gather for gather in found if isinstance(gather, Gather)]


@pytest.fixture(scope="module")
def gathers(line_gathers: LineGathers) -> list[Gather]:
    return line_gathers(delay_ms=-10.0, sample_interval_us=250.0)


@pytest.fixture(scope="module")
def path(gathers: list[Gather], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("written") / "line.sgy"
    path.write_bytes(b"".join(segy_bytes(gathers, text="made for a test")))
    return path


def test_what_is_written_is_read_back(gathers: list[Gather], path: Path) -> None:
    for ours, made in zip(read_back(path.read_bytes()), gathers, strict=True):
        for name in ("gather_id", "ffid", "shot_point", "sample_interval_us", "delay_ms"):
            assert getattr(ours, name) == getattr(made, name)
        np.testing.assert_array_equal(ours.samples, made.samples)
        for name in set(PER_TRACE) - {"first_break_ms", "source_trace"}:
            np.testing.assert_allclose(getattr(ours, name), getattr(made, name), rtol=1e-12, err_msg=name)


def test_segyio_reads_the_same_samples_and_headers(gathers: list[Gather], path: Path) -> None:
    keys = segyio.TraceField
    with segyio.open(str(path), ignore_geometry=True) as file:
        np.testing.assert_array_equal(file.trace.raw[:], np.concatenate([g.samples for g in gathers]))
        np.testing.assert_array_equal(file.attributes(keys.FieldRecord)[:], np.repeat([101, 102, 103], 12))
        np.testing.assert_array_equal(file.attributes(keys.DelayRecordingTime)[:], -10)
        np.testing.assert_array_equal(file.attributes(keys.GroupX)[:12] / 100, gathers[0].receiver_x_m)
        assert file.bin[segyio.BinField.Interval] == 250
        assert b"made for a test" in file.text[0]


def test_dead_traces_stay_dead(gathers: list[Gather]) -> None:
    noisy = gathers[0].replace(live=np.arange(12) != 5)
    (found,) = read_back(b"".join(segy_bytes([noisy])))
    np.testing.assert_array_equal(np.flatnonzero(~found.live), [2, 5])


def test_gathers_of_two_samplings_need_two_files(line_gathers: LineGathers) -> None:
    with pytest.raises(SegyError, match=r"128 samples at 1000\.0 us, the file 128 at 500\.0 us"):
        list(segy_bytes([line_gathers(1, sample_interval_us=500.0)[0], line_gathers(1)[0]]))


@pytest.mark.parametrize("interval_us", [62.5, 70_000.0])
def test_an_interval_that_the_header_cannot_hold_is_refused(interval_us: float, gathers: list[Gather]) -> None:
    with pytest.raises(SegyError, match="whole microseconds"):
        list(segy_bytes([gathers[0].replace(sample_interval_us=interval_us)]))


def test_text_outside_the_character_set_of_the_header_does_not_stop_a_file(gathers: list[Gather]) -> None:
    assert len(b"".join(segy_bytes(gathers[:1], text="Šípek → north"))) == 3600 + 12 * (240 + 4 * 128)


@pytest.mark.parametrize("byte_order", [">", "<"])
@pytest.mark.parametrize("code", SAMPLE_FORMATS)
def test_traces_go_back_into_any_format(code: int, byte_order: str) -> None:
    layout = SegyLayout(
        byte_order=byte_order, format_code=code, n_samples=6, sample_interval_us=1.0, data_start=3600, n_traces=2
    )
    samples = np.float32([[0, 1, 2, 100, 127, 3], [5, 4, 3, 2, 1, 0]])
    if SAMPLE_FORMATS[code].dtype[0] != "u" or code == 1:
        samples[1] *= -1
    headers = np.arange(480, dtype=np.uint8).reshape(2, 240)
    blocks = trace_blocks(samples, headers, layout)
    assert blocks.shape == (2, layout.trace_bytes)
    np.testing.assert_array_equal(blocks[:, :240], headers)
    np.testing.assert_array_equal(decode_samples(blocks, layout), samples)


def test_whole_numbers_stay_within_their_format() -> None:
    layout = SegyLayout(byte_order=">", format_code=3, n_samples=3, sample_interval_us=1.0, data_start=3600, n_traces=1)
    blocks = trace_blocks(np.float32([[32767.2, -32768.4, 0.6]]), np.zeros((1, 240), dtype=np.uint8), layout)
    np.testing.assert_array_equal(decode_samples(blocks, layout), [[32767, -32768, 1]])
