"""`seisray map`: where a model puts the gathers of surveys, on two axes."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from seisray.config import AutoencoderConfig, PanelConfig
from seisray.errors import ConfigError, StorageError
from seisray.gather import Gather
from seisray.models.autoencoder import Autoencoder
from seisray.models.unet import Body
from seisray.registry import Model, Store
from seisray.report.charts import SERIES
from seisray.report.plots import INK, MUTED, png_bytes
from seisray.report.projection import Projection, check_projection, project
from seisray.shards import read_gathers
from seisray.storage import locate
from seisray.transforms import Samples, mirrored, normalise, pad_to
from seisray.weights import BODY_OF, card_settings, load_weights

GATHERS = 600  # a survey: beyond that the map gets no clearer
BLOCK = 32  # samples
LEAST_GATHERS = 3
AXES: Mapping[Projection, tuple[str, str]] = {
    "pca": ("first principal component", "second principal component"),
    "umap": ("first axis of UMAP, which keeps neighbours", "second axis of UMAP"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class LatentMap:
    """Name a map. n_gathers: on it. explained: share of the variance that its two axes hold (NaN by UMAP)."""

    out: str
    model: str
    by: Projection
    n_gathers: int
    explained: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    survey: str
    panel: Samples
    offset_m: float
    contrast_db: float


def latent_map(surveys: Sequence[str], *, model: str, out: str, store: str, by: Projection = "pca") -> LatentMap:
    """Draw gathers of surveys as points in a model's latent space, coloured by survey, offset and contrast, into a PNG.

    An autoencoder's latent vectors, the mean deepest features of other models' bodies; by principal components or UMAP.
    Raises ConfigError where out is no .png or there are too few gathers, MissingExtraError by UMAP without umap-learn.
    """
    if not out.endswith(".png"):
        raise ConfigError(f"out is {out!r}, but a map is a picture: expected a name in .png")
    check_projection(by)
    place = Store(store)
    card = place.model(model)
    panel = card_settings(PanelConfig, card, "panel")
    points = [point for name in surveys for point in _places(place, name, panel)]
    if len(points) < LEAST_GATHERS:
        raise ConfigError(f"{', '.join(surveys)}: {len(points)} gathers with live traces make no map")
    features = _features(place, card, np.stack([point.panel for point in points]))
    position, explained = project(features, by)
    figure = _plot(points, position, f"Gathers in the latent space of {card.ref}", AXES[by])
    locate(out).write_bytes(png_bytes(figure))
    return LatentMap(out=out, model=card.ref, by=by, n_gathers=len(points), explained=explained)


def _places(store: Store, name: str, config: PanelConfig) -> Iterator[_Place]:
    survey = store.survey(name)
    every = math.ceil(survey.n_gathers / GATHERS)
    gathers = (gather for i in range(len(survey.shards)) for gather in read_gathers(store.shard(survey, i)))
    for number, gather in enumerate(gathers):
        if number % every == 0 and gather.live.any():
            yield _place(name, gather, config)


def _place(name: str, gather: Gather, config: PanelConfig) -> _Place:
    """Return the middle of a gather's spread from the first sample on."""
    rows = np.flatnonzero(gather.live)
    start = max((len(rows) - config.traces) // 2, 0)
    rows = rows[start : start + config.traces]
    window = mirrored(gather.samples[rows, : config.samples], config.traces)  # as in training
    window = pad_to(window, config.traces, config.samples)
    away_m = np.hypot(gather.receiver_x_m - gather.source_x_m, gather.receiver_y_m - gather.source_y_m)
    offset_m = np.abs(np.where(np.isnan(gather.offset_m), away_m, gather.offset_m))[rows]
    return _Place(
        survey=name,
        panel=normalise(window, config.gain),
        offset_m=float(np.mean(offset_m)) if np.isfinite(offset_m).all() else np.nan,
        contrast_db=contrast_db(gather.samples[rows]),
    )


def contrast_db(samples: Samples) -> float:
    """Return how much louder the loud blocks of traces are than the quiet ones, which is about signal over noise.

    samples: (n_traces, n_samples). Median over the traces of the 90th over the 10th percentile of the RMS of blocks.
    """
    n_blocks = max(samples.shape[1] // BLOCK, 1)
    blocks = samples[:, : n_blocks * BLOCK].reshape(len(samples), n_blocks, -1).astype(np.float64)
    rms = np.sqrt((blocks**2).mean(axis=2))
    loud, quiet = np.percentile(rms, [90, 10], axis=1)
    known = quiet > 0
    return float(np.median(20 * np.log10(loud[known] / quiet[known]))) if known.any() else np.nan


@torch.no_grad()
def _features(store: Store, card: Model, panels: Samples) -> NDArray[np.float64]:
    if card.kind not in BODY_OF:
        raise ConfigError(f"model {card.ref} is a {card.kind}; a map takes any of {', '.join(BODY_OF)}")
    weights = load_weights(store, card, BODY_OF[card.kind])
    try:
        encode = _encoder(card, weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise StorageError(f"{store.weights(card)} does not fit its card: {reason}") from error
    return torch.cat([encode(part) for part in torch.from_numpy(panels)[:, None].split(64)]).double().numpy()


def _encoder(card: Model, weights: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    body = card.body
    if card.kind == "autoencoder":
        panel = card_settings(PanelConfig, card, "panel")
        network = Autoencoder(AutoencoderConfig(panel=panel, body=body, latent=card.config["latent"])).eval()
        network.load_state_dict(weights)
        return network.encode
    plain = Body(body).eval()
    own = {name: tensor for name, tensor in weights.items() if name.startswith("body.")}
    plain.load_state_dict({name.removeprefix("body."): tensor for name, tensor in own.items()})
    return lambda panels: plain.encode(panels)[-1].mean(dim=(2, 3))


def _plot(points: Sequence[_Place], position: NDArray[np.float64], title: str, labels: tuple[str, str]) -> Figure:
    figure = Figure(figsize=(13.5, 4.8), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", color=INK, weight="bold")
    axes = figure.subplots(1, 3, sharex=True, sharey=True)
    names = list(dict.fromkeys(point.survey for point in points))
    for index, name in enumerate(names):
        own = np.array([point.survey == name for point in points])
        axes[0].scatter(*position[own].T, s=9, color=SERIES[index % len(SERIES)], label=name, linewidths=0)
    axes[0].legend(frameon=False, fontsize=9)
    axes[0].set_title("survey", loc="left", color=INK, fontsize=11)
    figures = {
        "mean offset (m)": [point.offset_m for point in points],
        "loud over quiet (dB)": [point.contrast_db for point in points],
    }
    for one, (name, values) in zip(axes[1:], figures.items(), strict=True):
        value = np.array(values)
        known = np.isfinite(value)
        one.scatter(*position[~known].T, s=9, color="#d5dbe1", linewidths=0)
        if known.any():
            low, high = np.percentile(value[known], [2, 98])
            how = {"cmap": "viridis", "vmin": low, "vmax": high, "linewidths": 0}
            figure.colorbar(one.scatter(*position[known].T, s=9, c=value[known], **how), ax=one, shrink=0.8)
        one.set_title(f"{name}; grey = not known" if not known.all() else name, loc="left", color=INK, fontsize=11)
    for one in axes:
        one.set_xticks([])
        one.set_yticks([])
        one.set_xlabel(labels[0], color=MUTED)
        for spine in ("top", "right"):
            one.spines[spine].set_visible(False)
    axes[0].set_ylabel(labels[1], color=MUTED)
    return figure
