"""Text files of numbers in rows, where # starts a comment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seisray.errors import PicksError

BEYOND = 1e100
"""No measured value is as large; infinity and NaN are none either."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberRows:
    """Hold the words of the rows that are neither empty nor only a comment, and where each stands.

    words: (n_rows) lists. lines: (n_rows), counted from 1. comments: by line, the words after #.
    """

    where: str
    words: Sequence[list[str]] = field(repr=False)
    lines: Sequence[int] = field(repr=False)
    comments: dict[int, list[str]] = field(repr=False)

    def __len__(self) -> int:
        return len(self.words)

    def row(self, at: int, names: str) -> list[float]:
        """Return the numbers of a row; `names` says what they are. Raises PicksError where they are not as many."""
        n = len(names.split(", "))
        if at >= len(self):
            raise PicksError(f"{self.where} ends after line {self._line(at - 1)}, expected a row with {names}")
        if len(self.words[at]) != n:
            raise PicksError(
                f"{self.where}, line {self._line(at)}: {len(self.words[at])} values, expected {n}: {names}"
            )
        return [float(value) for value in self.block(at, 1, range(n))[0]]

    def count(self, at: int, what: str) -> int:
        """Return the number that stands alone in a row: of rows that follow. Raises PicksError where it is not one."""
        (n,) = self.row(at, f"the number of {what}")
        if n != int(n) or n < 0:
            raise PicksError(f"{self.where}, line {self._line(at)}: {n:g} {what}, expected a whole number")
        return int(n)

    def block(self, start: int, n: int, columns: Sequence[int]) -> NDArray[np.float64]:
        """Return (n, n_columns): some columns of n rows; raise PicksError where a value is missing or not a number."""
        if n > len(self) - start:
            raise PicksError(
                f"{self.where}, line {self._line(start - 1)}: {n} rows are said to follow, {len(self) - start} do; is "
                "the file cut short?"
            )
        rows = self.words[start : start + n]
        try:
            found = np.array([[float(row[c]) for c in columns] for row in rows]).reshape(n, len(columns))
        except (ValueError, IndexError):
            found = np.full((n, len(columns)), np.nan)
        if not (np.abs(found) < BEYOND).all():
            at = next(at for at, row in enumerate(rows) if not all(_is_number(row, c) for c in columns))
            raise PicksError(
                f"{self.where}, line {self._line(start + at)}: {' '.join(rows[at])[:60]!r}, expected a number in "
                f"columns {', '.join(str(c + 1) for c in columns)}"
            )
        return found

    def header(self, at: int, known: Iterable[str]) -> list[str]:
        """Return the words, in small letters, of the first comment below a row with a `known` word; empty = none."""
        end = self.lines[at + 1] if at + 1 < len(self) else self.lines[at] + 2
        for line in range(self.lines[at] + 1, end):
            words = [word.lower() for word in self.comments.get(line, [])]
            if not set(words).isdisjoint(known):
                return words
        return []

    def _line(self, at: int) -> int:
        return self.lines[at] if 0 <= at < len(self) else 0


def _is_number(row: list[str], column: int) -> bool:
    try:
        return abs(float(row[column])) < BEYOND
    except (ValueError, IndexError):
        return False


def read_number_rows(data: bytes, where: str) -> NumberRows:
    """Return the rows of a text file; raise PicksError where it is none."""
    if b"\0" in data:
        raise PicksError(f"{where} holds binary data, expected text")
    words: list[list[str]] = []
    lines: list[int] = []
    comments: dict[int, list[str]] = {}
    for number, line in enumerate(data.decode("latin-1").splitlines(), start=1):
        values, mark, comment = line.partition("#")
        if mark:
            comments[number] = comment.split()
        if values.split():
            words.append(values.split())
            lines.append(number)
    return NumberRows(where=where, words=words, lines=lines, comments=comments)
