"""What computes a picker's logits: PyTorch in float32 or bfloat16, or OpenVINO on processors."""

import importlib.util
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import get_args

import numpy as np
import torch
from torch import Tensor, nn

from seisray.config import Engine
from seisray.errors import ConfigError
from seisray.models.unet import SAMPLE_MULTIPLE, TRACE_MULTIPLE, channels_last
from seisray.transforms import Samples

Predict = Callable[[Samples], Samples]
"""(traces, samples) of a panel to (traces, samples + 1) logits."""


def check_engine(engine: str) -> None:
    """Raise ConfigError where an engine is none, or is not installed."""
    if engine not in get_args(Engine):
        raise ConfigError(f"{engine!r} is no engine; expected one of {', '.join(get_args(Engine))}")
    if engine == "openvino" and importlib.util.find_spec("openvino") is None:
        raise ConfigError("OpenVINO is not installed; pip install 'seisray[openvino]', or leave out --engine")


def make_engine(engine: Engine, picker: nn.Module, *, device: str = "cpu") -> Predict:
    """Return what computes a picker's logits; its weights may be rounded and laid out anew for that."""
    if engine == "openvino":
        return _openvino(picker)
    if engine == "bf16":
        picker = Rounded(picker).eval()
    channels_last(picker.to(device))
    return torch_engine(_frozen(picker) if device == "cpu" else picker, device=device)


def torch_engine(picker: Callable[[Tensor], Tensor], *, device: str = "cpu") -> Predict:
    """Return a picker's logits as PyTorch computes them; the picker stays as it is."""

    @torch.inference_mode()
    def predict(panel: Samples) -> Samples:
        logits: Samples = picker(torch.from_numpy(panel)[None, None].to(device)).float()[0].cpu().numpy()
        return logits

    return predict


class Rounded(nn.Module):
    """Compute a picker in bfloat16, which takes its weights there; float32 in and out."""

    def __init__(self, picker: nn.Module) -> None:
        super().__init__()
        self.picker = picker.bfloat16()

    def forward(self, panels: Tensor) -> Tensor:
        """Return the picker's logits."""
        logits: Tensor = self.picker(panels.bfloat16())
        return logits.float()


def averaged(predict: Predict) -> Predict:
    """Return the mean of what a picker says of a panel and of its mirror image.

    Panels in reversed polarity are left out: pickers learn one polarity unless told otherwise, and say nothing of the
    other.
    """

    def mean(panel: Samples) -> Samples:
        turned = predict(np.ascontiguousarray(panel[::-1]))[::-1]
        return np.asarray((predict(panel) + turned) / 2)

    return mean


@contextmanager
def _traced() -> Iterator[Tensor]:
    """Give the smallest panel to trace a picker with, and keep torch.jit.trace's advice to use torch.export quiet.

    That takes twenty times as long.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield torch.zeros(1, 1, TRACE_MULTIPLE, SAMPLE_MULTIPLE)


def _frozen(picker: nn.Module) -> Callable[[Tensor], Tensor]:
    """Return a picker as one graph, its weights constants: the same sums, without Python between them."""
    with _traced() as smallest, torch.inference_mode():
        graph: Callable[[Tensor], Tensor] = torch.jit.freeze(torch.jit.trace(picker, smallest, check_trace=False))
    return graph


def _openvino(picker: nn.Module) -> Predict:
    """Return logits as OpenVINO computes them on as many threads as PyTorch would."""
    import openvino

    settings = {"INFERENCE_NUM_THREADS": torch.get_num_threads(), "INFERENCE_PRECISION_HINT": "f32"}
    with _traced() as smallest:
        model = openvino.convert_model(picker, example_input=smallest)
    compiled = openvino.compile_model(model, "CPU", settings)
    return lambda panel: np.array(compiled(panel[None, None])[0][0])
