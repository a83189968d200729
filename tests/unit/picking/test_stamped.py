import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seisray import shards
from seisray.cli import main
from seisray.errors import ExistsError, FormatError, PicksError
from seisray.gather import Gather
from seisray.ingest import IngestConfig, ingest
from seisray.picking.export import export_picks
from seisray.picking.export_config import ExportConfig
from seisray.picking.parts import PICK_SCHEMA
from seisray.registry import PickSet, Store

pytestmark = pytest.mark.usefixtures("ray_session")

LineGathers = Callable[..., list[Gather]]
WriteSegy = Callable[..., Path]
WORD = slice(200, 204)


@pytest.fixture
def picked(line_gathers: LineGathers, write_segy: WriteSegy, tmp_path: Path) -> tuple[Store, Path, list[Gather]]:
    """Return a store with a survey from a SEG-Y file and picks of it, the file, and its gathers."""
    gathers = line_gathers(3, delay_ms=-6.0)
    (tmp_path / "field").mkdir()
    path = write_segy(tmp_path / "field" / "line.sgy", gathers)
    store = Store(str(tmp_path / "store"))
    survey = ingest("line", [str(path)], store=str(store))
    true_ms = {gather.ffid: gather.first_break_ms.astype(np.float64) for gather in gathers}
    tables = []
    for i in range(len(survey.shards)):
        for row in shards.read_shard(store.shard(survey, i), columns=["gather_id", "source_file", "ffid", "trace"]):
            n = len(row["trace"])
            columns = {name: [row[name]] * n for name in ("gather_id", "source_file", "ffid")}
            columns |= {"survey": ["line"] * n, "trace": row["trace"], "pick_ms": true_ms[row["ffid"]]}
            columns |= {"probability": np.ones(n, "f4"), "sigma_ms": np.ones(n, "f4"), "flag": ["ok"] * n}
            tables.append(
                pa.table([(columns | {"model": ["m"] * n})[name] for name in PICK_SCHEMA.names], schema=PICK_SCHEMA)
            )
    sink = io.BytesIO()
    pq.write_table(pa.concat_tables(tables), sink)
    folder = store.folder("picks", "picks")
    (folder / "part-0.parquet").write_bytes(sink.getvalue())
    PickSet(
        name="picks",
        survey="line",
        survey_fingerprint=survey.fingerprint,
        model="m",
        n_traces=36,
        n_picked=33,
        seconds=1.0,
        parts=[{"uri": "part-0.parquet"}],
    ).write(folder / "manifest.json")
    return store, path, gathers


def traces_of(path: Path) -> np.ndarray:
    return np.frombuffer(path.read_bytes()[3600:], dtype=np.uint8).reshape(36, -1)


def only_the_word_differs(one: Path, other: Path) -> bool:
    mask = np.ones(traces_of(one).shape[1], dtype=bool)
    mask[WORD] = False
    return one.read_bytes()[:3600] == other.read_bytes()[:3600] and bool(
        (traces_of(one)[:, mask] == traces_of(other)[:, mask]).all()
    )


@pytest.mark.parametrize(
    ("format", "unit", "origin", "error_ms"),
    [("int32", "us", None, 5.1e-4), ("float32", "ms", "first-sample", 1e-5), ("float32", "samples", None, 1e-5)],
)
def test_a_copy_with_picks_in_a_header_word_is_ingested_as_labels(
    format: str,
    unit: str,
    origin: str | None,
    error_ms: float,
    picked: tuple[Store, Path, list[Gather]],
    tmp_path: Path,
) -> None:
    store, path, gathers = picked
    header = f"first_break=201:{format}"
    config = ExportConfig(format="segy", header=header, units=unit, pick_origin=origin)
    before = path.read_bytes()
    made = export_picks("picks", str(tmp_path / "out"), store=str(store), config=config)
    assert made.files == [str(tmp_path / "out" / "line.sgy")]
    assert (made.n_picks, made.n_without) == (33, 3)
    assert made.rounding_ms <= error_ms
    assert path.read_bytes() == before
    assert only_the_word_differs(Path(made.files[0]), path)
    again = IngestConfig(header=(header,), pick_unit=unit, pick_origin=origin)
    survey = ingest("again", made.files, store=str(store), config=again)
    found = [gather for i in range(len(survey.shards)) for gather in shards.read_gathers(store.shard(survey, i))]
    for gather, wanted in zip(sorted(found, key=lambda one: one.ffid), gathers, strict=True):
        np.testing.assert_allclose(gather.first_break_ms, wanted.first_break_ms, atol=error_ms + 1e-4)


def test_in_place_keeps_the_field_file_beside_it(picked: tuple[Store, Path, list[Gather]]) -> None:
    store, path, _ = picked
    before = path.read_bytes()
    options = ["--format", "segy", "--header", "first_break=201:int32", "--units", "us", "--in-place"]
    assert main(["export", "picks", *options, "--store", str(store)]) == 0
    backup = path.with_name("line.sgy.before-picks")
    assert backup.read_bytes() == before
    assert only_the_word_differs(path, backup)
    assert (traces_of(path)[:, WORD] != traces_of(backup)[:, WORD]).any()
    assert sorted(file.name for file in path.parent.iterdir()) == ["line.sgy", "line.sgy.before-picks"]


def test_an_original_stays_where_its_picks_do_not_fit_or_a_backup_is_there(
    picked: tuple[Store, Path, list[Gather]],
) -> None:
    store, path, _ = picked
    before = path.read_bytes()
    narrow = ExportConfig(format="segy", header="first_break=201:int16", units="us", in_place=True)
    with pytest.raises(PicksError, match="do not fit int16 in us"):
        export_picks("picks", None, store=str(store), config=narrow)
    path.with_name("line.sgy.before-picks").write_bytes(b"")
    wide = ExportConfig(format="segy", header="first_break=201:int32", units="us", in_place=True)
    with pytest.raises(ExistsError, match="the backup of an earlier --in-place"):
        export_picks("picks", None, store=str(store), config=wide)
    assert path.read_bytes() == before


def test_a_field_file_that_has_changed_is_refused(picked: tuple[Store, Path, list[Gather]], tmp_path: Path) -> None:
    store, path, _ = picked
    data = bytearray(path.read_bytes())
    data[4000] ^= 1
    path.write_bytes(data)
    config = ExportConfig(format="segy", header="first_break=201")
    with pytest.raises(FormatError, match="has changed since it was ingested; ingest and pick it again"):
        export_picks("picks", str(tmp_path / "out"), store=str(store), config=config)
    path.with_name("line.sgy.before-picks").write_bytes(b"")
    with pytest.raises(FormatError, match=r"put .*line.sgy.before-picks back in its place first, or ingest"):
        export_picks("picks", str(tmp_path / "out"), store=str(store), config=config)
