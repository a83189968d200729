import pytest
import torch

from seisray.config import BodyConfig
from seisray.losses.adversarial import d_bce
from seisray.models.alignment import AlignedPicker, DomainJudge
from seisray.models.picker import Picker

CHANNELS = (2, 2, 2, 4)


@pytest.fixture
def aligned() -> AlignedPicker:
    torch.manual_seed(0)
    return AlignedPicker(Picker(BodyConfig(channels=CHANNELS)), DomainJudge(CHANNELS[-1]))


def gradients(aligned: AlignedPicker, strength: float) -> tuple[torch.Tensor, torch.Tensor]:
    panels = torch.randn(2, 2, 1, 8, 64, generator=torch.Generator().manual_seed(1))
    _, said = aligned(*panels, torch.tensor(strength))
    parameters = aligned.picker.body.stem[0].weight, aligned.judge.layers[0].weight
    encoder, judge = torch.autograd.grad(d_bce(*said.chunk(2)), parameters)
    return encoder, judge


def test_the_encoder_learns_the_opposite_of_what_the_judge_does(aligned: AlignedPicker) -> None:
    (with_it, judge), (against_it, same_judge) = gradients(aligned, -1.0), gradients(aligned, 0.5)
    assert with_it.abs().max() > 0
    assert torch.allclose(against_it, -0.5 * with_it)
    assert torch.equal(judge, same_judge)


def test_labelled_panels_get_the_logits_of_the_picker_alone(aligned: AlignedPicker) -> None:
    labelled, field = torch.randn(2, 3, 1, 8, 64, generator=torch.Generator().manual_seed(2))
    logits, said = aligned(labelled, field, torch.tensor(1.0))
    assert torch.allclose(logits, aligned.picker(labelled), atol=1e-6)
    assert said.shape == (6, 1 * 2)  # a logit for every 8 traces and 32 samples


@pytest.mark.parametrize("strength", [-1.0, 1.0])
def test_a_reversed_gradient_hides_which_panels_had_labels(strength: float) -> None:
    torch.manual_seed(3)
    aligned = AlignedPicker(Picker(BodyConfig(channels=(4, 4, 8, 8))), DomainJudge(8))
    optimiser = torch.optim.Adam(aligned.parameters(), lr=5e-3)
    costs = []
    for _ in range(150):
        labelled, field = torch.randn(2, 8, 1, 8, 64)
        _, said = aligned(labelled, field.cumsum(-1), torch.tensor(strength))
        optimiser.zero_grad()
        cost = d_bce(*said.chunk(2)) / 2
        cost.backward()
        optimiser.step()
        costs.append(cost.item())
    told = sum(costs[-30:]) / 30
    assert told > 0.6 if strength > 0 else told < 0.3  # ln 2 = the judge cannot tell
