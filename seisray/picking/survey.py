"""`seisray pick`: a whole survey, or field files as they are, to picks in the store; each trace once, by one model."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import xxhash

from seisray.config import PickConfig
from seisray.errors import ConfigError, ExistsError, NotFoundError
from seisray.ingest.rejects import write_rejects
from seisray.ingest.settings import IngestConfig
from seisray.picking.claim import Identity, claim
from seisray.picking.engine import check_engine
from seisray.picking.habit import with_habit
from seisray.picking.parts import Part, all_there, read_part_rejects
from seisray.picking.picker import load_picker, pick_settings, weights_sha256
from seisray.picking.polarity import with_polarity
from seisray.picking.pool import pick_shards
from seisray.picking.tempo import resampling_of
from seisray.picking.work import FieldWork, SurveyWork, Work, field_work, in_pieces
from seisray.registry import Model, PickSet, Store
from seisray.session import connect, free_cores
from seisray.shards import read_columns
from seisray.storage import Location, locate


def pick(
    names: Sequence[str],
    *,
    out: str,
    store: str,
    model: str,
    workers: int | None = None,
    resume: bool = False,
    reading: IngestConfig | None = None,
    config: PickConfig | None = None,
) -> PickSet:
    """Pick a survey in the store, or field files; return the manifest of the picks.

    names: one survey, or field files and folders. reading: how to read field files. The rest as of `pick_survey`.
    Raises NotFoundError where a name is neither a survey nor a file.
    """
    place = Store(store)
    surveys = [name for name in names if name in place.names("surveys")]
    if surveys and len(names) > 1:
        raise ConfigError(f"{surveys[0]!r} is a survey; pick one survey at a time, or field files only")
    if surveys and reading is not None and reading != IngestConfig():
        raise ConfigError(f"survey {surveys[0]!r} was read when it was ingested; leave out settings of field files")
    how: dict[str, Any] = {
        "model": model,
        "out": out,
        "store": store,
        "workers": workers,
        "resume": resume,
        "config": config,
    }
    if surveys:
        return pick_survey(surveys[0], **how)
    for name in names:
        if not locate(name).exists():
            there = place.there("surveys", name)
            raise NotFoundError(f"{name!r} is neither a survey in {place} (there: {there}) nor a field file")
    return pick_files(names, reading=reading, **how)


def pick_survey(
    survey: str,
    *,
    out: str,
    store: str,
    model: str,
    workers: int | None = None,
    resume: bool = False,
    config: PickConfig | None = None,
) -> PickSet:
    """Pick every trace of a survey and publish the picks; return their manifest.

    model: a picker, name or name@version. workers: actors at most, by default one a core. config: windows, engine and
    the like. resume: keep the parts that an interrupted run of the same picker over the same survey left; picks that
    are finished are returned as they are, unless a part was lost.
    Raises ExistsError where the name is taken, or was begun and resume was not asked for: nothing is ever deleted.
    """
    place = Store(store)
    work = SurveyWork(store=str(place), survey=place.survey(survey))
    return _pick(place, work, model, out, workers, resume, config or PickConfig())


def pick_files(
    files: Sequence[str],
    *,
    out: str,
    store: str,
    model: str,
    workers: int | None = None,
    resume: bool = False,
    reading: IngestConfig | None = None,
    config: PickConfig | None = None,
) -> PickSet:
    """Pick every trace of SEG-Y or SEG-2 files, local or s3://, without a survey; return the manifest of the picks.

    Files are read as `ingest` reads them with the same settings; gathers that are none go to rejects.parquet. The rest
    as of `pick_survey`. Raises FormatError where traces of a gather do not lie together, which ingest can mend.
    """
    place = Store(store)
    work = field_work(out, files, reading or IngestConfig(), place)
    return _pick(place, work, model, out, workers, resume, config or PickConfig())


def _pick(
    store: Store, work: Work, model: str, out: str, workers: int | None, resume: bool, config: PickConfig
) -> PickSet:
    check_engine(config.engine)
    if workers is not None and workers < 1:
        raise ConfigError(f"--workers is {workers}, expected at least 1; leave it out for one a core")
    if config.fastest_m_s or config.slowest_m_s:
        _check_offsets(work)
    card = _picker_card(store, model)
    resampling = resampling_of(card, work)
    config = with_polarity(store, card, work, config, resampling)
    config, whose = with_habit(store, card, work, config, resampling)
    settings = pick_settings(card, config, resampling=resampling)
    settings |= work.settings if isinstance(work, FieldWork) else {}
    identity = Identity(
        survey=work.identity, model=card.ref, weights_sha256=weights_sha256(store, card), settings=settings
    )
    folder = store.folder("picks", out)
    if (done := _finished(store, out, identity, resume)) is not None:
        return done
    load_picker(store, card)  # what is wrong with it is told here, not by every worker
    claim(folder, identity, resume=resume)
    connect()
    started_s = time.monotonic()
    parts, n_kept = pick_shards(store, work, card, identity, folder, workers=workers or free_cores())
    flags = sum((Counter(part.flags) for part in parts), Counter[str]())
    picks = PickSet(
        name=out,
        **work.manifest(),
        model=card.ref,
        weights_sha256=identity.weights_sha256,
        identity=identity.digest,
        settings=settings | whose,
        sample_interval_us=work.sample_interval_us,
        n_traces=sum(part.n_traces for part in parts),
        n_picked=sum(part.n_picked for part in parts),
        flags=dict(sorted(flags.items())),
        rejects=sum(part.n_rejects for part in parts),
        seconds=round(time.monotonic() - started_s, 3),
        n_kept=n_kept,
        parts=[asdict(part) for part in parts],
    )
    work.check_whole(picks.n_traces, sum(part.n_left_out for part in parts))
    if isinstance(work, FieldWork):
        _check_each_gather_once(folder, parts, work)
    if (done := _finished(store, out, identity, resume=True)) is not None:  # by another driver, from the same parts
        return done
    rejects = [reject for part in parts if part.n_rejects for reject in read_part_rejects(folder / part.uri)]
    write_rejects(folder, rejects, keep=())
    picks.write(folder / "manifest.json")
    return picks


def _check_offsets(work: Work) -> None:
    """Raise ConfigError where the first gather has no offset at all; of others, each is rejected for itself."""
    first = next(work.gathers(0, []), None)
    if first is not None and not np.isfinite(first.offset_m).any():
        raise ConfigError(
            f"{work.label} has no offsets, which fastest_m_s and slowest_m_s need; ingest it with --geometry, or leave "
            "them out"
        )


def _picker_card(store: Store, model: str) -> Model:
    """Return the card of a picker; raise ConfigError where it is none."""
    card = store.model(model)
    if card.kind != "picker":
        raise ConfigError(
            f"model {card.ref} is a {card.kind}; make a picker of it with seisray finetune --from {model}"
        )
    return card


def _finished(store: Store, out: str, identity: Identity, resume: bool) -> PickSet | None:
    """Return the picks where a run of this identity has finished them, None where it has not, or parts were lost.

    Raises ExistsError where another has.
    """
    folder = store.folder("picks", out)
    if not (folder / "manifest.json").exists():
        return None
    found = store.picks(out)
    if resume and found.identity == identity.digest:
        return found if all_there(folder, found) else None
    raise ExistsError(f"picks {out!r} already exist in {store}; choose another --out")


def _check_each_gather_once(folder: Location, parts: Sequence[Part], work: FieldWork) -> None:
    """Raise FormatError where a gather is in two parts: its traces do not lie together. Holds 16 bytes a gather."""
    hashes = np.empty(0, dtype=np.uint64)
    for part in parts:
        names = read_columns(folder / part.uri, ["gather_id"])["gather_id"].unique().to_pylist()
        own = np.array([xxhash.xxh3_64_intdigest(name.encode()) for name in names], dtype=np.uint64)
        again = np.flatnonzero(np.isin(own, hashes))
        if again.size:
            raise in_pieces(work.label, names[again[0]])
        hashes = np.concatenate([hashes, own])
