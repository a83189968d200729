"""Field gathers without labels, which a picker is to see as it sees labelled ones."""

from collections.abc import Sequence

import numpy as np

from seisray.config import PickerConfig
from seisray.errors import ConfigError
from seisray.gather import Gather
from seisray.picking.tempo import Tempo, in_one_tempo
from seisray.registry import Store, Survey
from seisray.stream import shard_refs, some_gathers

MOST_SHARDS, MOST_GATHERS = 64, 4  # of all surveys and of each shard: they are held in memory


def check_alignment(config: PickerConfig, like: Sequence[str], labelled: Sequence[str]) -> None:
    """Raise ConfigError where a picker of labelled surveys cannot be aligned with field surveys as it is asked for."""
    weight, transfer, augment = config.align.weight, config.transfer, config.augment
    if bool(like) != bool(weight):
        raise ConfigError(
            f"AlignConfig.weight is {weight:g} and --like names {len(like)} surveys; expected both a weight above 0, "
            "e.g. --align.weight 0.1, and field surveys, or neither"
        )
    if not like:
        return
    twice = sorted({name for name in like if name in labelled or like.count(name) > 1})
    if twice:
        raise ConfigError(f"--like {twice[0]}: named twice, or as a survey to learn labels from; name each survey once")
    if transfer.encoder_lr == 0:
        raise ConfigError("TransferConfig.encoder_lr is 0, so that nothing can be aligned; expected more than 0")
    if augment.recorded or augment.later_shot:
        raise ConfigError(
            f"AugmentConfig.recorded is {augment.recorded:g} and later_shot {augment.later_shot:g}; they need labels, "
            "and would tell labelled panels from others; expected 0 where pickers are aligned"
        )


def unlabelled_gathers(store: Store, surveys: Sequence[Survey], tempo: Tempo) -> list[Gather]:
    """Return gathers from all over each survey in a tempo; what labels they have is left out.

    Raises ConfigError where a survey has none.
    """
    found = []
    for survey in surveys:
        refs = shard_refs(store, [survey])
        gathers = some_gathers(refs, shards=max(MOST_SHARDS // len(surveys), 1), gathers=MOST_GATHERS)
        if not gathers:
            raise ConfigError(f"--like {survey.survey}: the survey holds no gather")
        found += in_one_tempo(gathers, tempo).gathers
    return [gather.replace(first_break_ms=np.full(gather.n_traces, np.nan, np.float32)) for gather in found]
