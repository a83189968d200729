from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from seisray.models.augment import (
    CHANGES,
    augment,
    cut_out,
    dead_traces,
    flip,
    gain,
    noise,
    polarity,
    random_box,
    shift,
)

Change = Callable[[Tensor, Tensor], Tensor]
PANEL_GAIN = 10.0
EACH = [change for change, _ in CHANGES]
NAMES = [change.__name__ for change in EACH]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def panels(n: int = 8, traces: int = 16, samples: int = 64) -> Tensor:
    """Return normalised panels: every trace has RMS 1 before asinh(10 x)."""
    raw = torch.randn(n, 1, traces, samples) * torch.linspace(0.2, 2, samples)
    return torch.asinh(PANEL_GAIN * raw / raw.square().mean(-1, keepdim=True).sqrt())


def amplitude(panels: Tensor) -> Tensor:
    """Return the RMS of each trace as it was before the normalisation: (batch, traces)."""
    return (torch.sinh(panels) / PANEL_GAIN).square().mean(-1).sqrt()[:, 0]


def of_all(panels: Tensor, chosen: bool = True) -> Tensor:
    return torch.full((len(panels), 1, 1, 1), chosen)


def test_at_probability_0_panels_stay_as_they_are_to_the_bit() -> None:
    before = panels()
    assert torch.equal(augment(before, 0.0), before)
    assert torch.equal(augment(before, torch.tensor(0.0)), before)


@pytest.mark.parametrize("change", EACH, ids=NAMES)
def test_panels_that_are_not_chosen_stay_as_they_are_to_the_bit(change: Change) -> None:
    before = panels()
    chosen = of_all(before)
    chosen[::2] = False
    after = change(before, chosen)
    assert torch.equal(after[::2], before[::2])
    assert (after != before).flatten(1).any(1)[1::2].any()


@pytest.mark.parametrize("change", EACH, ids=NAMES)
def test_gradients_flow_as_finite_differences_say(change: Change) -> None:
    before = panels(n=2, traces=8, samples=16).double().requires_grad_()

    def changed(panels: Tensor) -> Tensor:
        torch.manual_seed(3)
        return change(panels, of_all(panels))

    assert torch.autograd.gradcheck(changed, before)


@pytest.mark.parametrize("change", [flip, polarity], ids=["flip", "polarity"])
def test_twice_a_mirror_is_no_change(change: Change) -> None:
    before = panels()
    chosen = torch.rand(len(before), 1, 1, 1) < 0.5
    assert torch.equal(change(change(before, chosen), chosen), before)
    assert not torch.equal(change(before, chosen), before)


def test_half_of_the_panels_are_mirrored_at_most() -> None:
    """Were all of them, G could as well learn the mirrored ones."""
    shares = dict(CHANGES)
    assert (shares[flip], shares[polarity]) == (0.5, 0.5)


def test_a_shift_moves_whole_traces_and_samples_and_mirrors_what_is_missing() -> None:
    rows, columns = torch.arange(16.0)[:, None], torch.arange(64.0)
    before = (100 * rows + columns).expand(20, 1, 16, 64)
    after = shift(before, of_all(before))
    trace_shifts, sample_shifts = set(), set()
    for panel in after[:, 0]:
        trace_shifts.add(int(panel[8, 32].item() // 100) - 8)
        sample_shifts.add(int(panel[8, 32].item() % 100) - 32)
        by_trace, by_sample = int(panel[8, 32].item() // 100) - 8, int(panel[8, 32].item() % 100) - 32
        expected_rows = (rows[:, 0] + by_trace).abs()
        expected_rows = 15 - (15 - expected_rows).abs()
        expected_columns = (columns + by_sample).abs()
        expected_columns = 63 - (63 - expected_columns).abs()
        assert torch.equal(panel, 100 * expected_rows[:, None] + expected_columns)
    assert min(trace_shifts) == -2
    assert max(trace_shifts) == 2
    assert len(sample_shifts) > 8
    assert max(map(abs, sample_shifts)) <= 8


def test_gain_multiplies_amplitudes_by_one_factor_a_panel() -> None:
    before = panels()
    factors = amplitude(gain(before, of_all(before)))
    torch.testing.assert_close(factors, factors[:, :1].expand_as(factors), rtol=1e-4, atol=0)
    assert 1 / 1.5 <= factors.min() < 0.95
    assert 1.05 < factors.max() <= 1.5


def test_noise_is_weak_beside_the_traces() -> None:
    before = panels(n=32)
    added = (torch.sinh(noise(before, of_all(before))) - torch.sinh(before)) / PANEL_GAIN
    strengths = added.flatten(1).std(1)
    assert strengths.max() <= 0.055
    assert strengths.max() > 2 * strengths.min() > 0


def test_cut_outs_silence_a_block_and_nothing_else() -> None:
    before = panels(n=32)
    after = cut_out(before, of_all(before))
    silent = after == 0
    assert torch.equal(after[~silent], before[~silent])
    traces, samples = silent.any(3).sum(2)[:, 0], silent.any(2).sum(2)[:, 0]
    torch.testing.assert_close(silent.sum((1, 2, 3)), traces * samples)  # a rectangle
    assert traces.max() <= 8 + 1
    assert samples.max() <= 32 + 1
    assert samples.float().mean() > 8


def test_dead_traces_are_whole_and_few() -> None:
    before = panels(n=64)
    silent = dead_traces(before, of_all(before)) == 0
    whole = silent.all(3)
    assert torch.equal(silent, whole[..., None].expand_as(silent))
    assert whole.float().mean().item() == pytest.approx(0.1, abs=0.03)


def test_each_panel_is_changed_with_the_probability_asked_for() -> None:
    before = panels(n=4000, traces=8, samples=16).abs()
    mirrored = augment(before, torch.tensor(0.6)).sum((1, 2, 3)) < 0
    assert mirrored.float().mean().item() == pytest.approx(0.3, abs=0.05)  # polarity: half of 0.6
    same = (augment(before, 0.1) == before).flatten(1).all(1).float().mean().item()
    assert same == pytest.approx(0.9**5 * 0.95**2, abs=0.04)


def test_augmented_panels_could_still_be_normalised_ones() -> None:
    rms = amplitude(augment(panels(n=64), 1.0))
    live = rms[rms > 0]
    assert live.min() > 0.2
    assert live.max() < 2.5
    assert live.median().item() == pytest.approx(1, abs=0.2)


def test_the_same_seed_gives_the_same_changes() -> None:
    before = panels()
    torch.manual_seed(5)
    first = augment(before, 0.5)
    torch.manual_seed(5)
    assert torch.equal(first, augment(before, 0.5))
    assert not torch.equal(first, augment(before, 0.5))


def test_boxes_reach_everywhere_up_to_their_size() -> None:
    boxes = random_box(torch.zeros(3000, 1, 8, 16), 1.0)
    share = boxes.float().mean(0)[0]
    assert share.min() > 0.02
    torch.testing.assert_close(share, share.flip(0), atol=0.05, rtol=0)
    torch.testing.assert_close(share, share.flip(1), atol=0.05, rtol=0)
