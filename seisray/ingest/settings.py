"""Settings of `seisray ingest`, and what its tasks are given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from seisray.errors import ConfigError
from seisray.formats.first_breaks import PickOrigin
from seisray.formats.gather_key import GatherKey
from seisray.formats.geometry import Geometry
from seisray.formats.headers import HeaderField
from seisray.formats.segy import PickUnit, Reading
from seisray.formats.segy_file import ReadAs
from seisray.gather import Gather
from seisray.ingest.sources import Source
from seisray.shards import Encoding
from seisray.storage import Location


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestConfig:
    """Settings of `seisray ingest`.

    Parameters
    ----------
    header
        Place in SEG-Y trace headers that differs from the standard, as name=byte[:format]; may be given again.
    group_by
        What the traces of a gather share: ffid, shot_point, source_line,shot_point, receiver, cdp, offset, another name
        of --header, or byte[:format].
    sort_by
        Order of the traces in a gather; file leaves them as they come. Each keeps its number.
    picks
        First breaks: CSV with ffid, trace or channel, time_ms; .sgt or .pck of pyGIMLi; .vs of SeisImager. Those in
        trace headers are named by --header first_break=byte.
    pick_origin
        From where times count; by default as the format says: first sample in CSV, shot elsewhere.
    pick_unit
        Of first breaks in trace headers.
    geometry
        CSV with kind, number, x_m, y_m[, z_m], or SPS files (S, R, X), where headers have no coordinates.
    encoding
        int16 with a scale a trace (gathers that would lose more than 1e-4 stay exact), or exact float32.
    byte_order
        What SEG-Y files are, where their headers are wrong.
    sample_format
        Format code of SEG-Y samples, where the header is wrong: 1 = IBM float, 5 = IEEE float, ...
    n_samples
        Samples a trace, where SEG-Y headers are wrong.
    sample_interval_us
        Sample interval, where SEG-Y headers are wrong.
    allow_incomplete
        Take gathers with fewer traces than all others of their file.
    """

    header: tuple[str, ...] = ()
    group_by: str = "ffid"
    sort_by: Literal["file", "channel", "offset"] = "file"
    picks: str | None = None
    pick_origin: PickOrigin | None = None
    pick_unit: PickUnit = "ms"
    geometry: tuple[str, ...] = ()
    encoding: Encoding = "int16"
    byte_order: Literal["big", "little"] | None = None
    sample_format: int | None = None
    n_samples: int | None = None
    sample_interval_us: float | None = None
    allow_incomplete: bool = False

    def __post_init__(self) -> None:
        if self.n_samples is not None and self.n_samples < 1:
            raise ConfigError(f"n_samples is {self.n_samples}, expected 1 or more")
        if self.sample_interval_us is not None and not self.sample_interval_us > 0:
            raise ConfigError(f"sample_interval_us is {self.sample_interval_us}, expected more than 0")

    @property
    def read_as(self) -> ReadAs:
        """Return what the user says of SEG-Y files."""
        return ReadAs(
            byte_order=self.byte_order,
            sample_format=self.sample_format,
            n_samples=self.n_samples,
            sample_interval_us=self.sample_interval_us,
        )


class Labels(Protocol):
    """First breaks that come beside the field files.

    n_labels: how many. ffids: of the shots they belong to, None where positions name the traces. matched_by: how they
    find their traces, for messages.
    """

    @property
    def n_labels(self) -> int: ...

    @property
    def ffids(self) -> frozenset[int] | None: ...

    @property
    def matched_by(self) -> str: ...

    def on(self, gather: Gather) -> Gather:
        """Return the gather with its first breaks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What every task of one ingest is given.

    complete_traces: traces that a gather of a source must have. n_buckets: over which traces are scattered.
    """

    survey: str
    folder: Location
    identity: str
    config: IngestConfig
    mapping: Mapping[str, HeaderField]
    key: GatherKey
    sources: Mapping[int, Source]
    labels: Labels | None = None
    geometry: Geometry | None = None
    complete_traces: Mapping[int, int] = field(default_factory=dict)
    n_buckets: int = 1

    def reading(self, source: Source, *, name: str) -> Reading:
        """Return how the traces of a SEG-Y source become gathers called after `name`."""
        assert source.layout is not None
        return Reading(
            survey=self.survey,
            name=name,
            source_file=source.uri,
            source=source.index,
            layout=source.layout,
            key=self.key,
            mapping=self.mapping,
            read_as=self.config.read_as,
            pick_unit=self.config.pick_unit,
            pick_origin=self.config.pick_origin or "shot",
        )
