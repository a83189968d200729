"""The memory of a study: Optuna's journal as one file in the store, local or S3.

The file is what Optuna's own JournalFileBackend writes, a JSON document a line, so that
`optuna-dashboard STORE/studies/NAME/journal.log` opens it, also while the search runs.
"""

import json
from collections.abc import Iterator
from typing import Any

from optuna.storages.journal import BaseJournalBackend

from seisray.errors import NotFoundError, StorageError
from seisray.storage import Location


class StoreJournal(BaseJournalBackend):
    """Keep the lines of a journal in one file, which is always replaced as a whole: a crash leaves the lines before.

    Objects in S3 cannot be appended to. There is one writer, the search; what somebody else appends between two writes
    (a note made in the dashboard) is kept.
    """

    def __init__(self, location: Location) -> None:
        self._location = location
        self._data = b""

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Yield the entries from a number on."""
        self._refresh()
        whole = self._data[: self._data.rfind(b"\n") + 1]  # somebody else may be in the middle of a line
        for line in whole.splitlines()[log_number_from:]:
            try:
                yield json.loads(line)
            except ValueError as error:
                raise StorageError(
                    f"{self._location} is damaged: {error}; restore it, or begin another study"
                ) from error

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add entries behind the others."""
        self._refresh()
        more = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        data = self._data + more.encode()
        self._location.write_bytes(data)
        self._data = data

    def _refresh(self) -> None:
        try:
            if self._location.size() != len(self._data):
                self._data = self._location.read_bytes()
        except NotFoundError:
            self._data = b""
