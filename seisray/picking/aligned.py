"""Picks beside what a survey knows of their traces, row for row, without samples."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
from numpy.typing import NDArray

from seisray import shards
from seisray.errors import PicksError
from seisray.registry import PickSet, Store, Survey
from seisray.storage import Location

Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class Aligned:
    """Hold all traces of a survey in the order of its shards.

    gather: (n_traces,), counted from 0. gather_ids, of_gather: of each gather. of_trace: columns of the survey, `trace`
    among them. picks: columns of the picks, text as codes.
    """

    gather: NDArray[np.int32] = field(repr=False)
    gather_ids: list[str] = field(repr=False)
    of_gather: Columns = field(repr=False)
    of_trace: Columns = field(repr=False)
    picks: Columns = field(repr=False)

    def __len__(self) -> int:
        return len(self.gather)

    def spread(self, name: str) -> NDArray[Any]:
        """Return (n_traces,): what each trace's gather has in a column."""
        return self.of_gather[name][self.gather]


def align(
    store: Store,
    survey: Survey,
    picks: PickSet,
    *,
    of_trace: Sequence[str],
    of_gather: Sequence[str] = (),
    columns: Sequence[str] = ("pick_ms",),
    flags: Sequence[str] = (),
) -> Aligned:
    """Return a survey's traces with their picks; raise PicksError where these are not of it, each trace once.

    of_trace, of_gather: columns of the survey. columns: numbers of the picks. flags: those that codes stand for, 0 for
    others; the column `flag` comes where any are given.
    """
    if survey.fingerprint != picks.survey_fingerprint:
        raise PicksError(f"picks {picks.name!r} are of an earlier survey {survey.survey!r}; pick it again")
    known, gathers = _of_survey(store, survey, ["trace", *of_trace], list(of_gather))
    gather = np.repeat(np.arange(len(gathers["n_traces"]), dtype=np.int32), gathers["n_traces"])
    gather_ids = gathers.pop("gather_id").tolist()
    found = _of_picks(store, picks, gather_ids, columns, flags)
    if len(found["trace"]) != len(gather):
        raise PicksError(
            f"picks {picks.name!r} have {len(found['trace'])} rows, survey {survey.survey!r} has {len(gather)} traces; "
            "pick it again"
        )
    wanted, given = _key(gather, known["trace"]), _key(found.pop("gather"), found["trace"])
    if not np.array_equal(wanted, given):
        to, of = np.argsort(wanted, kind="stable"), np.argsort(given, kind="stable")
        if not np.array_equal(wanted[to], given[of]):
            raise PicksError(
                f"picks {picks.name!r} do not hold each trace of survey {survey.survey!r} once; pick it again"
            )
        row = np.empty(len(gather), dtype=np.int64)
        row[to] = of
        found = {name: column[row] for name, column in found.items()}
    return Aligned(gather=gather, gather_ids=gather_ids, of_gather=gathers, of_trace=known, picks=found)


def _key(gather: NDArray[Any], trace: NDArray[Any]) -> NDArray[np.int64]:
    return gather.astype(np.int64) << 32 | trace


def _of_survey(store: Store, survey: Survey, lists: list[str], scalars: list[str]) -> tuple[Columns, Columns]:
    """Return columns with a value a trace, and columns with a value a gather, gather_id and n_traces among them."""
    scalars = ["gather_id", "n_traces", *scalars]
    tables = [read_columns(store.shard(survey, i), [*scalars, *lists]) for i in range(len(survey.shards))]
    table = pa.concat_tables(tables).combine_chunks()
    flat = {name: pa.concat_arrays([chunk.flatten() for chunk in table[name].chunks]) for name in lists}
    of_trace = {name: column.to_numpy(zero_copy_only=False) for name, column in flat.items()}
    return of_trace, {name: table[name].to_numpy() for name in scalars}


def read_columns(location: Location, columns: list[str]) -> pa.Table:
    """Return some columns of a Parquet file, reading no others; raise StorageError where it is damaged."""
    with shards.damage_named(location):
        return pq.read_table(location.path, filesystem=location.filesystem, columns=columns)


def _of_picks(
    store: Store, picks: PickSet, gather_ids: list[str], columns: Sequence[str], flags: Sequence[str]
) -> Columns:
    """Return gather (its place in gather_ids, -1 = not there), trace and further columns of all pick rows."""
    folder = store.folder("picks", picks.name)
    coded = {"gather_id": pa.array(gather_ids, pa.string())} | ({"flag": pa.array(flags, pa.string())} if flags else {})
    wanted = ["trace", *columns]
    found: dict[str, list[NDArray[Any]]] = {name: [] for name in (*wanted, *coded)}
    for part in picks.parts:
        table = shards.read_table(folder / part["uri"], columns=[*wanted, *coded], read_dictionary=list(coded))
        for name in wanted:
            found[name].append(table[name].to_numpy())
        for name, names in coded.items():
            found[name] += [_codes(chunk, names) for chunk in table[name].chunks]
    joined = {name: np.concatenate(parts) if parts else np.empty(0, np.int64) for name, parts in found.items()}
    joined["gather"] = joined.pop("gather_id")
    if flags:
        joined["flag"] = np.maximum(joined["flag"], 0).astype(np.int8)
    return joined


def _codes(chunk: pa.DictionaryArray, names: pa.Array) -> NDArray[np.int32]:
    """Return where each value stands among `names`; -1 = nowhere."""
    code = pa.compute.index_in(chunk.dictionary, names).fill_null(-1).to_numpy(zero_copy_only=False)
    return code.astype(np.int32)[chunk.indices.to_numpy(zero_copy_only=False)]
