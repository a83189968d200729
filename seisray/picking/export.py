"""`seisray export`: picks as other programs read them, each file so that it reads back equal."""

import io
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from seisray.errors import ConfigError, ExistsError
from seisray.formats.picks.pck import pck_bytes
from seisray.formats.picks.placed import PlacedPicks
from seisray.formats.picks.sgt import sgt_bytes
from seisray.formats.picks.vs import vs_bytes
from seisray.picking.aligned import Aligned, align
from seisray.picking.export_config import ExportConfig, PickFormat
from seisray.picking.parts import read_picks
from seisray.picking.score import export_csv
from seisray.picking.stamped import stamp_picks
from seisray.registry import PickSet, Store
from seisray.storage import Location, locate

_PLACES = tuple(f"{end}_{axis}_m" for end in ("source", "receiver") for axis in "xyz")


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedPicks:
    """What was written. n_picks: picks; n_without: traces without one. rounding_ms: the largest that a format took."""

    files: list[str]
    n_picks: int
    n_without: int
    rounding_ms: float


def export_picks(picks: str, out: str | None, *, store: str, config: ExportConfig | None = None) -> ExportedPicks:
    """Write a set of picks into a file, or a folder, local or s3://; return what was written.

    Traces without a pick are left out of csv, sgt and vs, are NaN in parquet, negative in pck and 0 in SEG-Y headers.
    Raises ConfigError or PicksError where the format cannot hold the picks: sgt, vs and pck need coordinates, and name
    a trace by where its shot and receiver stand.
    """
    config = config or ExportConfig()
    place = Store(store)
    found = place.picks(picks)
    if out is None and not config.in_place:
        raise ConfigError("say where the picks go: seisray export PICKS OUT")
    if out is not None and config.in_place:
        raise ConfigError(f"--in-place writes into the field files; leave out {out!r}")
    if config.format == "segy":
        return _segy(place, found, out, config)
    assert out is not None
    target = locate(out)
    if config.format == "csv" and config.origin == "first-sample":
        n = export_csv(place, picks, target)
        return ExportedPicks(files=[str(target)], n_picks=n, n_without=found.n_traces - n, rounding_ms=0.0)
    if config.format == "parquet":
        return _parquet(place, found, target)
    traces = align(
        place, place.survey_of(found), found, of_trace=_PLACES, of_gather=["ffid", "delay_ms"], columns=["pick_ms"]
    )
    time_ms = traces.picks["pick_ms"] + (traces.spread("delay_ms") if config.origin == "shot" else 0)
    if config.format == "csv":
        return _csv_from_shot(traces, time_ms, target, picks)
    return _placed(traces, time_ms, target, config.format, picks)


def _count(files: list[Location], time_ms: NDArray[np.float64], rounding_ms: float = 0.0) -> ExportedPicks:
    n = int(np.isfinite(time_ms).sum())
    return ExportedPicks(
        files=[str(file) for file in files], n_picks=n, n_without=len(time_ms) - n, rounding_ms=rounding_ms
    )


def _parquet(store: Store, picks: PickSet, target: Location) -> ExportedPicks:
    rows = read_picks(store, picks)
    sink = io.BytesIO()
    pq.write_table(rows, sink, compression="zstd")
    target.write_bytes(sink.getvalue())
    return _count([target], rows["pick_ms"].to_numpy())


def _csv_from_shot(traces: Aligned, time_ms: NDArray[np.float64], target: Location, picks: str) -> ExportedPicks:
    ffid = traces.spread("ffid")
    table = pa.table({"ffid": ffid, "trace": traces.of_trace["trace"], "time_ms": time_ms})
    if len(table.group_by(["ffid", "trace"]).aggregate([])) != len(table):
        raise ConfigError(f"picks {picks!r}: FFID and trace do not name one trace; export parquet")
    table = table.filter(pa.compute.is_finite(table["time_ms"])).sort_by(
        [("ffid", "ascending"), ("trace", "ascending")]
    )
    sink = io.BytesIO()
    pa.csv.write_csv(table, sink)
    target.write_bytes(sink.getvalue())
    return _count([target], time_ms)


def _placed(
    traces: Aligned, time_ms: NDArray[np.float64], target: Location, format: PickFormat, name: str
) -> ExportedPicks:
    """Write what refraction programs read, where positions name the traces."""
    source, receiver = (
        np.column_stack([traces.of_trace[f"{end}_{axis}_m"] for axis in "xyz"]) for end in ("source", "receiver")
    )

    def placed(rows: NDArray[np.intp] | slice, where: str) -> PlacedPicks:
        return PlacedPicks(
            where=where,
            shot=traces.gather[rows].astype(np.int64),
            source_m=source[rows],
            receiver_m=receiver[rows],
            time_ms=time_ms[rows],
        )

    whole = placed(slice(None), f"picks {name!r}")
    if format == "pck":
        rounding_ms = 5e-4  # times to the microsecond
        if not target.name.lower().endswith(".pck"):
            return _pck_folder(traces, whole, target, rounding_ms)
        target.write_bytes(pck_bytes(whole))
        return _count([target], time_ms, rounding_ms)
    target.write_bytes((sgt_bytes if format == "sgt" else vs_bytes)(whole))
    return _count([target], time_ms, 5e-7 if format == "vs" else 0.0)


def _pck_folder(traces: Aligned, whole: PlacedPicks, folder: Location, rounding_ms: float) -> ExportedPicks:
    """Write one .pck a gather: its first row is the first trace of the field record."""
    order = np.lexsort((traces.of_trace["trace"], traces.gather))
    made: list[tuple[Location, bytes]] = []
    text = pck_bytes(
        PlacedPicks(
            where=whole.where,
            shot=whole.shot[order],
            source_m=whole.source_m[order],
            receiver_m=whole.receiver_m[order],
            time_ms=whole.time_ms[order],
        )
    ).splitlines(keepends=True)
    ends = np.searchsorted(traces.gather[order], np.arange(len(traces.gather_ids) + 1))
    for number, gather_id in enumerate(traces.gather_ids):
        file = folder / f"{gather_id.replace('/', '-')}.pck"
        if file.exists():
            raise ExistsError(f"{file} exists; export into another folder")
        made.append((file, b"".join(text[ends[number] : ends[number + 1]])))
    for file, data in made:
        file.write_bytes(data)
    return _count([file for file, _ in made], whole.time_ms, rounding_ms)


def _segy(store: Store, picks: PickSet, out: str | None, config: ExportConfig) -> ExportedPicks:
    if config.header is None:
        raise ConfigError("say which header word picks go to, such as --header first_break=201:int16")
    files, time_ms, rounding_ms = stamp_picks(
        store, picks, out, header=config.header, unit=config.units or "ms", origin=config.origin
    )
    return _count(files, time_ms, rounding_ms)
