"""`seisray verify-picks`: proof that picks hold each trace of their survey once, as their manifest says."""

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash
from numpy.typing import NDArray

from seisray.errors import NotFoundError, StorageError
from seisray.picking.parts import PICK_SCHEMA, count_picked, is_of, part_name
from seisray.picking.work import Work, work_of
from seisray.progress import Progress
from seisray.registry import PickSet, Store
from seisray.shards import damage_named
from seisray.storage import Location
from seisray.tasks import spread


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedPicks:
    """What was found. flags: traces under each. faults: a line each on what is not as it must be; none = proved.

    n_unused: files beside the picks that their manifest does not name, left by workers that were lost.
    """

    model: str
    n_parts: int
    n_traces: int
    n_picked: int
    flags: dict[str, int]
    n_unused: int
    faults: list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Task:
    """What one task proves: a part against the shard with a number."""

    number: int
    part: Mapping[str, Any]


def verify_picks(name: str, *, store: str) -> VerifiedPicks:
    """Read picks and their survey or field files again, part by part, and compare them; return what was found.

    Each trace of the survey must have one row, no other may have any; counts, hash, run and model of each part must be
    those of the manifest. Raises PicksError or FormatError where survey or files are not those that were picked.
    """
    place = Store(store)
    picks = place.picks(name)
    work = work_of(picks, place)
    folder = place.folder("picks", name)
    numbers = {shard: number for number, shard in enumerate(work.shards)}
    faults = list(_unpaired(work.shards, [_shard_of(part) for part in picks.parts]))
    tasks = [_Task(number=numbers[_shard_of(part)], part=part) for part in picks.parts if _shard_of(part) in numbers]
    n_traces = n_picked = 0
    flags = Counter[str]()
    with Progress("verify", len(tasks), "parts") as progress:
        for _, found in spread(tasks, prove_part, (folder, picks, work)):
            faults += found["faults"]
            n_traces, n_picked = n_traces + found["n_traces"], n_picked + found["n_picked"]
            flags.update(found["flags"])
            progress.advance(traces=n_traces)
    given = {"traces": (n_traces, picks.n_traces), "picked": (n_picked, picks.n_picked)}
    given |= {f"traces flagged {flag}": (flags[flag], n) for flag, n in picks.flags.items()}
    faults += [
        f"the parts hold {here} {what}, the manifest says {told}"
        for what, (here, told) in given.items()
        if here != told
    ]
    named = {part["uri"] for part in picks.parts}
    return VerifiedPicks(
        model=picks.model,
        n_parts=len(picks.parts),
        n_traces=n_traces,
        n_picked=n_picked,
        flags=dict(sorted(flags.items())),
        n_unused=sum(file.name.startswith("part-") and file.name not in named for file in folder.files()),
        faults=faults,
    )


def _shard_of(part: Mapping[str, Any]) -> str:
    return str(part.get("shard", part["uri"]))


def _unpaired(shards: Sequence[str], parts: Sequence[str]) -> Iterator[str]:
    """Yield which shards of a survey have no part or several, and which parts are of no shard."""
    counts = Counter(parts)
    for shard in shards:
        if counts[shard] != 1:
            yield f"shard {shard}: {counts[shard] or 'no'} parts"
    for shard in sorted(counts.keys() - set(shards)):
        yield f"a part is of shard {shard}, which the survey does not have"


def prove_part(task: _Task, shared: tuple[Location, PickSet, Work]) -> dict[str, Any]:
    """Return counts of a part, and a line on each thing that is not as manifest and survey say."""
    folder, picks, work = shared
    uri = str(task.part["uri"])
    try:
        data = (folder / uri).read_bytes()
        with damage_named(folder / uri):
            rows = pq.read_table(io.BytesIO(data), schema=PICK_SCHEMA)
    except (NotFoundError, StorageError) as error:
        return {"faults": [str(error)], "n_traces": 0, "n_picked": 0, "flags": {}}
    flags = {one["values"]: one["counts"] for one in rows["flag"].value_counts().to_pylist()}
    found = {"n_traces": len(rows), "n_picked": count_picked(rows), "flags": flags}
    faults = [*_untold(data, found, task.part, picks), *_unequal(rows, *work.traces(task.number))]
    others = len(rows) - pc.sum(pc.equal(rows["model"], picks.model)).as_py() if len(rows) else 0
    if others:
        faults.append(f"{others} rows are of another model than {picks.model}")
    return {"faults": [f"{uri}: {fault}" for fault in faults], **found}


def _untold(data: bytes, found: Mapping[str, Any], part: Mapping[str, Any], picks: PickSet) -> Iterator[str]:
    """Yield where a part is not what the manifest says of it."""
    for name, here in found.items():
        if name in part and part[name] != here:
            yield f"{name} is {here}, the manifest says {part[name]}"
    digest = xxhash.xxh3_128_hexdigest(data)
    if part.get("xxh3", digest) != digest:
        yield f"its content has hash {digest}, the manifest says {part['xxh3']}"
    named = "xxh3" not in part or part_name(part["shard"], picks.identity, part["xxh3"]) == part["uri"]
    if not (named and is_of(pq.read_schema(io.BytesIO(data)), _shard_of(part), picks.identity)):
        yield f"it was written as another part than that of {_shard_of(part)} in run {picks.identity}"


def _unequal(rows: pa.Table, gather_ids: pa.Array, traces: Sequence[NDArray[np.int32]]) -> Iterator[str]:
    """Yield which traces of a shard have no row or several, and which rows are of no trace."""
    gather = np.repeat(np.arange(len(traces)), [len(own) for own in traces])
    wanted = _key(gather, np.concatenate([np.empty(0, np.int32), *traces]))
    place = pc.index_in(rows["gather_id"], gather_ids).fill_null(-1).to_numpy()
    given, counts = np.unique(_key(place, rows["trace"].to_numpy()), return_counts=True)

    def example(key: np.int64) -> str:
        return f"e.g. trace {key & 0xFFFFFFFF} of gather {gather_ids[int(key >> 32)].as_py()!r}"

    missing, double = np.setdiff1d(wanted, given), given[(counts > 1) & np.isin(given, wanted)]
    if missing.size:
        yield f"{missing.size} traces are missing, {example(missing[0])}"
    if double.size:
        yield f"{double.size} traces are there more than once, {example(double[0])}"
    foreign = np.flatnonzero(~np.isin(_key(place, rows["trace"].to_numpy()), wanted))
    if foreign.size:
        row = rows.slice(int(foreign[0]), 1).to_pylist()[0]
        yield f"{foreign.size} rows are of no trace of the shard, e.g. trace {row['trace']} of {row['gather_id']!r}"


def _key(gather: NDArray[Any], trace: NDArray[Any]) -> NDArray[np.int64]:
    return gather.astype(np.int64) << 32 | trace
