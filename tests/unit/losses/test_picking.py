import math

import pytest
import torch

from seisray.losses.picking import picking_loss, soft_labels


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
