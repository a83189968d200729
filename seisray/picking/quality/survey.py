"""Picks and geometry of a survey, trace for trace, without its samples."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
from numpy.typing import NDArray

from seisray import shards
from seisray.errors import PicksError
from seisray.picking.quality.traces import FLAGS, Traces
from seisray.registry import PickSet, Store, Survey
from seisray.storage import Location

_LISTS = (
    "trace",
    "channel",
    "live",
    "field_record",
    "source",
    "offset_m",
    "source_x_m",
    "source_y_m",
    "receiver_x_m",
    "receiver_y_m",
)
BY_SHOT = ("ffid", "shot_point", "source_line,shot_point")
"""What a survey is grouped by where a gather is that of a shot; else field records tell shots apart."""


@dataclass(frozen=True, kw_only=True)
class SurveyPicks:
    """Hold the traces of a survey with their picks, in the order of its shards. ffid: (n_traces,), of the gather."""

    traces: Traces
    gather_ids: list[str] = field(repr=False)
    ffid: NDArray[np.int64] = field(repr=False)


def read_survey_picks(store: Store, survey: Survey, picks: PickSet) -> SurveyPicks:
    """Return the traces of a survey with their picks; raise PicksError where these are not of it, each trace once."""
    if survey.fingerprint != picks.survey_fingerprint:
        raise PicksError(f"picks {picks.name!r} are of an earlier survey {survey.survey!r}; pick it again")
    columns, gather_ids, counts, ffids = _geometry(store, survey)
    n = len(columns["trace"])
    gather = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    found = _picks(store, picks, gather_ids)
    if len(found["trace"]) != n:
        raise PicksError(
            f"picks {picks.name!r} have {len(found['trace'])} rows, survey {survey.survey!r} has {n} traces; "
            "pick it again"
        )
    wanted, given = (
        key["gather"].astype(np.int64) << 32 | key["trace"] for key in ({"gather": gather, **columns}, found)
    )
    if not np.array_equal(wanted, given):
        to, of = np.argsort(wanted, kind="stable"), np.argsort(given, kind="stable")
        if not np.array_equal(wanted[to], given[of]):
            raise PicksError(
                f"picks {picks.name!r} do not hold each trace of survey {survey.survey!r} once; pick it again"
            )
        row = np.empty(n, dtype=np.int64)
        row[to] = of
        found = {name: column[row] for name, column in found.items()}
    by_shot = survey.settings.get("group_by", "ffid") in BY_SHOT
    record = columns["source"].astype(np.int64) << 40 | (columns["field_record"] & (1 << 40) - 1)
    traces = Traces(
        gather=gather,
        shot_number=gather.astype(np.int64) if by_shot else record,
        trace=columns["trace"],
        channel=columns["channel"],
        live=columns["live"],
        pick_ms=found["pick_ms"],
        sigma_ms=found["sigma_ms"],
        flag=found["flag"],
        source_xy_m=np.column_stack([columns["source_x_m"], columns["source_y_m"]]),
        receiver_xy_m=np.column_stack([columns["receiver_x_m"], columns["receiver_y_m"]]),
        header_offset_m=columns["offset_m"],
        end_ms=survey.n_samples * survey.sample_interval_us / 1000,
        sample_interval_ms=survey.sample_interval_us / 1000,
    )
    ffid = np.repeat(ffids, counts) if by_shot else columns["field_record"]
    return SurveyPicks(traces=traces, gather_ids=gather_ids, ffid=ffid)


def _geometry(store: Store, survey: Survey) -> tuple[dict[str, Any], list[str], NDArray[Any], NDArray[np.int64]]:
    """Return the per-trace columns of all shards, and id, number of traces and FFID of each gather."""
    tables = [
        read_columns(store.shard(survey, i), ["gather_id", "n_traces", "ffid", *_LISTS])
        for i in range(len(survey.shards))
    ]
    table = pa.concat_tables(tables).combine_chunks()
    columns = {
        name: pa.concat_arrays([chunk.flatten() for chunk in table[name].chunks]).to_numpy(zero_copy_only=False)
        for name in _LISTS
    }
    return columns, table["gather_id"].to_pylist(), table["n_traces"].to_numpy(), table["ffid"].to_numpy()


def read_columns(location: Location, columns: list[str]) -> pa.Table:
    """Return some columns of a Parquet file, reading no others; raise StorageError where it is damaged."""
    with shards.damage_named(location):
        return pq.read_table(location.path, filesystem=location.filesystem, columns=columns)


def _picks(store: Store, picks: PickSet, gather_ids: list[str]) -> dict[str, NDArray[Any]]:
    """Return gather (its place in gather_ids, -1 = not there), trace, pick_ms, sigma_ms and flag of all pick rows."""
    folder = store.folder("picks", picks.name)
    parts = [
        shards.read_table(
            folder / part["uri"],
            columns=["gather_id", "trace", "pick_ms", "sigma_ms", "flag"],
            read_dictionary=["gather_id", "flag"],
        )
        for part in picks.parts
    ]
    known = {"gather_id": pa.array(gather_ids, pa.string()), "flag": pa.array(FLAGS)}
    found: dict[str, list[NDArray[Any]]] = {name: [] for name in ("gather", "trace", "pick_ms", "sigma_ms", "flag")}
    for table in parts:
        for name in ("trace", "pick_ms", "sigma_ms"):
            found[name].append(table[name].to_numpy())
        for name, own in (("gather", "gather_id"), ("flag", "flag")):
            for_each = [
                pa.compute.index_in(chunk.dictionary, known[own])
                .fill_null(-1)
                .to_numpy(zero_copy_only=False)[chunk.indices.to_numpy(zero_copy_only=False)]
                for chunk in table[own].chunks
            ]
            found[name].append(np.concatenate(for_each) if for_each else np.empty(0, dtype=np.int32))
    joined = {name: np.concatenate(columns) for name, columns in found.items()}
    return joined | {"flag": np.maximum(joined["flag"], 0).astype(np.int8)}
