"""What field files can have wrong with them that other readers pass over."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seisray.errors import SegyError
from seisray.gather import Gather
from seisray.ingest import IngestConfig, ingest
from seisray.ingest.rejects import read_rejects
from seisray.ingest.verify import verify
from seisray.registry import Store

pytestmark = pytest.mark.usefixtures("ray_session")

LineGathers = Callable[..., list[Gather]]
WriteSegy = Callable[..., Path]


@pytest.mark.parametrize("short", [2, 9])
@pytest.mark.usefixtures("small_ranges")
def test_a_gather_that_lacks_a_trace_is_rejected(
    short: int, line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    made = line_gathers(10)
    made[short] = made[short].take(np.delete(np.arange(12), 5))
    path = write_segy(tmp_path / "line.sgy", made)
    survey = ingest("line", [str(path)], store=store)
    (reject,) = read_rejects(Store(store).folder("surveys", "line"))
    assert (survey.n_gathers, survey.n_traces, survey.rejects) == (9, 108, 1)
    assert (reject.ffid, reject.n_traces, reject.first_byte) == (101 + short, 11, 3600 + short * 12 * (240 + 512))
    assert "11 traces, the other gathers of the file have 12; pass --allow-incomplete" in reject.reason
    assert verify("line", store=store).n_rejected == 11
    whole = ingest("line", [str(path)], store=store, config=IngestConfig(allow_incomplete=True), replace=True)
    assert (whole.n_gathers, whole.rejects) == (10, 0)


def test_gathers_of_a_line_that_rolls_on_have_as_many_traces_as_they_have(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    rolling = [gather.take(np.arange(12 - abs(5 - i))) for i, gather in enumerate(line_gathers(10))]
    survey = ingest("line", [str(write_segy(tmp_path / "line.sgy", rolling))], store=store)
    assert (survey.n_gathers, survey.rejects) == (10, 0)


def test_labels_of_a_rejected_gather_do_not_stop_the_others(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    made = line_gathers(3)
    made[1].samples[4, 5] = np.nan
    (tmp_path / "picks.csv").write_text("ffid,trace,time_ms\n101,1,30\n102,1,30\n102,2,31\n")
    config = IngestConfig(picks=str(tmp_path / "picks.csv"))
    survey = ingest("line", [str(write_segy(tmp_path / "line.sgy", made))], store=store, config=config)
    assert (survey.n_labelled, survey.unused_labels, survey.rejects) == (1, 2, 1)


def test_dead_gathers_and_copied_traces_are_rejected(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    made = line_gathers(4)
    made[1].samples[:] = 0
    made[2].samples[7] = made[2].samples[9]
    survey = ingest("line", [str(write_segy(tmp_path / "line.sgy", made))], store=store)
    rejects = read_rejects(Store(store).folder("surveys", "line"))
    assert (survey.n_gathers, [reject.ffid for reject in rejects]) == (2, [102, 103])
    assert [reject.reason for reject in rejects] == [
        "all traces are dead",
        "traces 8 and 10 hold the same samples; one was written twice",
    ]


def test_clipped_traces_are_not_taken_for_copies(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    made = line_gathers(2)
    clipped = [gather.replace(samples=np.clip(gather.samples, -50, 50)) for gather in made]
    assert ingest("line", [str(write_segy(tmp_path / "line.sgy", clipped))], store=store).rejects == 0


@pytest.mark.parametrize("cut_bytes", [4, 700])
def test_a_file_cut_in_a_trace_is_refused_before_anything_is_written(
    cut_bytes: int, line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    path = write_segy(tmp_path / "line.sgy", line_gathers())
    path.write_bytes(path.read_bytes()[:-cut_bytes])
    with pytest.raises(SegyError, match=rf"{752 - cut_bytes} of 752 bytes"):
        ingest("line", [str(path)], store=store)
    assert not Path(store).exists()
