"""What a report needs to know of millions of picks, counted shard by shard in memory that does not grow with them."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seisray.picking.suspicion import GatherSuspicion, gather_suspicions
from seisray.picking.traces import PickedShard

BINS = 50
"""Of probability: medians are good to 0.02."""
SAMPLE = 100_000
"""Picks that charts of single picks are drawn from, at random where there are more."""
MATRIX_ROWS = 500
MATRIX_COLUMNS = 4_000
"""Channels beyond are left out of the matrix."""
STEPS_A_M = 100
"""Positions are told apart to 1 / STEPS_A_M of a metre."""


class QualityTally:
    """Count probabilities and flags of the traces of each shot, station or channel."""

    def __init__(self) -> None:
        self._index: dict[tuple[int, ...], int] = {}
        self._counts: NDArray[np.int64] = np.zeros((64, BINS), dtype=np.int64)
        self._flagged: NDArray[np.int64] = np.zeros(64, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._index)

    def add(self, key: NDArray[np.int64], probability: NDArray[np.float64], flagged: NDArray[np.bool_]) -> None:
        """Count traces. key: (n, k) whole numbers that name what each belongs to."""
        if not len(key):
            return
        names, of = np.unique(key, axis=0, return_inverse=True)
        rows = np.array([self._index.setdefault(tuple(name), len(self._index)) for name in names.tolist()])
        while len(self._index) > len(self._flagged):
            self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
            self._flagged = np.concatenate([self._flagged, np.zeros_like(self._flagged)])
        row = rows[of.ravel()]
        np.add.at(self._counts, (row, bin_of(probability)), 1)
        np.add.at(self._flagged, row, flagged)

    def keys(self) -> NDArray[np.int64]:
        """Return (n, k): what was counted, in the order of the other results."""
        return np.array(list(self._index), dtype=np.int64).reshape(len(self), -1)

    def median(self) -> NDArray[np.float64]:
        """Return (n,) median probabilities."""
        counts = self._counts[: len(self)]
        half = counts.sum(axis=1, keepdims=True) / 2
        return (np.argmax(np.cumsum(counts, axis=1) >= half, axis=1) + 0.5) / BINS

    def share_flagged(self) -> NDArray[np.float64]:
        """Return (n,) shares of traces whose pick is doubtful or missing."""
        return self._flagged[: len(self)] / self._counts[: len(self)].sum(axis=1)


class MatrixTally:
    """Add up probabilities and flags by gather and channel. n_gathers: about as many as will be; many share a row."""

    def __init__(self, n_gathers: int) -> None:
        self.gathers_a_row = -(-max(n_gathers, 1) // MATRIX_ROWS)
        self._sums: NDArray[np.float64] = np.zeros((3, 0, 0))  # traces, probability, flagged

    def add(self, gather: NDArray[np.intp], channel: NDArray[np.int64], *values: NDArray[np.float64]) -> None:
        """Count traces. gather: from 0; values: probability and flagged, all (n,)."""
        shown = (channel >= 0) & (channel < MATRIX_COLUMNS)
        at = (gather[shown] // self.gathers_a_row, channel[shown])
        more = (int(place.max(initial=-1)) + 1 - n for place, n in zip(at, self._sums.shape[1:], strict=True))
        self._sums = np.pad(self._sums, [(0, 0), *((0, max(n, 0)) for n in more)])
        for total, value in zip(self._sums, (np.ones(len(channel)), *values), strict=True):
            np.add.at(total, at, value[shown])

    def probability(self) -> NDArray[np.float64]:
        """Return (n_rows, n_channels), mean; NaN where no trace is live."""
        return self._mean(1)

    def share_flagged(self) -> NDArray[np.float64]:
        """Return (n_rows, n_channels); NaN where no trace is live."""
        return self._mean(2)

    def _mean(self, which: int) -> NDArray[np.float64]:
        count = self._sums[0]
        return np.divide(self._sums[which], count, out=np.full(count.shape, np.nan), where=count > 0)


@dataclass(slots=True)
class PickTally:
    """Count the picks of a set, a shard at a time. n_gathers: about as many as it will see."""

    n_gathers: int
    gathers: list[GatherSuspicion] = field(default_factory=list)
    flags: Counter[str] = field(default_factory=Counter)
    probability: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))
    shots: QualityTally = field(default_factory=QualityTally)
    stations: QualityTally = field(default_factory=QualityTally)
    matrix: MatrixTally = field(init=False)
    n_live: int = 0
    n_placed: int = 0
    n_picked: int = 0
    first_break_ms: list[NDArray[np.float64]] = field(default_factory=list)
    labelled_pick_ms: list[NDArray[np.float64]] = field(default_factory=list)
    labelled_probability: list[NDArray[np.float64]] = field(default_factory=list)
    _sample: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 4)))
    _seen: int = 0

    def __post_init__(self) -> None:
        self.matrix = MatrixTally(self.n_gathers)

    def add(self, shard: PickedShard) -> None:
        """Count one shard."""
        live, flagged = shard.live, shard.flagged
        self.flags.update(dict(zip(*_counted(shard.flag), strict=True)))
        self.gathers += gather_suspicions(shard)
        self.n_live += int(live.sum())
        sure = np.nan_to_num(shard.probability)
        self.probability += np.bincount(bin_of(sure[live]), minlength=BINS)
        source, receiver = (_position(shard, end) for end in ("source", "receiver"))
        placed = live & np.isfinite(source + receiver).all(axis=1)
        self.n_placed += int(placed.sum())
        for tally, position in ((self.shots, source), (self.stations, receiver)):
            tally.add(np.rint(position[placed] * STEPS_A_M).astype(np.int64), sure[placed], flagged[placed])
        rows, of = np.unique(shard.row, return_inverse=True)  # some gathers of a shard may be left out
        of_gather = (self._seen + of)[live]
        self.matrix.add(of_gather, shard.channel[live].astype(np.int64), sure[live], flagged[live].astype(np.float64))
        labelled = np.isfinite(shard.first_break_ms)
        self.first_break_ms.append(shard.first_break_ms[labelled])
        self.labelled_pick_ms.append(shard.pick_ms[labelled])
        self.labelled_probability.append(shard.probability[labelled])
        self._draw(shard)
        self._seen += len(rows)

    @property
    def has_geometry(self) -> bool:
        """Return whether a map can be drawn: most live traces have coordinates, and these are not all the same."""
        return 2 * self.n_placed > self.n_live and len(self.shots) + len(self.stations) > 2

    def sample(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return offset_m, channel and pick_ms of all picks, or of SAMPLE drawn at random."""
        chosen = self._sample[np.argsort(self._sample[:, 0])[:SAMPLE]]
        return chosen[:, 1], chosen[:, 2], chosen[:, 3]

    def _draw(self, shard: PickedShard) -> None:
        """Keep the picks with the smallest of random numbers: a fair draw, whatever the number of shards."""
        picked = np.isfinite(shard.pick_ms)
        self.n_picked += int(picked.sum())
        ticket = np.random.default_rng(shard.number).random(int(picked.sum()))
        more = np.column_stack([ticket, shard.offset_m[picked], shard.channel[picked], shard.pick_ms[picked]])
        self._sample = np.concatenate([self._sample, more])
        if len(self._sample) > 2 * SAMPLE:
            self._sample = self._sample[np.argpartition(self._sample[:, 0], SAMPLE)[:SAMPLE]]


def bin_of(probability: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the bin of 0..BINS - 1 in which each probability falls."""
    return np.clip((probability * BINS).astype(np.intp), 0, BINS - 1)


def _counted(flag: NDArray[np.str_]) -> tuple[list[str], list[int]]:
    names, counts = np.unique(flag, return_counts=True)
    return names.tolist(), counts.tolist()


def _position(shard: PickedShard, end: str) -> NDArray[np.float64]:
    """Return (n_traces, 2) x and y of the source or the receiver, m."""
    return np.column_stack([getattr(shard, f"{end}_x_m"), getattr(shard, f"{end}_y_m")])
