from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisray.errors import PicksError
from seisray.formats.geometry import read_geometry
from seisray.formats.picks.files import read_first_breaks
from seisray.formats.picks.first_breaks import FirstBreaks, PickOrigin
from seisray.formats.picks.located import LocatedFirstBreaks
from seisray.gather import Gather

LineGathers = Callable[..., list[Gather]]
CSV = b"ffid,trace,time_ms\n101,2,40.5\n101,1,30\n"
SGT = b"3 # points\n#x y\n0 0\n2 0\n0.25 0\n2 # measurements\n#s g t\n3 1 0.030\n3 2 0.0405\n0\n"
VS = b"1996 0 3.0\n0 1 2.0\n0.25 2 0.0\n0.0 30.0 1\n2.0 40.5 1\n0 0\n0\n0 0\n"


@pytest.fixture(scope="module")
def gather(line_gathers: LineGathers) -> Gather:
    return line_gathers(1, delay_ms=-10.0)[0].replace(first_break_ms=np.full(12, np.nan))


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (CSV, "p.csv", FirstBreaks),
        (CSV, "p.txt", FirstBreaks),
        (SGT, "p.sgt", LocatedFirstBreaks),
        (SGT, "s3://b/line.1/P.PCK", LocatedFirstBreaks),
        (b"# by me\n" + SGT, "p.txt", LocatedFirstBreaks),
        (VS, "p.vs", LocatedFirstBreaks),
        (VS, "picks", LocatedFirstBreaks),
    ],
)
@pytest.mark.parametrize(("origin", "shift_ms"), [("first-sample", 0), ("shot", 10)])
def test_a_file_is_read_as_what_it_is(
    data: bytes, name: str, kind: type, origin: PickOrigin, shift_ms: float, gather: Gather
) -> None:
    labels = read_first_breaks(data, name, origin)
    assert isinstance(labels, kind)
    assert labels.n_labels == 2
    np.testing.assert_allclose(labels.on(gather).first_break_ms[:2], [30 + shift_ms, 40.5 + shift_ms], rtol=1e-6)


@pytest.mark.parametrize(("data", "name", "first_ms"), [(CSV, "p.csv", 30), (SGT, "p.sgt", 40), (VS, "p.vs", 40)])
def test_each_format_counts_from_its_own_origin(data: bytes, name: str, first_ms: float, gather: Gather) -> None:
    assert read_first_breaks(data, name).on(gather).first_break_ms[0] == first_ms


@pytest.mark.parametrize("name", ["p.csv", "p.sgt", "p.vs", "p"])
@given(data=st.binary(max_size=300))
def test_rubbish_is_refused(name: str, data: bytes) -> None:
    with pytest.raises(PicksError, match=r"^p"):
        read_first_breaks(data, name)


@given(st.data())
def test_a_damaged_file_is_refused_or_read(data: st.DataObject) -> None:
    good, name = data.draw(st.sampled_from([(CSV, "p.csv"), (SGT, "p.sgt"), (VS, "p.vs")]))
    damaged = bytearray(good)
    for _ in range(data.draw(st.integers(1, 5))):
        at, digits = (
            data.draw(st.integers(0, len(damaged))),
            data.draw(st.sampled_from([b"9" * 25, b"-", b"\n", b"nan", b"e9"])),
        )
        damaged[at : at + data.draw(st.integers(0, 3))] = data.draw(st.one_of(st.just(digits), st.binary(max_size=2)))
    with suppress(PicksError):
        labels = read_first_breaks(bytes(damaged), name)
        assert labels.n_labels > 0
        assert np.isfinite(labels.time_ms).all()


def test_real_picks_written_by_place_label_the_same_traces(data_folder: Path) -> None:
    """soda_lakes: two crossing lines of 48; its picks as a .pck at the places of its geometry."""
    folder = data_folder / "soda_lakes"
    geometry = read_geometry([((folder / "geometry.csv").read_bytes(), "geometry.csv")])
    labels = read_first_breaks((folder / "picks.csv").read_bytes(), "picks.csv")
    assert isinstance(labels, FirstBreaks)
    records = [
        geometry.on(Gather(
            survey="s", gather_id=str(ffid), source_file="s", ffid=ffid, shot_point=0, sample_interval_us=250.0,
            delay_ms=-10.0, samples=np.ones((96, 2048), dtype=np.float32),
        ))
        for ffid in (1001, 1025, 1060)
    ]  # fmt: skip
    receivers = [
        f"{x:.3f}\t{y:.3f}\t120" for x, y in zip(records[0].receiver_x_m, records[0].receiver_y_m, strict=True)
    ]
    shots = [f"{gather.source_x_m[0]:.3f}\t{gather.source_y_m[0]:.3f}\t120" for gather in records]
    rows = [
        f"{97 + i:03}\t{trace:03}\t{(time_ms + gather.delay_ms) / 1000:.8f}\t1"
        for i, gather in enumerate(records)
        for trace, time_ms in zip(gather.trace, labels.on(gather).first_break_ms, strict=True)
        if np.isfinite(time_ms)
    ]
    lines = ["99", "# x y z", *receivers, *shots, str(len(rows)), "# s g t valid ", *rows, "0", ""]
    located = read_first_breaks("\n".join(lines).encode(), "picks.pck")
    for gather in records:
        np.testing.assert_allclose(located.on(gather).first_break_ms, labels.on(gather).first_break_ms, atol=1e-3)
    assert sum(located.on(gather).labelled.sum() for gather in records) == located.n_labels == len(rows)
