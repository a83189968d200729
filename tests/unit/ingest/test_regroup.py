from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from seisray.errors import ConfigError
from seisray.gather import Gather
from seisray.ingest import IngestConfig, ingest, probe
from seisray.ingest.verify import verify
from seisray.registry import Survey

pytestmark = pytest.mark.usefixtures("ray_session", "small_ranges")

LineGathers = Callable[..., list[Gather]]
WriteSegy = Callable[..., Path]
GathersIn = Callable[[Survey], dict[str, Gather]]
Content = Callable[[str | Path], dict[str, bytes]]
TRACE_BYTES = 240 + 4 * 128
FLOAT32 = IngestConfig(encoding="float32")


def interleaved(gathers: Sequence[Gather]) -> list[Gather]:
    """Return gathers of one trace each, as a file sorted by receiver holds them."""
    return [
        one.take(np.array([trace])).replace(trace=np.array([1]))
        for trace in range(gathers[0].n_traces)
        for one in gathers
    ]


@pytest.mark.parametrize("seen", [True, False], ids=["seen by the probe", "seen by the tasks"])
def test_traces_in_any_order_become_the_same_gathers(
    seen: bool,
    line_gathers: LineGathers,
    write_segy: WriteSegy,
    store: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    gathers_in: GathersIn,
) -> None:
    if not seen:
        monkeypatch.setattr(
            "seisray.ingest.survey.glance", lambda _: probe.Glance(recorded=frozenset(), scattered=None)
        )
    made = line_gathers(5)
    path = write_segy(tmp_path / "line.sgy", interleaved(made))
    survey = ingest("line", [str(path)], store=store, config=FLOAT32)
    found = gathers_in(survey)
    assert "regrouped by ffid" in capfd.readouterr().err
    assert sorted(found) == [f"line-{gather.ffid}" for gather in made]
    for gather in made:
        ours = found[f"line-{gather.ffid}"]
        np.testing.assert_array_equal(ours.samples, gather.samples)
        np.testing.assert_array_equal(ours.channel, gather.channel)
        np.testing.assert_array_equal(ours.trace, gather.trace)
        np.testing.assert_array_equal(ours.source_trace, np.arange(12) * 5 + gather.ffid - 100)
    assert {path.name for path in (Path(store) / "surveys" / "line").iterdir()} == {
        "manifest.json",
        "shards",
        "file_headers.parquet",
    }
    assert verify("line", store=store).n_exact == 60


def test_receiver_gathers_hold_what_each_shot_left_on_a_receiver(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path, gathers_in: GathersIn
) -> None:
    made = line_gathers(5)
    path = write_segy(tmp_path / "line.sgy", made)
    picks = tmp_path / "picks.csv"
    picks.write_text("ffid,channel,time_ms\n103,7,33\n104,7,34\n")
    config = IngestConfig(encoding="float32", group_by="receiver", picks=str(picks))
    survey = ingest("line", [str(path)], store=store, config=config)
    found = gathers_in(survey)
    assert (survey.n_gathers, survey.n_traces, survey.n_labelled, survey.rejects) == (11, 55, 2, 1)  # channel 3 is dead
    seventh = found["line-1200-0"]  # 12 m, in centimetres
    np.testing.assert_array_equal(seventh.field_record, [101, 102, 103, 104, 105])
    np.testing.assert_array_equal(seventh.samples, [gather.samples[6] for gather in made])
    np.testing.assert_array_equal(seventh.first_break_ms, [np.nan, np.nan, 33, 34, np.nan])
    assert verify("line", store=store).n_rejected == 5


def test_gathers_split_over_files_are_joined(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path, gathers_in: GathersIn
) -> None:
    made = line_gathers(3)
    halves = [[gather.take(np.arange(*half)) for gather in made] for half in ((0, 6), (6, 12))]
    files = [str(write_segy(tmp_path / f"{name}.sgy", half)) for name, half in zip("ab", halves, strict=True)]
    found = gathers_in(ingest("line", files, store=store, config=FLOAT32))
    assert sorted(found) == ["a-101", "a-102", "a-103"]
    for gather in made:
        np.testing.assert_array_equal(found[f"a-{gather.ffid}"].samples, gather.samples)
        np.testing.assert_array_equal(found[f"a-{gather.ffid}"].source, [0] * 6 + [1] * 6)


def test_a_gather_that_goes_on_in_the_next_file_is_joined(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path, gathers_in: GathersIn
) -> None:
    made = line_gathers(3)
    first = [made[0], made[1].take(np.arange(5))]
    second = [made[1].take(np.arange(5, 12)), made[2]]
    files = [str(write_segy(tmp_path / f"{name}.sgy", half)) for name, half in (("a", first), ("b", second))]
    found = gathers_in(ingest("line", files, store=store, config=FLOAT32))
    assert {name: gather.n_traces for name, gather in found.items()} == {"a-101": 12, "a-102": 12, "b-103": 12}
    np.testing.assert_array_equal(found["a-102"].samples, made[1].samples)


def test_files_that_number_their_shots_alike_keep_their_own_gathers(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path, gathers_in: GathersIn
) -> None:
    for day in ("day 1", "day 2"):
        (tmp_path / day).mkdir()
        write_segy(tmp_path / day / "line.sgy", line_gathers(3, seed=len(day)))
    found = gathers_in(ingest("line", [str(tmp_path / day) for day in ("day 1", "day 2")], store=store))
    assert sorted(found) == [f"day {day}-line-{ffid}" for day in (1, 2) for ffid in (101, 102, 103)]


def test_a_shot_fired_again_under_its_number_is_a_gather_of_its_own(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path, gathers_in: GathersIn
) -> None:
    made = line_gathers(3)
    again = [*made, made[0].replace(samples=3 * made[0].samples + 1)]
    found = gathers_in(ingest("line", [str(write_segy(tmp_path / "line.sgy", again))], store=store, config=FLOAT32))
    assert sorted(found) == ["line-101", "line-101@37", "line-102", "line-103"]
    np.testing.assert_array_equal(found["line-101"].samples, made[0].samples)
    np.testing.assert_array_equal(found["line-101@37"].samples, again[3].samples)


def test_an_interrupted_regrouping_goes_on_and_ends_the_same(
    line_gathers: LineGathers,
    write_segy: WriteSegy,
    store: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: Content,
) -> None:
    path = str(write_segy(tmp_path / "line.sgy", interleaved(line_gathers(5))))
    ingest("line", [path], store=str(tmp_path / "undisturbed"), config=FLOAT32)
    with monkeypatch.context() as patch:
        patch.setattr("seisray.ingest.survey._without_incomplete", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            ingest("line", [path], store=store, config=FLOAT32, resume=True)
    folder = Path(store) / "surveys" / "line"
    scattered = {path: path.stat().st_mtime_ns for path in (folder / "scattered").iterdir()}
    assert scattered
    next((folder / "shards").iterdir()).unlink()
    ingest("line", [path], store=store, config=FLOAT32, resume=True)
    assert content(store) == content(tmp_path / "undisturbed")


@pytest.mark.parametrize("sort_by", ["channel", "offset"])
def test_traces_are_sorted_and_keep_their_numbers_and_labels(
    sort_by: str, line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path, gathers_in: GathersIn
) -> None:
    made = line_gathers(1)
    order = np.random.default_rng(0).permutation(12)
    path = write_segy(tmp_path / "line.sgy", [made[0].take(order)])
    (tmp_path / "picks.csv").write_text("ffid,trace,time_ms\n101,1,30\n101,5,35\n")
    config = IngestConfig(encoding="float32", sort_by=sort_by, picks=str(tmp_path / "picks.csv"), header=("offset=81",))  # type: ignore[arg-type]
    (found,) = gathers_in(ingest("line", [str(path)], store=store, config=config)).values()
    np.testing.assert_array_equal(found.channel, np.arange(1, 13))
    np.testing.assert_array_equal(found.samples, made[0].samples)
    assert found.first_break_ms[found.trace == 1] == 30
    assert found.first_break_ms[found.channel == order[4] + 1] == 35
    assert verify("line", store=store).n_exact == 12


def test_the_probe_sees_large_files_through_windows(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "WINDOW_BYTES", 8 * TRACE_BYTES)
    path = write_segy(tmp_path / "line.sgy", line_gathers(20))
    survey = ingest("line", [str(path)], store=store)
    assert not any("regrouped" in shard["uri"] for shard in survey.shards)
    assert survey.n_gathers == 20


def test_another_key_is_for_segy(data_folder: Path, store: str) -> None:
    record = str(data_folder / "soda_lakes" / "raw" / "Shot_01001.sg2")
    with pytest.raises(ConfigError, match=r"is SEG-2, a gather a file; --group-by receiver"):
        ingest("line", [record], store=store, config=IngestConfig(group_by="receiver"))


def test_a_key_without_a_place_is_refused(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    path = str(write_segy(tmp_path / "line.sgy", line_gathers(1)))
    with pytest.raises(ConfigError, match="'source_line' has no place in the trace header"):
        ingest("line", [path], store=store, config=IngestConfig(group_by="source_line,shot_point"))


def test_bytes_can_be_the_key(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path, gathers_in: GathersIn
) -> None:
    path = str(write_segy(tmp_path / "line.sgy", line_gathers(3)))
    found = gathers_in(ingest("line", [path], store=store, config=IngestConfig(group_by="17:int32")))
    assert sorted(found) == ["line-1", "line-2", "line-3"]


def test_regrouped_files_that_number_their_shots_alike_keep_their_own_gathers(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path, gathers_in: GathersIn
) -> None:
    days = {name: line_gathers(2, seed=seed) for seed, name in enumerate("ab")}
    files = [str(write_segy(tmp_path / f"{name}.sgy", interleaved(made))) for name, made in days.items()]
    found = gathers_in(ingest("line", files, store=store, config=FLOAT32))
    assert sorted(found) == ["a-101", "a-102", "b-101", "b-102"]
    for name, made in days.items():
        np.testing.assert_array_equal(found[f"{name}-102"].samples, made[1].samples)
