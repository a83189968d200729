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
        try:
            answer = {"result": work(ray.get(listed[row["id"] // CHUNK])[row["id"] % CHUNK], ray.get(given))}
        except SeisrayError as error:
            answer = {"error": [type(error).__name__, str(error)]}
        return {"index": row["id"], "answer": json.dumps(answer)}

    for row in ray.data.range(len(items), override_num_blocks=len(items)).map(task).iter_rows():
        answer = json.loads(row["answer"])
        if "error" in answer:
            kind, message = answer["error"]
            raise getattr(errors, kind)(message)
        yield row["index"], answer["result"]
