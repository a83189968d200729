"""Picks and geometry of a survey in the store, as quality is judged by."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seisray.picking.aligned import align
from seisray.picking.quality.traces import FLAGS, Traces
from seisray.registry import PickSet, Store, Survey

COLUMNS = (
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
    """Hold the traces of a survey with their picks, in the order of its shards. ffid: (n_traces,), of the shot."""

    traces: Traces
    gather_ids: list[str] = field(repr=False)
    ffid: NDArray[np.int64] = field(repr=False)


def read_survey_picks(store: Store, survey: Survey, picks: PickSet) -> SurveyPicks:
    """Return the traces of a survey with their picks; raise PicksError where these are not of it, each trace once."""
    found = align(
        store, survey, picks, of_trace=COLUMNS, of_gather=["ffid"], columns=["pick_ms", "sigma_ms"], flags=FLAGS
    )
    known = found.of_trace
    by_shot = survey.settings.get("group_by", "ffid") in BY_SHOT
    record = known["source"].astype(np.int64) << 40 | (known["field_record"] & (1 << 40) - 1)
    traces = Traces(
        gather=found.gather,
        shot_number=found.gather.astype(np.int64) if by_shot else record,
        trace=known["trace"],
        channel=known["channel"],
        live=known["live"],
        pick_ms=found.picks["pick_ms"],
        sigma_ms=found.picks["sigma_ms"],
        flag=found.picks["flag"],
        source_xy_m=np.column_stack([known["source_x_m"], known["source_y_m"]]),
        receiver_xy_m=np.column_stack([known["receiver_x_m"], known["receiver_y_m"]]),
        header_offset_m=known["offset_m"],
        end_ms=survey.n_samples * survey.sample_interval_us / 1000,
        sample_interval_ms=survey.sample_interval_us / 1000,
    )
    ffid = found.spread("ffid") if by_shot else known["field_record"]
    return SurveyPicks(traces=traces, gather_ids=found.gather_ids, ffid=ffid)
