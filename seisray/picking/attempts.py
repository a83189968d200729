"""How often each shard was begun: what kills its worker again and again must end the run, not restart it for ever."""

from collections import Counter
from typing import Any

from seisray.errors import SessionError

MOST_ATTEMPTS = 10


class Attempts:
    """Count how often each shard was begun; a Ray actor that outlives the workers."""

    def __init__(self) -> None:
        self._begun = Counter[str]()

    def begin(self, shard: str) -> int:
        """Return how often a shard was begun, this time included."""
        self._begun[shard] += 1
        return self._begun[shard]


def count_attempts() -> Any:
    """Start a count of attempts, on the driver's node: it goes when the run does, and not when a worker's node goes."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    counting: Any = ray.remote(Attempts).options(
        num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here
    )
    return counting.remote()


def begin(attempts: Any, shard: str) -> None:
    """Count an attempt at a shard; raise SessionError where its workers were lost too often."""
    import ray

    if ray.get(attempts.begin.remote(shard)) > MOST_ATTEMPTS:
        raise SessionError(
            f"{MOST_ATTEMPTS} workers were lost over shard {shard} (too little memory?); give the same command again "
            "with --resume, and --workers 1 if memory is short"
        )
