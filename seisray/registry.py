"""What lasts: surveys, models, runs, studies, picks and reports in one store behind a URI."""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

import seisray
from seisray.config import SHIPPED, BodyConfig
from seisray.errors import ConfigError, ExistsError, NotFoundError, PicksError, StorageError
from seisray.storage import Location, locate

SCHEMA_VERSION = 1
SURVEY_SCHEMA_VERSION = 2
MODEL_SCHEMA_VERSION = 2  # since pickers measure samples by the loudest stretch near or before them, not of all
KINDS = ("surveys", "models", "studies", "runs", "picks", "reports")
SOME_NAMES = 8  # that an error lists


@dataclass(frozen=True, kw_only=True, slots=True)
class _Record:
    """A JSON document in the store, written last and by one atomic put: what has none does not exist."""

    schema_version: int = SCHEMA_VERSION
    made_by: str = f"seisray {seisray.__version__}"

    def write(self, location: Location) -> None:
        """Write the record; from then on readers see what it describes."""
        location.write_bytes((json.dumps(asdict(self), indent=1) + "\n").encode())

    @classmethod
    def read(cls, location: Location) -> Self:
        """Return the record; raise StorageError where it was written by another schema or is damaged."""
        try:
            found: dict[str, Any] = json.loads(location.read_bytes())
            expected = next(f.default for f in fields(cls) if f.name == "schema_version")
            if not cls._reads(found, expected):
                raise StorageError(
                    f"{location} has schema version {found.get('schema_version')}, this seisray reads {expected}; "
                    "make it again"
                )
            known = {f.name for f in fields(cls)}
            return cls(**{name: value for name, value in found.items() if name in known})
        except (ValueError, TypeError, AttributeError) as error:
            raise StorageError(f"{location} is damaged: {error}") from error

    @classmethod
    def _reads(cls, found: Mapping[str, Any], expected: Any) -> bool:
        return bool(found.get("schema_version") == expected)


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey(_Record):
    """The manifest of a survey.

    sources: index, name, uri, format, bytes, edge_sha256 (of the first and last 64 KiB), etag (S3's) and xxh3 (of what
    was read) of each field file. settings: those of the ingest. unused_labels: first breaks that fit no trace.
    shards: uri relative to the survey, n_gathers, n_traces and bytes of each shard. made_from: where it was made from
    another survey, that one's name and fingerprint and what made it (see `ingest.derived`).
    """

    schema_version: int = SURVEY_SCHEMA_VERSION
    survey: str
    n_gathers: int
    n_traces: int
    n_live: int
    n_labelled: int
    n_samples: int
    sample_interval_us: float
    encoding: str
    fingerprint: str
    rejects: int
    unused_labels: int
    settings: dict[str, Any]
    headers: Mapping[str, str]
    sources: list[dict[str, Any]]
    shards: list[dict[str, Any]]
    made_from: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Model(_Record):
    """The card of a model. parent: model@version.

    kind: gan, autoencoder, masked, inpaint, refiner or picker.

    surveys: fingerprint of each survey it has seen. config holds the settings it was made with, metrics what was
    measured at the end of its training.
    """

    schema_version: int = MODEL_SCHEMA_VERSION
    name: str
    version: str
    kind: str
    config: dict[str, Any]
    surveys: Mapping[str, str]
    sample_interval_us: float
    parent: str | None
    metrics: Mapping[str, float]
    details: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def _reads(cls, found: Mapping[str, Any], expected: Any) -> bool:
        """Return whether a card is of this schema, or of the first one, from which only pickers' differs."""
        return bool(found.get("schema_version") in (expected, 1 if found.get("kind") != "picker" else expected))

    @property
    def ref(self) -> str:
        """Return name@version."""
        return f"{self.name}@{self.version}"

    @property
    def body(self) -> BodyConfig:
        """Return the body of its network; raise ConfigError where the card describes none."""
        try:
            return BodyConfig.from_card(self.config.get("body"))
        except ConfigError as error:
            raise ConfigError(f"model {self.ref}: {error}; train it again") from error

    @property
    def resampled(self) -> Mapping[str, float]:
        """By how much surveys were resampled as a picker, or one that it went on from, learned from them.

        Named by their fingerprints.
        """
        return self.details.get("resampled", {})


@dataclass(frozen=True, kw_only=True, slots=True)
class PickSet(_Record):
    """The manifest of a set of picks. survey: None where they are straight from field files, which sources then name.

    identity: of the run, by which its parts are named. settings: what picks depend on besides the weights. flags:
    traces under each flag. rejects: gathers that could not be picked, named in rejects.parquet. seconds: of the last
    run; n_kept: traces in parts that an earlier one had left. parts: shard, uri relative to the set, counts, bytes and
    xxh3 of each part.
    """

    name: str
    survey: str | None
    survey_fingerprint: str
    model: str
    n_traces: int
    n_picked: int
    seconds: float
    parts: list[dict[str, Any]]
    weights_sha256: str = ""
    identity: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    flags: dict[str, int] = field(default_factory=dict)
    rejects: int = 0
    n_kept: int = 0
    sample_interval_us: float = 0.0
    sources: list[dict[str, Any]] = field(default_factory=list)

    @property
    def traces_per_s(self) -> float:
        """Return how fast the last run was."""
        return (self.n_traces - self.n_kept) / max(self.seconds, 1e-9)


class Store:
    """Find and publish what lasts under one root URI."""

    def __init__(self, uri: str) -> None:
        self.root = locate(uri)

    def __str__(self) -> str:
        return str(self.root)

    def folder(self, kind: str, *parts: str) -> Location:
        """Return the folder of one artefact, whether it exists or not; the shipped picker lies in the package."""
        shipped = kind == "models" and parts[:1] == (SHIPPED,)
        location = locate(str(Path(seisray.__file__).parent / "pretrained")) if shipped else self.root / kind
        for part in parts:
            location = location / _checked(part)
        return location

    def check_writable(self) -> None:
        """Raise StorageError now rather than after hours of work where the store cannot be written."""
        probe = self.root / f".seisray-write-test-{uuid.uuid4().hex[:8]}"
        probe.write_bytes(b"")
        probe.delete()

    def survey(self, name: str) -> Survey:
        """Return a survey's manifest; raise NotFoundError where there is none."""
        location = self.folder("surveys", name) / "manifest.json"
        if not location.exists():
            raise NotFoundError(self._missing("survey", name, "seisray ingest"))
        return Survey.read(location)

    def shard(self, survey: Survey, index: int) -> Location:
        """Return where a shard of a survey lies."""
        return self.folder("surveys", survey.survey) / survey.shards[index]["uri"]

    def model(self, ref: str) -> Model:
        """Return the card of name@version, or of the newest version of a name; raise NotFoundError where none is."""
        name, _, version = ref.partition("@")
        versions = self.versions(name)
        if not versions or (version and version not in versions):
            raise NotFoundError(self._missing("model", ref, "seisray pretrain or seisray finetune"))
        return Model.read(self.folder("models", name, version or versions[-1]) / "model.json")

    def versions(self, name: str) -> list[str]:
        """Return the published versions of a model, oldest first."""
        folders = [v for v in self.folder("models", name).folders() if re.fullmatch(r"v\d+", v.name)]
        found = [v.name for v in folders if (v / "model.json").exists()]
        return sorted(found, key=lambda version: int(version.removeprefix("v")))

    def next_version(self, name: str) -> str:
        """Return the version that the next model of a name will get; raise ConfigError where it is the package's."""
        if name == SHIPPED:
            raise ConfigError(f"{SHIPPED!r} is the picker that comes with seisray; choose another --model")
        versions = self.versions(name)
        return f"v{int(versions[-1][1:]) + 1}" if versions else "v1"

    def weights(self, model: Model) -> Location:
        """Return where a model's weights lie."""
        return self.folder("models", model.name, model.version) / "weights.safetensors"

    def publish_model(self, model: Model, weights: bytes, files: Mapping[str, bytes]) -> None:
        """Write weights, further files by name, and the card last; raise ExistsError where the version is taken."""
        folder = self.folder("models", model.name, model.version)
        if (folder / "model.json").exists():
            raise ExistsError(f"model {model.ref} already exists in {self}; models are never overwritten")
        for name, data in {**files, "weights.safetensors": weights}.items():
            (folder / name).write_bytes(data)
        model.write(folder / "model.json")

    def picks(self, name: str) -> PickSet:
        """Return the manifest of a pick set; raise NotFoundError where there is none."""
        folder = self.folder("picks", name)
        location = folder / "manifest.json"
        if not location.exists():
            if any(file.name.startswith("run-") for file in folder.files()):
                raise NotFoundError(
                    f"picks {name!r} were begun and not finished; give their command again, with --resume"
                )
            raise NotFoundError(self._missing("pick set", name, "seisray pick"))
        return PickSet.read(location)

    def survey_of(self, picks: PickSet) -> Survey:
        """Return the survey that was picked; raise PicksError where there is none, or another of its name."""
        if picks.survey is None:
            raise PicksError(
                f"picks {picks.name!r} are straight from field files, and this needs their survey; ingest the files "
                "and pick the survey"
            )
        survey = self.survey(picks.survey)
        if survey.fingerprint != picks.survey_fingerprint:
            raise PicksError(f"picks {picks.name!r} are of an earlier survey {picks.survey!r}; pick it again")
        return survey

    def names(self, kind: str) -> list[str]:
        """Return the names under one kind of artefact; surveys and picks only where their manifest exists."""
        if kind == "runs":
            return [f"{one.name}/{run.name}" for one in (self.root / kind).folders() for run in one.folders()]
        found = [folder.name for folder in (self.root / kind).folders()]
        if kind in ("surveys", "picks"):
            return [name for name in found if (self.root / kind / name / "manifest.json").exists()]
        return [name for name in found if self.versions(name)] if kind == "models" else found

    def _missing(self, what: str, name: str, remedy: str) -> str:
        kind = {"survey": "surveys", "model": "models", "pick set": "picks"}[what]
        return f"{what} {name!r} does not exist in {self} (there: {self.there(kind, name)}); make it with {remedy}"

    def there(self, kind: str, like: str) -> str:
        """Return the names of one kind as errors list them: all, or the SOME_NAMES most like the one asked for."""
        names, known = self.names(kind), [SHIPPED] if kind == "models" else []
        shown = get_close_matches(like, names, SOME_NAMES, cutoff=0) if len(names) > SOME_NAMES else names
        more = [f"{len(names) - len(shown)} others"] if len(names) > len(shown) else []
        return ", ".join([*shown, *more, *known]) or "none yet"


def _checked(part: str) -> str:
    if not part.strip() or part.startswith(".") or "/" in part or "@" in part or not part.isprintable():
        raise ConfigError(f"{part!r} is no name for the store; use letters, digits, '-', '_' and '.'")
    return part
