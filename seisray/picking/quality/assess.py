"""`seisray quality`: the picks of a survey judged, as two tables beside them."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from seisray.picking.quality.flags import Judgement, judge
from seisray.picking.quality.polarity import survey_polarity
from seisray.picking.quality.survey import SurveyPicks, read_survey_picks
from seisray.picking.quality.traces import FLAGS
from seisray.registry import Store
from seisray.storage import Location

QUALITY_SCHEMA = pa.schema(
    {
        "gather_id": pa.dictionary(pa.int32(), pa.string()),
        "ffid": pa.int64(),
        "trace": pa.int32(),
        "flag": pa.dictionary(pa.int8(), pa.string()),
        "offset_m": pa.float32(),
        "expected_ms": pa.float32(),
        "residual_ms": pa.float32(),
        "neighbour_ms": pa.float32(),
        "across_ms": pa.float32(),
        "reciprocal_ms": pa.float32(),
        "polarity": pa.float32(),
    }
)
"""A row a trace, in the order of the survey's shards; NaN = could not be said. See `Judgement`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Assessed:
    """What was found. flags: traces by flag; suspects: faulty shots and stations, a row a fault."""

    n_traces: int
    flags: dict[str, int]
    suspects: list[dict[str, Any]]
    quality: str
    suspects_uri: str


def assess_picks(picks: str, *, store: str, polarity: bool = True) -> Assessed:
    """Judge a set of picks, and write quality.parquet and suspects.parquet into its folder; return what was found.

    Picks are never changed. polarity: also read the samples, for stations of reversed polarity: a Ray task a shard.
    Raises PicksError where the picks are not those of the survey in the store.
    """
    place = Store(store)
    found = place.picks(picks)
    survey = place.survey_of(found)
    known = read_survey_picks(place, survey, found)
    alike: NDArray[np.float32] | None = None
    if polarity:
        locations = [place.shard(survey, i) for i in range(len(survey.shards))]
        where = np.where(known.traces.picked, known.traces.pick_ms, np.nan)
        alike = survey_polarity(locations, where.astype(np.float32))
    judgement = judge(known.traces, known.ffid, alike)
    folder = place.folder("picks", picks)
    _write(folder / "suspects.parquet", judgement.suspects)
    _write(folder / "quality.parquet", _quality_table(known, judgement, alike))
    counts = np.bincount(judgement.flag, minlength=len(FLAGS)).tolist()
    return Assessed(
        n_traces=len(known.traces),
        flags=dict(zip(FLAGS, counts, strict=True)),
        suspects=judgement.suspects.to_pylist(),
        quality=str(folder / "quality.parquet"),
        suspects_uri=str(folder / "suspects.parquet"),
    )


def _quality_table(known: SurveyPicks, judgement: Judgement, alike: NDArray[np.float32] | None) -> pa.Table:
    traces = known.traces
    columns = {
        "gather_id": pa.DictionaryArray.from_arrays(traces.gather, pa.array(known.gather_ids, pa.string())),
        "ffid": known.ffid,
        "trace": traces.trace,
        "flag": pa.DictionaryArray.from_arrays(judgement.flag, pa.array(FLAGS)),
        "offset_m": traces.offset_m,
        "polarity": np.full(len(traces), np.nan) if alike is None else alike,
    }
    for name in ("expected_ms", "residual_ms", "neighbour_ms", "across_ms", "reciprocal_ms"):
        columns[name] = getattr(judgement, name)
    floats = {field.name for field in QUALITY_SCHEMA if field.type == pa.float32()}
    ready = [columns[name].astype(np.float32) if name in floats else columns[name] for name in QUALITY_SCHEMA.names]
    return pa.table(ready, schema=QUALITY_SCHEMA)


def _write(location: Location, table: pa.Table) -> None:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    location.write_bytes(sink.getvalue())
