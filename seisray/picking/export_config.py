"""Settings of `seisray export`."""

from dataclasses import dataclass
from typing import Literal, get_args

from seisray.errors import ConfigError
from seisray.formats.picks.first_breaks import PickOrigin
from seisray.formats.segy.gathers import PickUnit

PickFormat = Literal["csv", "parquet", "segy", "sgt", "vs", "pck"]
FORMATS = get_args(PickFormat)
OWN_UNIT = {"csv": "ms", "parquet": "ms", "sgt": "s", "vs": "ms", "pck": "s"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportConfig:
    """Say how picks are written.

    Parameters
    ----------
    format
        csv: ffid,trace,time_ms. parquet: all columns, traces without a pick too. segy: the survey's field files with
        picks in a header word, folder OUT. sgt: pyGIMLi. vs: SeisImager. pck: ABEM; one file where OUT ends in .pck,
        else a folder with a file a gather.
    header
        segy: the word that picks go to, first_break=byte[:format].
    pick_origin
        From where times count; by default first-sample in csv and parquet, shot in the others.
    units
        segy: of the word, ms by default; the other formats have their own.
    in_place
        segy: put picks into the field files themselves, each beside a backup NAME.before-picks; takes no OUT.
    """

    format: PickFormat = "csv"
    header: str | None = None
    pick_origin: PickOrigin | None = None
    units: PickUnit | None = None
    in_place: bool = False

    def __post_init__(self) -> None:
        for name, choices in (
            ("format", FORMATS),
            ("pick_origin", get_args(PickOrigin)),
            ("units", get_args(PickUnit)),
        ):
            if getattr(self, name) not in (*choices, *([] if name == "format" else [None])):
                raise ConfigError(f"{name} is {getattr(self, name)!r}, expected one of {', '.join(choices)}")
        if self.units == "samples" and self.pick_origin == "shot":
            raise ConfigError("samples are counted from the first one; leave out --pick-origin shot")
        if self.format == "segy":
            return
        if self.header is not None or self.in_place:
            raise ConfigError(f"--header and --in-place are for --format segy, not {self.format}")
        if self.units not in (None, OWN_UNIT[self.format]):
            raise ConfigError(f"{self.format} holds times in {OWN_UNIT[self.format]}; leave out --units {self.units}")
        if self.format == "parquet" and self.pick_origin == "shot":
            raise ConfigError("parquet holds pick_ms, from the first sample; leave out --pick-origin shot")

    @property
    def origin(self) -> PickOrigin:
        """Return from where times count."""
        if self.pick_origin:
            return self.pick_origin
        return "first-sample" if self.format in ("csv", "parquet") or self.units == "samples" else "shot"
