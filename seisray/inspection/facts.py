"""What `seisray inspect` finds out: plain values, which JSON can hold."""

from dataclasses import dataclass
from typing import Literal

Pattern = Literal["zero", "constant", "steps", "counts", "varies"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldFacts:
    """Say how one trace header field behaves over the traces read.

    place: its bytes, such as "9-12", counted from 1; empty for SEG-2. steps: it stays for some traces, then changes;
    counts: it goes up by one and starts again. direction: "rises" or "falls" where it never turns, else empty.
    run_traces: shortest and longest stay of a field that steps, period of one that counts; None where none was seen
    whole. n_changes: between neighbouring traces. comes_back: a value is left and later taken again in one file.
    """

    name: str
    place: str
    minimum: float
    maximum: float
    pattern: Pattern
    direction: str
    run_traces: tuple[int, int] | None
    n_changes: int
    comes_back: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleFacts:
    """Say what the samples read look like.

    peak: largest absolute amplitude; rms: median over live traces. n_clipped: live traces that stay at their peak for
    four samples or more. n_not_finite: samples that are NaN or infinite.
    """

    n_traces: int
    n_dead: int
    n_clipped: int
    n_not_finite: int
    peak: float
    rms: float


@dataclass(frozen=True, kw_only=True, slots=True)
class FileFacts:
    """Say what one field file is, or in `error` why it cannot be read.

    text: lines of its text header that are not empty. ensemble_traces: as the binary header says, 0 = unknown.
    """

    uri: str
    bytes: int = 0
    bytes_read: int = 0
    error: str | None = None
    kind: str = ""
    revision: str = ""
    byte_order: str = ""
    sample_format: str = ""
    text: tuple[str, ...] = ()
    n_traces: int = 0
    n_traces_read: int = 0
    n_samples: int = 0
    sample_interval_us: float = 0.0
    ensemble_traces: int = 0
    fields: tuple[FieldFacts, ...] = ()
    samples: SampleFacts | None = None
    oddities: tuple[str, ...] = ()

    @property
    def duration_ms(self) -> float:
        """Return the length of a trace."""
        return self.n_samples * self.sample_interval_us / 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyGuess:
    """Say which header most likely tells the gathers apart, and why.

    group_by, header: what `seisray ingest` needs to be told; empty where its defaults do. gather_traces: in a typical
    gather, 0 = unknown. contiguous: the traces of a gather lie together.
    """

    found: bool
    group_by: str = ""
    header: tuple[str, ...] = ()
    gather_traces: int = 0
    contiguous: bool = True
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspection:
    """Hold the answer of `seisray inspect`.

    n_found: field files that the names given stand for, of which `files` were looked into. fields: over all files of
    the first kind (SEG-Y or SEG-2). geometry: what is known of positions. command: the `seisray ingest` to run, None
    where no file can be read. picture: where it was written, None = not.
    """

    files: tuple[FileFacts, ...]
    n_found: int
    fields: tuple[FieldFacts, ...] = ()
    key: KeyGuess | None = None
    geometry: tuple[str, ...] = ()
    oddities: tuple[str, ...] = ()
    command: str | None = None
    picture: str | None = None

    @property
    def readable(self) -> tuple[FileFacts, ...]:
        """Return the files that can be read."""
        return tuple(file for file in self.files if file.error is None)

    @property
    def bytes_read(self) -> int:
        """Return the bytes read of all files."""
        return sum(file.bytes_read for file in self.files)
