import numpy as np
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from seisray.picking.tiling import OVERLAP_TRACES, TILE_TRACES, gather_logits, tiles
from seisray.transforms import normalise


@given(st.integers(1, 2000))
@example(128)
@example(129)
def test_tiles_keep_every_trace_exactly_once(n_traces: int) -> None:
    kept = np.concatenate([np.arange(n_traces)[keep] for _, keep in tiles(n_traces)])
    np.testing.assert_array_equal(kept, np.arange(n_traces))


@given(st.integers(1, 2000))
def test_what_a_tile_keeps_has_context_on_both_sides_or_ends_the_gather(n_traces: int) -> None:
    for read, keep in tiles(n_traces):
        assert 0 <= read.start <= keep.start < keep.stop <= read.stop <= n_traces
        assert read.stop - read.start <= TILE_TRACES
        assert keep.start - read.start >= OVERLAP_TRACES or read.start == 0
        assert read.stop - keep.stop >= OVERLAP_TRACES or read.stop == n_traces


class Echo:
    """Stand in for a picker whose logits are its panel, and the first sample of each trace as "no pick"."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, panels: torch.Tensor) -> torch.Tensor:
        self.shapes.append(tuple(panels.shape))
        return torch.cat([panels[:, 0], panels[:, 0, :, :1]], dim=-1)


@given(st.integers(1, 400), st.integers(1, 50))
def test_logits_come_back_in_the_order_of_traces_and_samples(n_traces: int, n_samples: int) -> None:
    samples = np.random.default_rng(0).normal(size=(n_traces, n_samples)).astype(np.float32)
    echo = Echo()
    logits = gather_logits(echo, samples, 3.0)
    np.testing.assert_array_equal(logits[:, :-1], normalise(samples, 3.0))
    np.testing.assert_array_equal(logits[:, -1], logits[:, 0])
    assert all(shape[2] % 8 == 0 and shape[3] % 16 == 0 for shape in echo.shapes)
