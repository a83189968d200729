from pathlib import Path

import numpy as np
import pytest
import torch

from seisray.config import BodyConfig
from seisray.errors import ConfigError
from seisray.models.picker import Picker
from seisray.picking import engine
from seisray.picking.decode import decode
from seisray.picking.engine import check_engine, make_engine, torch_engine
from seisray.picking.picker import load_picker
from seisray.picking.tiling import gather_logits
from seisray.registry import Store

SHAPES = [(1, 20), (7, 100), (61, 1000), (400, 300), (3, 3000)]


def test_the_default_engine_says_what_the_picker_says_for_gathers_of_any_size() -> None:
    torch.manual_seed(0)
    picker = Picker(BodyConfig(channels=(3, 4, 5, 6))).eval()
    plain, fast = torch_engine(picker), make_engine("torch", picker)
    for shape in SHAPES * 3:  # graphs are made for the shapes that come first
        samples = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        own, other = (gather_logits(one, samples, gain=10.0, stretch=256) for one in (plain, fast))
        np.testing.assert_allclose(other, own, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_engines_agree_on_every_pick(shape: tuple[int, int]) -> None:
    pytest.importorskip("openvino")
    torch.manual_seed(0)
    picker = Picker(BodyConfig()).eval()
    with torch.no_grad():
        picker.pick_head.conv.weight *= 10  # as sure as a trained one
    samples = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    live = np.ones(len(samples), dtype=bool)
    engines = (torch_engine(picker), make_engine("openvino", picker))
    logits = [gather_logits(one, samples, gain=10.0, stretch=256) for one in engines]
    own, other = (decode(one, live, 1000.0).pick_ms for one in logits)
    np.testing.assert_allclose(logits[1], logits[0], atol=1e-2, rtol=1e-3)
    np.testing.assert_allclose(other, own, atol=0.1)


def test_bfloat16_picks_as_float32_does_but_for_a_few_traces(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    (rounded, panel), (picker, _) = (load_picker(store, store.model("shipped")) for _ in range(2))
    rng = np.random.default_rng(0)
    arrival = 100 + 3.1 * np.arange(96)[:, None]  # in samples
    away = (np.arange(600) - arrival - 40) / 20  # a wavelet as long as those it learned from
    wavelet = (2 * away**2 - 1) * np.exp(-(away**2))  # and as they lay: of the other polarity picks are less sure
    samples = (wavelet + 0.01 * rng.normal(size=away.shape)).astype(np.float32)
    engines = (make_engine("torch", picker), make_engine("bf16", rounded))
    logits = [gather_logits(one, samples, gain=panel.gain, stretch=panel.samples) for one in engines]
    own, other = (decode(one, np.ones(96, bool), 1000.0).pick_ms for one in logits)
    assert np.ptp(own - arrival[:, 0]) < 12  # it does pick the wavelet
    assert 1e-3 < np.abs(logits[1] - logits[0]).mean() < 0.5
    assert (np.abs(other - own) <= 0.1).mean() >= 0.97
    np.testing.assert_allclose(other, own, atol=1)


def test_an_engine_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.importlib.util, "find_spec", lambda _name: None)
    check_engine("torch")
    with pytest.raises(ConfigError, match=r"pip install 'seisray\[openvino\]'"):
        check_engine("openvino")


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ConfigError, match="'onnx' is no engine; expected one of torch, bf16, openvino"):
        check_engine("onnx")
