import io
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

from seisray.errors import Seg2Error
from seisray.formats.seg2 import read_seg2


@pytest.fixture(scope="module")
def shot(data_folder: Path) -> bytes:
    return (data_folder / "soda_lakes" / "raw" / "Shot_01007.sg2").read_bytes()


def test_samples_are_what_obspy_reads(shot: bytes) -> None:
    import obspy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ObsPy warns of every DELAY
        expected = np.stack([trace.data for trace in obspy.read(io.BytesIO(shot), format="SEG2")])
    found = read_seg2(shot, survey="soda", source_file="raw/Shot_01007.sg2")
    assert found.samples.shape == (96, 2048)
    np.testing.assert_array_equal(found.samples, expected.astype(np.float32))


def test_the_ffid_is_the_number_in_the_name(shot: bytes) -> None:
    found = read_seg2(shot, survey="soda", source_file="raw/Shot_01007.sg2")
    assert (found.ffid, found.gather_id) == (1007, "Shot_01007-1007")


def test_interval_and_delay_are_kept(shot: bytes) -> None:
    found = read_seg2(shot, survey="soda", source_file="Shot_01007.sg2")
    assert (found.sample_interval_us, found.delay_ms) == (250.0, -10.0)


def test_another_file_is_no_seg2() -> None:
    with pytest.raises(Seg2Error, match=r"f\.sg2 is not a SEG-2 file: it starts with 504b"):
        read_seg2(b"PK" + bytes(100), survey="s", source_file="f.sg2")


@pytest.mark.parametrize("size", [2, 31, 40, 500, 20_000])
def test_a_file_cut_short_is_named(size: int, shot: bytes) -> None:
    with pytest.raises(Seg2Error, match=r"^f\.sg2(, \d+ bytes,)? cannot be read as SEG-2"):
        read_seg2(shot[:size], survey="s", source_file="f.sg2")


@pytest.mark.parametrize("word", [b"DELAY", b"CHANNEL_NUMBER", b"RECEIVER_LOCATION"])
def test_a_header_word_that_is_no_number_is_a_fault_of_the_file(word: bytes, shot: bytes) -> None:
    found = re.search(word + rb" +([-\d.]+)", shot)
    assert found is not None
    damaged = shot[: found.start(1)] + b"x" * len(found[1]) + shot[found.end(1) :]
    with pytest.raises(Seg2Error, match=r"^f\.sg2(, \d+ bytes,)? cannot be read as SEG-2"):
        read_seg2(damaged, survey="s", source_file="f.sg2")
