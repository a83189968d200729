"""A run without workers says why, now and then, and gives up in one line."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from seisray.errors import TrainingError
from seisray.training import waiting
from seisray.training.waiting import SAY_AFTER_S, SAY_EVERY_S, Waiting


@dataclass
class Run:
    """A run whose controller goes from state to state as time passes."""

    watched: Waiting
    said: list[str]
    clock: SimpleNamespace
    before: str = "INITIALIZING"

    def pass_time(self, seconds: float, state: str) -> None:
        self.clock.now_s += seconds
        error = "Training failed due to worker errors:\nrank 1: the node died"
        states = [
            SimpleNamespace(_state_type=SimpleNamespace(state_name=name), training_failed_error=error)
            for name in (self.before, state)
        ]
        self.before = state
        self.watched.after_controller_state_update(*states)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    clock = SimpleNamespace(now_s=1000.0)
    monkeypatch.setattr(waiting.time, "monotonic", lambda: clock.now_s)
    monkeypatch.setattr(waiting, "room", lambda: "1 node with 0 of 1 CPU free")
    said: list[str] = []
    board: Any = SimpleNamespace(tell=SimpleNamespace(remote=said.append))
    return Run(Waiting(board, "2 workers of 1 CPU each", 300), said, clock)


def test_a_short_wait_is_not_worth_a_word(run: Run) -> None:
    for _ in range(5):
        run.pass_time(SAY_AFTER_S * 0.9, "SCHEDULING")
        run.pass_time(1, "RUNNING")
    assert run.said == []


def test_a_long_wait_is_said_with_its_reason_at_intervals(run: Run) -> None:
    for _ in range(31):
        run.pass_time(5, "INITIALIZING")
    line = "waiting for room for 2 workers of 1 CPU each, up to 300 s (train.wait_s): 1 node with 0 of 1 CPU free"
    assert run.said == [line] * (1 + int((150 - SAY_AFTER_S) // SAY_EVERY_S))


def test_a_wait_ends_in_one_line_that_says_what_to_do(run: Run) -> None:
    run.pass_time(0, "RESCHEDULING")
    with pytest.raises(TrainingError, match=r"^no room for 2 workers .* in 300 s .*: 1 node with 0 of 1 CPU free; add"):
        run.pass_time(300, "RESCHEDULING")


def test_each_wait_has_its_own_limit(run: Run) -> None:
    for _ in range(3):
        run.pass_time(0, "RESCHEDULING")
        run.pass_time(200, "SCHEDULING")
        run.pass_time(1, "RUNNING")


def test_failed_workers_are_said_once(run: Run) -> None:
    run.pass_time(0, "RUNNING")
    run.pass_time(0, "RESTARTING")
    run.pass_time(1, "RESTARTING")
    assert run.said == ["workers failed: rank 1: the node died; going on from the last checkpoint"]
