"""The frozen encoder in whose features samples are compared; never the model under test.

`panel-encoder-1` was trained once, by tests/benchmarks/train_encoder.py, on panels of three field surveys and a
synthetic one: half of its work was to repair hidden parts of panels, half to tell which of twelve defects that
generators have was put into one. Its weights never change; another training would be panel-encoder-2, and distances in
features of different encoders must not be compared.
"""

from functools import lru_cache
from importlib.resources import files
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from seisray.errors import ConfigError, StorageError

Panels = NDArray[np.float32]
Features = NDArray[np.float64]

ENCODER = "panel-encoder-1"
CHANNELS = (16, 32, 48, 64)
MAP_CHANNELS = 32
FEATURES = 2 * MAP_CHANNELS
TRACE_MULTIPLE, SAMPLE_MULTIPLE = 8, 16
LEAST_TRACES, LEAST_SAMPLES = 32, 128
SLOPE = 0.2
_SAMPLES_A_PASS = 1 << 19  # bounds the memory of one pass to about 100 MB


class PanelEncoder(nn.Module):
    """Map panels (n, 1, traces, samples) to a map of features (n, MAP_CHANNELS, traces / 8, samples / 16).

    Fully convolutional, without norms: each value sees about 30 traces by 120 samples and nothing else of the panel, so
    panels of any size can be compared with others of that size.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        strides = [(1, 2), (2, 2), (2, 2), (2, 2)]
        widths = list(pairwise((1, *CHANNELS)))
        self.levels = nn.ModuleList(
            nn.Conv2d(n_in, n_out, (3, 7), stride=stride, padding=(1, 3))
            for (n_in, n_out), stride in zip(widths, strides, strict=True)
        )
        self.last = nn.Conv2d(CHANNELS[-1], MAP_CHANNELS, 3, padding=1)
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("scale", torch.ones(FEATURES))

    def forward(self, panels: Tensor) -> Tensor:
        """Return the map of features."""
        x = panels
        for level in self.levels:
            x = F.leaky_relu(level(x), SLOPE)
        return torch.as_tensor(self.last(x))

    def features(self, panels: Tensor) -> Tensor:
        """Return (n, FEATURES): mean and standard deviation of the map over the panel, standardised on field panels."""
        return (pooled(self(panels)) - self.mean) / self.scale


def pooled(feature_map: Tensor) -> Tensor:
    """Return mean and standard deviation of each channel: (n, channels, rows, columns) -> (n, 2 * channels)."""
    return torch.cat([feature_map.mean(dim=(2, 3)), feature_map.var(dim=(2, 3), correction=0).add(1e-6).sqrt()], dim=1)


@lru_cache(maxsize=1)
def frozen_encoder() -> PanelEncoder:
    """Return panel-encoder-1 with its weights; raise StorageError where the installation lacks them."""
    import safetensors.torch
    from safetensors import SafetensorError

    file = files("seisray.metrics") / f"{ENCODER}.safetensors"
    encoder = PanelEncoder()
    try:
        encoder.load_state_dict(safetensors.torch.load(file.read_bytes()))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise StorageError(f"{file} does not hold the weights of {ENCODER}: {error}; install seisray again") from error
    return encoder.eval().requires_grad_(False)


def panel_features(panels: Panels) -> Features:
    """Return (n, FEATURES) of the frozen encoder, about of unit variance on field panels.

    panels: (n, traces, samples), normalised, at least 32 x 128 and multiples of 8 x 16; anything else is a ConfigError.
    """
    check_size(panels)
    encoder = frozen_encoder()
    a_pass = max(1, _SAMPLES_A_PASS // (panels.shape[1] * panels.shape[2]))
    with torch.inference_mode():
        found = [
            encoder.features(torch.from_numpy(np.ascontiguousarray(part, dtype=np.float32))[:, None]).numpy()
            for part in (panels[first : first + a_pass] for first in range(0, len(panels), a_pass))
        ]
    return np.concatenate(found).astype(np.float64)


def check_size(panels: Panels) -> None:
    """Raise ConfigError unless panels are (n, traces, samples) of a size that the encoder takes."""
    n, n_traces, n_samples = panels.shape if panels.ndim == 3 else (0, 0, 0)
    whole = n_traces % TRACE_MULTIPLE == 0 and n_samples % SAMPLE_MULTIPLE == 0
    if n == 0 or not whole or n_traces < LEAST_TRACES or n_samples < LEAST_SAMPLES:
        raise ConfigError(
            f"panels to measure are {panels.shape}; expected (n, traces, samples) with n > 0, traces a multiple of "
            f"{TRACE_MULTIPLE} from {LEAST_TRACES} on and samples a multiple of {SAMPLE_MULTIPLE} from {LEAST_SAMPLES} "
            "on: set traces and samples of PanelConfig"
        )
