"""The ways to pre-train, each as what a run of any of them needs: a step, its scores, its pictures, its outcome."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor, nn

from seisray.config import PanelConfig
from seisray.errors import TrainingError
from seisray.models.cost import Cost, cost_of
from seisray.models.transfer import bake_spectral_norm
from seisray.report.plots import plot_panels
from seisray.resampling import Factors
from seisray.stream import ShardRef
from seisray.training.gan import GanStep
from seisray.training.inpaint import InpaintStep
from seisray.training.measure import (
    BLIND_PANELS,
    PANELS,
    blind_panels,
    measure_generator,
    reference_panels,
    score_generator,
)
from seisray.training.realism import measure_refiner, plot_refined, score_refiner
from seisray.training.rebuild import RebuildStep
from seisray.training.refine import RefineStep
from seisray.training.tint import tint
from seisray.transforms import Samples

SHEET_PANELS = 16


class Step(Protocol):
    """One batch a call; `step` counts them, and all that the next one depends on is in the state."""

    step: int
    salt: int

    def __call__(self, *panels: Any, **_: Any) -> dict[str, Tensor]:
        """Train on (batch, traces, samples) panels, of each stream of the run; return figures."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""

    def turn_aside(self, turns: int, lr_factor: float) -> None:
        """Go on from here with other random numbers, which `salt` counts, and with learning rates scaled."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a run leaves. modules: to be published; metrics, details: for the model's card; pictures: by file name."""

    modules: Mapping[str, nn.Module]
    metrics: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    pictures: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """How one kind of model is pre-trained.

    step: makes its step of (config, device, rank, wrap). score, sheet: figures and a picture, of the step and panels
    that stay the same all run long. outcome: of the step, what it learned from, what was held out, the config, and what
    else the run was given. costs: of one panel, by network.
    """

    step: Callable[..., Step]
    score: Callable[[Any, Any], dict[str, float]]
    sheet: Callable[[Any, Any, str], Figure]
    outcome: Callable[..., Outcome]
    costs: Callable[[Any], dict[str, Cost]]


def _gan_score(step: GanStep, reference: Samples) -> dict[str, float]:
    found = score_generator(step, reference)
    if step.learns_features:
        del found["diversity_ratio"]  # a watchdog would take a generator that has not begun for one that collapsed
    return found


def _gan_sheet(step: GanStep, reference: Samples, title: str) -> Figure:
    if step.features is not None and step.learns_features:
        return _rebuilt(step.features, reference, title)
    return _generated(step, title)


def _generated(step: GanStep, title: str) -> Figure:
    return plot_panels(step.samples(SHEET_PANELS).numpy(), title=title)


def _gan_outcome(step: GanStep, learned: Sequence[ShardRef], held_out: Sequence[ShardRef], config: Any) -> Outcome:
    tint(step, learned, config)
    measures, missing = measure_generator(step, learned, held_out, config)
    field_panels = _field_panels(learned, held_out, config, BLIND_PANELS // 2)
    blind, recorded = blind_panels(field_panels, step.samples(BLIND_PANELS // 2).numpy())
    for module in (step.averaged, step.discriminator):
        bake_spectral_norm(module)
    return Outcome(
        modules={"generator": step.averaged, "discriminator": step.discriminator},
        metrics={name: measure.value for name, measure in measures.items()},
        details={"measures": {name: asdict(measure) for name, measure in measures.items()}, "blind": recorded}
        | ({"unmeasured": missing} if missing else {}),
        pictures={
            "samples.png": _generated(step, "generated panels"),
            "blind.png": plot_panels(blind, title="half were recorded, half generated"),
        },
    )


def _gan_costs(step: GanStep) -> dict[str, Cost]:
    config = step.config
    return {
        "generator": cost_of(step.generator, (1, config.generator.latent)),
        "discriminator": cost_of(step.discriminator, (max(config.adversary.minibatch_std, 1), *_panel(config.panel))),
    }


def _refine_outcome(
    step: RefineStep,
    learned: Sequence[ShardRef],
    held_out: Sequence[ShardRef],
    config: Any,
    *,
    synthetic: Sequence[ShardRef],
    factors: Factors,
) -> Outcome:
    refs = held_out or learned
    pair, metrics = measure_refiner(step, refs, synthetic, config, factors)
    bake_spectral_norm(step.discriminator)
    return Outcome(
        modules={"refiner": step.averaged, "discriminator": step.discriminator},
        metrics=metrics,
        pictures={"refined.png": plot_refined(step, pair, "held-out field panels" if held_out else "field panels")},
    )


def _refine_costs(step: RefineStep) -> dict[str, Cost]:
    config = step.config
    return {
        "refiner": cost_of(step.refiner, (1, *_panel(config.panel))),
        "discriminator": cost_of(step.discriminator, (max(config.adversary.minibatch_std, 1), *_panel(config.panel))),
    }


def _panel(config: PanelConfig) -> tuple[int, int, int]:
    return 1, config.traces, config.samples


def _rebuild_score(step: RebuildStep | InpaintStep, reference: Samples) -> dict[str, float]:
    return {"reference_error": step.rebuild(reference)[2]}


def _rebuilt(step: RebuildStep | InpaintStep, reference: Samples, title: str) -> Figure:
    """Draw field panels, what the network saw of them, and what it made of that, one row each."""
    n = SHEET_PANELS // 2
    shown, rebuilt, _ = step.rebuild(reference[:n])
    rows = np.concatenate([reference[:n], shown, rebuilt])
    return plot_panels(rows, columns=n, title=f"{title}: recorded, shown, rebuilt")


def _rebuild_outcome(
    step: RebuildStep, learned: Sequence[ShardRef], held_out: Sequence[ShardRef], config: Any
) -> Outcome:
    return _rebuilding({"rebuilder": step.network}, step, learned, held_out, config)


def _inpaint_outcome(
    step: InpaintStep, learned: Sequence[ShardRef], held_out: Sequence[ShardRef], config: Any
) -> Outcome:
    bake_spectral_norm(step.detector)
    return _rebuilding({"discriminator": step.detector, "repairer": step.repairer}, step, learned, held_out, config)


def _rebuilding(
    modules: Mapping[str, nn.Module],
    step: RebuildStep | InpaintStep,
    learned: Sequence[ShardRef],
    held_out: Sequence[ShardRef],
    config: Any,
) -> Outcome:
    field_panels = _field_panels(learned, held_out, config, PANELS)
    return Outcome(
        modules=modules,
        metrics={"held_out_error": step.rebuild(field_panels)[2]} if held_out else {},
        pictures={"rebuilt.png": _rebuilt(step, field_panels, "field panels")},
    )


def _field_panels(learned: Sequence[ShardRef], held_out: Sequence[ShardRef], config: Any, n: int) -> Samples:
    """Return panels of gathers that were held out, or where these have no live trace, of others."""
    for refs in (held_out, learned):
        panels = reference_panels(refs, config.panel, n)
        if len(panels):
            return panels
    raise TrainingError("no gather of the surveys has a live trace; ingest them again")


def _inpaint_costs(step: InpaintStep) -> dict[str, Cost]:
    shape = (1, *_panel(step.config.panel))
    return {"repairer": cost_of(step.repairer, shape), "detector": cost_of(step.detector, shape)}


def _rebuild_costs(step: RebuildStep) -> dict[str, Cost]:
    return {"network": cost_of(step.network, (1, *_panel(step.config.panel)))}


_REBUILD = Way(step=RebuildStep, score=_rebuild_score, sheet=_rebuilt, outcome=_rebuild_outcome, costs=_rebuild_costs)
WAYS: Mapping[str, Way] = {
    "gan": Way(step=GanStep, score=_gan_score, sheet=_gan_sheet, outcome=_gan_outcome, costs=_gan_costs),
    "autoencoder": _REBUILD,
    "masked": _REBUILD,
    "refiner": Way(
        step=RefineStep, score=score_refiner, sheet=plot_refined, outcome=_refine_outcome, costs=_refine_costs
    ),
    "inpaint": Way(
        step=InpaintStep, score=_rebuild_score, sheet=_rebuilt, outcome=_inpaint_outcome, costs=_inpaint_costs
    ),
}
