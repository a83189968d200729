"""Gathers of any size through the picker: whatever the tiles, the logits are those of the whole gather at once."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from seisray.config import BodyConfig
from seisray.models.picker import Picker
from seisray.models.unet import SAMPLE_MULTIPLE, TRACE_MULTIPLE
from seisray.picking import tiling
from seisray.picking.engine import torch_engine
from seisray.picking.tiling import (
    HALO_SAMPLES,
    HALO_TRACES,
    TILE_SAMPLES,
    TILE_TRACES,
    gather_logits,
    spans,
    tile_logits,
)
from seisray.transforms import normalise


@given(st.integers(1, 40_000))
@example(TILE_TRACES + 2 * HALO_TRACES)
@example(TILE_TRACES + 2 * HALO_TRACES + 1)
def test_spans_keep_everything_once_with_a_halo_on_both_sides(size: int) -> None:
    kept = []
    for read, keep in spans(size, TILE_TRACES, HALO_TRACES):
        assert 0 <= read.start <= keep.start < keep.stop <= read.stop <= size
        assert read.stop - read.start <= TILE_TRACES + 2 * HALO_TRACES
        assert read.start % TRACE_MULTIPLE == 0
        assert keep.start - read.start == HALO_TRACES or read.start == 0
        assert read.stop - keep.stop == HALO_TRACES or read.stop == size
        kept.append(np.arange(size)[keep])
    np.testing.assert_array_equal(np.concatenate(kept), np.arange(size))


def test_tiles_begin_where_the_poolings_of_the_whole_gather_begin() -> None:
    for size, of in ((TILE_TRACES, TRACE_MULTIPLE), (HALO_TRACES, TRACE_MULTIPLE)):
        assert size % of == 0
    for size, of in ((TILE_SAMPLES, SAMPLE_MULTIPLE), (HALO_SAMPLES, SAMPLE_MULTIPLE)):
        assert size % of == 0


@pytest.fixture(scope="module")
def picker() -> Picker:
    torch.manual_seed(0)
    return Picker(BodyConfig(channels=(4, 4, 6, 8), kernel_samples=7)).eval()  # the widest: it sees farthest


def test_a_pick_depends_on_nothing_beyond_the_halo(picker: Picker) -> None:
    traces, samples = 3 * TRACE_MULTIPLE + 2 * HALO_TRACES, 3 * SAMPLE_MULTIPLE + 2 * HALO_SAMPLES
    panel = torch.randn(1, 1, traces, samples, generator=torch.Generator().manual_seed(1), requires_grad=True)
    for trace in range(TRACE_MULTIPLE + HALO_TRACES, 2 * TRACE_MULTIPLE + HALO_TRACES):
        for sample in (SAMPLE_MULTIPLE + HALO_SAMPLES, 2 * SAMPLE_MULTIPLE + HALO_SAMPLES - 1):
            (slope,) = torch.autograd.grad(picker(panel)[0, trace, sample], panel)
            rows, columns = (slope[0, 0].abs().sum(dim=axis).nonzero()[:, 0] for axis in (1, 0))
            assert rows[0] >= TRACE_MULTIPLE
            assert rows[-1] < 2 * TRACE_MULTIPLE + 2 * HALO_TRACES
            assert columns[0] >= SAMPLE_MULTIPLE
            assert columns[-1] < 2 * SAMPLE_MULTIPLE + 2 * HALO_SAMPLES


@pytest.mark.parametrize(("n_traces", "n_samples"), [(1, 1), (7, 100), (53, 700), (150, 20), (213, 1500), (3, 5000)])
def test_tiles_leave_no_seam(n_traces: int, n_samples: int, picker: Picker, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.random.default_rng(0).normal(size=(n_traces, n_samples)).astype(np.float32)
    monkeypatch.setattr(tiling, "TILE_TRACES", 1 << 20)
    monkeypatch.setattr(tiling, "TILE_SAMPLES", 1 << 20)
    whole = gather_logits(torch_engine(picker), samples, gain=3.0, stretch=64)
    monkeypatch.setattr(tiling, "TILE_TRACES", 16)
    monkeypatch.setattr(tiling, "TILE_SAMPLES", 160)
    tiles = gather_logits(torch_engine(picker), samples, gain=3.0, stretch=64)
    assert whole.shape == (n_traces, n_samples + 1)
    np.testing.assert_allclose(tiles, whole, atol=1e-4)


def test_a_gather_is_normalised_as_panels_to_learn_from_are() -> None:
    samples = np.random.default_rng(0).normal(size=(8, 128)).astype(np.float32)
    seen: list[torch.Tensor] = []

    def look(panels: torch.Tensor) -> torch.Tensor:
        seen.append(panels)
        return torch.zeros(*panels.shape[0:1], panels.shape[2], panels.shape[3] + 1)

    gather_logits(torch_engine(look), samples, gain=3.0, stretch=64)
    np.testing.assert_array_equal(seen[0][0, 0].numpy(), normalise(samples, 3.0, 64))


def test_an_event_looks_the_same_however_long_the_record_is(picker: Picker) -> None:
    samples = np.random.default_rng(0).normal(size=(8, 640)).astype(np.float32)
    longer = np.concatenate([samples, np.zeros((8, 3000), np.float32)], axis=1)
    short, long = (gather_logits(torch_engine(picker), each, gain=3.0, stretch=512) for each in (samples, longer))
    np.testing.assert_allclose(long[:, : 640 - HALO_SAMPLES], short[:, : 640 - HALO_SAMPLES], atol=1e-4)


def test_memory_does_not_grow_with_traces_and_little_with_samples() -> None:
    class Sizes:
        largest = 0

        def __call__(self, panels: torch.Tensor) -> torch.Tensor:
            self.largest = max(self.largest, panels.numel())
            return torch.zeros(panels.shape[0], panels.shape[2], panels.shape[3] + 1)

    for shape in ((10_000, 32), (3, 40_000), (300, 9_000)):
        sizes, n_kept = Sizes(), 0
        for keep, logits in tile_logits(torch_engine(sizes), np.ones(shape, np.float32), gain=3.0, stretch=512):
            assert logits.shape == (keep.stop - keep.start, shape[1] + 1)
            n_kept += len(logits)
        assert n_kept == shape[0]
        assert sizes.largest <= (TILE_TRACES + 2 * HALO_TRACES) * (TILE_SAMPLES + 2 * HALO_SAMPLES)
