"""Work spread over Ray tasks: all of it comes, once, whatever happens to workers."""

import os
import sys
from pathlib import Path

import pytest
from ray import cloudpickle

from seisray import tasks
from seisray.errors import FormatError, SessionError
from seisray.tasks import CHUNK, spread

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import a test


def _double(item: int, shared: int) -> int:
    return 2 * item + shared


def _refuse_three(item: int, _: None) -> int:
    if item == 3:
        raise FormatError("item 3 is odd; leave it out")
    return item


def _die_once(item: int, folder: str) -> int:
    mark = Path(folder) / str(item)
    if item == 1 and not mark.exists():
        mark.touch()
        os._exit(1)
    return item


def _die(item: int, _: None) -> int:
    os._exit(item)


@pytest.mark.usefixtures("ray_session")
def test_every_item_comes_once_with_its_index() -> None:
    n = CHUNK + 6
    assert sorted(spread(range(n), _double, 5)) == [(i, 2 * i + 5) for i in range(n)]


def test_no_items_need_no_ray() -> None:
    assert list(spread([], _double, 5)) == []


@pytest.mark.usefixtures("ray_session")
def test_an_error_comes_as_it_was() -> None:
    with pytest.raises(FormatError, match=r"^item 3 is odd; leave it out$"):
        list(spread(range(6), _refuse_three, None))


@pytest.mark.usefixtures("ray_session")
def test_a_task_whose_worker_dies_is_done_again(tmp_path: Path) -> None:
    assert sorted(spread(range(3), _die_once, str(tmp_path))) == [(0, 0), (1, 1), (2, 2)]
    assert (tmp_path / "1").exists()


@pytest.mark.usefixtures("ray_session")
def test_a_task_that_kills_every_worker_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "RETRIES", 0)
    with pytest.raises(SessionError, match=r"lost its worker 1 times.*--resume"):
        list(spread([1], _die, None))
