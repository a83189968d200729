import numpy as np
import pytest
import torch

from seisray.config import BodyConfig
from seisray.errors import ConfigError
from seisray.models.picker import Picker
from seisray.picking import engine
from seisray.picking.decode import decode
from seisray.picking.engine import check_engine, make_engine, torch_engine
from seisray.picking.tiling import gather_logits

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


def test_an_engine_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.importlib.util, "find_spec", lambda _name: None)
    check_engine("torch")
    with pytest.raises(ConfigError, match=r"pip install 'seisray\[openvino\]'"):
        check_engine("openvino")


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ConfigError, match="'onnx' is no engine; expected one of torch, openvino"):
        check_engine("onnx")
