"""The gathers whose picks are least sure, and some others spread over the survey, as pictures."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.figure import Figure

from seisray.gather import Gather
from seisray.picking.suspicion import GatherSuspicion
from seisray.picking.traces import PickedShard, picked_shards
from seisray.registry import PickSet, Store, Survey
from seisray.report.page import Section
from seisray.report.plots import Display, plot_gather, png_bytes
from seisray.report.tally import PickTally
from seisray.shards import read_gather

WORST = 20
WIGGLES = 3
SPREAD = 4
MARGIN_MS = 30.0
LEGEND = "Picks are red dots, labels circles; orange dots are flagged picks, sand-coloured traces are dead."


def gather_sections(
    store: Store, survey: Survey, picks: PickSet, tally: PickTally, labels: pa.Table | None
) -> Iterator[Section]:
    """Yield the worst gathers, and others spread over the rest; only their samples are read."""
    ranked = sorted(tally.gathers, key=lambda one: (-one.suspicion, one.shard, one.row))
    worst, rest = ranked[:WORST], sorted(ranked[WORST:], key=lambda one: (one.shard, one.row))
    spread = [rest[i] for i in np.linspace(0, len(rest) - 1, min(SPREAD, len(rest))).round().astype(int)]
    reach_ms = np.percentile(tally.sample()[2], 99.5) if tally.n_picked else np.inf
    shared = len({one.ffid for one in ranked}) < len(ranked)
    rows = [
        (
            f"{one.ffid}" + (f" of {one.source_file.rpartition('/')[2]}" if shared else ""),
            f"{one.probability:.3f}",
            f"{one.n_flagged:,}",
            f"{one.n_inconsistent:,}",
            f"{one.n_live:,}",
        )
        for one in worst
    ]
    head = ("FFID", "probability", "flagged", "inconsistent", "live")
    ms_shown = float(reach_ms) + MARGIN_MS
    yield Section(
        title=f"The {len(worst)} worst gathers",
        text=f"By mean probability and by the share of picks that do not fit those around them. {LEGEND}",
        figures=tuple(_figures(store, survey, picks, worst, labels, ms_shown, WIGGLES, shared)),
        table=(head, *rows),
        columns=True,
    )
    if spread:
        figures = tuple(_figures(store, survey, picks, spread, labels, ms_shown, 0, shared))
        yield Section(title="Others, spread over the survey", text=LEGEND, figures=figures, columns=True)


def _figures(
    store: Store,
    survey: Survey,
    picks: PickSet,
    chosen: list[GatherSuspicion],
    labels: pa.Table | None,
    ms_shown: float,
    n_wiggles: int,
    shared: bool,
) -> Iterator[tuple[str, bytes]]:
    """Yield captions and pictures, the first of them as wiggles, too. shared: FFIDs alone do not name a gather."""
    drawn: dict[tuple[int, int], list[tuple[str, bytes]]] = {}
    places = {(one.shard, one.row): (rank, one) for rank, one in enumerate(chosen)}
    ffids = sorted({one.ffid for one in chosen})
    if labels is not None:
        labels = labels.filter(pc.is_in(labels["ffid"], pa.array(ffids, pa.int64())))
    for shard in picked_shards(store, picks, labels=labels, ffids=ffids):
        for row in np.unique(shard.row).tolist():
            if (shard.number, row) not in places:
                continue
            rank, one = places[shard.number, row]
            own = shard.of(row)
            gather = read_gather(store.shard(survey, shard.number), row)
            gather = gather.replace(first_break_ms=own.first_break_ms)
            displays: list[Display] = ["density", "wiggle"] if rank < n_wiggles else ["density"]
            last_ms = max(ms_shown, float(np.nanmax(own.pick_ms, initial=0.0)) + MARGIN_MS)
            drawn[shard.number, row] = [
                (_caption(one, shared), png_bytes(_plot(gather, own, display, last_ms), dpi=150, few_colours=True))
                for display in displays
            ]
    for one in chosen:
        yield from drawn[one.shard, one.row]


def _plot(gather: Gather, picks: PickedShard, display: Display, last_ms: float) -> Figure:
    title = f"FFID {gather.ffid}"
    return plot_gather(
        gather, pick_ms=picks.pick_ms, flag=picks.flag, display=display, title=title, max_ms=last_ms, compact=True
    )


def _caption(one: GatherSuspicion, shared: bool) -> str:
    where = f" of {one.source_file.rpartition('/')[2]}" if shared else ""
    parts = [f"FFID {one.ffid}{where}", f"mean probability {one.probability:.2f}"]
    parts += [f"{one.n_flagged} of {one.n_live} live traces flagged"] if one.n_flagged else []
    parts += [f"{one.n_inconsistent} inconsistent"] if one.n_inconsistent else []
    return " \N{MIDDLE DOT} ".join(parts)
