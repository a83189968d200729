"""What a run does while it has no workers: say so, say why, and not wait for ever."""

import time
from typing import Any

import ray
from ray.train.v2._internal.execution.callback import ControllerCallback  # there is no public way to see a run wait

from seisray.errors import TrainingError

SAY_AFTER_S, SAY_EVERY_S = 15.0, 60.0
_AT_WORK = {"RUNNING", "PREEMPTING", "SHUTTING_DOWN", "ERRORED", "FINISHED", "ABORTED"}


class Waiting(ControllerCallback):
    """Watch Ray Train's controller. needs: of the workers, in words; limit_s: the longest wait for room for them."""

    def __init__(self, board: Any, needs: str, limit_s: float) -> None:
        self._board, self._needs, self._limit_s = board, needs, limit_s
        self._since_s: float | None = None
        self._said_s = -SAY_EVERY_S

    def after_controller_state_update(self, previous_state: Any, current_state: Any) -> None:
        """Look how long there have been no workers; raise TrainingError after limit_s. The last state comes again."""
        state = current_state._state_type.state_name
        if state == "RESTARTING" and previous_state._state_type.state_name != state:
            reason = str(current_state.training_failed_error).strip().splitlines()[-1]
            self._board.tell.remote(f"workers failed: {reason}; going on from the last checkpoint")
        if state in _AT_WORK:
            self._since_s = None
            return
        now_s = time.monotonic()
        self._since_s = self._since_s or now_s
        waited_s = now_s - self._since_s
        if waited_s >= self._limit_s:
            raise TrainingError(
                f"no room for {self._needs} in {waited_s:.0f} s (train.wait_s): {room()}; add nodes or ask for "
                "less, the same command goes on from the last checkpoint"
            )
        if waited_s >= SAY_AFTER_S and now_s - self._said_s >= SAY_EVERY_S:
            self._said_s = now_s
            self._board.tell.remote(
                f"waiting for room for {self._needs}, up to {self._limit_s:.0f} s (train.wait_s): {room()}"
            )


def room() -> str:
    """Return what the cluster has, in words."""
    every, free = ray.cluster_resources(), ray.available_resources()
    nodes = sum(node["Alive"] for node in ray.nodes())
    parts = [f"{free.get(kind, 0):g} of {every.get(kind, 0):g} {kind} free" for kind in ("CPU", "GPU") if kind in every]
    return f"{nodes} {'node' if nodes == 1 else 'nodes'} with {', '.join(parts) or 'no CPU'}"
