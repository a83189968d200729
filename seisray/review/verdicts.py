"""What a person decided about gathers: kept beside the picks, so that a review can go on later; and labels of it."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from seisray.errors import ExistsError, PicksError, StorageError
from seisray.registry import PickSet, Store
from seisray.storage import Location

Status = Literal["draft", "accepted", "corrected"]
STATUSES = ("draft", "accepted", "corrected")


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Hold the picks that a person left on a gather. trace, time_ms: one each a pick, ms from the first sample.

    status: a draft has been changed but not finished, and is no label; accepted are the picker's own picks.
    """

    gather_id: str
    ffid: int
    status: Status
    trace: list[int] = field(repr=False)
    time_ms: list[float] = field(repr=False)
    saved_at: str = ""

    def __post_init__(self) -> None:
        if self.status not in STATUSES or len(self.trace) != len(self.time_ms):
            raise PicksError(f"the verdict on gather {self.gather_id!r} is damaged: status {self.status!r}")

    @property
    def done(self) -> bool:
        """Return whether its picks count as labels."""
        return self.status != "draft"


class Verdicts:
    """Keep the verdicts on one set of picks, in review.json beside it, and its labels in a CSV; both change whole."""

    def __init__(
        self, store: Store, picks: PickSet, labels: Location | None = None, *, by_gather: bool = False
    ) -> None:
        """Go on with what is there. labels: by default labels.csv beside the picks.

        by_gather: FFID and trace do not name one trace, so the CSV has a column gather_id, too. Raises ExistsError
        where the CSV would overwrite another's, PicksError where review.json is of other picks.
        """
        folder = store.folder("picks", picks.name)
        self._file = folder / "review.json"
        self.labels = labels or folder / "labels.csv"
        self._by_gather = by_gather
        self._identity = {"survey": picks.survey_fingerprint, "model": picks.model}
        self._found: dict[str, Verdict] = {}
        self._seen, self._own = b"", set[str]()
        self.refresh()
        if self.labels.exists() and self.labels.uri not in self._own:
            raise ExistsError(f"{self.labels} exists and is not of this review; choose another --out")
        self._own.add(self.labels.uri)

    def __getitem__(self, gather_id: str) -> Verdict | None:
        return self._found.get(gather_id)

    @property
    def counts(self) -> dict[str, int]:
        """Return how many gathers have which status."""
        statuses = [verdict.status for verdict in self._found.values()]
        return {status: statuses.count(status) for status in STATUSES}  # type: ignore[arg-type]

    @property
    def n_labels(self) -> int:
        """Return how many first breaks the CSV holds."""
        return sum(len(verdict.trace) for verdict in self._found.values() if verdict.done)

    def put(self, verdict: Verdict) -> None:
        """Keep a verdict; it is on the disk when this returns, and so are its labels."""
        self.refresh()
        before = self._found.get(verdict.gather_id)
        self._found[verdict.gather_id] = verdict
        self._write(labels=verdict.done or (before is not None and before.done))

    def withdraw(self, gather_id: str) -> None:
        """Forget the verdict on a gather, if there is one."""
        self.refresh()
        before = self._found.pop(gather_id, None)
        if before is not None:
            self._write(labels=before.done)

    def _write(self, *, labels: bool) -> None:
        verdicts = [asdict(verdict) for verdict in self._found.values()]
        document = {"schema_version": 1, "picks": self._identity, "labels": sorted(self._own), "verdicts": verdicts}
        data = (json.dumps(document) + "\n").encode()
        self._file.write_bytes(data)
        self._seen = data
        if labels:
            self.labels.write_bytes(self._csv().encode())

    def _csv(self) -> str:
        done = sorted((one for one in self._found.values() if one.done), key=lambda one: (one.ffid, one.gather_id))
        lines = ["ffid,trace,time_ms" + (",gather_id" if self._by_gather else "")]
        for one in done:
            name = ',"' + one.gather_id.replace('"', '""') + '"' if self._by_gather else ""
            pairs = sorted(zip(one.trace, one.time_ms, strict=True))
            lines += [f"{one.ffid},{trace},{time_ms:.3f}{name}" for trace, time_ms in pairs]
        return "\n".join(lines) + "\n"

    def refresh(self) -> None:
        """Take over what another review of the same picks, open at the same time, has saved meanwhile."""
        data = self._file.read_bytes() if self._file.exists() else b""
        if data == self._seen or not data:
            return
        try:
            found: Mapping[str, Any] = json.loads(data)
            if found["picks"] != self._identity:
                raise PicksError(f"{self._file} is of earlier picks; move it away to review these")
            self._found = {one["gather_id"]: Verdict(**one) for one in found["verdicts"]}
            self._own |= set(found["labels"])
            self._seen = data
        except (ValueError, TypeError, KeyError) as error:
            if isinstance(error, PicksError):
                raise
            raise StorageError(f"{self._file} is damaged: {error!r}; move it away to begin anew") from error


def now() -> str:
    """Return the time as text, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
