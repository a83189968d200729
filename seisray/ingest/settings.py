"""Settings of `seisray ingest`, and what its tasks are given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

from seisray.errors import ConfigError
from seisray.formats.geometry import Geometry
from seisray.formats.picks.first_breaks import PickOrigin
from seisray.formats.segy.file import ReadAs
from seisray.formats.segy.gathers import PickUnit, Reading
from seisray.formats.segy.headers import HeaderField
from seisray.formats.segy.key import GatherKey
from seisray.gather import Gather
from seisray.ingest.sources import Source
from seisray.shards import Encoding
from seisray.storage import Location

SortBy = Literal["file", "channel", "offset"]
CHOICES = {
    "sort_by": get_args(SortBy),
    "encoding": get_args(Encoding),
    "pick_unit": get_args(PickUnit),
    "pick_origin": (None, *get_args(PickOrigin)),
}


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
    sort_by: SortBy = "file"
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
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigError(f"{name} is {getattr(self, name)!r}, expected one of {', '.join(map(str, choices))}")
        _ = self.read_as  # which checks its own

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

    recorded: places and offsets that the trace headers hold. complete_traces: traces that a gather of a source must
    have. n_buckets: over which traces are scattered. broken: gathers of which some traces cannot be used.
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
    recorded: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()

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
            recorded=self.recorded,
            read_as=self.config.read_as,
            pick_unit=self.config.pick_unit,
            pick_origin=self.config.pick_origin or "shot",
        )
