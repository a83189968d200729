import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisray.errors import ConfigError, PicksError
from seisray.formats.segy.headers import HeaderField
from seisray.formats.segy.layout import SegyLayout
from seisray.formats.segy.stamp import header_values, pick_field, stamp

PER_MS = {"ms": 1.0, "us": 1e3, "s": 1e-3, "samples": 4.0}


@given(
    times=st.lists(st.none() | st.floats(1, 8000), min_size=1, max_size=20),
    format=st.sampled_from(["int16", "int32", "uint16", "float32", "float64"]),
    unit=st.sampled_from(["ms", "us", "s", "samples"]),
    order=st.sampled_from("<>"),
)
def test_a_header_gives_the_times_back_within_the_rounding_told(
    times: list[float | None], format: str, unit: str, order: str
) -> None:
    time_ms = np.array([np.nan if time is None else time for time in times])
    field = HeaderField(byte=201, format=format)
    try:
        values, rounding_ms = header_values(time_ms, field, unit, 250.0, "p")
    except PicksError:
        return
    layout = SegyLayout(
        byte_order=order, format_code=5, n_samples=2, sample_interval_us=250.0, data_start=3600, n_traces=len(times)
    )
    blocks = np.arange(248 * len(times), dtype=np.uint64).astype(np.uint8).reshape(-1, 248)
    made = stamp(blocks, values, np.ones(len(times), dtype=bool), field, layout)
    back = field.read(made, order).astype(np.float64) / PER_MS[unit]
    picked = np.isfinite(time_ms)
    assert ((back > 0) == picked).all()
    assert np.abs(back - time_ms)[picked].max(initial=0) <= rounding_ms + 1e-9
    same = np.ones(248, dtype=bool)
    same[200 : field.last_byte] = False
    assert (made[:, same] == blocks[:, same]).all()


def test_traces_that_are_not_known_keep_their_bytes() -> None:
    layout = SegyLayout(
        byte_order=">", format_code=5, n_samples=1, sample_interval_us=250.0, data_start=3600, n_traces=2
    )
    blocks = np.full((2, 244), 7, dtype=np.uint8)
    field = HeaderField(byte=201, format="int16")
    made = stamp(blocks, np.array([5.0, 5.0]), np.array([True, False]), field, layout)
    assert made[0, 200:202].tolist() == [0, 5]
    assert (made[1] == 7).all()


@pytest.mark.parametrize(
    ("time_ms", "format", "unit", "named"),
    [
        (40.0, "int16", "us", "1 picks, the largest at 40 ms, do not fit int16 in us"),
        (0.4, "int16", "ms", "would be 0 or less in int16 ms"),
        (-5.0, "float32", "ms", "would be 0 or less"),
        (40.0, "int16", "s", "would be 0 or less"),
    ],
)
def test_what_a_word_cannot_hold_is_refused(time_ms: float, format: str, unit: str, named: str) -> None:
    with pytest.raises(PicksError, match=named):
        header_values(np.array([time_ms]), HeaderField(byte=201, format=format), unit, 250.0, "p")


def test_rounding_is_told() -> None:
    _, rounding_ms = header_values(np.array([12.3, np.nan]), HeaderField(byte=201, format="int16"), "ms", 250.0, "p")
    assert rounding_ms == pytest.approx(0.3)


@pytest.mark.parametrize("header", ["first_break=108:int16", "first_break=73", "ffid=201", "first_break", "x=3"])
def test_picks_go_only_where_nothing_else_stands(header: str) -> None:
    with pytest.raises(ConfigError, match=r"hold|expected first_break=byte|expected name=byte"):
        pick_field(header)
