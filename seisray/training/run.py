"""A training run under Ray Train: where it is kept, whether it goes on, how it is watched, how it fails."""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import ray
import ray.train
from ray.train import CheckpointConfig, FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchConfig, TorchTrainer
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from seisray.config import TrainConfig, config_dict, fingerprint
from seisray.errors import ConfigError, SeisrayError, TrainingError
from seisray.patient_files import patient_filesystem
from seisray.progress import Progress
from seisray.registry import Store
from seisray.session import connect
from seisray.storage import Location
from seisray.training.waiting import Waiting

FREE = ("workers", "least_workers", "gpus", "retries", "wait_s", "tracker", "measured", "sample_every")
"""Settings of a run that may change while it is interrupted."""
NETWORKS = 4
"""Number of the networks' build, raised when weights change names or shapes, or steps what they do: runs of another one
cannot go on."""
SHOWN = 6  # entries of a list in a message


@ray.remote(num_cpus=0)
class Board:
    """Carry figures and messages from the first training worker to whoever watches."""

    def __init__(self) -> None:
        self._shown: tuple[int, dict[str, float]] = (0, {})
        self._said: list[str] = []

    def put(self, step: int, figures: dict[str, float]) -> None:
        """Show new figures."""
        self._shown = (step, figures)

    def tell(self, line: str) -> None:
        """Say something that must be read."""
        self._said.append(line)

    def get(self, heard: int) -> tuple[int, dict[str, float], list[str]]:
        """Return the newest figures, their step, and all that was said after the first `heard` lines."""
        return *self._shown, self._said[heard:]


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training run.

    kind: pretrain, finetune or tune. identity: what must be equal for an interrupted run to be gone on with.
    home: where its folder lies, by default runs/<kind>.
    """

    store: Store
    kind: str
    name: str
    train: TrainConfig
    identity: dict[str, Any] = field(default_factory=dict)
    home: Location | None = None

    @property
    def folder(self) -> Location:
        """Return where the run's checkpoints, logs and figures lie."""
        return self.home / self.name if self.home else self.store.folder("runs", self.kind, self.name)

    def claim(self, *, resume: bool = False) -> bool:
        """Return whether an interrupted run goes on; raise ConfigError where it was another one, or none is there."""
        mark, now = self.folder / "run.json", {"networks": NETWORKS, **self.identity}
        if not mark.exists():
            if resume:
                raise ConfigError(f"there is no interrupted run {self.name!r} to go on with; leave --resume out")
            mark.write_bytes(json.dumps(now, indent=1).encode())
            return False
        before = json.loads(mark.read_bytes())
        if before.get("networks") != NETWORKS:
            raise ConfigError(
                f"run {self.name!r} was interrupted with the networks of another version of seisray; pass --restart to "
                f"begin anew, or choose another name"
            )
        if fingerprint(before) != fingerprint(now):
            changed = ", ".join(differences(before, json.loads(json.dumps(now))))
            raise ConfigError(
                f"run {self.name!r} was interrupted with other settings ({changed}); give the same settings to go on, "
                f"pass --restart to begin anew, or choose another name"
            )
        return True

    def fit(
        self, loop: Callable[[dict[str, Any]], None], job: dict[str, Any], *, callbacks: Sequence[Any] = ()
    ) -> ray.train.Result:
        """Run a worker loop on every worker; return Ray Train's result, with the last checkpoint.

        Raises the SeisrayError that a worker raised, or TrainingError.
        """
        least, most = self.train.least_workers, self.train.workers
        each = {"CPU": 1} | ({"GPU": self.train.gpus} if self.train.gpus else {})
        needs = f"{least or most} workers of {' and '.join(f'{n:g} {kind}' for kind, n in each.items())} each"
        trainer = TorchTrainer(
            loop,
            train_loop_config=job,
            scaling_config=ScalingConfig(
                num_workers=(least, most) if 0 < least < most else most,  # type: ignore[arg-type]  # an old annotation
                use_gpu=self.train.gpus > 0,
                resources_per_worker=each,
            ),
            torch_config=TorchConfig(backend="nccl" if self.train.gpus >= 1 else "gloo"),
            run_config=RunConfig(
                name=self.name,
                storage_path=self.folder.path.rpartition("/")[0],
                storage_filesystem=patient_filesystem(self.store.root),
                failure_config=FailureConfig(max_failures=self.train.retries),
                checkpoint_config=CheckpointConfig(num_to_keep=2),
                callbacks=[*callbacks, Waiting(job["board"], needs, self.train.wait_s)],  # type: ignore[list-item]  # old
            ),
        )
        try:
            return trainer.fit()
        except ray.train.TrainingFailedError as error:
            raise _cause(error, self.name) from error

    def watch(self, label: str) -> "Watch":
        """Return a context that shows the run's progress."""
        return Watch(label, self.train.steps)


class Watch:
    """Show what a Board says, until the context ends."""

    def __init__(self, label: str, steps: int) -> None:
        connect()
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
        self.board = Board.options(scheduling_strategy=here).remote()  # type: ignore[attr-defined]  # outlives workers
        self._progress = Progress(label, steps, "steps")
        self._over = threading.Event()
        self._heard = 0
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def _poll(self) -> None:
        while not self._over.wait(0.5):
            self._show()

    def _show(self) -> None:
        try:
            step, figures, lines = ray.get(self.board.get.remote(self._heard), timeout=10)
        except ray.exceptions.RayError:  # the board went with its node; training goes on unseen
            return
        self._progress.update(step, **figures)
        for line in lines:
            self._progress.say(line)
        self._heard += len(lines)

    def __enter__(self) -> Any:
        self._progress.__enter__()
        self._thread.start()
        return self.board

    def __exit__(self, *error: Any) -> None:
        self._over.set()
        self._thread.join()
        self._show()
        self._progress.__exit__(*error)


def repeatable(config: Any) -> dict[str, Any]:
    """Return the settings of a run that must stay when it goes on; others say only who does the work, and who watches.

    With another number of workers a batch stays as large, and the panels come in another order from there on: of the
    gathers of that epoch some are seen twice and some not, each in other windows.
    """
    settings = config_dict(config)
    settings["train"] = {key: value for key, value in settings["train"].items() if key not in FREE}
    return {key: value for key, value in settings.items() if key not in FREE}


def differences(before: Any, now: Any, name: str = "") -> list[str]:
    """Return "section.field: before -> now" for each setting in which two nested dictionaries differ.

    Of two lists, such as FFIDs, only what the one has and the other has not.
    """
    if isinstance(before, dict) and isinstance(now, dict):
        keys = sorted(before.keys() | now.keys())
        return [d for key in keys for d in differences(before.get(key), now.get(key), f"{name}.{key}".strip("."))]
    if before == now:
        return []
    if isinstance(before, list) and isinstance(now, list):
        gone, new = [one for one in before if one not in now], [one for one in now if one not in before]
        before, now = (gone, new) if gone or new else (before, now)
    return [f"{name}: {_short(before)} -> {_short(now)}"]


def _short(value: Any) -> str:
    if isinstance(value, list) and len(value) > SHOWN:
        return f"[{value[0]}, {value[1]} ... {value[-1]}: {len(value)} in all]"
    return str(value)


def _cause(error: BaseException, name: str) -> SeisrayError:
    """Return our own error inside Ray Train's wrapping, or one that says what Ray says."""
    failures = getattr(error, "worker_failures", {})
    for failure in (*failures.values(), getattr(error, "controller_failure", None)):
        for inner in (failure, getattr(failure, "__cause__", None), getattr(failure, "cause", None)):
            if isinstance(inner, SeisrayError):
                return inner
    first = next(iter(failures.values()), error)
    return TrainingError(
        f"run {name!r} failed: {str(first).strip().splitlines()[-1]}; the same command goes on from there"
    )
