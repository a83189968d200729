"""Give back what a trial held when it was stopped early.

Ray Tune ends the trial, with it ends Ray Train's controller, but the placement group of the training workers is the
driver's and keeps its CPUs. Ray Train has a cleaner for that, which asks the dashboard whether the controller lives:
without a dashboard it never learns, and after one or two stopped trials the next waits for ever (Ray 2.60).
"""

import asyncio
from typing import Any

import ray
from ray.util.placement_group import PlacementGroup, remove_placement_group

ASK_EVERY_S = 1.0
GRACE_S = 2.0  # for the controller to go with its trial: alive, it would replace the workers that it loses


@ray.remote(num_cpus=0)
class Leftovers:
    """Know the workers of each trial, and remove them once the trial is gone."""

    def __init__(self) -> None:
        self._groups: dict[str, list[PlacementGroup]] = {}
        self._watched: set[str] = set()

    async def hold(self, run: str, group: PlacementGroup | None) -> None:
        """Remember the placement group that a run's workers are in."""
        if group is not None:
            self._groups.setdefault(run, []).append(group)

    async def watch(self, run: str, trial: Any) -> None:
        """Wait for the end of a trial's actor, then remove what it left."""
        self._watched.add(run)
        while True:
            try:
                await trial.__ray_ready__.remote()
            except ray.exceptions.RayActorError:
                break
            await asyncio.sleep(ASK_EVERY_S)
        await asyncio.sleep(GRACE_S)
        for group in self._groups.pop(run, []):
            remove_placement_group(group)
        self._watched.discard(run)

    async def settle(self) -> None:
        """Return when nothing is left of any trial."""
        while self._watched:
            await asyncio.sleep(ASK_EVERY_S / 4)
