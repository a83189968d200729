"""What field files can have wrong with them that other readers pass over."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seisray import shards
from seisray.errors import ConfigError, FormatError, PicksError, SegyError, StorageError
from seisray.gather import Gather
from seisray.ingest import IngestConfig, ingest, tally
from seisray.ingest.rejects import read_rejects
from seisray.ingest.verify import verify
from seisray.registry import Store, Survey

pytestmark = pytest.mark.usefixtures("ray_session")

LineGathers = Callable[..., list[Gather]]
WriteSegy = Callable[..., Path]
TRACE_BYTES = 240 + 4 * 128


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
    made[2].samples[7], made[2].channel[7] = made[2].samples[9], made[2].channel[9]
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


def test_a_number_that_tells_no_shots_apart_is_named(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    constant = [gather.replace(ffid=7, shot_point=i) for i, gather in enumerate(line_gathers(12))]
    path = write_segy(tmp_path / "line.sgy", constant)
    with pytest.raises(FormatError, match=r"field record 7, channel 1 occurs 12 times among 144 traces.*--group-by"):
        ingest("line", [str(path)], store=store)
    survey = ingest("line", [str(path)], store=store, config=IngestConfig(group_by="shot_point"))
    assert (survey.n_gathers, survey.rejects) == (12, 0)


@pytest.mark.parametrize("apart", [False, True])
def test_labels_of_a_number_used_twice_are_refused(
    apart: bool, line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    made = line_gathers(3)
    again = made[0].replace(samples=made[0].samples * 2)
    path = write_segy(tmp_path / "line.sgy", [made[0], *(made[1:] if apart else []), again])
    (tmp_path / "picks.csv").write_text("ffid,trace,time_ms\n101,1,30\n")
    with pytest.raises(PicksError, match="FFID 101 is on 2 gathers"):
        ingest("line", [str(path)], store=store, config=IngestConfig(picks=str(tmp_path / "picks.csv")))


def test_a_shot_at_the_origin_keeps_its_place(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    made = [gather.replace(source_x_m=np.full(12, 4.0 * i)) for i, gather in enumerate(line_gathers(3))]
    survey = ingest("line", [str(write_segy(tmp_path / "line.sgy", made))], store=store)
    first = next(shards.read_gathers(Store(store).shard(survey, 0)))
    np.testing.assert_array_equal(first.source_x_m, 0)
    np.testing.assert_array_equal(first.source_y_m, 0)
    assert np.isnan(first.source_z_m).all()  # zero on every trace of the file


def test_traces_lost_to_a_fault_take_their_whole_gather_along(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    made = line_gathers(4)
    path = write_segy(tmp_path / "line.sgy", made)
    data = bytearray(path.read_bytes())
    struct.pack_into(">h", data, 3600 + 13 * TRACE_BYTES + 114, 77)  # a sample count, of channel 2 of the second shot
    path.write_bytes(data)
    survey = ingest("line", [str(path)], store=store, config=IngestConfig(group_by="channel", encoding="float32"))
    rejects = read_rejects(Store(store).folder("surveys", "line"))
    by_channel = [reject for reject in rejects if reject.gather_id in ("2", "line-2")]
    assert sum(reject.n_traces for reject in by_channel) == 4
    assert (survey.n_gathers, survey.n_traces) == (10, 40)  # channel 3 is dead
    assert verify("line", store=store).n_rejected == 8


def test_pieces_that_do_not_fit_together_are_all_rejected(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    long, short = line_gathers(3), line_gathers(3, n_samples=64)
    files = [
        str(write_segy(tmp_path / "long.sgy", [gather.take(np.arange(6)) for gather in long])),
        str(write_segy(tmp_path / "short.sgy", [*(gather.take(np.arange(6, 12)) for gather in short[1:])])),
    ]
    survey = ingest("line", files, store=store)
    rejects = read_rejects(Store(store).folder("surveys", "line"))
    assert (survey.n_gathers, sum(reject.n_traces for reject in rejects)) == (1, 24)
    assert {Path(reject.source_file).name for reject in rejects} == {"long.sgy", "short.sgy"}
    assert verify("line", store=store).n_rejected == 24


def test_a_file_that_changes_while_it_is_read_makes_no_survey(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_segy(tmp_path / "line.sgy", line_gathers())
    whole = tally.manifest

    def then_change(*given: Any) -> Survey:
        survey = whole(*given)
        path.write_bytes(path.read_bytes()[:-4] + b"abcd")
        return survey

    monkeypatch.setattr(tally, "manifest", then_change)
    with pytest.raises(StorageError, match=r"line\.sgy changed while it was read"):
        ingest("line", [str(path)], store=store)
    assert Store(store).names("surveys") == []


def test_sorting_by_offsets_that_nobody_knows_is_refused(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    bare = [
        gather.replace(source_x_m=np.zeros(12), receiver_x_m=np.zeros(12), offset_m=np.zeros(12))
        for gather in line_gathers()
    ]
    with pytest.raises(FormatError, match="neither offsets nor coordinates to sort by"):
        ingest(
            "line",
            [str(write_segy(tmp_path / "line.sgy", bare))],
            store=store,
            config=IngestConfig(sort_by="offset"),
        )


@pytest.mark.parametrize("wrong", [{"sort_by": "time"}, {"encoding": "int8"}, {"pick_unit": "min"}, {"n_samples": 0}])
def test_a_setting_outside_its_choices_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        IngestConfig(**wrong)


def test_a_channel_number_used_twice_in_a_shot_rejects_it(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    made = line_gathers(3)
    made[1].channel[4] = made[1].channel[3]
    survey = ingest("line", [str(write_segy(tmp_path / "line.sgy", made))], store=store)
    (reject,) = read_rejects(Store(store).folder("surveys", "line"))
    assert (survey.n_gathers, reject.n_traces) == (2, 12)
    assert "field record 102, channel 4 occurs 2 times among 12 traces; channel numbers must tell" in reject.reason


def test_a_sample_count_that_cannot_be_is_refused(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    file = write_segy(tmp_path / "line.sgy", line_gathers())
    data = bytearray(file.read_bytes())
    for trace in range(36):
        struct.pack_into(">H", data, 3600 + trace * TRACE_BYTES + 114, 128)
    file.write_bytes(data)
    path = str(file)
    with pytest.raises(SegyError, match="--n-samples 64 cannot be: trace headers say 128"):
        ingest("line", [path], store=store, config=IngestConfig(n_samples=64))


def test_a_survey_that_may_not_be_what_was_meant_is_remarked_upon(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = [str(write_segy(tmp_path / f"{n}.sgy", line_gathers(2, n_samples=n, seed=n))) for n in (64, 128)]
    ingest("line", files, store=store)
    said = capfd.readouterr().err
    assert "2 FFIDs, such as 101, are on several gathers" in said
    assert "gathers have 64, 128 samples a trace" in said


def test_a_record_that_cannot_be_read_leaves_the_others(data_folder: Path, store: str, tmp_path: Path) -> None:
    for shot in ("Shot_01001.sg2", "Shot_01002.sg2"):
        (tmp_path / shot).write_bytes((data_folder / "soda_lakes" / "raw" / shot).read_bytes())
    cut = tmp_path / "Shot_01002.sg2"
    cut.write_bytes(cut.read_bytes()[:400_000])
    survey = ingest("soda", [str(tmp_path / shot) for shot in ("Shot_01001.sg2", "Shot_01002.sg2")], store=store)
    (reject,) = read_rejects(Store(store).folder("surveys", "soda"))
    assert (survey.n_gathers, Path(reject.source_file).name) == (1, "Shot_01002.sg2")
    assert "400000 bytes, cannot be read as SEG-2; is it cut?" in reject.reason


def test_a_survey_is_rebuilt_or_added_to(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    path = str(write_segy(tmp_path / "line.sgy", line_gathers()))
    with pytest.raises(ConfigError, match="give one of them"):
        ingest("line", [path], store=store, replace=True, append=True)
    with pytest.raises(ConfigError, match="ffid is given twice"):
        ingest("line", [path], store=store, config=IngestConfig(header=("ffid=9", "ffid=17")))
