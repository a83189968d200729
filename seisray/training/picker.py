"""Fine-tuning a picker: the step in plain torch, and what it learns from."""

import copy
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seisray.config import PanelConfig, PickerConfig
from seisray.errors import ConfigError
from seisray.gather import Gather, by_survey, spread_over
from seisray.losses.adversarial import d_bce
from seisray.losses.picking import picking_loss
from seisray.metrics.picks import PickScore, score_picks
from seisray.models.alignment import AlignedPicker, DomainJudge
from seisray.models.picker import Picker
from seisray.models.transfer import hold_frozen, load_body, parameter_groups, rescale_activations
from seisray.models.unet import channels_last
from seisray.picking.decode import decode
from seisray.picking.engine import torch_engine
from seisray.picking.tiling import gather_logits
from seisray.training.compilation import compiled
from seisray.training.labelled_panels import LabelledPanels
from seisray.training.precision import autocast
from seisray.training.resumable import Resumable
from seisray.training.schedule import passed, reversal

RESCALE_PANELS = 16
FIELD_DRAW = 1  # tells the seed of field panels from that of labelled ones
EMA_RAMP = 9
"""After n steps an average goes back over about n / 9 of them at most: the weights it began with are forgotten."""


class PickerStep(Resumable):
    """Train a picker by one batch of labelled panels a call; the randomness of a step is its (seed, step, rank).

    gathers: labelled; each survey gives the same share of panels, however many gathers it has. body: learned weights
    named body.*, None = from scratch. wrap: puts a module under DDP. average: the picker's weights over the last steps,
    where transfer.ema asks for it. unlabelled: field gathers for align.weight, empty = features are not aligned.
    """

    parts: tuple[str, ...] = ("picker", "optimiser", "schedule")

    def __init__(
        self,
        config: PickerConfig,
        gathers: Sequence[Gather],
        *,
        unlabelled: Sequence[Gather] = (),
        body: dict[str, Tensor] | None = None,
        device: str = "cpu",
        rank: int = 0,
        wrap: Callable[[nn.Module], nn.Module] = lambda module: module,
    ) -> None:
        self.config, self.device, self.rank = config, device, rank
        self._panels = LabelledPanels(gathers, config.panel, config.augment)
        field = dataclasses.replace(config.augment, empty=0.0)  # what is not of the field tells nothing of it
        self._field = LabelledPanels(unlabelled, config.panel, field) if unlabelled else None
        torch.manual_seed(config.train.seed)
        self.picker = Picker(config.body)
        transfer = config.transfer
        if body is not None:
            with_head = load_body(self.picker, body, decoder=transfer.decoder)
            if transfer.rescale and not with_head:  # a head knows the activations it learned from
                rescale_activations(self.picker, self._batch(RESCALE_PANELS, rank=0)[0])
        self.picker.to(device)
        channels_last(self.picker)
        self._autocast = autocast(config.train, device)
        groups = parameter_groups(
            self.picker,
            lr=transfer.lr,
            encoder_lr=transfer.encoder_lr if body is not None else 1.0,
            frozen=transfer.frozen if body is not None else 0,
            level_lr=transfer.level_lr if body is not None else 1.0,
            apart=body is not None and (transfer.thaw > 0 or transfer.level_lr != 1),
        )
        self._thaw_steps = transfer.thaw * config.train.steps if body is not None else 0.0
        self.average = copy.deepcopy(self.picker).requires_grad_(False) if transfer.ema else None
        if self.average is not None:
            self.parts = (*self.parts, "average")
        if self._field is None:
            self._predict = wrap(compiled(self.picker, config.train))
        else:
            self.judge = DomainJudge(config.body.channels[-1]).to(device)
            self.parts = (*self.parts, "judge")
            groups.append({"params": list(self.judge.parameters()), "lr": transfer.lr})
            self._predict = wrap(compiled(AlignedPicker(self.picker, self.judge), config.train))
        self.optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
        rates = [float(group["lr"]) for group in groups]
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser,
            max_lr=rates,
            total_steps=config.train.steps + 1,
        )

    def _batch(self, n: int, *, rank: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return panels (n, 1, traces, samples), first breaks and what is known (n, traces)."""
        rng = np.random.default_rng([self.config.train.seed, self.step, rank])
        samples, first_break, known = map(torch.from_numpy, self._panels.draw(rng, n))
        return samples[:, None], first_break, known

    def _field_batch(self, n: int) -> Tensor:
        """Return panels (n, 1, traces, samples) of field gathers, augmented as the labelled ones are."""
        assert self._field is not None
        rng = np.random.default_rng([self.config.train.seed, self.step, self.rank, FIELD_DRAW])
        return torch.from_numpy(self._field.draw(rng, n).samples)[:, None]

    def __call__(self, n: int) -> dict[str, Tensor]:
        """Take one step on n panels, and n of field gathers where there are any; return the losses as 0-d tensors.

        loss: the picker's. domain: of the judge of domains, where features are aligned; ln 2 = it cannot tell them.
        """
        panels, first_break, known = (part.to(self.device) for part in self._batch(n, rank=self.rank))
        figures: dict[str, Tensor] = {}
        if self._field is None:
            with self._autocast:
                logits = self._predict(panels)
        else:
            strength = reversal(self.config.align.weight, passed(self.step, self.config.train.steps))
            field, strong = (part.to(self.device) for part in (self._field_batch(n), torch.tensor(strength)))
            with self._autocast:
                logits, said = self._predict(panels, field, strong)
            figures["domain"] = d_bce(*said.float().chunk(2)) / 2
        figures["loss"] = picking_loss(logits.float(), first_break, known, self.config.label_sigma)
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack([*figures.values()]).sum().backward()
        hold_frozen(self.picker, step=self.step, thaw_steps=self._thaw_steps)
        norm = nn.utils.clip_grad_norm_(self.picker.parameters(), 1.0)
        self.optimiser.step()
        self.schedule.step()
        self.step += 1
        self._take_average()
        return {name: one.detach() for name, one in figures.items()} | {"gradient_norm": norm.detach()}

    @torch.no_grad()
    def _take_average(self) -> None:
        if self.average is None:
            return
        decay = min(self.config.transfer.ema, (1 + self.step) / (1 + self.step + EMA_RAMP))
        for mean, now in zip(self.average.parameters(), self.picker.parameters(), strict=True):
            mean.lerp_(now, 1 - decay)

    @property
    def learned(self) -> Picker:
        """The picker to score and to publish."""
        return self.picker if self.average is None else self.average

    def score(self, gathers: Sequence[Gather]) -> list[PickScore]:
        """Return how well the picker does on the labelled gathers of each survey."""
        surveys = by_survey(gathers).values()
        return [score_gathers(self.learned, own, self.config.panel, self.device) for own in surveys]


def learned_picker(state: Mapping[str, Any], config: PickerConfig) -> Picker:
    """Return the picker that a run's state holds to be published: the best by its validation, else the last."""
    picker = Picker(config.body)
    last = state["average" if config.transfer.ema else "picker"]
    picker.load_state_dict(state.get("validation", {}).get("weights") or last)
    return picker


def score_gathers(picker: Picker, gathers: Sequence[Gather], panel: PanelConfig, device: str = "cpu") -> PickScore:
    """Return the scores of a picker over all labelled traces of gathers."""
    return score_labels(pick_gathers(picker, gathers, panel, device), gathers)


def score_labels(picks_ms: Sequence[NDArray[np.float64]], gathers: Sequence[Gather]) -> PickScore:
    """Return the scores of picks, (n_traces,) of each gather in ms from the first sample, over all labelled traces."""
    first_break_ms = np.concatenate([gather.first_break_ms for gather in gathers])
    return score_picks(np.concatenate(picks_ms), first_break_ms, sample_interval_us=gathers[0].sample_interval_us)


def pick_gathers(
    picker: Picker, gathers: Sequence[Gather], panel: PanelConfig, device: str = "cpu"
) -> list[NDArray[np.float64]]:
    """Return (n_traces,) picks in ms from the first sample, NaN = no pick, of each gather."""
    picker.eval()
    predict, picks = torch_engine(picker, device=device), []
    for gather in gathers:
        logits = gather_logits(predict, gather.samples, gain=panel.gain, stretch=panel.samples)
        picks.append(decode(logits, gather.live, gather.sample_interval_us).pick_ms)
    picker.train()
    return picks


def choose_gathers(gathers: Sequence[Gather], labelled: int | None) -> list[Gather]:
    """Return `labelled` gathers spread evenly over surveys and FFIDs, or all, surveys in the order given.

    Raises ConfigError where there are too few.
    """
    surveys = list(dict.fromkeys(gather.survey for gather in gathers))
    ordered = sorted(gathers, key=lambda gather: (surveys.index(gather.survey), gather.ffid))
    if labelled is None:
        return ordered
    if not 1 <= labelled <= len(ordered):
        raise ConfigError(
            f"--labelled {labelled}: there are 1..{len(ordered)} gathers with first breaks to choose from"
        )
    return spread_over(ordered, labelled)


def parse_ffids(text: str) -> list[int]:
    """Return the FFIDs that e.g. '1001-1040,1050' names; raise ConfigError where it names none."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        ends = [first, last] if dash else [first, first]
        if not all(end.isdecimal() and len(end) < 11 for end in ends) or not 0 <= int(ends[1]) - int(ends[0]) < 10**6:
            raise ConfigError(f"FFIDs {text!r}: expected numbers and ranges such as 1001-1040,1050")
        found += range(int(ends[0]), int(ends[1]) + 1)
    return found
