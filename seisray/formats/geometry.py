"""Where the shots and receivers of a survey stand, for field files whose headers do not say."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seisray.errors import FormatError
from seisray.formats.csv_table import csv_header, read_csv
from seisray.formats.sps.survey import looks_like_sps, read_sps
from seisray.gather import Gather

CSV_COLUMNS = {"kind": pa.string(), "number": pa.int64(), "x_m": pa.float64(), "y_m": pa.float64()}


class Spread(Protocol):
    """Say where the source and the receiver of a trace stand."""

    def locate(
        self, field_record: NDArray[np.int64], channel: NDArray[np.int32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (n, 3) of the sources and of the receivers: x, y, z in metres; z may be NaN.

        Raises FormatError where one is not known.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class Geometry:
    """Hold where every trace of a survey was shot and recorded, by its field record (FFID) and channel."""

    where: str
    spread: Spread = field(repr=False)

    def on(self, gather: Gather) -> Gather:
        """Return the gather with coordinates and absolute horizontal offsets, whatever it was grouped by.

        Raises FormatError where the table has no row for a shot or receiver of the gather.
        """
        try:
            source, receiver = self.spread.locate(gather.field_record, gather.channel)
        except FormatError as error:
            raise FormatError(f"{self.where}: gather {gather.gather_id!r}: {error}") from error
        places = {f"source_{axis}_m": source[:, i] for i, axis in enumerate("xyz")}
        places |= {f"receiver_{axis}_m": receiver[:, i] for i, axis in enumerate("xyz")}
        return gather.replace(**places, offset_m=np.hypot(*(receiver - source)[:, :2].T))


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberedPoints:
    """Hold points of one kind by number: number (n,) sorted, place (n, 3) in metres."""

    kind: str
    number: NDArray[np.int64]
    place: NDArray[np.float64]

    def find(self, number: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return (n, 3): the places of numbers; raise FormatError naming the first that has no row."""
        known = np.isin(number, self.number)
        if not known.all():
            raise FormatError(f"no row for {self.kind} {number[~known][0]}; add it to the table")
        return self.place[np.searchsorted(self.number, number)]


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedSpread:
    """Hold receivers that stood still for all shots: a channel is a receiver, a field record a shot."""

    shots: NumberedPoints
    receivers: NumberedPoints

    def locate(
        self, field_record: NDArray[np.int64], channel: NDArray[np.int32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return where the sources and the receivers stand, as Spread says."""
        return self.shots.find(field_record), self.receivers.find(channel.astype(np.int64))


def read_geometry(files: Sequence[tuple[bytes, str]]) -> Geometry:
    """Return the geometry in files, each as its bytes and its name: one CSV, or SPS files that belong together.

    CSV: columns kind (shot or receiver), number (FFID or channel), x_m, y_m and, if known, z_m.
    SPS: S, R and X records, in one file or several, in any order. Raises FormatError where files are not what they say.
    """
    where = ", ".join(name for _, name in files)
    sps = [looks_like_sps(data) for data, _ in files]
    if sps and all(sps):
        return Geometry(where=where, spread=read_sps(files))
    if len(files) != 1:
        raise FormatError(f"geometry {where or 'is missing'}: expected one CSV, or SPS files with S, R and X records")
    return Geometry(where=where, spread=_read_csv(*files[0]))


def _read_csv(data: bytes, where: str) -> FixedSpread:
    has_z = "z_m" in csv_header(data)
    table = read_csv(data, where, CSV_COLUMNS | ({"z_m": pa.float64()} if has_z else {}), FormatError)
    number, x, y = (table[name].to_numpy() for name in ("number", "x_m", "y_m"))
    place = np.stack([x, y, table["z_m"].to_numpy() if has_z else np.full(len(x), np.nan)], axis=1)
    kind = np.asarray(table["kind"].to_pylist(), dtype=np.str_)
    unknown = sorted({*kind.tolist()} - {"shot", "receiver"})
    if unknown:
        raise FormatError(f"{where}: kind {unknown[0]!r} is unknown; expected shot or receiver")
    if not np.isfinite(place[:, :2]).all():
        raise FormatError(f"{where}: x_m and y_m are numbers; leave out points that were not surveyed")

    def points(wanted: str) -> NumberedPoints:
        of_kind, places = number[kind == wanted], place[kind == wanted]
        numbers, first, same = np.unique(of_kind, return_index=True, return_inverse=True)
        moved = ~((places == places[first][same]) | np.isnan(places) & np.isnan(places[first][same])).all(axis=1)
        if moved.any():
            raise FormatError(f"{where}: {wanted} {of_kind[moved][0]} occurs twice, at different places")
        return NumberedPoints(kind=wanted, number=numbers, place=places[first])

    return FixedSpread(shots=points("shot"), receivers=points("receiver"))
