"""The desk at which picks are reviewed: gathers in the order of suspicion, and what a person makes of them."""

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seisray.errors import ConfigError, NotFoundError, PicksError
from seisray.gather import Gather
from seisray.picking.suspicion import GatherSuspicion, gather_suspicions
from seisray.picking.traces import PickedShard, picked_shards
from seisray.registry import Store
from seisray.report.plots import balance
from seisray.review.verdicts import Verdict, Verdicts, now
from seisray.shards import read_gather
from seisray.storage import Location

GAINS = (99.9, 99.0, 97.0, 94.0, 88.0, 78.0, 60.0)
"""Share of amplitudes below full black, from faint to loud."""
MOST_PIXELS = 12_000_000
WIDTH_PIXELS = 1200
MARGIN_MS = 40.0
MOST_MEMORY_GATHERS = 4


class Desk:
    """Hand out gathers, the least sure ones first, and take back what a person made of their picks."""

    def __init__(
        self, picks: str, *, store: str, labels: Location | None = None, ffids: Sequence[int] | None = None
    ) -> None:
        """Order the gathers of a set of picks. labels: where first breaks go; ffids: leave out all other gathers."""
        self._store = Store(store)
        self.picks = self._store.picks(picks)
        self._survey = self._store.survey_of(self.picks)
        found: list[GatherSuspicion] = []
        for shard in picked_shards(self._store, self.picks, ffids=ffids):
            found += gather_suspicions(shard)
        self._queue = sorted(found, key=lambda one: (-one.suspicion, one.shard, one.row))
        if not self._queue:
            raise PicksError(f"picks {picks!r} hold no gather with a live trace; there is nothing to review")
        ffids_there = {ffid for shard in self._survey.shards for ffid in shard["ffids"]}
        shared = len(ffids_there) < self._survey.n_gathers
        by_gather = shared or self._survey.settings.get("group_by", "ffid") != "ffid"
        self.verdicts = Verdicts(self._store, self.picks, labels, by_gather=by_gather)
        self._near: dict[int, tuple[Gather, PickedShard]] = {}

    def __len__(self) -> int:
        return len(self._queue)

    def first(self) -> int:
        """Return the place of the first gather without a verdict, or 0 where all have one."""
        self.verdicts.refresh()
        for place, one in enumerate(self._queue):
            verdict = self.verdicts[one.gather_id]
            if verdict is None or not verdict.done:
                return place
        return 0

    def find(self, ffid: int) -> int:
        """Return the place of the first gather of an FFID; raise NotFoundError where there is none."""
        for place, one in enumerate(self._queue):
            if one.ffid == ffid:
                return place
        raise NotFoundError(f"no gather with FFID {ffid} is here")

    def state(self) -> dict[str, Any]:
        """Return how far the review is."""
        return {
            "n_gathers": len(self._queue),
            **self.verdicts.counts,
            "n_labels": self.verdicts.n_labels,
            "labels": str(self.verdicts.labels),
        }

    def gather(self, place: int) -> dict[str, Any]:
        """Return what the page shows of a gather, but for its picture. Raises NotFoundError beyond the last one."""
        one, (gather, shard) = self._at(place), self._read(place)
        self.verdicts.refresh()
        verdict = self.verdicts[one.gather_id]
        known = np.isfinite(shard.pick_ms)
        interval_ms = gather.sample_interval_us / 1000
        end_ms = (gather.n_samples - 1) * interval_ms
        last_ms = float(np.nanmax(shard.pick_ms, initial=0.0))
        own = _listed(gather.trace[known], shard.pick_ms[known])
        offset = [None if math.isnan(value) else round(value, 1) for value in gather.offset_m.tolist()]
        return {
            "place": place,
            "ffid": one.ffid,
            "source_file": one.source_file.rpartition("/")[2],
            "probability": round(one.probability, 3),
            "n_flagged": one.n_flagged,
            "n_live": one.n_live,
            "status": verdict.status if verdict else "open",
            "trace": gather.trace.tolist(),
            "live": gather.live.tolist(),
            "offset_m": offset if any(value is not None for value in offset) else None,
            "flag": shard.flag.tolist(),
            "trace_probability": np.nan_to_num(shard.probability).round(3).tolist(),
            "interval_ms": interval_ms,
            "end_ms": end_ms,
            "shown_ms": min(end_ms, last_ms + MARGIN_MS) if last_ms else end_ms,
            "own": own,
            "picks": _listed(verdict.trace, verdict.time_ms) if verdict else own,
            "labels": _listed(gather.trace[gather.labelled], gather.first_break_ms[gather.labelled]),
        }

    def picture(self, place: int, gain: int) -> bytes:
        """Return a PNG of a gather, one row a sample: troughs white, peaks black.

        gain: 0 (faint) to len(GAINS) - 1 (loud). Traces are a few pixels wide, for browsers smooth from pixel to pixel
        and not from trace to trace then. Long records are thinned to MOST_PIXELS.
        """
        if not 0 <= gain < len(GAINS):
            raise ConfigError(f"gain is {gain}, expected 0..{len(GAINS) - 1}")
        gather, _ = self._read(place)
        every = -(-gather.samples.size // MOST_PIXELS)
        grey = np.rint(127.5 - 127.5 * balance(gather.samples[:, ::every], GAINS[gain])).astype(np.uint8)
        sink = io.BytesIO()
        wide = np.repeat(grey.T, int(np.clip(WIDTH_PIXELS // gather.n_traces, 1, 24)), axis=1)
        Image.fromarray(wide).save(sink, format="png", compress_level=1)
        return sink.getvalue()

    def save(self, place: int, picks: Mapping[str, Any], *, done: bool) -> dict[str, Any]:
        """Keep what a person left of a gather's picks, as a draft or as done; return its status and the state.

        picks: trace and time_ms, lists of equal length. Raises PicksError where they are not picks of this gather.
        """
        one, (gather, shard) = self._at(place), self._read(place)
        trace, time_ms = _checked(picks, gather)
        known = np.isfinite(shard.pick_ms)
        same = _listed(trace, time_ms) == _listed(gather.trace[known], shard.pick_ms[known])
        if not done and same and self.verdicts[one.gather_id] is None:
            return {"status": "open", **self.state()}
        verdict = Verdict(
            gather_id=one.gather_id,
            ffid=one.ffid,
            status=("accepted" if same else "corrected") if done else "draft",
            trace=trace,
            time_ms=time_ms,
            saved_at=now(),
        )
        self.verdicts.put(verdict)
        return {"status": verdict.status, **self.state()}

    def withdraw(self, place: int) -> dict[str, Any]:
        """Forget what a person made of a gather."""
        self.verdicts.withdraw(self._at(place).gather_id)
        return {"status": "open", **self.state()}

    def _at(self, place: int) -> GatherSuspicion:
        if not 0 <= place < len(self._queue):
            raise NotFoundError(f"gather {place + 1} is not here, there are {len(self._queue)}")
        return self._queue[place]

    def _read(self, place: int) -> tuple[Gather, PickedShard]:
        """Return a gather and its own picks; the last few read are kept."""
        if place not in self._near:
            one = self._at(place)
            gather = read_gather(self._store.shard(self._survey, one.shard), one.row)
            shards = picked_shards(self._store, self.picks, ffids=[one.ffid])
            shard = next(shard for shard in shards if shard.number == one.shard).of(one.row)
            self._near = dict([*self._near.items()][1 - MOST_MEMORY_GATHERS :])
            self._near[place] = (gather, shard)
        return self._near[place]


def _listed(trace: NDArray[Any] | list[int], time_ms: NDArray[Any] | list[float]) -> list[list[float]]:
    """Return [trace, time_ms] pairs, to a microsecond, in the order of the traces."""
    pairs = zip(np.asarray(trace).tolist(), np.asarray(time_ms, dtype=np.float64).round(3).tolist(), strict=True)
    return sorted([trace, time_ms] for trace, time_ms in pairs)


def _checked(picks: Mapping[str, Any], gather: Gather) -> tuple[list[int], list[float]]:
    trace, time_ms = picks.get("trace"), picks.get("time_ms")
    if not isinstance(trace, list) or not isinstance(time_ms, list) or len(trace) != len(time_ms):
        raise PicksError(f"picks of gather {gather.gather_id!r} are no lists trace and time_ms of equal length")
    whole = all(isinstance(one, int) and not isinstance(one, bool) for one in trace)
    real = all(isinstance(one, int | float) and not isinstance(one, bool) for one in time_ms)
    if not (whole and real) or len(set(trace)) < len(trace) or set(trace) - set(gather.trace.tolist()):
        raise PicksError(f"expected each trace of gather {gather.gather_id!r} at most once, and times as numbers")
    end_ms = gather.n_samples * gather.sample_interval_us / 1000
    for number, one in zip(trace, time_ms, strict=True):
        if not 0 <= one <= end_ms:  # nor NaN
            raise PicksError(
                f"FFID {gather.ffid}, trace {number}: {one:g} ms lies outside the record (0..{end_ms:g} ms); move the "
                "pick, or remove it"
            )
    return trace, [float(one) for one in time_ms]
