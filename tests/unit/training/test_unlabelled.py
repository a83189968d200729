from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pickable import write_survey

from seisray.config import AlignConfig, AugmentConfig, PickerConfig, TransferConfig
from seisray.errors import ConfigError
from seisray.gather import Gather
from seisray.picking.tempo import Tempo, onset_period
from seisray.registry import Store
from seisray.training.unlabelled import MOST_GATHERS, check_alignment, unlabelled_gathers

LineGathers = Callable[..., list[Gather]]
ALIGNED = PickerConfig(align=AlignConfig(weight=0.1))


@pytest.mark.parametrize(
    ("changes", "like", "said"),
    [
        ({"align": AlignConfig()}, ["field"], "AlignConfig.weight is 0"),
        ({}, [], "--like names 0 surveys"),
        ({}, ["field", "line"], "--like line"),
        ({}, ["field", "field"], "--like field: named twice"),
        ({"transfer": TransferConfig(encoder_lr=0)}, ["field"], "encoder_lr"),
        ({"augment": AugmentConfig(later_shot=0.1)}, ["field"], "later_shot"),
    ],
)
def test_what_cannot_be_aligned_is_refused(changes: dict[str, Any], like: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check_alignment(replace(ALIGNED, **changes), like, ["line"])


def test_pickers_may_be_aligned_or_not() -> None:
    check_alignment(ALIGNED, ["field", "other"], ["line"])
    check_alignment(PickerConfig(transfer=TransferConfig(encoder_lr=0)), [], ["line"])


def test_gathers_come_from_all_over_every_survey_without_labels_and_in_one_tempo(
    tmp_path: Path, line_gathers: LineGathers
) -> None:
    store = Store(str(tmp_path))
    many = write_survey(store, line_gathers(30), name="many", shard_gathers=6)
    few = write_survey(store, line_gathers(2, sample_interval_us=500.0, n_samples=256), name="few")
    period = onset_period(line_gathers(30))
    found = unlabelled_gathers(store, [many, few, many], Tempo(1000.0, 2 * period))
    of_first = [gather.ffid for gather in found[: 5 * MOST_GATHERS]]
    assert of_first == [101 + 6 * shard + i for shard in range(5) for i in range(MOST_GATHERS)]
    assert len(found) == 2 * 5 * MOST_GATHERS + 2
    assert not any(gather.labelled.any() for gather in found)
    of_few = found[5 * MOST_GATHERS]
    assert of_few.sample_interval_us in (250.0, 500.0)
    assert onset_period([of_few]) == pytest.approx(2 * period, rel=0.4)
    assert np.isfinite(of_few.samples).all()
