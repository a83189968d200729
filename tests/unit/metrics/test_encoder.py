"""The frozen encoder: what it is, what it takes, what it sees."""

import hashlib
from collections.abc import Callable
from importlib.resources import files

import numpy as np
import pytest
import safetensors
from numpy.typing import NDArray

from seisray.errors import ConfigError, StorageError
from seisray.metrics import encoder
from seisray.metrics.encoder import ENCODER, FEATURES, frozen_encoder, panel_features
from seisray.metrics.features import frechet_distance

MakePanels = Callable[..., NDArray[np.float32]]
SHA256 = "73a22c299c42bb80450d65bd6785b9cf0b4464d0ce6b65257b8bcd1cafdedf21"


def test_the_weights_are_those_of_panel_encoder_1() -> None:
    weights = (files("seisray.metrics") / f"{ENCODER}.safetensors").read_bytes()
    assert hashlib.sha256(weights).hexdigest() == SHA256, "a frozen encoder never changes: name another one"
    assert len(weights) <= 1_000_000


def test_the_weights_say_what_they_are() -> None:
    with safetensors.safe_open(str(files("seisray.metrics") / f"{ENCODER}.safetensors"), "numpy") as file:
        manifest = file.metadata()
    assert manifest["name"] == ENCODER
    assert {"what", "task", "data", "licences", "steps", "seed", "code"} <= manifest.keys()


@pytest.mark.parametrize(("traces", "samples"), [(32, 128), (40, 144), (128, 1024)])
def test_panels_of_any_size_have_features(arrivals: MakePanels, traces: int, samples: int) -> None:
    found = panel_features(arrivals(3, 0, traces=traces, samples=samples))
    assert found.shape == (3, FEATURES)
    assert np.isfinite(found).all()


def test_features_of_a_panel_do_not_depend_on_those_beside_it(
    arrivals: MakePanels, monkeypatch: pytest.MonkeyPatch
) -> None:
    panels = arrivals(5, 0)
    together = panel_features(panels)
    monkeypatch.setattr(encoder, "_SAMPLES_A_PASS", 2 * panels[0].size)
    assert panel_features(panels) == pytest.approx(together, abs=1e-4)
    assert panel_features(panels[3:4])[0] == pytest.approx(together[3], abs=1e-4)


def test_features_tell_noise_and_shuffled_traces_from_other_panels(arrivals: MakePanels) -> None:
    real, other = arrivals(96, 0), arrivals(96, 1)
    spoilt = {
        "noise": np.random.default_rng(2).normal(size=real.shape).astype(np.float32),
        "shuffled traces": np.random.default_rng(3).permuted(other, axis=1),
        "eight panels": other[np.arange(96) % 8],
    }
    floor = frechet_distance(panel_features(real), panel_features(other))
    for name, panels in spoilt.items():
        assert frechet_distance(panel_features(real), panel_features(panels)) > 3 * floor, name


@pytest.mark.parametrize("shape", [(4, 24, 128), (4, 32, 112), (4, 36, 128), (4, 32, 130), (0, 32, 128), (32, 128)])
def test_panels_of_another_size_are_refused_with_what_is_expected(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="multiple of 8 from 32 on and samples a multiple of 16 from 128 on"):
        panel_features(np.zeros(shape, np.float32))


def test_missing_weights_are_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "ENCODER", "panel-encoder-0")
    frozen_encoder.cache_clear()
    with pytest.raises(StorageError, match=r"panel-encoder-0.*install seisray again"):
        frozen_encoder()
    frozen_encoder.cache_clear()
