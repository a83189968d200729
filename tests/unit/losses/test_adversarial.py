import math

import pytest
import torch
from torch import Tensor

from seisray.losses.adversarial import accuracy, bce_fake, bce_real, best, confidence, game

REAL = torch.tensor([2.0, -0.5, 0.3, 4.0])
FAKE = torch.tensor([-1.0, 0.2, -3.0, 0.9])
GAMES = ("bce", "hinge", "wgan", "rpgan", "sigmoid")


def slopes(cost: Tensor, *logits: Tensor) -> list[list[float]]:
    return [gradient.tolist() for gradient in torch.autograd.grad(cost, logits)]


def leaves() -> tuple[Tensor, Tensor]:
    return REAL.clone().requires_grad_(), FAKE.clone().requires_grad_()


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


@pytest.mark.parametrize("loss", GAMES)
def test_d_pays_less_for_better_judgement_and_g_for_better_fakes(loss: str) -> None:
    real, fake = leaves()
    for_real, for_fake = slopes(game(loss).d(real, fake), real, fake)
    assert max(for_real) <= 0 < -min(for_real)
    assert min(for_fake) >= 0 < max(for_fake)
    real, fake = leaves()
    (for_g,) = slopes(game(loss).g(fake, real.detach()), fake)
    assert max(for_g) < 0


@pytest.mark.parametrize("loss", GAMES)
def test_costs_of_pixels_are_means_over_all_of_them(loss: str) -> None:
    pixels = game(loss).d(REAL.reshape(1, 2, 2), FAKE.reshape(1, 2, 2))
    torch.testing.assert_close(pixels, game(loss).d(REAL, FAKE))


def test_hinge_pays_nothing_for_logits_beyond_the_margin() -> None:
    real = torch.tensor([1.5, 0.5], requires_grad=True)
    fake = torch.tensor([-1.5, -0.5], requires_grad=True)
    assert slopes(game("hinge").d(real, fake), real, fake) == [[0, -0.5], [0, 0.5]]


@pytest.mark.parametrize("loss", ["rpgan", "wgan"])
def test_relative_games_see_differences_alone(loss: str) -> None:
    plain, moved = (game(loss).d(REAL + by, FAKE + by).item() for by in (0, 7))
    assert moved == pytest.approx(plain, rel=1e-5)
    assert accuracy(loss, REAL + 7, FAKE + 7) == accuracy(loss, REAL, FAKE) == 0.75
    assert confidence(loss, REAL - 7, FAKE - 7) == confidence(loss, REAL, FAKE) == 0.5


def test_rpgan_judges_each_real_panel_against_its_own_fake() -> None:
    margin = REAL - FAKE
    torch.testing.assert_close(game("rpgan").d(REAL, FAKE), -torch.sigmoid(margin).log().mean())
    torch.testing.assert_close(game("rpgan").g(FAKE, REAL), -torch.sigmoid(-margin).log().mean())
    assert game("rpgan").d(REAL, FAKE.flip(0)) != game("rpgan").d(REAL, FAKE)


def test_wgan_is_the_distance_of_the_means() -> None:
    assert game("wgan").d(REAL, FAKE).item() == pytest.approx((FAKE.mean() - REAL.mean()).item())


def test_a_sigmoid_is_as_good_as_logits_while_they_are_small() -> None:
    torch.testing.assert_close(game("sigmoid").d(REAL, FAKE), game("bce").d(REAL, FAKE))
    torch.testing.assert_close(game("sigmoid").g(FAKE, REAL), game("bce").g(FAKE, REAL))


@pytest.mark.parametrize(("precision", "logit"), [(torch.float32, 30.0), (torch.bfloat16, 10.0)])
def test_behind_a_sigmoid_a_sure_judge_stops_to_learn_from_a_fake_it_took_for_real(
    precision: torch.dtype, logit: float
) -> None:
    """1 - sigmoid(logit) rounds to 0: no slope is left, while the logits' own loss has slope 1."""
    found = []
    for loss in ("sigmoid", "bce"):
        fake = torch.tensor([logit], dtype=precision, requires_grad=True)
        cost = game(loss).d(torch.zeros(1, dtype=precision), fake)
        found += slopes(cost, fake)[0]
    assert found == [0, pytest.approx(1, abs=1e-2)]


@pytest.mark.parametrize("loss", ["bce", "sigmoid"])
def test_smoothed_labels_are_met_by_a_finite_logit_of_real_panels_alone(loss: str) -> None:
    best_logit = math.log(0.9 / 0.1)
    real = torch.tensor([best_logit], requires_grad=True)
    fake = torch.tensor([-20.0], requires_grad=True)
    for_real, for_fake = slopes(game(loss, label_smoothing=0.1).d(real, fake), real, fake)
    assert for_real == [pytest.approx(0, abs=1e-6)]
    assert for_fake == [pytest.approx(0, abs=1e-6)]


def test_accuracy_is_the_share_on_the_right_side() -> None:
    assert accuracy("bce", REAL, FAKE).item() == (3 + 2) / 8


def test_confidence_is_the_mean_sign_of_real_logits() -> None:
    assert confidence("bce", REAL, FAKE).item() == (3 - 1) / 4


def test_the_best_fakes_are_those_with_the_highest_logits() -> None:
    assert set(best(FAKE, 0.5).tolist()) == {1, 3}
    assert best(FAKE, 0.01).tolist() == [3]
    assert sorted(best(FAKE, 1.0).tolist()) == [0, 1, 2, 3]
