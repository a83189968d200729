"""Picks beside what their survey knows of each trace, shard by shard: geometry and labels, but no samples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from seisray.errors import PicksError
from seisray.picking.parts import read_part
from seisray.registry import PickSet, Store, Survey
from seisray.shards import damage_named, read_columns
from seisray.storage import Location

QUALITY = "quality.parquet"
_GATHER = ("gather_id", "source_file", "ffid", "n_traces")
_TRACE = ("trace", "channel", "live", "offset_m", "source_x_m", "source_y_m", "receiver_x_m", "receiver_y_m")
_LABEL = "first_break_ms"
_PICK = ("pick_ms", "probability", "flag")


@dataclass(frozen=True, kw_only=True, slots=True)
class PickedShard:
    """Hold the picks of one shard in the order of its traces.

    number: of the shard in its survey. gather_id, source_file, ffid: one a gather, in the order of the shard's rows.
    row: (n_traces,) which of them a trace is of. The rest: (n_traces,), NaN = not known; a live trace without a pick
    row is flagged "missing".
    """

    number: int
    gather_id: list[str]
    source_file: list[str]
    ffid: NDArray[np.int64]
    row: NDArray[np.intp] = field(repr=False)
    trace: NDArray[np.int32] = field(repr=False)
    channel: NDArray[np.int32] = field(repr=False)
    live: NDArray[np.bool_] = field(repr=False)
    offset_m: NDArray[np.float64] = field(repr=False)
    source_x_m: NDArray[np.float64] = field(repr=False)
    source_y_m: NDArray[np.float64] = field(repr=False)
    receiver_x_m: NDArray[np.float64] = field(repr=False)
    receiver_y_m: NDArray[np.float64] = field(repr=False)
    first_break_ms: NDArray[np.float64] = field(repr=False)
    pick_ms: NDArray[np.float64] = field(repr=False)
    probability: NDArray[np.float64] = field(repr=False)
    flag: NDArray[np.str_] = field(repr=False)

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Return (n_traces,): True on live traces whose pick is doubtful or missing."""
        return self.live & (self.flag != "ok")

    def of(self, row: int) -> "PickedShard":
        """Return the same with the traces of one gather only."""
        own = self.row == row
        columns = {name: getattr(self, name)[own] for name in ("row", *_TRACE, _LABEL, *_PICK)}
        return replace(self, **columns)


def picked_shards(
    store: Store, picks: PickSet, *, labels: pa.Table | None = None, ffids: Sequence[int] | None = None
) -> Iterator[PickedShard]:
    """Yield the picks of a set, one shard in memory at a time.

    labels: ffid, trace, first_break_ms to take in place of the survey's own. ffids: leave out all other gathers.
    Flags of the quality table beside the picks, where there is one, replace those that said "ok". Raises PicksError
    where the survey has changed since, an FFID asked for was not picked, or labels fit no trace or several.
    """
    survey = store.survey_of(picks)
    wanted = None if ffids is None else set(ffids)
    folder = store.folder("picks", picks.name)
    parts = {str(part.get("shard", part["uri"])): str(part["uri"]) for part in picks.parts}
    quality = folder / QUALITY if (folder / QUALITY).exists() else None
    if labels is not None and wanted is not None:
        labels = labels.filter(pc.is_in(labels["ffid"], pa.array(sorted(wanted), pa.int64())))
    fitted, seen = _Fitted(labels, picks.name), set[int]()
    for number, shard in enumerate(survey.shards):
        here = set(shard["ffids"])
        if wanted is not None and not wanted & here:
            continue
        seen |= here
        name = store.shard(survey, number).name
        if name not in parts:
            raise PicksError(f"picks {picks.name!r} have no part for shard {name} of {picks.survey!r}; pick it again")
        rows = _survey_rows(store, survey, number, wanted)
        part = read_part(folder / parts[name]).select(["gather_id", "trace", *_PICK])
        yield _joined(number, fitted.on(rows), _with_quality(part, quality), picks.name)
    if wanted is not None and wanted - seen:
        absent = sorted(wanted - seen)
        raise PicksError(f"picks {picks.name!r} hold no gather with FFID {absent[0]} ({len(absent)} such FFIDs)")
    fitted.check()


def _survey_rows(store: Store, survey: Survey, number: int, wanted: set[int] | None) -> pa.Table:
    """Return one row a trace of a shard: what the survey knows of it, and `row`, its gather's place in the shard."""
    table = read_columns(store.shard(survey, number), [*_GATHER, *_TRACE, _LABEL])
    table = table.append_column("row", pa.array(np.arange(len(table))))
    if wanted is not None:
        table = table.filter(pc.is_in(table["ffid"], pa.array(sorted(wanted), pa.int64())))
    gather = np.repeat(np.arange(len(table)), table["n_traces"].to_numpy())
    columns = {name: table[name].take(pa.array(gather)) for name in ("gather_id", "source_file", "ffid", "row")}
    columns |= {name: pc.list_flatten(table[name].combine_chunks()) for name in (*_TRACE, _LABEL)}
    return pa.table(columns).append_column("place", pa.array(np.arange(len(gather))))


class _Fitted:
    """Put labels from elsewhere on the traces of shards, and see to it that each finds one."""

    def __init__(self, labels: pa.Table | None, picks: str) -> None:
        self._labels, self._picks = labels, picks
        self._ffids = set() if labels is None else set(labels["ffid"].to_pylist())
        self._found, self._gathers = 0, dict[int, str]()

    def on(self, rows: pa.Table) -> pa.Table:
        if self._labels is None:
            return rows
        for ffid, gather_id in zip(rows["ffid"].to_pylist(), rows["gather_id"].to_pylist(), strict=True):
            if ffid in self._ffids and self._gathers.setdefault(ffid, gather_id) != gather_id:
                raise PicksError(
                    f"picks {self._picks!r}: FFID {ffid} names several gathers, so labels by FFID and trace fit none; "
                    "ingest the survey with its labels, and name no truth"
                )
        own = self._labels.filter(pc.is_in(self._labels["ffid"], rows["ffid"].unique()))
        joined = rows.drop_columns([_LABEL]).join(own, ["ffid", "trace"], join_type="left outer").sort_by("place")
        self._found += len(joined) - joined[_LABEL].null_count
        return joined

    def check(self) -> None:
        missing = 0 if self._labels is None else len(self._labels) - self._found
        if missing:
            raise PicksError(f"{missing} labels are on traces that the picks {self._picks!r} do not have")


def _with_quality(part: pa.Table, quality: Location | None) -> pa.Table:
    """Return the picks with the flags of the quality table where the picker itself had no doubt."""
    if quality is None:
        return part
    with damage_named(quality):
        found = pq.read_table(
            quality.path,
            filesystem=quality.filesystem,
            columns=["gather_id", "trace", "flag"],
            filters=pc.field("gather_id").isin(part["gather_id"].unique()),
        )
    found = found.cast(pa.schema({"gather_id": pa.string(), "trace": pa.int32(), "flag": pa.string()}))
    found = found.rename_columns(["gather_id", "trace", "found"])
    joined = part.join(found, ["gather_id", "trace"], join_type="left outer")
    flag = pc.if_else(pc.equal(joined["flag"], "ok"), pc.coalesce(joined["found"], joined["flag"]), joined["flag"])
    return joined.drop_columns(["found", "flag"]).append_column("flag", flag)


def _joined(number: int, rows: pa.Table, part: pa.Table, picks: str) -> PickedShard:
    joined = rows.join(part, ["gather_id", "trace"], join_type="left outer").sort_by("place")
    if len(joined) != len(rows):
        raise PicksError(f"picks {picks!r} hold {len(joined) - len(rows)} traces twice; pick the survey again")
    live = joined["live"].to_numpy()
    flag = pc.coalesce(joined["flag"], pa.array(np.where(live, "missing", "dead").tolist(), pa.string()))
    row, first = np.unique(joined["row"].to_numpy(), return_index=True)
    n_gathers = int(row[-1]) + 1 if row.size else 0
    one: dict[str, Any] = {"gather_id": [""] * n_gathers, "source_file": [""] * n_gathers}
    ffid = np.zeros(n_gathers, dtype=np.int64)
    for place, at in zip(row.tolist(), first.tolist(), strict=True):
        for name, values in one.items():
            values[place] = joined[name][at].as_py()
        ffid[place] = joined["ffid"][at].as_py()
    numbers = {
        name: joined[name].to_numpy().astype(np.float64) for name in (*_TRACE[3:], _LABEL, "pick_ms", "probability")
    }
    return PickedShard(
        number=number,
        **one,
        ffid=ffid,
        row=joined["row"].to_numpy(),
        trace=joined["trace"].to_numpy(),
        channel=joined["channel"].to_numpy(),
        live=live,
        flag=np.array(flag.to_pylist(), dtype=np.str_),
        **numbers,
    )
