from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import segyio

from seisray.errors import SegyError
from seisray.formats.segy import read_gathers, read_layout
from seisray.formats.segy_writer import segy_bytes
from seisray.gather import PER_TRACE, Gather

LineGathers = Callable[..., list[Gather]]


@pytest.fixture(scope="module")
def gathers(line_gathers: LineGathers) -> list[Gather]:
    return line_gathers(delay_ms=-10.0, sample_interval_us=250.0)


@pytest.fixture(scope="module")
def path(gathers: list[Gather], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("written") / "line.sgy"
    path.write_bytes(b"".join(segy_bytes(gathers, text="made for a test")))
    return path


def test_what_is_written_is_read_back(gathers: list[Gather], path: Path) -> None:
    data = path.read_bytes()

    def read_at(offset: int, length: int) -> bytes:
        return data[offset : offset + length]

    layout = read_layout(read_at, len(data), "line.sgy")
    found = list(read_gathers(read_at, layout, 0, layout.n_traces, survey="line", source_file="line.sgy"))
    for ours, made in zip(found, gathers, strict=True):
        assert isinstance(ours, Gather)
        for name in ("gather_id", "ffid", "shot_point", "sample_interval_us", "delay_ms"):
            assert getattr(ours, name) == getattr(made, name)
        np.testing.assert_array_equal(ours.samples, made.samples)
        for name in set(PER_TRACE) - {"first_break_ms"}:
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
    data = b"".join(segy_bytes([noisy]))
    layout = read_layout(lambda at, n: data[at : at + n], len(data), "f")
    found = next(read_gathers(lambda at, n: data[at : at + n], layout, 0, 12, survey="", source_file="f"))
    assert isinstance(found, Gather)
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
