"""How many trials run at a time, and what a finished study says."""

import pytest

from seisray.config import TrainConfig
from seisray.tuning.outcome import flat
from seisray.tuning.search import room_for


@pytest.mark.parametrize(
    ("cpus", "workers", "room"),
    [(4, 2, 1), (4, 1, 2), (10, 2, 4), (3, 2, 1), (2, 1, 1)],
)
def test_two_cpus_stay_free_and_one_trial_always_fits(cpus: int, workers: int, room: int) -> None:
    assert room_for(TrainConfig(workers=workers, batch=workers), {"CPU": cpus}) == room


def test_gpus_bound_the_trials_too() -> None:
    assert room_for(TrainConfig(workers=1, gpus=0.5), {"CPU": 32, "GPU": 1}) == 2


def test_what_the_user_wants_counts_where_there_is_room() -> None:
    assert room_for(TrainConfig(workers=1), {"CPU": 10}, wanted=3) == 3
    assert room_for(TrainConfig(workers=1), {"CPU": 10}, wanted=30) == 8


def test_settings_are_named_as_on_the_command_line() -> None:
    assert flat({"a": {"b": 1, "c": [2, 3]}, "d": 4}) == {"a.b": 1, "a.c": (2, 3), "d": 4}
