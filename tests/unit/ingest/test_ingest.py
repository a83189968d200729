import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import segyio

from seisray import shards
from seisray.errors import ConfigError, ExistsError, FormatError, NotFoundError, PicksError, SegyError, StorageError
from seisray.gather import Gather
from seisray.ingest import IngestConfig, ingest, sources, tally
from seisray.registry import Store, Survey

pytestmark = pytest.mark.usefixtures("ray_session")

LineGathers = Callable[..., list[Gather]]
WriteSegy = Callable[..., Path]
WritePicks = Callable[..., Path]
TRACE_BYTES = 240 + 4 * 128


def gathers_in(store: str, survey: Survey) -> list[Gather]:
    place = Store(store)
    return [g for i in range(len(survey.shards)) for g in shards.read_gathers(place.shard(survey, i))]


def files_in(store: str | Path) -> dict[str, bytes]:
    """Return every file below a folder with its content."""
    return {str(path.relative_to(store)): path.read_bytes() for path in Path(store).rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def made(line_gathers: LineGathers) -> list[Gather]:
    return line_gathers(5)


@pytest.fixture(scope="module")
def file(made: list[Gather], write_segy: WriteSegy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_segy(tmp_path_factory.mktemp("field") / "line.sgy", made)


@pytest.mark.usefixtures("small_ranges")
@pytest.mark.parametrize("format", [1, 5])
def test_every_gather_is_ingested_once_with_the_samples_segyio_reads(
    format: int, made: list[Gather], write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    path = write_segy(tmp_path / "line.sgy", made, format=format)
    survey = ingest("line", [str(path)], store=store, config=IngestConfig(encoding="float32"))
    found = gathers_in(store, survey)
    assert len(survey.shards) == 5
    assert [gather.ffid for gather in found] == [gather.ffid for gather in made]
    with segyio.open(str(path), ignore_geometry=True) as expected:
        np.testing.assert_array_equal(np.concatenate([g.samples for g in found]), expected.trace.raw[:])


def test_the_manifest_counts_what_is_there(
    file: Path, made: list[Gather], write_picks: WritePicks, store: str, tmp_path: Path
) -> None:
    picks = write_picks(tmp_path / "picks.csv", made[:2])
    survey = ingest("line", [str(file)], store=store, config=IngestConfig(picks=str(picks)))
    assert (survey.n_gathers, survey.n_traces, survey.n_live, survey.n_labelled) == (5, 60, 55, 22)
    assert (survey.n_samples, survey.sample_interval_us, survey.encoding, survey.rejects) == (128, 1000.0, "int16", 0)
    (source,) = survey.sources
    assert (source["uri"], source["bytes"], source["name"]) == (str(file), file.stat().st_size, "line")
    assert survey.headers["ffid"] == "9:int32"
    assert [shard["ffids"] for shard in survey.shards] == [[101, 102, 103, 104, 105]]
    assert Store(store).survey("line") == survey


def test_labels_come_with_their_traces(
    file: Path, made: list[Gather], write_picks: WritePicks, store: str, tmp_path: Path
) -> None:
    picks = write_picks(tmp_path / "picks.csv", made)
    survey = ingest("line", [str(file)], store=store, config=IngestConfig(picks=str(picks)))
    for found, gather in zip(gathers_in(store, survey), made, strict=True):
        np.testing.assert_array_equal(found.first_break_ms, gather.first_break_ms)


def test_a_folder_stands_for_the_field_files_in_it(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    (tmp_path / "field" / "day 2").mkdir(parents=True)
    write_segy(tmp_path / "field" / "b.SGY", line_gathers(1, first_ffid=7))
    write_segy(tmp_path / "field" / "day 2" / "a.segy", line_gathers(2, first_ffid=1))
    (tmp_path / "field" / "notes.txt").write_text("rain")
    survey = ingest("line", [str(tmp_path / "field")], store=store)
    assert sorted(gather.ffid for gather in gathers_in(store, survey)) == [1, 2, 7]


def test_a_name_that_is_taken_is_refused(file: Path, store: str) -> None:
    ingest("line", [str(file)], store=store)
    before = files_in(store)
    with pytest.raises(ExistsError, match=r"survey 'line' already exists in .*--replace"):
        ingest("line", [str(file)], store=store)
    assert files_in(store) == before


def test_replace_leaves_nothing_of_the_old_survey(
    file: Path, line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    bad = line_gathers(2)
    bad[0].samples[0, 0] = np.nan
    old = ingest("line", [str(write_segy(tmp_path / "line.sgy", bad))], store=store)
    assert old.rejects == 1
    new = ingest("line", [str(file)], store=store, replace=True)
    assert new.fingerprint != old.fingerprint
    own = {"manifest.json", "file_headers.parquet", new.shards[0]["uri"]}
    assert set(files_in(store)) == {f"surveys/line/{name}" for name in own}
    assert len(gathers_in(store, new)) == 5


@pytest.mark.usefixtures("small_ranges")
def test_resume_keeps_the_shards_that_are_done(file: Path, store: str, tmp_path: Path) -> None:
    whole = ingest("line", [str(file)], store=store)
    folder = Path(store) / "surveys" / "line"
    (folder / "manifest.json").unlink()  # as if the driver had been killed before the end
    lost = folder / whole.shards[2]["uri"]
    lost.unlink()
    kept = {path: path.stat().st_mtime_ns for path in (folder / "shards").iterdir()}
    again = ingest("line", [str(file)], store=store, resume=True)
    assert again == whole
    assert lost.exists()
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.mark.usefixtures("small_ranges")
def test_resume_still_knows_what_was_rejected(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    bad = line_gathers(5, n_traces=3)
    bad[1].samples[2, 5] = np.inf
    path = write_segy(tmp_path / "line.sgy", bad)
    whole = ingest("line", [str(path)], store=store)
    (Path(store) / "surveys" / "line" / "manifest.json").unlink()
    again = ingest("line", [str(path)], store=store, resume=True)
    assert (again, again.rejects) == (whole, 1)


def test_other_settings_do_not_resume_from_old_shards(file: Path, store: str) -> None:
    ingest("line", [str(file)], store=store)
    (Path(store) / "surveys" / "line" / "manifest.json").unlink()
    exact = ingest("line", [str(file)], store=store, config=IngestConfig(encoding="float32"), resume=True)
    assert (exact.encoding, len(list((Path(store) / "surveys" / "line" / "shards").iterdir()))) == ("float32", 1)


def test_gathers_that_cannot_be_used_are_listed_with_their_file_and_reason(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    bad = line_gathers(3)
    bad[1].samples[4, 5] = np.nan
    path = write_segy(tmp_path / "bad.sgy", bad)
    survey = ingest("line", [str(path)], store=store)
    rejects = pq.read_table(Path(store) / "surveys" / "line" / "rejects.parquet").to_pylist()
    assert (survey.n_gathers, survey.rejects) == (2, 1)
    assert rejects[0]["source_file"] == str(path)
    assert (rejects[0]["ffid"], rejects[0]["n_traces"], rejects[0]["first_byte"]) == (102, 12, 3600 + 12 * TRACE_BYTES)
    assert "trace 5 holds NaN" in rejects[0]["reason"]


def refuse(name: str, files: list[str], *, store: str, config: IngestConfig | None = None) -> Exception:
    """Return the error that an ingest raises; it must leave no file."""
    with pytest.raises((FormatError, NotFoundError, StorageError, ConfigError)) as caught:
        ingest(name, files, store=store, config=config)
    assert files_in(store) == {}
    return caught.value


def test_a_survey_without_a_usable_gather_says_why(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    bad = line_gathers(1)
    bad[0].samples[:] = np.nan
    error = refuse("line", [str(write_segy(tmp_path / "bad.sgy", bad))], store=store)
    assert "no usable gather in 1 files" in str(error)
    assert "trace 1 holds NaN" in str(error)


def test_picks_of_unknown_ffids_are_refused(file: Path, store: str, tmp_path: Path) -> None:
    picks = tmp_path / "picks.csv"
    picks.write_text("ffid,trace,time_ms\n101,1,30\n999,1,30\n998,1,30\n")
    error = refuse("line", [str(file)], store=store, config=IngestConfig(picks=str(picks)))
    assert "2 FFIDs are not in the survey, the first is 998; the survey has 101..105" in str(error)


def test_picks_outside_the_record_are_refused(file: Path, store: str, tmp_path: Path) -> None:
    picks = tmp_path / "picks.csv"
    picks.write_text("ffid,trace,time_ms\n103,1,3000\n")
    error = refuse("line", [str(file)], store=store, config=IngestConfig(picks=str(picks)))
    assert isinstance(error, PicksError)
    assert "FFID 103, trace 1" in str(error)


def test_geometry_without_one_of_the_shots_is_refused(file: Path, store: str, tmp_path: Path) -> None:
    table = tmp_path / "geometry.csv"
    table.write_text("kind,number,x_m,y_m\nshot,101,0,0\n" + "".join(f"receiver,{i},{i},0\n" for i in range(1, 13)))
    error = refuse("line", [str(file)], store=store, config=IngestConfig(geometry=(str(table),)))
    assert "no row for shot 10" in str(error)


@pytest.mark.parametrize("gone", ["file", "picks", "geometry", "folder"])
def test_what_is_not_there_is_named(gone: str, file: Path, store: str, tmp_path: Path) -> None:
    missing = str(tmp_path / "gone.x")
    files = [missing] if gone == "file" else [str(tmp_path)] if gone == "folder" else [str(file)]
    config = {"picks": IngestConfig(picks=missing), "geometry": IngestConfig(geometry=(missing,))}.get(gone)
    error = refuse("line", files, store=store, config=config)
    assert isinstance(error, NotFoundError)
    assert (str(tmp_path) if gone == "folder" else missing) in str(error)


@pytest.mark.parametrize("content", [b"", b"shot,receiver\n" * 1000, bytes(5000)])
def test_a_file_that_is_no_segy_is_named(content: bytes, file: Path, store: str, tmp_path: Path) -> None:
    other = tmp_path / "notes.sgy"
    other.write_bytes(content)
    error = refuse("line", [str(file), str(other)], store=store)
    assert isinstance(error, SegyError)
    assert str(other) in str(error)


def test_a_file_given_twice_is_refused(file: Path, store: str) -> None:
    assert "is given 2 times" in str(refuse("line", [str(file), str(file)], store=store))


def test_a_store_that_cannot_be_written_is_refused_before_the_work(file: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot write .*/file/store"):
        ingest("line", [str(file)], store=str(tmp_path / "file" / "store"))


def test_two_sample_intervals_are_two_surveys(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    fine = write_segy(tmp_path / "fine.sgy", line_gathers(1, sample_interval_us=500.0))
    coarse = write_segy(tmp_path / "coarse.sgy", line_gathers(1))
    error = refuse("line", [str(fine), str(coarse)], store=store)
    assert "sample intervals [500.0, 1000.0] us" in str(error)


def test_a_failed_replace_leaves_the_old_survey_readable(file: Path, store: str, tmp_path: Path) -> None:
    survey = ingest("line", [str(file)], store=store)
    before = files_in(store)
    picks = tmp_path / "picks.csv"
    picks.write_text("ffid,trace,time_ms\n999,1,30\n")
    with pytest.raises(FormatError):
        ingest("line", [str(file)], store=store, config=IngestConfig(picks=str(picks)), replace=True)
    assert files_in(store) == before
    assert Store(store).survey("line") == survey


def test_a_failed_replace_by_the_same_files_keeps_their_shards(
    line_gathers: LineGathers,
    write_segy: WriteSegy,
    store: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> Survey:
        raise FormatError("on purpose")

    path = write_segy(tmp_path / "line.sgy", line_gathers(20, n_samples=512))
    survey = ingest("line", [str(path)], store=store)
    data = bytearray(path.read_bytes())
    assert len(data) > 2 * sources.EDGE_BYTES + 13 * 2288
    struct.pack_into(">h", data, 3600 + 120 * (240 + 4 * 512) + 108, 7)  # in the middle, where no fingerprint looks
    path.write_bytes(data)
    monkeypatch.setattr(tally, "manifest", fail)
    with pytest.raises(FormatError, match="on purpose"):
        ingest("line", [str(path)], store=store, replace=True)
    assert all((Path(store) / "surveys" / "line" / shard["uri"]).exists() for shard in survey.shards)


def test_another_place_of_the_ffid_can_be_named(file: Path, store: str) -> None:
    survey = ingest("line", [str(file)], store=store, config=IngestConfig(header=("ffid=17",)))
    assert [gather.ffid for gather in gathers_in(store, survey)] == [1, 2, 3, 4, 5]
    assert survey.headers["ffid"] == "17:int32"


def test_the_fingerprint_changes_with_files_and_settings(
    file: Path, made: list[Gather], write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    louder = [gather.replace(samples=2 * gather.samples) for gather in made]
    other = write_segy(tmp_path / "line.sgy", louder)
    found = {
        ingest("line", [str(file)], store=store).fingerprint,
        ingest("line", [str(other)], store=store, replace=True).fingerprint,
        ingest("line", [str(file)], store=store, config=IngestConfig(encoding="float32"), replace=True).fingerprint,
    }
    assert len(found) == 3


def test_seg2_rejects_name_the_file_that_was_rejected(data_folder: Path, store: str, tmp_path: Path) -> None:
    raw = data_folder / "soda_lakes" / "raw"
    for name in ("Shot_01001.sg2", "Shot_01002.sg2"):
        (tmp_path / name).write_bytes((raw / name).read_bytes())
    bad = bytearray((tmp_path / "Shot_01002.sg2").read_bytes())
    bad[-4:] = struct.pack("<f", float("nan"))
    (tmp_path / "Shot_01002.sg2").write_bytes(bad)
    survey = ingest("soda", [str(tmp_path / name) for name in ("Shot_01001.sg2", "Shot_01002.sg2")], store=store)
    rejects = pq.read_table(Path(store) / "surveys" / "soda" / "rejects.parquet").to_pylist()
    assert (survey.n_gathers, Path(rejects[0]["source_file"]).name) == (1, "Shot_01002.sg2")


def test_labels_that_fit_gathers_of_two_files_are_refused(
    line_gathers: Callable[..., list[Gather]], write_segy: Callable[..., Path], store: str, tmp_path: Path
) -> None:
    files = [str(write_segy(tmp_path / name, line_gathers(2))) for name in ("a.sgy", "b.sgy")]
    (tmp_path / "picks.csv").write_text("ffid,trace,time_ms\n101,1,10\n")
    with pytest.raises(FormatError, match="FFID 101 is on 2 gathers"):
        ingest("line", files, store=store, config=IngestConfig(picks=str(tmp_path / "picks.csv")))
    assert not (Path(store) / "surveys" / "line").exists()
