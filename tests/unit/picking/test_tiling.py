import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from seisray.picking import tiling
from seisray.picking.tiling import OVERLAP_TRACES, TILE_TRACES, gather_logits, tile_logits, tiles, window_starts
from seisray.transforms import normalise


@given(st.integers(1, 10_000))
@example(128)
@example(129)
def test_tiles_keep_every_trace_exactly_once(n_traces: int) -> None:
    kept = np.concatenate([np.arange(n_traces)[keep] for _, keep in tiles(n_traces)])
    np.testing.assert_array_equal(kept, np.arange(n_traces))


@given(st.integers(1, 10_000))
def test_what_a_tile_keeps_has_context_on_both_sides_or_ends_the_gather(n_traces: int) -> None:
    for read, keep in tiles(n_traces):
        assert 0 <= read.start <= keep.start < keep.stop <= read.stop <= n_traces
        assert read.stop - read.start <= TILE_TRACES
        assert keep.start - read.start >= OVERLAP_TRACES or read.start == 0
        assert read.stop - keep.stop >= OVERLAP_TRACES or read.stop == n_traces


@given(st.integers(1, 40_000), st.sampled_from([32, 64, 512]))
def test_windows_cover_every_sample_and_share_half_with_the_next(n_samples: int, window: int) -> None:
    starts = window_starts(n_samples, window)
    assert starts[0] == 0
    assert starts[-1] == max(n_samples - window, 0)
    assert all(0 < step <= window // 2 for step in np.diff(starts))


class Echo:
    """Stand in for a picker whose logits are its panels, and 0 for "no pick"."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, panels: torch.Tensor) -> torch.Tensor:
        self.shapes.append(tuple(panels.shape))
        return torch.cat([panels[:, 0], torch.zeros_like(panels[:, 0, :, :1])], dim=-1)


@given(st.integers(1, 400), st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_each_event_is_likeliest_on_its_trace_and_at_its_sample(n_traces: int, n_samples: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    event = rng.integers(n_samples, size=n_traces)
    samples = rng.uniform(0, 0.1, size=(n_traces, n_samples)).astype(np.float32)
    samples[np.arange(n_traces), event] = 10
    logits = gather_logits(Echo(), samples, gain=3.0, window=64)
    assert logits.shape == (n_traces, n_samples + 1)
    assert np.isfinite(logits).all()
    np.testing.assert_array_equal(logits[:, :-1].argmax(axis=1), event)


def test_a_record_of_one_window_is_normalised_as_a_panel_is() -> None:
    samples = np.random.default_rng(0).normal(size=(8, 64)).astype(np.float32)
    logits = gather_logits(Echo(), samples, gain=3.0, window=64)
    panel = np.concatenate([normalise(samples, 3.0), np.zeros((8, 1), np.float32)], axis=1)
    np.testing.assert_allclose(logits, torch.from_numpy(panel).log_softmax(-1).numpy(), rtol=1e-5)


def test_the_picker_sees_panels_of_the_size_it_learned_from() -> None:
    echo = Echo()
    gather_logits(echo, np.ones((13, 150), np.float32), gain=3.0, window=64)
    assert echo.shapes == [(4, 1, 16, 64)]


def test_an_event_looks_the_same_however_long_the_record_is() -> None:
    samples = np.random.default_rng(0).normal(size=(8, 64)).astype(np.float32)
    longer = np.concatenate([samples, np.zeros((8, 300), np.float32)], axis=1)
    short, long = (gather_logits(Echo(), each, gain=3.0, window=64) for each in (samples, longer))
    np.testing.assert_array_equal(long[:, :32], short[:, :32])  # before the second window begins


def test_no_pick_is_as_likely_as_in_the_window_that_doubts_it_most() -> None:
    samples = np.full((8, 128), 1e-3, np.float32)
    samples[:, 100] = 10
    logits = gather_logits(Echo(), samples, gain=3.0, window=64)
    assert (logits[:, -1] < logits[:, 100]).all()


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 1 << 14))
def test_the_size_of_a_batch_changes_nothing(n_traces: int, n_samples: int, batch_samples: int) -> None:
    samples = np.random.default_rng(n_traces).normal(size=(n_traces, n_samples)).astype(np.float32)
    at_once = gather_logits(Echo(), samples, gain=3.0, window=64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiling, "BATCH_SAMPLES", batch_samples)
        np.testing.assert_array_equal(gather_logits(Echo(), samples, gain=3.0, window=64), at_once)


def test_memory_does_not_grow_with_traces_and_little_with_samples() -> None:
    class Sizes:
        largest = 0

        def __call__(self, panels: torch.Tensor) -> torch.Tensor:
            self.largest = max(self.largest, panels.numel())
            return torch.zeros(panels.shape[0], panels.shape[2], panels.shape[3] + 1)

    for shape in ((10_000, 32), (3, 40_000), (300, 9_000)):
        sizes, n_kept = Sizes(), 0
        for keep, logits in tile_logits(sizes, np.ones(shape, np.float32), gain=3.0, window=512):
            assert logits.shape == (keep.stop - keep.start, shape[1] + 1)
            assert len(logits) <= TILE_TRACES
            n_kept += len(logits)
        assert n_kept == shape[0]
        assert sizes.largest <= tiling.BATCH_SAMPLES
