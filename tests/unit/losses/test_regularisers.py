import pytest
import torch

from seisray.losses.regularisers import cutmix_loss, lecam_loss, repair_loss, slope, unit_penalty, zero_penalty

PANELS = torch.randn(5, 1, 8, 16, generator=torch.Generator().manual_seed(0))


def test_repair_counts_hidden_samples_only() -> None:
    panels = torch.tensor([[[1.0, 2.0, 3.0]]])
    hidden = torch.tensor([[[True, False, True]]])
    assert repair_loss(torch.tensor([[[0.0, 100.0, 1.0]]]), panels, hidden).item() == (1 + 2) / 2


def test_repair_of_nothing_hidden_costs_nothing() -> None:
    panels = torch.ones(1, 2, 3)
    assert repair_loss(panels + 1, panels, torch.zeros(1, 2, 3, dtype=torch.bool)).item() == 0


def test_repairs_of_two_parts_have_the_mean_cost_of_the_whole() -> None:
    panels, hidden = torch.zeros(2, 1, 4), torch.tensor([[[True, False, False, False]], [[True, True, True, False]]])
    repaired = torch.arange(8.0).reshape(2, 1, 4)
    parts = [repair_loss(repaired[i : i + 1], panels[:1], hidden[i : i + 1], n_hidden=hidden.sum() / 2) for i in (0, 1)]
    assert torch.stack(parts).mean() == repair_loss(repaired, panels, hidden)


def test_the_zero_penalty_of_a_linear_judge_is_its_squared_weight() -> None:
    weight = torch.randn(8, 16, generator=torch.Generator().manual_seed(0))
    panels = PANELS.clone().requires_grad_()
    logits = (panels[:, 0] * weight).sum(dim=(1, 2)) + 7
    torch.testing.assert_close(zero_penalty(slope(logits, panels)), weight.square().sum())


def test_the_penalty_can_be_learned_from() -> None:
    weight = torch.ones(3, requires_grad=True)
    panels = torch.randn(2, 3, requires_grad=True)
    zero_penalty(slope((panels * weight).sum(1), panels)).backward()
    torch.testing.assert_close(weight.grad, torch.full((3,), 2.0))


def test_the_penalty_is_that_of_finite_differences() -> None:
    """Of a judge that is not linear, in double precision."""
    panels = torch.randn(2, 1, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    def judge(panels: torch.Tensor) -> torch.Tensor:
        return (panels.sin() * panels.square()).flatten(1).sum(1)

    step = 1e-5
    squares = torch.zeros(2, dtype=torch.float64)
    for place in range(6):
        nudge = torch.zeros(6, dtype=torch.float64)
        nudge[place] = step
        nudge = nudge.reshape(1, 1, 2, 3)
        squares += ((judge(panels + nudge) - judge(panels - nudge)) / (2 * step)).square()
    panels.requires_grad_()
    torch.testing.assert_close(zero_penalty(slope(judge(panels), panels)), squares.mean(), rtol=1e-7, atol=0)


@pytest.mark.parametrize(("length", "penalty"), [(1.0, 0.0), (3.0, 4.0), (0.0, 1.0)])
def test_the_unit_penalty_is_the_squared_departure_from_one(length: float, penalty: float) -> None:
    gradient = torch.zeros(2, 1, 4, 4)
    gradient[:, 0, 1, 2] = length
    assert unit_penalty(gradient).item() == pytest.approx(penalty, abs=1e-5)


def test_the_unit_penalty_of_a_flat_judge_has_a_finite_slope() -> None:
    gradient = torch.zeros(2, 1, 4, 4, requires_grad=True)
    unit_penalty(gradient).backward()
    assert gradient.grad is not None
    assert gradient.grad.isfinite().all()


def test_lecam_pulls_real_logits_to_the_anchor_of_fakes_and_fakes_to_that_of_real() -> None:
    anchors = torch.tensor([0.8, -0.6])  # real, fake
    real, fake = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    descent = torch.optim.SGD([real, fake], lr=0.5)
    for _ in range(50):
        descent.zero_grad()
        lecam_loss(real, fake, anchors).backward()
        descent.step()
    torch.testing.assert_close(real.detach(), torch.full((3,), -0.6))
    torch.testing.assert_close(fake.detach(), torch.full((3,), 0.8))


def test_a_perfect_judge_of_pixels_pays_nothing_for_pieced_panels() -> None:
    """Its logit of a sample depends on nothing but that sample's origin."""
    real, fake = torch.full((2, 4, 6), 3.0), torch.full((2, 4, 6), -2.0)
    from_real = torch.rand(2, 4, 6, generator=torch.Generator().manual_seed(0)) < 0.5
    assert cutmix_loss(torch.where(from_real, 3.0, -2.0), real, fake, from_real) == 0


def test_a_judge_of_whole_panels_pays_for_pieced_ones() -> None:
    real, fake = torch.full((1, 2, 2), 1.0), torch.full((1, 2, 2), -1.0)
    from_real = torch.tensor([[[True, True], [True, False]]])
    assert cutmix_loss(real, real, fake, from_real).item() == 2**2 / 4
