"""Which header tells the gathers of a SEG-Y file apart, judged by how the headers behave.

Headers follow no rule that all writers keep: the shot's number may stand anywhere. A key stays for the traces of one
gather, then changes, and does not come back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seisray.formats.segy.headers import TRACE_HEADER_BYTES, HeaderField
from seisray.formats.segy.key import GatherKey, gather_key
from seisray.inspection.facts import KeyGuess
from seisray.inspection.runs import Runs, Trail, counter_period, find_runs

SHOT_BYTES = (9, 17, 197)  # FFID, energy source point, rev 1's shotpoint number
SHOT_NUMBERS = ("ffid", "shot_point", "source_line")
SHOT_KEYS = ("shot_point", "source_line,shot_point", "source_x,source_y")
MOST_CHANGES = 0.6


@dataclass(frozen=True, kw_only=True)
class TraceHeaders:
    """Hold trace headers read from several files. parts: (n, 240 or more) bytes of each, and its byte order."""

    parts: Sequence[tuple[NDArray[np.uint8], str]]
    trail: Trail

    def read(self, *fields: HeaderField) -> NDArray[Any]:
        """Return the (n,) values of a field, or (n, k) of several."""
        columns = [np.concatenate([field.read(*part) for part in self.parts]) for field in fields]
        return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)

    def runs(self, *fields: HeaderField) -> Runs:
        """Return how fields run along the traces, together."""
        return find_runs(self.read(*fields), self.trail)


def guess_key(
    headers: TraceHeaders,
    mapping: Mapping[str, HeaderField],
    ensemble_traces: int,
    first_gather: Callable[[HeaderField], int] | None = None,
) -> KeyGuess:
    """Return the grouping key that the headers speak for, with the evidence in words.

    ensemble_traces: as the binary header says, 0 = unknown. first_gather: returns the length of a file's first run of a
    field, asked for where gathers are longer than what was read in one piece.
    """
    ffid, channel = mapping["ffid"], mapping["channel"]
    by_ffid = headers.runs(ffid)
    period = counter_period(headers.read(channel), headers.trail)
    expected = {ensemble_traces: "the traces per ensemble of the binary header", period: "the channel counter's period"}
    expected.pop(0, None)
    plain = by_ffid.is_key and by_ffid.typical in expected
    other = None if plain else _find_other(headers, mapping, set(expected))
    if by_ffid.is_key and not _splits_better(by_ffid, other, set(expected)):
        length = by_ffid.typical or (first_gather(ffid) if first_gather else 0)
        return KeyGuess(
            found=True, gather_traces=length, evidence=(_says("FFID", _key(ffid), by_ffid, expected, length),)
        )
    ffid_says = _says("FFID", _key(ffid), by_ffid, expected)
    shots = {name: headers.runs(*gather_key(name, mapping).fields) for name in SHOT_KEYS if _has(mapping, name)}
    keys = [name for name, runs in shots.items() if runs.is_key]
    counts_shots = by_ffid.comes_back and not np.array_equal(headers.read(ffid), headers.read(channel))
    if counts_shots and not keys:
        return _sorted_otherwise(headers, mapping, expected, other, ffid_says)
    if (counts_shots and "shot_point" not in keys) or (keys and other is None):
        says = _says(keys[0].replace("_", " "), gather_key(keys[0], mapping), shots[keys[0]], expected)
        return _guess(shots[keys[0]], ffid_says, says, group_by=keys[0])
    if other is not None:
        field, runs = other
        place = f"{field.byte}" if field.format == "int32" else f"{field.byte}:{field.format}"
        says = f"{_says('', _key(field), runs, expected)}: pass --header ffid={place}"
        return _guess(runs, ffid_says, says, header=(f"ffid={place}",))
    if by_ffid.n_values == 1 and not period:
        one = "each file is one gather" if len(headers.parts) > 1 else "the file is one gather, or a stack"
        says = f"no header changes from gather to gather: {one}"
        length = int(headers.trail.n_file_traces[0])
        return KeyGuess(found=True, gather_traces=length, evidence=(ffid_says, says))
    return KeyGuess(found=False, evidence=(ffid_says, "no other header behaves like a shot's number"))


def _guess(runs: Runs, *evidence: str, group_by: str = "", header: tuple[str, ...] = ()) -> KeyGuess:
    return KeyGuess(found=True, group_by=group_by, header=header, gather_traces=runs.typical, evidence=evidence)


def _sorted_otherwise(
    headers: TraceHeaders,
    mapping: Mapping[str, HeaderField],
    expected: Mapping[int, str],
    other: tuple[HeaderField, Runs] | None,
    ffid_says: str,
) -> KeyGuess:
    """Return the key of a file whose traces are sorted by something else than the shot."""
    remark = "shot gathers have to be collected from all over the file (--group-by ffid, slower)"
    for name, what in (("receiver", "receiver coordinates"), ("cdp", "CDP")):
        if name == "receiver" or name in mapping:
            key = gather_key(name, mapping)
            runs = headers.runs(*key.fields)
            if runs.is_key:
                says = f"{_says(what, key, runs, expected)}: the traces are sorted by {name}"
                return _guess(runs, ffid_says, says, remark, group_by=name)
    if other is not None:
        field, runs = other
        says = f"{_says('', _key(field), runs, expected)}: the traces are sorted by it"
        return _guess(runs, ffid_says, says, remark, group_by=f"{field.byte}:{field.format}")
    return KeyGuess(found=True, contiguous=False, evidence=(ffid_says, "gathers are collected from all over the file"))


def _splits_better(ffid: Runs, other: tuple[HeaderField, Runs] | None, expected: set[int]) -> bool:
    """Return whether another key gives gathers of the expected length, and the FFID several of them in one."""
    if other is None or not ffid.typical or ffid.typical in expected:
        return False
    length = other[1].typical
    return length in expected and ffid.typical % length == 0


def _find_other(
    headers: TraceHeaders, mapping: Mapping[str, HeaderField], expected: set[int]
) -> tuple[HeaderField, Runs] | None:
    """Return the header position, other than the FFID's, that behaves most like a gather's number."""
    taken = {at for name, field in mapping.items() if name not in SHOT_NUMBERS for at in _bytes(field)}
    best: tuple[tuple[Any, ...], HeaderField, Runs] | None = None
    for format, width in (("int32", 4), ("int16", 2)):
        for byte in range(1, TRACE_HEADER_BYTES - width + 2, 2):
            field = HeaderField(byte=byte, format=format)
            if field == mapping["ffid"] or taken & set(_bytes(field)):
                continue
            values = headers.read(field)
            if not 0 < np.mean(values[1:] != values[:-1]) <= MOST_CHANGES:  # by far the most positions
                continue
            runs = find_runs(values, headers.trail)
            if not runs.is_key or runs.complete.size < 2 or runs.typical < 2:
                continue
            steps = np.abs(np.diff(values.astype(np.int64)[runs.changes]))
            numbered = bool(steps.size and np.median(steps) <= 100 and np.abs(values.astype(np.int64)).max() < 10**8)
            aligned = format == "int32" and byte % 4 == 1
            merit = (
                runs.typical in expected,
                numbered,
                round(runs.regular, 1),
                byte in SHOT_BYTES and aligned,
                aligned,
                -byte,
            )
            if best is None or merit > best[0]:
                best = (merit, field, runs)
    return best[1:] if best else None


def _says(name: str, key: GatherKey, runs: Runs, expected: Mapping[int, str], length: int = 0) -> str:
    """Return in words how a key behaves. length: of a gather, where `runs` saw none whole."""
    length = runs.typical or length
    places = f"bytes {' and '.join(map(place_of, key.fields))}"
    subject = f"{name} ({places})" if name else places
    one = bool(name) and not name.endswith("s") and "," not in name
    verb = "changes" if one else "change"
    if runs.n_values == 1:
        return f"{subject} {'is' if one else 'are'} constant"
    if runs.n_changes and runs.longest == 1:
        text = f"{subject} {verb} at every trace"
    elif not runs.complete.size:
        text = f"{subject} {verb} " + (f"after {length:,} traces" if length else f"after more than {runs.longest:,}")
    elif runs.regular >= 0.9:
        text = f"{subject} {verb} every {length:,} traces" + (f", {expected[length]}" if length in expected else "")
    else:
        text = f"{subject} {verb} after {runs.complete.min():,} to {runs.complete.max():,} traces"
    return f"{text} ({runs.n_values:,} values seen, {'some come back' if runs.comes_back else 'none comes back'})"


def place_of(field: HeaderField) -> str:
    """Return the bytes of a field, such as '9-12'."""
    return f"{field.byte}-{field.last_byte}"


def _bytes(field: HeaderField) -> range:
    return range(field.byte, field.last_byte + 1)


def _key(field: HeaderField) -> GatherKey:
    return GatherKey(name=f"{field.byte}:{field.format}", fields=(field,), of_shots=False)


def _has(mapping: Mapping[str, HeaderField], names: str) -> bool:
    return all(name in mapping for name in names.split(","))
