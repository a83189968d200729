"""`seisray dream`: what a GAN has learned to see, as a film of a walk through its latent space, or as a sheet."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seisray.config import GeneratorConfig, PanelConfig
from seisray.errors import ConfigError, StorageError
from seisray.models.generator import Generator
from seisray.models.unet import channels_last
from seisray.progress import Progress
from seisray.registry import Model, Store
from seisray.report.dream_settings import DreamConfig
from seisray.report.plots import plot_panels, png_bytes
from seisray.report.screen import Screen
from seisray.report.video import SUFFIXES, check_video, write_video
from seisray.report.walk import Walk, WalkedNoise, slerp
from seisray.storage import locate
from seisray.weights import card_settings, load_weights

BATCH = 4
COLUMNS = 8
CLIP_PERCENTILE = 97.0
SCALE_PANELS = 32
"""How many panels along the way decide the scale of all of them: one that follows each frame would flicker."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dream:
    """What was rendered. frames: 0 for a sheet; frames_per_s: of the rendering."""

    out: str
    model: str
    frames: int
    bytes: int
    frames_per_s: float


def dream(model: str, *, out: str, store: str, config: DreamConfig | None = None) -> Dream:
    """Render a closed walk through the latent space of a GAN to `out` (.mp4 or .gif), or a sheet of panels (.png).

    model: name or name@version in the store. The same seed gives the same pictures. Raises NotFoundError where there
    is no such model, ConfigError where it is no GAN or `out` ends otherwise, StorageError where its card or weights are
    damaged or `out` cannot be written, MissingExtraError where a video is asked for without PyAV.
    """
    config = config or DreamConfig()
    suffix = Path(out).suffix.lower()
    if suffix not in (*SUFFIXES, ".png"):
        raise ConfigError(f"out is {out!r}, expected a name that ends in .mp4 or .gif for a walk, .png for a sheet")
    if suffix != ".png":
        if config.sheet:
            raise ConfigError(f"out is {out!r}, but a sheet ({config.sheet}) is a picture: expected a name in .png")
        check_video(out, config.fps)
    place = Store(store)
    card = place.model(model)
    generator = load_generator(place, card)
    start_s = time.perf_counter()
    if suffix == ".png":
        data = png_bytes(
            plot_panels(sheet(generator, config), columns=COLUMNS, title=_title(card, config.sheet or "samples"))
        )
        locate(out).write_bytes(data)
        return Dream(out=out, model=card.ref, frames=0, bytes=len(data), frames_per_s=0.0)
    screen = walk_screen(card, generator, config)
    with Progress("dream", config.n_frames, "frames") as progress:
        path = write_video(out, _shown(walk_pictures(generator, screen, config), progress), screen.palette, config.fps)
    rate = config.n_frames / (time.perf_counter() - start_s)
    return Dream(out=str(path), model=card.ref, frames=config.n_frames, bytes=path.stat().st_size, frames_per_s=rate)


def load_generator(store: Store, card: Model) -> Generator:
    """Return the averaged generator of a GAN, ready to sample; raise ConfigError where the model is of another kind."""
    if card.kind != "gan":
        raise ConfigError(f"model {card.ref} is a {card.kind}, which generates nothing; expected a GAN")
    # What spectral norm did to the weights was baked in when they were published.
    settings = replace(card_settings(GeneratorConfig, card, "generator"), spectral_norm=False)
    generator = Generator(settings, card_settings(PanelConfig, card, "panel"))
    try:
        generator.load_state_dict(load_weights(store, card, "generator"))
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise StorageError(f"{store.weights(card)} does not fit its card: {reason}") from error
    channels_last(generator)
    return generator.eval().requires_grad_(False)


def walk_screen(card: Model, generator: Generator, config: DreamConfig) -> Screen:
    """Return the screen on which a model's panels are shown."""
    n_traces, n_samples = panel_shape(generator)
    return Screen(
        displays=("density", "wiggle") if config.display == "both" else (config.display,),
        n_traces=n_traces,
        n_samples=n_samples,
        sample_interval_us=card.sample_interval_us,
        height_px=config.height_px,
        colours=config.colours,
        title=_title(card, None),
        subtitle=f"generated, not recorded \N{MIDDLE DOT} {n_traces} traces at {card.sample_interval_us / 1000:g} ms",
    )


def walk_panels(generator: Generator, config: DreamConfig) -> Iterator[NDArray[np.float32]]:
    """Yield panels (n_traces, n_samples) of one turn, each made when it is asked for, as amplitudes over trace RMS.

    The last one leads into the first.
    """
    walk = Walk.random(latent=generator.latent, keys=config.keys, seed=config.seed)
    noise = _noise(generator, keys=config.keys if config.noise == "walk" else 1, seed=config.seed)
    for first in range(0, config.n_frames, BATCH):
        turn = np.arange(first, min(first + BATCH, config.n_frames)) / config.n_frames
        # The scale on which field displays are judged: amplitude over trace RMS, without the asinh of panels.
        yield from np.sinh(_generate(generator, walk.at(turn), noise.at(turn))) / np.float32(generator.gain)


def walk_pictures(generator: Generator, screen: Screen, config: DreamConfig) -> Iterator[NDArray[np.uint8]]:
    """Yield the pictures of `walk_panels`, all on one scale."""
    few = replace(config, fps=1, seconds=float(SCALE_PANELS))
    clip = float(np.percentile([np.abs(panel) for panel in walk_panels(generator, few)], CLIP_PERCENTILE)) or 1.0
    for panel in walk_panels(generator, config):
        yield screen.draw(panel / np.float32(clip))


def sheet(generator: Generator, config: DreamConfig) -> NDArray[np.float32]:
    """Return panels (rows * 8, n_traces, n_samples) as the generator makes them.

    Samples have latent vectors and noise of their own; a row of an interpolation leads from one latent vector to
    another along the arc between them, all under the same noise.
    """
    rng = np.random.default_rng(config.seed)
    if config.sheet == "interpolation":
        start, end = np.repeat(rng.standard_normal((2, config.rows, generator.latent)), COLUMNS, axis=1)
        latent = slerp(start, end, np.tile(np.linspace(0, 1, COLUMNS), config.rows)) * np.sqrt(generator.latent)
        noise, place = _noise(generator, keys=1, seed=config.seed), np.zeros(len(latent))
    else:
        latent = rng.standard_normal((config.rows * COLUMNS, generator.latent))
        # A panel a key: the noise at a key is that key's alone.
        noise, place = _noise(generator, keys=len(latent), seed=config.seed), np.arange(len(latent)) / len(latent)
    rows = [slice(first, first + COLUMNS) for first in range(0, len(latent), COLUMNS)]
    latent = latent.astype(np.float32)
    return np.concatenate([_generate(generator, latent[row], noise.at(place[row])) for row in rows])


def panel_shape(generator: Generator) -> tuple[int, int]:
    """Return traces and samples of what a generator makes."""
    latent = np.zeros((1, generator.latent), np.float32)
    n_traces, n_samples = _generate(generator, latent, _noise(generator, keys=1, seed=0).at(np.zeros(1))).shape[1:]
    return n_traces, n_samples


def _noise(generator: Generator, *, keys: int, seed: int) -> WalkedNoise:
    return WalkedNoise(lambda: generator.draw_noise(1, "cpu"), keys=keys, seed=seed)


def _generate(generator: Generator, latent: NDArray[np.float32], noise: list[Tensor]) -> NDArray[np.float32]:
    """Return panels (n, n_traces, n_samples) of latent vectors (n, latent), normalised as field panels are."""
    with torch.inference_mode():
        panels: NDArray[np.float32] = generator(torch.from_numpy(latent), *noise)[:, 0].numpy()
    if not np.isfinite(panels).all():
        raise StorageError("the model's weights generate values that are not finite; train it again")
    return panels


def _title(card: Model, sheet: str | None) -> str:
    what = {None: "a walk through latent space", "samples": "samples", "interpolation": "along arcs of latent space"}
    return f"{card.ref}: {what[sheet]}"


def _shown(pictures: Iterator[NDArray[np.uint8]], progress: Progress) -> Iterator[NDArray[np.uint8]]:
    for picture in pictures:
        yield picture
        progress.advance()
