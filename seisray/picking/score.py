"""`seisray score`: picks against first breaks that somebody labelled."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv

from seisray.errors import NotFoundError, PicksError
from seisray.formats.picks.first_breaks import read_first_breaks_csv
from seisray.metrics.picks import PickScore, score_picks
from seisray.picking.parts import read_picks
from seisray.registry import Store
from seisray.shards import read_shard
from seisray.storage import Location, locate

KEYS = ["ffid", "trace"]


def score(picks: str, truth: str | None = None, *, store: str, ffids: list[int] | None = None) -> PickScore:
    """Return how well a set of picks meets labelled first breaks.

    picks: a name in the store. truth: a survey in the store or a CSV with ffid, trace, time_ms (from the first sample);
    None = the labels of the survey that was picked. ffids: the gathers to score, None = all that are labelled.
    """
    place = Store(store)
    found = place.picks(picks)
    interval_us = place.survey_of(found).sample_interval_us if found.survey else found.sample_interval_us
    table = compare(place, picks, truth, ffids)
    pick_ms, first_break_ms, probability = (
        table[name].to_numpy() for name in ("pick_ms", "first_break_ms", "probability")
    )
    return score_picks(pick_ms, first_break_ms, sample_interval_us=interval_us, probability=probability)


def compare(store: Store, picks: str, truth: str | None = None, ffids: list[int] | None = None) -> pa.Table:
    """Return one row a trace that is labelled or picked: the pick's columns and first_break_ms; NaN = none.

    Raises PicksError where labels name gathers that were not picked.
    """
    found = store.picks(picks)
    if found.survey:
        store.survey_of(found)
    truth = truth or found.survey
    if truth is None:
        raise PicksError(f"picks {picks!r} are straight from field files, which have no labels; name a CSV or a survey")
    rows = _unambiguous(read_picks(store, found), picks)
    labels = labels_of(store, truth)
    if ffids is not None:
        rows = rows.filter(pa.compute.is_in(rows["ffid"], pa.array(ffids, pa.int64())))
        labels = labels.filter(pa.compute.is_in(labels["ffid"], pa.array(ffids, pa.int64())))
        absent = sorted(set(ffids) - set(rows["ffid"].to_pylist()))
        if absent:
            raise PicksError(f"picks {picks!r} hold no gather with FFID {absent[0]} ({len(absent)} such FFIDs)")
    strangers = sorted(set(labels["ffid"].to_pylist()) - set(rows["ffid"].to_pylist()))
    if strangers:
        raise PicksError(
            f"{truth}: {len(strangers)} labelled FFIDs were not picked, e.g. {strangers[0]}; name those that "
            "were by --ffids"
        )
    joined = rows.join(labels, KEYS, join_type="left outer").sort_by([(key, "ascending") for key in KEYS])
    lost = len(labels) - pa.compute.sum(pa.compute.is_valid(joined["first_break_ms"])).as_py()
    if lost:
        raise PicksError(
            f"{truth}: {lost} labels are on traces that the picks {picks!r} do not have; does trace count from 1 "
            "within the gather, and are these labels of that survey?"
        )
    return joined


def _unambiguous(rows: pa.Table, picks: str) -> pa.Table:
    """Return the rows; raise PicksError where FFID and trace name more than one of them."""
    if len(rows.group_by(KEYS).aggregate([])) != len(rows):
        raise PicksError(
            f"picks {picks!r}: FFID and trace do not name one trace: several field files share FFIDs, or the survey is "
            "not grouped by FFID"
        )
    return rows


def labels_of(store: Store, truth: str) -> pa.Table:
    """Return ffid, trace, first_break_ms of a survey in the store, or of a CSV; labelled traces only."""
    if truth in store.names("surveys"):
        survey = store.survey(truth)
        columns = [*KEYS, "first_break_ms"]
        parts = []
        for i in range(len(survey.shards)):
            for row in read_shard(store.shard(survey, i), columns=columns):
                ffid = np.full(len(row["trace"]), row["ffid"])
                parts.append(pa.table([ffid, row["trace"], row["first_break_ms"].astype(np.float64)], names=columns))
        table = pa.concat_tables(parts)
        return table.filter(pa.compute.is_finite(table["first_break_ms"]))
    location = locate(truth)
    if not location.exists():
        raise NotFoundError(f"{truth!r} is neither a survey in {store} nor a CSV file")
    labels = read_first_breaks_csv(location.read_bytes(), truth)
    if labels.key != "trace":
        raise PicksError(f"{truth} names traces by channel, picks do not; ingest the survey with it, and name no truth")
    return pa.table([labels.ffid, labels.number.astype(np.int32), labels.time_ms], names=[*KEYS, "first_break_ms"])


def export_csv(store: Store, picks: str, location: Location) -> int:
    """Write the picks of a set as a CSV with ffid, trace, time_ms and what is known of each pick; return its rows.

    time_ms counts from the first sample; traces without a pick are left out.
    """
    rows = _unambiguous(read_picks(store, store.picks(picks)), picks)
    rows = rows.filter(pa.compute.is_finite(rows["pick_ms"])).sort_by([(key, "ascending") for key in KEYS])
    chosen = rows.select(["ffid", "trace", "pick_ms", "probability", "sigma_ms", "flag"])
    sink = io.BytesIO()
    pa.csv.write_csv(chosen.rename_columns({"pick_ms": "time_ms"}), sink)
    location.write_bytes(sink.getvalue())
    return len(chosen)
