"""Surveys made from another one, gather by gather: samples are changed, labels and geometry are kept.

The manifest's `made_from` says from which survey and by what; its one source stands for that survey.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xxhash

from seisray import shards
from seisray.config import fingerprint
from seisray.errors import ConfigError, ExistsError, FormatError
from seisray.gather import PER_TRACE, Gather
from seisray.progress import Progress
from seisray.registry import Store, Survey
from seisray.storage import Location
from seisray.tasks import spread

KEPT = tuple(name for name in PER_TRACE if name != "source")
COUNTS = ("n_gathers", "n_traces", "n_live", "n_labelled")


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """Make the gathers of a survey from those of another. by: (gather, with_) -> gather, a function of a module."""

    name: str
    parent: Survey
    parent_folder: Location
    folder: Location
    identity: str
    by: Callable[[Gather, Any], Gather]
    with_: Any

    def shard(self, index: int) -> str:
        """Return the name of a shard, which any run of the same change gives again."""
        return f"part-{self.identity}-{index:05}.parquet"


def derive(
    name: str,
    parent: Survey,
    *,
    store: Store,
    by: Callable[[Gather, Any], Gather],
    with_: Any,
    made_from: dict[str, Any],
    replace_: bool = False,
) -> Survey:
    """Make a survey from another by a change of each gather, a shard a task; return its manifest.

    made_from: what the change is, all of it; the survey and its fingerprint are added. Shards that an interrupted call
    left are kept, and so is the whole survey where it is there already. Raises ExistsError where another one is there.
    """
    made_from = {"survey": parent.survey, "fingerprint": parent.fingerprint, **made_from}
    identity = fingerprint([name, made_from, shards.SCHEMA.to_string()])
    folder = store.folder("surveys", name)
    if name == parent.survey:
        raise ConfigError(f"survey {name!r} cannot be made from itself; choose another --out")
    if (folder / "manifest.json").exists():
        there = store.survey(name)
        if there.fingerprint == identity:
            return there
        if not replace_:
            raise ExistsError(f"survey {name!r} already exists in {store}; pass --replace to make it anew")
    store.check_writable()
    change = Change(
        name=name,
        parent=parent,
        parent_folder=store.folder("surveys", parent.survey),
        folder=folder,
        identity=identity,
        by=by,
        with_=with_,
    )
    found: dict[int, dict[str, Any]] = {}
    with Progress("make", len(parent.shards), "shards") as progress:
        for index, notes in spread(list(range(len(parent.shards))), _make_shard, change):
            found[index] = notes
            progress.advance(gathers=sum(one["n_gathers"] for one in found.values()))
    made = [found[index] for index in range(len(parent.shards))]
    survey = _manifest(change, made, made_from)
    survey.write(folder / "manifest.json")
    keep = {shard["uri"] for shard in survey.shards}
    for old in (folder / "shards").files():
        if f"shards/{old.name}" not in keep:
            old.delete()
    return survey


def _make_shard(index: int, change: Change) -> dict[str, Any]:
    location = change.folder / "shards" / change.shard(index)
    if not location.exists():
        notes: dict[str, Any] = dict.fromkeys(COUNTS, 0) | {"ffids": [], "n_samples": 0, "sample_interval_us": 0.0}
        gathers = (_made(gather, change, notes) for gather in _gathers(change, index))
        shards.write_shard(location, gathers, "float32", notes=lambda: notes)
    data = location.read_bytes()
    found: dict[str, Any] = shards.read_notes(location)
    return found | {"bytes": len(data), "xxh3": xxhash.xxh3_128_hexdigest(data)}


def _gathers(change: Change, index: int) -> Any:
    return shards.read_gathers(change.parent_folder / change.parent.shards[index]["uri"])


def _made(gather: Gather, change: Change, notes: dict[str, Any]) -> Gather:
    made = change.by(gather, change.with_).replace(survey=change.name, source=np.zeros(gather.n_traces, np.int32))
    found = (1, made.n_traces, int(made.live.sum()), int(made.labelled.sum()))
    notes.update({count: notes[count] + more for count, more in zip(COUNTS, found, strict=True)})
    notes["ffids"].append(made.ffid)
    notes["n_samples"] = max(notes["n_samples"], made.n_samples)
    notes["sample_interval_us"] = made.sample_interval_us
    return made


def _manifest(change: Change, made: list[dict[str, Any]], made_from: dict[str, Any]) -> Survey:
    parent, place = change.parent, change.parent_folder / "manifest.json"
    source = {"index": 0, "name": parent.survey, "uri": str(place), "format": "survey", "bytes": place.size()}
    return replace(
        parent,
        survey=change.name,
        **{name: sum(one[name] for one in made) for name in COUNTS},
        n_samples=max(one["n_samples"] for one in made),
        sample_interval_us=made[0]["sample_interval_us"],
        encoding="float32",
        fingerprint=change.identity,
        rejects=0,
        unused_labels=0,
        sources=[source],
        shards=[
            {"uri": f"shards/{change.shard(index)}"}
            | {key: one[key] for key in ("n_gathers", "n_traces", "ffids", "bytes", "xxh3")}
            for index, one in enumerate(made)
        ],
        made_from=made_from,
    )


def verify_derived(survey: Survey, *, store: Store) -> int:
    """Prove that a survey's shards are as they were made, and all but the samples as in its parent; return its traces.

    Raises FormatError where something differs.
    """
    assert survey.made_from is not None
    parent = store.survey(survey.made_from["survey"])
    if parent.fingerprint != survey.made_from["fingerprint"]:
        raise FormatError(
            f"survey {parent.survey!r} is another one than {survey.survey!r} was made from; make it again"
        )
    n_traces = 0
    with Progress("verify", len(survey.shards), "shards") as progress:
        for _, n in spread(list(range(len(survey.shards))), _verify_shard, (store, survey, parent)):
            n_traces += n
            progress.advance(traces=n_traces)
    return n_traces


def _verify_shard(index: int, shared: tuple[Store, Survey, Survey]) -> int:
    store, survey, parent = shared
    location = store.shard(survey, index)
    if xxhash.xxh3_128_hexdigest(location.read_bytes()) != survey.shards[index]["xxh3"]:
        raise FormatError(f"{location} is not what was written; delete it and make survey {survey.survey!r} again")
    n_traces = 0
    pairs = zip(shards.read_gathers(location), shards.read_gathers(store.shard(parent, index)), strict=True)
    for made, gather in pairs:
        for name in KEPT:
            if not np.array_equal(getattr(made, name), getattr(gather, name), equal_nan=True):
                raise FormatError(
                    f"gather {made.gather_id!r} of {location}: {name} differs from survey {parent.survey!r}"
                )
        n_traces += made.n_traces
    return n_traces
