"""Work on many items as Ray Data tasks, one item a task, on every core that the session has."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from seisray import errors
from seisray.errors import SeisrayError
from seisray.session import connect

CHUNK = 64  # items that are shipped to a task together

Item = TypeVar("Item")
Shared = TypeVar("Shared")


def answer(work: Callable[[], Any]) -> str:
    """Return as JSON what work gives, or the SeisrayError that it raises, for `result_of` on the other side of Ray."""
    try:
        return json.dumps({"result": work()})
    except SeisrayError as error:
        return json.dumps({"error": [type(error).__name__, str(error)]})


def result_of(text: str) -> Any:
    """Return what the work of an `answer` gave, or raise its error as it was."""
    found = json.loads(text)
    if "error" in found:
        kind, message = found["error"]
        raise getattr(errors, kind)(message)
    return found["result"]


def spread(items: Sequence[Item], work: Callable[[Item, Shared], Any], shared: Shared) -> Iterator[tuple[int, Any]]:
    """Yield (index, work(item, shared)) as tasks end, in any order; what work returns must fit into JSON.

    A task whose worker dies is done again, so work must be such that this changes nothing. A SeisrayError of a task is
    raised here as it is.
    """
    if not items:
        return
    import ray

    connect()
    given = ray.put(shared)
    listed = [ray.put(list(items[first : first + CHUNK])) for first in range(0, len(items), CHUNK)]

    def task(row: dict[str, int]) -> dict[str, Any]:
        chunk, place = divmod(row["id"], CHUNK)
        return {"index": row["id"], "answer": answer(lambda: work(ray.get(listed[chunk])[place], ray.get(given)))}

    for row in ray.data.range(len(items), override_num_blocks=len(items)).map(task).iter_rows():
        yield row["index"], result_of(row["answer"])
