"""The tempo of the picker that a fine-tuning goes on from."""

from pathlib import Path

import pytest
from pickable import write_picker, write_survey

from seisray.registry import Store
from seisray.training.finetune import tempo_of


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def test_a_picker_knows_the_surveys_that_it_learned_from_until_they_change(store: Store, line_gathers) -> None:
    write_picker(store, sample_interval_us=500.0, onset_period=31.0, resampled={"abc": 0.5, "gone": 2.0})
    known = write_survey(store, line_gathers(2))
    other = write_survey(store, line_gathers(2), name="other", fingerprint="other")
    tempo = tempo_of(store, "p", [known, other])
    assert tempo is not None
    assert (tempo.interval_us, tempo.onset_period, dict(tempo.known)) == (500.0, 31.0, {"line": 0.5})


def test_what_is_no_picker_has_no_tempo(store: Store) -> None:
    write_picker(store)
    assert tempo_of(store, "p", []) is None
    assert tempo_of(store, "scratch", []) is None
