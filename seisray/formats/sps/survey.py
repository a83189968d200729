"""SPS files: where shots (S) and receivers (R) stand, and which of them made a channel of a field record (X)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seisray.errors import FormatError
from seisray.formats.pairs import Pairs, find_rows, pairs
from seisray.formats.sps.header import metres_per_unit, stated_revision
from seisray.formats.sps.records import Columns, Records, split_records

COORDINATES: list[tuple[str, Columns]] = [("easting", (47, 55)), ("northing", (56, 65)), ("elevation", (66, 71))]
POINT: dict[str, dict[str, Columns]] = {
    "0": {"line": (2, 17), "point": (18, 25), "index": (26, 26)},
    "2.1": {"line": (2, 11), "point": (12, 21), "index": (24, 24)},
}
RELATION: dict[str, dict[str, Columns]] = {
    "0": {
        "field record": (8, 11),
        "field record increment": (12, 12),
        "shot line": (14, 29),
        "shot point": (30, 37),
        "shot index": (38, 38),
        "from channel": (39, 42),
        "to channel": (43, 46),
        "channel increment": (47, 47),
        "receiver line": (48, 63),
        "from receiver": (64, 71),
        "to receiver": (72, 79),
        "receiver index": (80, 80),
    },
    "2.1": {
        "field record": (8, 15),
        "field record increment": (16, 16),
        "shot line": (18, 27),
        "shot point": (28, 37),
        "shot index": (38, 38),
        "from channel": (39, 43),
        "to channel": (44, 48),
        "channel increment": (49, 49),
        "receiver line": (50, 59),
        "from receiver": (60, 69),
        "to receiver": (70, 79),
        "receiver index": (80, 80),
    },
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Points:
    """Hold the S or R points. name: (n,) sorted pairs of 10 * line + index and hundredths of the point number.

    place: (n, 3) in metres, NaN = not surveyed. lines: the names of the lines, by their number.
    """

    kind: str
    name: Pairs
    place: NDArray[np.float64]
    lines: Sequence[str] = field(repr=False)

    def find(self, name: Pairs) -> NDArray[np.float64]:
        """Return (n, 3): the places of points; raise FormatError naming the first that has none."""
        row = find_rows(self.name, name)
        place = self.place[row] if len(self.place) else np.full((len(name), 3), np.nan)
        lacking = (row < 0) | np.isnan(place[:, :2]).any(axis=1)
        if lacking.any():
            first = int(np.flatnonzero(lacking)[0])
            line, index = divmod(int(name[first].real), 10)
            what = "no coordinates" if row[first] >= 0 else f"no {self.kind} record"
            raise FormatError(
                f"{what} for {'shot' if self.kind == 'S' else 'receiver'} line {self.lines[line]}, point "
                f"{name[first].imag / 100:.10g}, index {index}; add it to the SPS files"
            )
        return place


@dataclass(frozen=True, kw_only=True, slots=True)
class SpsSpread:
    """Hold the relation of channels to points, one row a range of channels (an X record).

    first: (n,) sorted pairs; the first number is unique to field record, channel increment and the channel's remainder
    by it, the second is the range's first channel. last_channel: (n,). shot: (n,) names of points; receiver: (n,) names
    at the first channel; step: (n,) hundredths of a point number from channel to channel. increments: that occur.
    """

    shots: Points
    receivers: Points
    first: Pairs
    last_channel: NDArray[np.int64]
    shot: Pairs
    receiver: Pairs
    step: NDArray[np.int64]
    increments: tuple[int, ...]

    def locate(
        self, field_record: NDArray[np.int64], channel: NDArray[np.int32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (n, 3) of the sources and of the receivers: x, y, z in metres; z may be NaN.

        Raises FormatError where a trace is in no X record, in two, or at a point without a record or coordinates.
        """
        row = np.full(len(channel), -1, dtype=np.int64)
        n_found = np.zeros(len(channel), dtype=np.int64)
        position = np.zeros(len(channel), dtype=np.int64)
        for increment in self.increments:
            wanted = pairs(_range_class(field_record, increment, channel), channel)
            before = np.searchsorted(self.first, wanted, side="right") - 1
            fits = (before >= 0) & (self.first[before].real == wanted.real) & (channel <= self.last_channel[before])
            row[fits], n_found[fits] = before[fits], n_found[fits] + 1
            position[fits] = (channel[fits] - self.first[before[fits]].imag.astype(np.int64)) // increment
        if (n_found != 1).any():
            bad = int(np.flatnonzero(n_found != 1)[0])
            raise FormatError(
                f"FFID {field_record[bad]}, channel {channel[bad]} is in {n_found[bad] or 'no'} X records, "
                "expected one; mend the SPS files"
            )
        receiver = pairs(self.receiver[row].real, self.receiver[row].imag + self.step[row] * position)
        return self.shots.find(self.shot[row]), self.receivers.find(receiver)


def looks_like_sps(data: bytes) -> bool:
    """Return whether bytes start with an SPS record: a letter of H, S, R, X, and no CSV header."""
    first = data.lstrip(b"\r\n").split(b"\n", 1)[0]
    return first[:1] in (b"H", b"S", b"R", b"X") and b"kind" not in first


def read_sps(files: Sequence[tuple[bytes, str]]) -> SpsSpread:
    """Return what SPS files say: S, R and X records, in one file or several, each as bytes and name.

    Revision 0 (1.0) or 2.1, by record H00; without it, the one as which all records can be read. Coordinates are of the
    surface, in metres (H20, H201 = feet are converted, elevations too). Statics, depths and times are not read.
    An X record joins channels `from`, `from + increment` .. `to` to receivers that are evenly spaced in point number.
    Raises FormatError naming file and line of what is not so, and where both revisions, or neither, could be meant.
    Source: SEG Technical Standards Committee, Shell Processing Support Format for Land 3D Surveys, 1993 (revision 0),
    and revision 2.1, January 2006: point and relation record specification.
    """
    where = ", ".join(name for _, name in files)
    records, headers = split_records(files)
    missing = [kind for kind, found in records.items() if not len(found)]
    if missing:
        raise FormatError(
            f"{where}: no {missing[0]} record; SPS geometry needs S, R and X records, in one or more files"
        )
    metres = metres_per_unit(headers, where)
    revision = stated_revision(headers, where)
    if revision:
        return _read(records, revision, metres)
    read: list[SpsSpread] = []
    faults: list[str] = []
    for revision in ("0", "2.1"):
        try:
            read.append(_read(records, revision, metres))
        except FormatError as error:
            faults.append(f"revision {revision}: {error}")
    if len(read) != 1:
        fault = "could be SPS revision 0 or 2.1" if read else f"is neither SPS revision 0 nor 2.1 ({'; '.join(faults)})"
        raise FormatError(f"{where} {fault}; state it in a record H00, as 'SPS001' or 'SPS 2.1' from column 33")
    return read[0]


def _read(records: dict[str, Records], revision: str, metres: float) -> SpsSpread:
    lines: dict[str, int] = {}
    shots = _points(records["S"], revision, metres, lines)
    receivers = _points(records["R"], revision, metres, lines)
    relation, at = records["X"], RELATION[revision]
    if (relation.integers("field record increment", at["field record increment"], 1) != 1).any():
        raise FormatError(f"{relation.where[0][0]}: field record increments other than 1 are not understood")
    field_record = relation.integers("field record", at["field record"])
    first, last = (relation.integers(name, at[name]) for name in ("from channel", "to channel"))
    increment = relation.integers("channel increment", at["channel increment"], 1)
    shot = _point_names(relation, at, "shot ", "shot point", lines)
    start = _point_names(relation, at, "receiver ", "from receiver", lines)
    stop = _point_names(relation, at, "receiver ", "to receiver", lines)
    span, apart = last - first, (stop.imag - start.imag).astype(np.int64)
    intervals = np.where(increment > 0, span // np.maximum(increment, 1), -1)
    uneven = (increment < 1) | (span < 0) | (span % np.maximum(increment, 1) != 0)
    uneven |= np.where(intervals > 0, apart % np.maximum(intervals, 1) != 0, apart != 0)
    if uneven.any():
        row = int(np.flatnonzero(uneven)[0])
        raise relation.error(
            row,
            f"channels {first[row]}..{last[row]} in steps of {increment[row]} do not fit receivers "
            f"{start[row].imag / 100:.10g}..{stop[row].imag / 100:.10g}",
        )
    starts = pairs(_range_class(field_record, increment, first), first)
    step = apart // np.maximum(intervals, 1)
    # The same record twice, as where files overlap, says nothing new. Rows are sorted by starts, then the rest.
    unlike = np.stack([starts.real, starts.imag, last, shot.real, shot.imag, start.real, start.imag, step], axis=1)
    rows = np.unique(unlike, axis=0, return_index=True)[1]
    ranges, ends = starts[rows], last[rows]
    overlap = (ranges.real[1:] == ranges.real[:-1]) & (ranges.imag[1:] <= ends[:-1])
    if overlap.any():
        row = int(rows[1:][overlap][0])
        raise relation.error(row, f"channel {first[row]} of FFID {field_record[row]} is in an earlier X record too")
    names = list(lines)
    return SpsSpread(
        shots=Points(kind="S", name=shots[0], place=shots[1], lines=names),
        receivers=Points(kind="R", name=receivers[0], place=receivers[1], lines=names),
        first=ranges,
        last_channel=ends,
        shot=shot[rows],
        receiver=start[rows],
        step=step[rows],
        increments=tuple(np.unique(increment).tolist()),
    )


def _points(records: Records, revision: str, metres: float, lines: dict[str, int]) -> tuple[Pairs, NDArray[np.float64]]:
    """Return the sorted names of S or R points and their places, (n, 3); raise FormatError where one is at two."""
    name = _point_names(records, POINT[revision], "", "point", lines)
    place = metres * np.stack([records.numbers(what, columns, np.nan) for what, columns in COORDINATES], axis=1)
    names, first, same = np.unique(name, return_index=True, return_inverse=True)
    moved = ~((place == place[first][same]) | (np.isnan(place) & np.isnan(place[first][same]))).all(axis=1)
    if moved.any():
        row = int(np.flatnonzero(moved)[0])
        raise records.error(row, "the same line, point and index stand at another place in an earlier record")
    return names, place[first]


def _point_names(records: Records, at: dict[str, Columns], prefix: str, point: str, lines: dict[str, int]) -> Pairs:
    """Return the names of points; `lines` gets a number for each new name of a line."""
    texts = records.names(f"{prefix}line", at[f"{prefix}line"])
    line = np.fromiter((lines.setdefault(text, len(lines)) for text in texts), dtype=np.int64, count=len(texts))
    hundredths = 100 * records.numbers(point, at[point])
    odd = np.abs(hundredths - np.round(hundredths)) > 1e-3
    if odd.any():
        raise records.error(int(np.flatnonzero(odd)[0]), f"{point} has more than two decimals")
    index = records.integers(f"{prefix}index", at[f"{prefix}index"], 1)
    return pairs(10 * line + index, np.round(hundredths))


def _range_class(
    field_record: NDArray[np.int64], increment: NDArray[np.int64] | int, channel: NDArray[np.integer]
) -> NDArray[np.int64]:
    """Return a number that is the same for all channels that one range can hold, and differs for others."""
    return (field_record * 10 + increment) * 10 + channel % np.maximum(increment, 1)
