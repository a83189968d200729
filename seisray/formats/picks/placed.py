"""Picks with the places of shot and receiver, on the way into the files of refraction programs."""

from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from seisray.errors import PicksError
from seisray.formats.pairs import pairs
from seisray.formats.picks.located import SAME_PLACE_M

MOST_BEND = 0.05
"""How far places may lie beside a line, as a share of its length, and still have positions along it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlacedPicks:
    """Hold traces with geometry: shot (n,) any number; *_m (n, 3) x, y, z; time_ms (n,) from the shot, NaN = no pick.

    where: what they are of, for messages. Raises PicksError where x or y of a picked trace is not known, or no trace
    is picked. Unknown z become 0.
    """

    where: str
    shot: NDArray[np.int64] = field(repr=False)
    source_m: NDArray[np.float64] = field(repr=False)
    receiver_m: NDArray[np.float64] = field(repr=False)
    time_ms: NDArray[np.float64] = field(repr=False)

    def __post_init__(self) -> None:
        known = np.isfinite(np.concatenate([self.source_m[:, :2], self.receiver_m[:, :2]], axis=1)).all(axis=1)
        if not self.picked.any():
            raise PicksError(f"{self.where} hold no pick; there is nothing to export")
        lacking = int((self.picked & ~known).sum())
        if lacking:
            raise PicksError(
                f"{self.where}: {lacking} picked traces have no coordinates, which such a file needs; ingest the "
                "survey with --geometry, or export csv"
            )
        for name in ("source_m", "receiver_m"):
            place = getattr(self, name).copy()
            place[:, 2] = np.nan_to_num(place[:, 2])
            object.__setattr__(self, name, place)

    @property
    def picked(self) -> NDArray[np.bool_]:
        """Return (n,): True where there is a pick."""
        return np.isfinite(self.time_ms)

    def check_named_by_place(self, source: NDArray[np.float64], receiver: NDArray[np.float64]) -> None:
        """Raise PicksError where two picks have shot and receiver at the same places: (n_picked, 1 or 2), metres."""
        ids = [np.unique(np.round(xy / SAME_PLACE_M), axis=0, return_inverse=True)[1] for xy in (source, receiver)]
        names, first, count = np.unique(pairs(*ids), return_index=True, return_counts=True)
        if len(names) < len(source):
            self._refuse_twin(source[first[count > 1][0]], int((count > 1).sum()))

    def _refuse_twin(self, place: NDArray[np.float64], n: int) -> NoReturn:
        raise PicksError(
            f"{self.where}: {n} ways from shot to receiver are picked more than once, the first from a shot at "
            f"{', '.join(f'{value:g}' for value in place)} m, and such a file names picks by place; export csv"
        )

    def along_line(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return positions (n,) of shots and receivers along their line: x where y is one, else the way from its end.

        Raises PicksError where they do not stand along a line.
        """
        n = len(self.time_ms)
        xy = np.concatenate([self.source_m[:, :2], self.receiver_m[:, :2]])
        known = np.isfinite(xy).all(axis=1)
        low, high = xy[known].min(axis=0), xy[known].max(axis=0)
        if high[1] - low[1] < SAME_PLACE_M:
            return xy[:n, 0], xy[n:, 0]
        distinct = np.unique(np.round(xy[known] / SAME_PLACE_M), axis=0) * SAME_PLACE_M
        middle = distinct.mean(axis=0)
        _, axes = np.linalg.eigh((distinct - middle).T @ (distinct - middle))
        along, across = axes[:, 1], axes[:, 0]
        along = along if along[np.abs(along).argmax()] > 0 else -along
        if np.ptp(distinct @ across) > MOST_BEND * np.ptp(distinct @ along):
            raise PicksError(
                f"{self.where}: shots and receivers lie up to {np.ptp(distinct @ across):.0f} m beside one line, and a "
                ".vs file holds positions along a line; export sgt"
            )
        position = (xy - middle) @ along
        position -= position[known].min()
        return position[:n], position[n:]
