"""What every worker of a pre-training run does: stream, step, log, look for trouble, save."""

import copy
import math
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import ray.train
import ray.train.torch
import torch

from seisray.config import config_dict
from seisray.heap import keep_heap
from seisray.report.plots import png_bytes
from seisray.storage import Location
from seisray.stream import cut_live, cut_with_breaks, panel_batches
from seisray.training.agreement import highest
from seisray.training.checkpoint import load_checkpoint, report
from seisray.training.compilation import check_compiler
from seisray.training.journal import Journal
from seisray.training.measure import reference_panels
from seisray.training.precision import flush_denormals
from seisray.training.realism import Pair
from seisray.training.schedule import step_seed
from seisray.training.trackers import open_trackers
from seisray.training.watchdog import NORMS, Watchdog, strongest
from seisray.training.ways import WAYS
from seisray.transforms import Samples


def pretrain_loop(job: dict[str, Any]) -> None:
    """Train on one worker. job: kind (see WAYS), config, refs of shards, folder, board.

    Where the way compares synthetic gathers with field ones, synthetic: refs of theirs, and factors: by which gathers
    of each sampling interval are resampled. Figures that it logs beside the step's: step_ms and data_wait_share since
    the last ones, gathers_per_s, and elapsed_s since this worker began.
    """
    keep_heap()
    flush_denormals()
    began_s = time.perf_counter()
    way, config = WAYS[job["kind"]], job["config"]
    train = config.train
    context = ray.train.get_context()
    rank, workers = context.get_world_rank(), context.get_world_size()
    device = str(ray.train.torch.get_device())
    check_compiler(train, device)
    step = way.step(config, device=device, rank=rank, wrap=ray.train.torch.prepare_model)
    found = ray.train.get_checkpoint()
    kept: dict[str, Any] = {"history": [], "alarms": [], "resumed_at": [], "stopped": "", "watchdog": {}}
    state: dict[str, Any] = {}
    if found is not None:
        state = load_checkpoint(found)
        kept |= {key: state[key] for key in kept if key in state}
        kept["resumed_at"].append(state["step"])
        step.load_state_dict(state)
    good = state.get("good") or copy.deepcopy(step.state_dict())  # what a rollback goes back to
    folder = Location(job["folder"])
    journal = None
    if rank == 0:
        trackers = open_trackers(train.tracker, folder, config_dict(config), job["board"].tell.remote)
        journal = Journal(folder, job["board"], kept["history"], kept["alarms"], trackers)
    watchdog = Watchdog(config.watch, rolled_back=step.salt)
    watchdog.load_state_dict(kept["watchdog"])
    reference = reference_of(job) if rank == 0 else np.empty(0, np.float32)

    def stream() -> Clock:
        batch = train.batch // workers
        how = {"first_step": step.step, "steps": train.steps, "rank": rank, "workers": workers}
        # a batch that broke the run is not met again by one that turned aside
        seed = step_seed(train.seed, 0, salt=step.salt) if step.salt else train.seed
        return Clock(batches_of(job, batch=batch, seed=seed, **how))

    def save() -> None:
        if journal is None:
            ray.train.report(figures)
            return
        journal.publish()
        kept.update(history=journal.history, alarms=journal.alarms, watchdog=watchdog.state_dict())
        before = {} if good["step"] == step.step else {"good": good}
        report(step.state_dict() | kept | before, {**figures, "step": step.step}, folder)

    panels = stream()
    figures: dict[str, float] = {}
    steepest: dict[str, torch.Tensor] = {}  # norms of gradients since the last look
    while step.step < train.steps and not kept["stopped"]:
        losses = step(*map(torch.from_numpy, next(panels)))
        for name in losses.keys() & set(NORMS):
            steepest[name] = torch.maximum(steepest.get(name, losses[name]), losses[name])
        last = step.step == train.steps
        saves = last or step.step % train.checkpoint_every == 0
        shows = last or step.step % config.sample_every == 0
        if not (saves or shows) and step.step % train.log_every:
            continue
        alarms = []
        figures = {name: value.item() for name, value in losses.items()}  # which waits for a GPU to be done
        panels.pause()
        wait_share = highest(panels.wait_share, device)  # all wait for the one that does
        if journal:
            figures |= {
                "data_wait_share": wait_share,
                "step_ms": panels.step_ms,
                "gathers_per_s": train.batch / config.panel.per_gather / panels.step_ms * 1000,
            }
            if saves:
                figures |= way.score(step, reference)
            alarms = watchdog.look(step.step, figures | {name: norm.item() for name, norm in steepest.items()})
            journal.log(step.step, figures | {"elapsed_s": time.perf_counter() - began_s})
            for alarm in alarms:
                journal.alarm(alarm)
            journal.show(step.step, figures)
        steepest = {}
        action = strongest(alarms, device)
        if action in ("stop", "rollback"):
            step.load_state_dict(copy.deepcopy(good))
        if action == "rollback":
            watchdog.go_back()
            step.turn_aside(watchdog.rolled_back, config.watch.rollback_lr)
            good = copy.deepcopy(step.state_dict())  # a further rollback lowers the rates again
            if journal:
                journal.go_back(step.step)
            save()  # a worker that is lost from here on takes the run back to this, not to what went wrong
            panels = stream()
            continue
        if action == "stop":
            kept["stopped"] = next((str(alarm) for alarm in alarms if alarm.action == "stop"), "another worker's alarm")
        if journal and shows:
            sheet = way.sheet(step, reference, f"step {step.step}")
            journal.sheet("samples", step.step, png_bytes(sheet))
        if not (saves or kept["stopped"]):
            continue
        if not highest(int(journal is not None and not watchdog.calm), device):
            good = copy.deepcopy(step.state_dict())
        save()
    if journal:
        journal.close(step.step, figures)


def batches_of(job: dict[str, Any], **how: int) -> Iterator[tuple[Samples, ...]]:
    """Yield a batch of field panels, and one of synthetic panels with their first breaks where the job names such."""
    panel, factors = job["config"].panel, job.get("factors", {})
    streams = [panel_batches(job["refs"], panel, cut=partial(cut_live, factors=factors), **how)]
    if "synthetic" in job:
        streams.append(panel_batches(job["synthetic"], panel, cut=partial(cut_with_breaks, factors=factors), **how))
    return zip(*streams, strict=True)


def reference_of(job: dict[str, Any]) -> Samples | Pair:
    """Return panels by which the step is scored and shown: field ones, and synthetic ones where the job names such."""
    panel, factors = job["config"].panel, job.get("factors", {})
    field = reference_panels(job["refs"], panel, cut=partial(cut_live, factors=factors))
    if "synthetic" not in job:
        return field
    return Pair(field, reference_panels(job["synthetic"], panel, cut=partial(cut_with_breaks, factors=factors)))


class Clock:
    """Pass batches on, and time the steps between two pauses.

    step_ms: how long a step took, waiting included, in the mean. wait_share: of that, what was spent waiting for
    batches. Both are NaN before the first pause.
    """

    def __init__(self, batches: Iterator[tuple[Samples, ...]]) -> None:
        self._batches = batches
        self._n, self._wait_s, self._since_s = 0, 0.0, math.nan
        self._begun = False
        self.step_ms = self.wait_share = math.nan

    def __next__(self) -> tuple[Samples, ...]:
        asked_s = time.perf_counter()
        batch = next(self._batches)
        now_s = time.perf_counter()
        if not self._begun:  # the stream starts up once a run; what counts is whether it keeps pace
            self._begun, asked_s = True, now_s
        if self._n == 0:
            self._since_s = asked_s
        self._wait_s += now_s - asked_s
        self._n += 1
        return batch

    def pause(self) -> None:
        """Leave out what comes until the next batch is asked for: scores, pictures, checkpoints."""
        busy_s = max(time.perf_counter() - self._since_s, 1e-9)
        self.step_ms, self.wait_share = busy_s * 1000 / self._n, self._wait_s / busy_s
        self._n, self._wait_s = 0, 0.0
