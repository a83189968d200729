"""`seisray dream` on a tiny GAN: what comes out, and what is said of bad input."""

import dataclasses
import itertools
import json
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from seisray.cli import main
from seisray.config import GanConfig, GeneratorConfig, PanelConfig, config_dict
from seisray.errors import ConfigError, NotFoundError, SeisrayError, StorageError
from seisray.models.generator import Generator
from seisray.registry import Model, Store
from seisray.report import dream as module
from seisray.report.dream import dream, load_generator, sheet, walk_panels, walk_pictures, walk_screen
from seisray.report.dream_settings import DreamConfig
from seisray.weights import pack_weights

CONFIG = GanConfig(panel=PanelConfig(traces=16, samples=64), generator=GeneratorConfig(latent=8, channels=(4, 4, 4, 4)))
SHORT = DreamConfig(seconds=1, fps=10, keys=3, height_px=240)


def card(name: str, kind: str = "gan") -> Model:
    return Model(
        name=name,
        version="v1",
        kind=kind,
        config=config_dict(CONFIG),
        surveys={},
        sample_interval_us=2000,
        parent=None,
        metrics={},
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a store with an untrained GAN, whose noise is heard, and a picker."""
    uri = str(tmp_path_factory.mktemp("store"))
    torch.manual_seed(0)
    generator = Generator(CONFIG.generator, CONFIG.panel)
    for name, parameter in generator.named_parameters():
        if name.endswith("noise_gain"):
            torch.nn.init.constant_(parameter, 0.3)
    place = Store(uri)
    place.publish_model(card("gan"), pack_weights(generator=generator), {})
    place.publish_model(card("picker", "picker"), pack_weights(picker=generator), {})
    return uri


@pytest.fixture(scope="module")
def generator(store: str) -> Generator:
    return load_generator(Store(store), Store(store).model("gan"))


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as file:
        return [frame.to_ndarray(format="gray") for frame in file.decode(video=0)]


@pytest.mark.parametrize(("name", "display", "width"), [("a.mp4", "both", 426), ("b.gif", "wiggle", 240)])
def test_a_walk_is_rendered_as_asked(store: str, tmp_path: Path, name: str, display: str, width: int) -> None:
    config = dataclasses.replace(SHORT, display=display)
    found = dream("gan", out=str(tmp_path / name), store=store, config=config)
    frames = decoded(tmp_path / name)
    assert (len(frames), frames[0].shape) == (10, (240, width))
    assert (found.model, found.frames, found.bytes) == ("gan@v1", 10, (tmp_path / name).stat().st_size)


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(generator: Generator, store: str) -> None:
    screen = walk_screen(Store(store).model("gan"), generator, SHORT)

    def render(seed: int) -> bytes:
        config = dataclasses.replace(SHORT, seed=seed)
        torch.manual_seed(torch.seed() % 2**32)  # whatever went before does not matter
        return b"".join(picture.tobytes() for picture in walk_pictures(generator, screen, config))

    first = render(3)
    assert render(3) == first
    assert render(4) != first


@pytest.mark.parametrize("noise", ["walk", "held"])
def test_panels_change_smoothly_and_the_last_leads_into_the_first(generator: Generator, noise: str) -> None:
    config = dataclasses.replace(SHORT, seconds=10, fps=24, noise=noise)
    panels = np.stack(list(walk_panels(generator, config)))
    step = np.sqrt(np.mean((np.roll(panels, -1, axis=0) - panels) ** 2, axis=(1, 2)))
    assert step[-1] < 2 * step.mean()
    assert step.max() < 5 * step.mean()
    assert step.mean() < 0.15 * panels.std()  # redrawn noise would make it flicker


def test_held_noise_leaves_only_the_latent_vectors_to_move(generator: Generator) -> None:
    moves = {}
    for noise in ("walk", "held"):
        config = dataclasses.replace(SHORT, noise=noise)
        panels = np.stack(list(walk_panels(generator, config)))
        moves[noise] = float(panels.std(axis=0).mean())
    assert 0 < moves["held"] < moves["walk"]


def test_panels_are_amplitudes_over_the_rms_of_their_trace(generator: Generator) -> None:
    panel = next(walk_panels(generator, SHORT))
    np.testing.assert_allclose(np.sqrt(np.mean(panel**2, axis=1)), 1, rtol=1e-3)


def test_a_walk_of_a_day_begins_at_once(generator: Generator, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0
    generate = module._generate

    def counted(*args: object) -> np.ndarray:
        nonlocal made
        panels = generate(*args)  # type: ignore[arg-type]
        made += len(panels)
        return panels

    monkeypatch.setattr(module, "_generate", counted)
    config = dataclasses.replace(SHORT, seconds=86_400, fps=24)
    screen = walk_screen(Store(store).model("gan"), generator, config)
    first = list(itertools.islice(walk_pictures(generator, screen, config), 6))
    assert len(first) == 6
    assert made <= 1 + module.SCALE_PANELS + 6 + module.BATCH


def test_a_sheet_of_samples_shows_panels_unlike_each_other(generator: Generator) -> None:
    panels = sheet(generator, DreamConfig(rows=2))
    assert panels.shape == (16, 16, 64)
    flat = panels.reshape(16, -1)
    apart = np.corrcoef(flat)[np.triu_indices(16, 1)]
    assert apart.max() < 0.9


def test_a_row_of_an_interpolation_leads_from_one_panel_to_another_in_small_steps(generator: Generator) -> None:
    panels = sheet(generator, DreamConfig(rows=3, sheet="interpolation")).reshape(3, 8, -1)
    for row in panels:
        steps = np.linalg.norm(np.diff(row, axis=0), axis=1)
        assert steps.max() < np.linalg.norm(row[-1] - row[0])
        assert steps.min() > 0
    assert not np.allclose(panels[0, 0], panels[1, 0])


def test_sheets_are_written_as_png(store: str, tmp_path: Path) -> None:
    for name in ("samples", "interpolation"):
        out = tmp_path / f"{name}.png"
        found = dream("gan", out=str(out), store=store, config=DreamConfig(sheet=name))  # type: ignore[arg-type]
        assert out.read_bytes().startswith(b"\x89PNG")
        assert found.frames == 0
    assert (tmp_path / "samples.png").read_bytes() != (tmp_path / "interpolation.png").read_bytes()


def test_bad_input_is_refused_before_a_file_is_written(store: str, tmp_path: Path) -> None:
    cases: list[tuple[str, str, DreamConfig, type[SeisrayError], str]] = [
        ("nobody", "a.mp4", SHORT, NotFoundError, "model 'nobody' does not exist .* .there: gan, picker, shipped"),
        ("picker", "a.mp4", SHORT, ConfigError, "model picker@v1 is a picker, .* expected a GAN"),
        ("gan", "a.avi", SHORT, ConfigError, r"expected a name that ends in \.mp4 or \.gif .* \.png"),
        ("gan", "a", SHORT, ConfigError, "expected a name that ends in"),
        ("gan", "a.gif", dataclasses.replace(SHORT, fps=60), ConfigError, "at most 50 in a GIF"),
        ("gan", "a.mp4", dataclasses.replace(SHORT, sheet="samples"), ConfigError, "a sheet .* is a picture"),
    ]
    for model, name, config, kind, message in cases:
        with pytest.raises(kind, match=message):
            dream(model, out=str(tmp_path / name), store=store, config=config)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seconds": 0}, "seconds is 0, expected 0.1..86400"),
        ({"seconds": float("nan")}, "seconds is nan"),
        ({"fps": 0}, "fps is 0, expected 1..120"),
        ({"keys": 2}, "keys is 2, expected 3..2000"),
        ({"height_px": 241}, "height_px is 241, expected an even number"),
        ({"display": "contour"}, "expected one of density, wiggle, both"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DreamConfig(**changes)  # type: ignore[arg-type]


def test_a_card_that_does_not_fit_its_weights_is_said_to(store: str, tmp_path: Path) -> None:
    place = Store(store)
    found = place.model("gan")
    wider = dataclasses.replace(found, config=found.config | {"generator": found.config["generator"] | {"latent": 9}})
    with pytest.raises(StorageError, match=r"weights\.safetensors does not fit its card: .*seed.weight"):
        load_generator(place, wider)
    newer = dataclasses.replace(found, config=found.config | {"generator": {"growing": True}})
    with pytest.raises(StorageError, match="generator settings unknown here: growing"):
        load_generator(place, newer)
    without = dataclasses.replace(found, config={"generator": found.config["generator"]})
    with pytest.raises(StorageError, match="has no panel settings; train the model again"):
        load_generator(place, without)
    other = dataclasses.replace(found, config=found.config | {"panel": {"traces": "many"}})
    with pytest.raises(StorageError, match=r"gan@v1 .* panel settings that cannot be"):
        load_generator(place, other)


def test_a_generator_that_diverged_is_not_drawn_as_silence(store: str) -> None:
    diverged = load_generator(Store(store), Store(store).model("gan"))
    diverged.head.weight[0, 0, 0, 0] = float("nan")
    with pytest.raises(StorageError, match="not finite; train it again"):
        next(walk_panels(diverged, SHORT))
    with pytest.raises(StorageError, match="not finite"):
        sheet(diverged, DreamConfig())


def test_the_command_line_renders_a_walk_and_says_what_is_wrong_in_one_line(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "walk.gif"
    options = ["--seconds", "0.5", "--fps", "8", "--keys", "3", "--display", "density", "--height-px", "240"]
    assert main(["dream", "gan", "--out", str(out), *options, "--store", store, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["model"], said["frames"]) == ("gan@v1", 4)
    assert main(["dream", "picker", "--out", str(out), "--store", store]) == 2
    error = capsys.readouterr().err
    assert error == "seisray: model picker@v1 is a picker, which generates nothing; expected a GAN\n"
