"""How much a gather's picks are to be doubted, so that the worst ones are looked at first."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from seisray.picking.traces import PickedShard

PICKER_FLAGS = ("ok", "low_probability", "outside_window", "dead", "not_finite", "failed", "missing")
"""What a picker says of single traces; any other flag says that a pick does not fit the picks around it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GatherSuspicion:
    """Say of one gather how sure its picks are. shard, row: where it lies in its survey.

    probability: mean over live traces. n_flagged: live traces whose pick is doubtful or missing; n_inconsistent: those
    of them whose pick does not fit its neighbours.
    """

    shard: int
    row: int
    gather_id: str
    source_file: str
    ffid: int
    n_traces: int
    n_live: int
    n_picked: int
    n_flagged: int
    n_inconsistent: int
    probability: float

    @property
    def suspicion(self) -> float:
        """Return 0 where all is well, 2 at worst: what lacks in probability, and the share of inconsistent picks."""
        return (1 - self.probability) + self.n_inconsistent / max(self.n_live, 1)


def gather_suspicions(shard: PickedShard) -> Iterator[GatherSuspicion]:
    """Yield what is to be doubted in the gathers of a shard that have live traces."""
    n = len(shard.gather_id)

    def count(what: np.ndarray) -> np.ndarray:
        return np.bincount(shard.row[what], minlength=n)

    n_traces, n_live = np.bincount(shard.row, minlength=n), count(shard.live)
    n_picked = count(np.isfinite(shard.pick_ms))
    n_flagged = count(shard.flagged)
    n_inconsistent = count(shard.live & ~np.isin(shard.flag, PICKER_FLAGS))
    total = np.bincount(shard.row, np.where(shard.live, np.nan_to_num(shard.probability), 0), minlength=n)
    for row in np.flatnonzero(n_live).tolist():
        yield GatherSuspicion(
            shard=shard.number,
            row=row,
            gather_id=shard.gather_id[row],
            source_file=shard.source_file[row],
            ffid=int(shard.ffid[row]),
            n_traces=int(n_traces[row]),
            n_live=int(n_live[row]),
            n_picked=int(n_picked[row]),
            n_flagged=int(n_flagged[row]),
            n_inconsistent=int(n_inconsistent[row]),
            probability=float(total[row] / n_live[row]),
        )
