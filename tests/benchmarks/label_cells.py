"""One picker of label_efficiency.py, trained in plain torch: what it learns from, and what it comes to."""

import dataclasses
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import safetensors.torch
import torch
from label_peer import PEER, trained_peer
from numpy.typing import NDArray
from real_surveys import TAUGHT_AUGMENT
from torch import nn

from seisray.config import AugmentConfig, PickerConfig, PickerTrainConfig, TransferConfig
from seisray.gather import Gather, spread_over
from seisray.heap import keep_heap
from seisray.metrics.calibration import reliability
from seisray.metrics.picks import score_picks, sureness
from seisray.models.picker import Picker
from seisray.models.transfer import load_body
from seisray.picking.decode import candidates, decide, decode
from seisray.picking.engine import averaged, torch_engine
from seisray.picking.habit import habit_of
from seisray.picking.polarity import MOST_SHOWN, sureness_either_way, surer_of
from seisray.picking.smoothness import N_CANDIDATES, smoothest
from seisray.picking.tiling import gather_logits
from seisray.training.picker import PickerStep
from seisray.training.precision import flush_denormals
from seisray.training.sure_picks import moved

SELF_TAUGHT = ("scratch", "synthetic", "synthetic after masked")
THEN = ", then its own picks"
OWN_LR, LEAST_PROBABILITY = 1e-3, 0.5
UNTAUGHT = ("scratch", PEER)
"""Starts that saw nothing before the labelled gathers."""
TUNING, N_TUNING = -1, 5
SUGGESTED = -2
OF_SUGGESTED = ", of suggested gathers"


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """Name one picker.

    draw: which gathers, TUNING = those of the search; SUGGESTED and below = those that `seisray suggest` names, the
    panels drawn from another seed each time. pretraining: which of its kind. own_picks: it then learns from these, too.
    """

    survey: str
    n_gathers: int
    draw: int
    start: str
    pretraining: int = 0
    lr: float = 2e-3
    encoder_lr: float = 1.0
    steps: int
    pretraining_steps: int = 0
    own_picks: bool = False


Data = Mapping[str, Mapping[str, list[Gather]]]
"""Labelled gathers to learn from and to validate on, synthetic ones, and gathers without labels (raw), by survey; and
those suggested, by start and number."""


def kind_of(start: str) -> str | None:
    """Return which pre-training a start needs, None = none."""
    return None if start in UNTAUGHT else start.removesuffix(", encoder only")


def is_taught(start: str) -> bool:
    """Return whether a start learned from synthetic gathers, which then stay beside the labelled ones."""
    return "synthetic" in start


def gathers_of(cell: Cell, data: Data) -> tuple[list[Gather], Mapping[str, list[Gather]]]:
    """Return what a cell learns from, and what it is scored on, by survey."""
    there = data["learn"][cell.survey]
    if cell.draw == TUNING:  # evenly spread gathers to learn from, those in the middle between them to judge by
        chosen = np.linspace(0, len(there) - 1, N_TUNING).round().astype(int)
        return [there[i] for i in chosen], {cell.survey: [there[i] for i in (chosen[1:] + chosen[:-1]) // 2]}
    if cell.draw <= SUGGESTED:
        return data["suggested"][name_of_suggested(cell.start, cell.n_gathers, cell.pretraining)], data["validate"]
    rng = np.random.default_rng([cell.draw, cell.n_gathers])
    chosen = np.sort(rng.permutation(len(there))[: cell.n_gathers])
    return [there[i] for i in chosen], data["validate"]


def name_of_suggested(start: str, n: int, pretraining: int) -> str:
    """Return under which name the n gathers lie that are suggested to who has this start."""
    return f"{n} for {start}, {pretraining}"


def outcome(cell: Cell, data: Data, weights: bytes | None) -> dict[str, Any]:
    """Train the picker of a cell; return its scores by survey, and as "then" those of what its own picks make of it."""
    torch.set_num_threads(1)
    keep_heap()
    flush_denormals()
    learn, judges = gathers_of(cell, data)
    body = safetensors.torch.load(weights) if weights else None
    began_s = time.perf_counter()
    beside = [gather for gathers in data["synthetic"].values() for gather in gathers] if is_taught(cell.start) else []
    if cell.start == PEER:
        picker: nn.Module = trained_peer(settings_of(cell), learn)
    else:
        picker = trained(cell, learn + beside, body) if learn else as_learned(cell, body)
    known = {cell.survey} if learn else set()
    found = {"cell": dataclasses.asdict(cell), **scores_of(picker, judges, known)}
    if cell.own_picks:
        labelled = {gather.ffid for gather in learn}
        raw = [one for one in data["raw"][cell.survey] if one.ffid not in labelled]
        own = sure_gathers(picker, raw if learn else way_up(picker, raw), learn)
        if own:
            picker = trained(dataclasses.replace(cell, lr=OWN_LR, encoder_lr=1.0), learn + own, picker.state_dict())
        found["then"] = scores_of(picker, judges, {cell.survey})
    return found | {"seconds": time.perf_counter() - began_s}


def seed_of(draw: int) -> int:
    """Return the seed of the panels that the pickers of a draw see."""
    return SUGGESTED - draw if draw <= SUGGESTED else max(draw, 0)


def settings_of(cell: Cell) -> PickerConfig:
    """Return the settings that a cell trains its picker with."""
    return PickerConfig(
        transfer=TransferConfig(lr=cell.lr, encoder_lr=cell.encoder_lr, decoder=", encoder only" not in cell.start),
        train=PickerTrainConfig(steps=cell.steps, workers=1, seed=seed_of(cell.draw)),
        augment=TAUGHT_AUGMENT if is_taught(cell.start) else AugmentConfig(),
    )


def trained(cell: Cell, gathers: Sequence[Gather], body: dict[str, torch.Tensor] | None) -> Picker:
    """Return a picker that learned from labelled gathers."""
    step = PickerStep(settings_of(cell), gathers, body=body)
    while step.step < cell.steps:
        step(step.config.train.batch)
    return step.learned


def as_learned(cell: Cell, body: dict[str, torch.Tensor] | None) -> Picker:
    """Return the picker that weights are, without a label of a field gather."""
    picker = Picker(settings_of(cell).body)
    assert body is not None
    load_body(picker, body, decoder=True)
    return picker


def way_up(picker: nn.Module, gathers: list[Gather]) -> list[Gather]:
    """Return gathers of a survey as `seisray pick` shows them to a picker that does not know it."""
    predict = torch_engine(picker.eval())
    sure = sureness_either_way(predict, spread_over(gathers, MOST_SHOWN), PickerConfig().panel)
    turned = surer_of(sure) == "reversed"
    return [one.replace(samples=-one.samples) for one in gathers] if turned else gathers


def scores_of(picker: nn.Module, judges: Mapping[str, list[Gather]], known: Set[str]) -> dict[str, Any]:
    """Return the scores of a picker by survey, and how often picks of about one probability are within 2 ms.

    known: surveys that it learned from; others it sees the way up of which it is surer.
    """
    found: dict[str, Any] = {"scores": {}, "reliability": {}}
    predict, panel = torch_engine(picker.eval()), PickerConfig().panel
    for survey, there in judges.items():
        gathers = there if survey in known else way_up(picker, there)
        picks = [
            decode(
                gather_logits(predict, gather.samples, gain=panel.gain, stretch=panel.samples),
                gather.live,
                gather.sample_interval_us,
            )
            for gather in gathers
        ]
        pick_ms = np.concatenate([one.pick_ms for one in picks])
        label_ms = np.concatenate([gather.first_break_ms for gather in gathers])
        probability = np.concatenate([one.probability for one in picks])
        about = {"sample_interval_us": gathers[0].sample_interval_us, "probability": probability}
        found["scores"][survey] = score_picks(pick_ms, label_ms, **about).to_dict()
        found["reliability"][survey] = reliability(*sureness(pick_ms, label_ms, probability))
    return found


def sure_gathers(picker: Picker, raw: Sequence[Gather], by_hand: Sequence[Gather]) -> list[Gather]:
    """Return gathers with the picks that a picker is sure of as labels, moved by how those by hand differ from them."""
    picker.eval()
    predict, panel = averaged(torch_engine(picker, device="cpu")), PickerConfig().panel

    def sure_ms(gather: Gather) -> NDArray[np.float32]:
        logits = gather_logits(predict, gather.samples, gain=panel.gain, stretch=panel.samples)
        found = candidates(logits, gather.live, n=N_CANDIDATES)
        line = smoothest(found, gather.sample_interval_us / 1000, 1.0)
        picks = decide(found, gather.sample_interval_us, chosen=line, least_probability=LEAST_PROBABILITY)
        return np.where(picks.flag == "ok", picks.pick_ms, np.nan).astype(np.float32)

    picked = [gather.replace(first_break_ms=sure_ms(gather)) for gather in raw]
    differences = [(gather.first_break_ms - sure_ms(gather)).tolist() for gather in by_hand]
    constant_ms = habit_of(list(itertools.chain.from_iterable(differences))).ms
    return moved([gather for gather in picked if gather.labelled.any()], float(np.nan_to_num(constant_ms)))[0]


def parts_of(one: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what a cell came to, and under a start of its own what its own picks made of that.

    One of suggested gathers has a start of its own, too, and draws counted as the others. What weights are without a
    labelled gather does not depend on the draw, and counts once.
    """
    if one["cell"]["draw"] <= SUGGESTED:
        named = {"start": one["cell"]["start"] + OF_SUGGESTED, "draw": seed_of(one["cell"]["draw"])}
        yield one | {"cell": one["cell"] | named}
    elif one["cell"]["n_gathers"] or not one["cell"]["draw"]:
        yield one
    if "then" in one:
        yield one | {"cell": one["cell"] | {"start": one["cell"]["start"] + THEN}} | one["then"]
