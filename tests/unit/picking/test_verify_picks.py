from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pickable import write_survey

from seisray import shards
from seisray.cli import main
from seisray.errors import PicksError
from seisray.picking import verify
from seisray.picking.parts import PICK_SCHEMA, part_name, read_part, write_part
from seisray.picking.verify import VerifiedPicks, verify_picks
from seisray.registry import PickSet, Store

RUN = "0123456789ab"


@pytest.fixture(autouse=True)
def no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prove part after part in this process."""

    def one_by_one(items: list, work: Callable, shared: Any) -> Iterator[tuple[int, Any]]:
        yield from ((i, work(item, shared)) for i, item in enumerate(items))

    monkeypatch.setattr(verify, "spread", one_by_one)


@pytest.fixture
def store(line_gathers: Callable, tmp_path: Path) -> Store:
    """Return a store with picks of a survey of four gathers, two a shard."""
    store = Store(str(tmp_path))
    survey = write_survey(store, line_gathers(4))
    parts = []
    for i in range(len(survey.shards)):
        location = store.shard(survey, i)
        rows = [
            {name: None for name in PICK_SCHEMA.names}
            | {"gather_id": one.gather_id, "trace": int(trace), "pick_ms": 1.0, "flag": "ok", "model": "p@v1"}
            for one in shards.read_gathers(location)
            for trace in one.trace
        ]
        table = pa.Table.from_pylist(rows, schema=PICK_SCHEMA)
        parts.append(write_part(store.folder("picks", "x"), location.name, RUN, [table]))
    publish(store, parts=[asdict(part) for part in parts])
    return store


def publish(store: Store, **changes: Any) -> None:
    folder = store.folder("picks", "x")
    known = {"name": "x", "survey": "line", "survey_fingerprint": "abc", "model": "p@v1", "seconds": 1.0}
    known |= {"n_traces": 48, "n_picked": 48, "flags": {"ok": 48}, "identity": RUN}
    PickSet(**known | changes).write(folder / "manifest.json")


def found(store: Store) -> VerifiedPicks:
    return verify_picks("x", store=str(store))


def rewrite(store: Store, change: Callable[[pa.Table], pa.Table]) -> None:
    """Change the rows of the first part, and let the manifest say so."""
    picks, folder = store.picks("x"), store.folder("picks", "x")
    table = change(read_part(folder / picks.parts[0]["uri"]))
    part = write_part(folder, picks.parts[0]["shard"], RUN, [table])
    n = part.n_traces + 24
    publish(store, parts=[asdict(part), picks.parts[1]], n_traces=n, n_picked=n, flags={"ok": n})


def test_sound_picks_are_proved(store: Store) -> None:
    good = found(store)
    assert (good.n_parts, good.n_traces, good.flags, good.faults, good.n_unused) == (2, 48, {"ok": 48}, [], 0)


def test_a_missing_trace_is_named(store: Store) -> None:
    rewrite(store, lambda rows: rows.slice(1))
    (fault,) = found(store).faults
    assert "1 traces are missing, e.g. trace 1 of gather 'line-101'" in fault


def test_a_trace_that_is_there_twice_is_named(store: Store) -> None:
    rewrite(store, lambda rows: pa.concat_tables([rows, rows.slice(14, 1)]))
    (fault,) = found(store).faults
    assert "1 traces are there more than once, e.g. trace 3 of gather 'line-102'" in fault


def test_rows_of_another_shard_are_foreign(store: Store) -> None:
    other = read_part(store.folder("picks", "x") / store.picks("x").parts[1]["uri"])
    rewrite(store, lambda rows: pa.concat_tables([rows, other.slice(0, 2)]))
    (fault,) = found(store).faults
    assert "2 rows are of no trace of the shard, e.g. trace 1 of 'line-103'" in fault


def test_rows_of_another_model_are_told(store: Store) -> None:
    model = PICK_SCHEMA.get_field_index("model")
    mixed = pa.array(["p@v1"] * 20 + ["q@v2"] * 4)
    rewrite(store, lambda rows: rows.set_column(model, "model", mixed))
    (fault,) = found(store).faults
    assert "4 rows are of another model than p@v1" in fault


def test_a_part_of_another_run_is_told(store: Store) -> None:
    publish(store, parts=store.picks("x").parts, identity="ba9876543210")
    assert ["in run ba9876543210" in fault for fault in found(store).faults] == [True, True]


def test_a_part_that_was_given_the_name_of_another_is_told(store: Store) -> None:
    parts, folder = store.picks("x").parts, store.folder("picks", "x")
    renamed = part_name(parts[1]["shard"], RUN, parts[0]["xxh3"])
    (folder / renamed).write_bytes((folder / parts[0]["uri"]).read_bytes())
    publish(store, parts=[parts[0], parts[0] | {"shard": parts[1]["shard"], "uri": renamed}])
    assert f"{renamed}: it was written as another part" in found(store).faults[0]


def test_a_file_that_changed_is_told(store: Store) -> None:
    part = store.folder("picks", "x") / store.picks("x").parts[0]["uri"]
    data = bytearray(part.read_bytes())
    data[200] ^= 1
    part.write_bytes(bytes(data))
    assert any("hash" in fault or "not a readable table" in fault for fault in found(store).faults)


def test_a_part_that_is_gone_is_told(store: Store) -> None:
    (store.folder("picks", "x") / store.picks("x").parts[0]["uri"]).delete()
    faults = found(store).faults
    assert "does not exist" in faults[0]
    assert "the parts hold 24 traces, the manifest says 48" in faults[1]


def test_shards_without_a_part_or_with_two_are_told(store: Store) -> None:
    first, _ = store.picks("x").parts
    publish(store, parts=[first, first])
    faults = found(store).faults
    assert faults[:2] == ["shard part-00000.parquet: 2 parts", "shard part-00002.parquet: no parts"]


def test_counts_of_the_manifest_are_compared(store: Store) -> None:
    publish(store, parts=store.picks("x").parts, n_picked=40)
    assert found(store).faults == ["the parts hold 48 picked, the manifest says 40"]


def test_what_a_lost_worker_left_is_counted_and_no_fault(store: Store) -> None:
    (store.folder("picks", "x") / f"part-00000.{RUN}.ffffffffffffffff.parquet").write_bytes(b"late")
    assert (found(store).n_unused, found(store).faults) == (1, [])


def test_picks_of_an_earlier_survey_prove_nothing(store: Store) -> None:
    survey = store.survey("line")
    replace(survey, fingerprint="other").write(store.folder("surveys", "line") / "manifest.json")
    with pytest.raises(PicksError, match="earlier survey"):
        found(store)


def test_the_command_prints_a_line_a_fault_and_fails(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify-picks", "x", "--store", str(store)]) == 0
    assert "picks x proved" in capsys.readouterr().out
    rewrite(store, lambda rows: rows.slice(1))
    assert main(["verify-picks", "x", "--store", str(store)]) == 2
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 1
    assert "1 faults" in told.err
