"""The lines of SPS files as a table of characters, whose fields stand at fixed columns."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seisray.errors import FormatError

Columns = tuple[int, int]
"""First and last column of a field, counted from 1, as in the standard."""

WIDTH = 80
LAST_COLUMN = {"S": 65, "R": 65, "X": 79}
"""Where the last field ends that every record of a kind has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Records:
    """Hold the records of one kind (S, R or X): characters (n, 80); where: (n,) file and line of each, for messages."""

    kind: str
    characters: NDArray[np.uint8] = field(repr=False)
    where: Sequence[tuple[str, int]] = field(repr=False)

    def __len__(self) -> int:
        return len(self.characters)

    def numbers(self, name: str, columns: Columns, blank: float | None = None) -> NDArray[np.float64]:
        """Return (n,): the numbers of a field; `blank` stands for an empty one.

        Raises FormatError where a field is not a plain decimal number, or empty without a value to stand for it.
        """
        field = self.characters[:, columns[0] - 1 : columns[1]]
        plain = np.isin(field, np.frombuffer(b" +-.0123456789", dtype=np.uint8)).all(axis=1)
        empty = (field == ord(" ")).all(axis=1)
        wrong = ~plain | empty if blank is None else ~plain
        if not wrong.any():
            text = self._text(columns)
            text[empty] = b"nan"
            try:
                return np.where(empty, np.nan if blank is None else blank, text.astype(np.float64))
            except ValueError:
                wrong = np.array(
                    [re.fullmatch(rb" *[+-]?(\d+\.?\d*|\.\d+) *| *", one) is None for one in text.tolist()]
                )
        raise self._unlike(wrong, name, columns, "a number")

    def integers(self, name: str, columns: Columns, blank: float | None = None) -> NDArray[np.int64]:
        """Return (n,): the whole numbers of a field, as `numbers` does."""
        found = self.numbers(name, columns, blank)
        broken = found != np.round(found)
        if np.any(broken):
            raise self._unlike(broken, name, columns, "a whole number")
        return found.astype(np.int64)

    def names(self, name: str, columns: Columns) -> list[str]:
        """Return the n texts of a field; one that is a number is written in one way, so that 7, 07 and 7.00 are one."""
        unlike = ~np.isin(self.characters[:, columns[0] - 1 : columns[1]], np.arange(32, 127)).all(axis=1)
        if unlike.any():
            raise self._unlike(unlike, name, columns, "text")
        texts, which = np.unique(np.char.strip(self._text(columns)), return_inverse=True)
        same = np.array([_one_spelling(text.decode("ascii")) for text in texts.tolist()], dtype=object)
        return same[which].tolist() if len(texts) else []

    def error(self, row: int, fault: str) -> FormatError:
        """Return the error that names a record and what is wrong with it."""
        name, line = self.where[row]
        return FormatError(f"{name}, line {line}: the {self.kind} record is not as SPS lays it out: {fault}")

    def _text(self, columns: Columns) -> NDArray[np.bytes_]:
        width = columns[1] - columns[0] + 1
        field = np.ascontiguousarray(self.characters[:, columns[0] - 1 : columns[1]])
        return field.view(f"S{width}").reshape(len(self)).astype(f"S{max(width, 3)}")

    def _unlike(self, wrong: ArrayLike, name: str, columns: Columns, expected: str) -> FormatError:
        row = int(np.flatnonzero(wrong)[0])
        text = bytes(self.characters[row, columns[0] - 1 : columns[1]]).decode("latin-1")
        return self.error(row, f"{name} is {text!r} (columns {columns[0]}-{columns[1]}), expected {expected}")


def _one_spelling(text: str) -> str:
    return f"{float(text):.10g}" if re.fullmatch(r"[+-]?\d+\.?\d*", text) else text


def split_records(files: Sequence[tuple[bytes, str]]) -> tuple[dict[str, Records], list[str]]:
    """Return the S, R and X records of files, and their H records as text.

    Raises FormatError where a line is none of these, or ends before the last field that its kind must have.
    """
    lines: dict[str, list[bytes]] = {"S": [], "R": [], "X": []}
    where: dict[str, list[tuple[str, int]]] = {"S": [], "R": [], "X": []}
    headers: list[str] = []
    for data, name in files:
        for number, line in enumerate(data.splitlines(), start=1):
            kind = chr(line[0]) if line else ""
            if kind == "H":
                headers.append(line.decode("latin-1"))
            elif kind in lines:
                lines[kind].append(line[:WIDTH].ljust(WIDTH))
                where[kind].append((name, number))
                if len(line) < LAST_COLUMN[kind]:
                    raise FormatError(
                        f"{name}, line {number}: the {kind} record ends at column {len(line)}, expected at least "
                        f"{LAST_COLUMN[kind]}; is the file cut short?"
                    )
            elif line.strip() not in (b"", b"EOF", b"\x1a"):
                raise FormatError(
                    f"{name}, line {number} starts with {line[:8]!r}, expected an SPS record H, S, R or X"
                )
    table = {}
    for kind, found in lines.items():
        characters = np.frombuffer(b"".join(found), dtype=np.uint8).reshape(-1, WIDTH)
        table[kind] = Records(kind=kind, characters=characters, where=where[kind])
    return table, headers
