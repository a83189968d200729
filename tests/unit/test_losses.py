import math

import pytest
import torch

from seisray.losses import bce_fake, bce_real, gradient_penalty, picking_loss, repair_loss, soft_labels


def test_undecided_logits_cost_the_logarithm_of_two() -> None:
    assert bce_real(torch.zeros(3)).item() == pytest.approx(math.log(2))
    assert bce_fake(torch.zeros(3, 4)).item() == pytest.approx(math.log(2))


def test_adversarial_costs_are_those_of_the_logistic_function() -> None:
    logits = torch.tensor([-2.0, 0.5, 3.0])
    taken_for_real = torch.sigmoid(logits)
    torch.testing.assert_close(bce_real(logits), -taken_for_real.log().mean())
    torch.testing.assert_close(bce_fake(logits), -(1 - taken_for_real).log().mean())


def test_extreme_logits_cost_a_finite_sum() -> None:
    assert bce_real(torch.tensor([-1e4])).item() == pytest.approx(1e4)
    assert bce_fake(torch.tensor([-1e4])).item() == 0


def test_repair_counts_hidden_samples_only() -> None:
    panels = torch.tensor([[[1.0, 2.0, 3.0]]])
    hidden = torch.tensor([[[True, False, True]]])
    assert repair_loss(torch.tensor([[[0.0, 100.0, 1.0]]]), panels, hidden).item() == (1 + 2) / 2


def test_repair_of_nothing_hidden_costs_nothing() -> None:
    panels = torch.ones(1, 2, 3)
    assert repair_loss(panels + 1, panels, torch.zeros(1, 2, 3, dtype=torch.bool)).item() == 0


def test_the_gradient_penalty_of_a_linear_judge_is_its_squared_weight() -> None:
    weight = torch.randn(8, 16, generator=torch.Generator().manual_seed(0))
    panels = torch.randn(5, 1, 8, 16, requires_grad=True)
    logits = (panels[:, 0] * weight).sum(dim=(1, 2)) + 7
    torch.testing.assert_close(gradient_penalty(logits, panels), weight.square().sum())


def test_the_gradient_penalty_can_be_learned_from() -> None:
    weight = torch.ones(3, requires_grad=True)
    panels = torch.randn(2, 3, requires_grad=True)
    gradient_penalty((panels * weight).sum(1), panels).backward()
    torch.testing.assert_close(weight.grad, torch.full((3,), 2.0))


def test_soft_labels_are_distributions_about_the_first_break() -> None:
    first_break = torch.tensor([[30.0, 30.4, 45.75]])
    labels = soft_labels(first_break, 64, 2.0)
    assert labels.shape == (1, 3, 65)
    torch.testing.assert_close(labels.sum(-1), torch.ones(1, 3))
    time = torch.arange(64.0)
    mean = (labels[..., :-1] * time).sum(-1)
    torch.testing.assert_close(mean, first_break, atol=1e-3, rtol=0)
    deviation = (labels[..., :-1] * (time - mean[..., None]) ** 2).sum(-1).sqrt()
    torch.testing.assert_close(deviation, torch.full((1, 3), 2.0), atol=1e-3, rtol=0)


@pytest.mark.parametrize("first_break", [-1.0, -0.01, 63.01, 500.0])
def test_outside_the_panel_all_mass_is_on_no_pick(first_break: float) -> None:
    labels = soft_labels(torch.tensor([[first_break]]), 64, 2.0)
    assert labels[0, 0, -1] == 1
    assert not labels[0, 0, :-1].any()


@pytest.mark.parametrize("first_break", [0.0, 63.0])
def test_the_first_and_last_sample_are_inside(first_break: float) -> None:
    labels = soft_labels(torch.tensor([[first_break]]), 64, 2.0)
    assert labels[0, 0].argmax().item() == first_break


def test_an_undecided_picker_costs_the_logarithm_of_its_classes() -> None:
    loss = picking_loss(torch.zeros(2, 3, 65), torch.full((2, 3), 20.0), torch.ones(2, 3, dtype=torch.bool), 2.0)
    assert loss.item() == pytest.approx(math.log(65))


def test_the_best_picker_costs_the_entropy_of_the_label() -> None:
    first_break = torch.full((1, 1), 30.0)
    target = soft_labels(first_break, 64, 2.0)
    loss = picking_loss(target.clamp(min=1e-20).log(), first_break, torch.ones(1, 1, dtype=torch.bool), 2.0)
    assert loss.item() == pytest.approx(math.log(2.0 * math.sqrt(2 * math.pi * math.e)), abs=1e-4)


def test_traces_nobody_labelled_do_not_count() -> None:
    logits = torch.zeros(1, 2, 65)
    logits[0, 1, 5] = 1e3
    known = torch.tensor([[True, False]])
    assert picking_loss(logits, torch.full((1, 2), 20.0), known, 2.0).item() == pytest.approx(math.log(65))
    assert picking_loss(logits, torch.full((1, 2), 20.0), ~known & False, 2.0).item() == 0
