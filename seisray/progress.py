"""Progress of long work: a moving bar in a terminal, a line every few seconds in a log."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

LOG_EVERY_S = 10.0


class Progress:
    """Show how far work is. Use as a context manager; what is shown goes to standard error.

    total: in `unit`s; None where it is not known yet.
    """

    def __init__(self, label: str, total: int | None, unit: str) -> None:
        self.label, self.total, self.unit, self.done = label, total, unit, 0
        self._figures = ""
        self._start_s = self._shown_s = time.monotonic()
        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description:<12}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn(f"{unit}  {{task.fields[figures]}}"),
            TimeRemainingColumn(),
        )
        self._bar = Bar(*columns, console=console) if console.is_terminal else None
        self._task = self._bar.add_task(label, total=total, figures="") if self._bar else None

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        else:
            self._print()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()
        elif kind is None:
            self._print()

    def update(self, done: int, **figures: float | str) -> None:
        """Say how much is done in all, with figures to show beside it."""
        self.done = done
        if figures:
            self._figures = "  ".join(
                f"{name.replace('_', ' ')} {value if isinstance(value, str) else format(value, '.4g')}"
                for name, value in figures.items()
            )
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=done, figures=self._figures)
        elif time.monotonic() - self._shown_s >= LOG_EVERY_S:
            self._print()

    def advance(self, n: int = 1, **figures: float | str) -> None:
        """Say that n more are done."""
        self.update(self.done + n, **figures)

    def say(self, line: str) -> None:
        """Print a line that stays."""
        if self._bar:
            self._bar.console.print(line, markup=False, highlight=False)
        else:
            print(line, file=sys.stderr, flush=True)

    def _print(self) -> None:
        self._shown_s = time.monotonic()
        of = f"/{self.total}" if self.total is not None else ""
        seconds = self._shown_s - self._start_s
        print(
            f"{self.label}: {self.done}{of} {self.unit}  {self._figures}  [{seconds:.0f} s]",
            file=sys.stderr,
            flush=True,
        )
