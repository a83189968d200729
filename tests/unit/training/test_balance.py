import pytest
import torch

from seisray.config import AdversaryConfig
from seisray.errors import ConfigError
from seisray.training.balance import Balance


def updated(confidence: float, n: int = 1, *, real: float = 0.0, fake: float = 0.0, **settings: float) -> Balance:
    balance = Balance(AdversaryConfig(**settings), "cpu")  # type: ignore[arg-type]
    for _ in range(n):
        balance.update(torch.tensor(confidence), torch.tensor(real), torch.tensor(fake))
    return balance


def test_a_judge_too_sure_of_field_panels_is_shown_more_changes_and_one_too_unsure_fewer() -> None:
    more = updated(0.9, augment=0.3, augment_target=0.6, augment_steps=100)
    fewer = updated(0.2, augment=0.3, augment_target=0.6, augment_steps=100)
    assert (more.probability.item(), fewer.probability.item()) == pytest.approx((0.31, 0.29))


def test_the_probability_stays_where_g_does_not_learn_the_changes() -> None:
    assert updated(1.0, 50, augment_target=0.6, augment_steps=20).probability.item() == pytest.approx(0.8)
    assert updated(-1.0, 50, augment=0.1, augment_target=0.6, augment_steps=20).probability == 0
    with pytest.raises(ConfigError, match=r"augment is 0.9, expected at most 0.8 where it adapts"):
        AdversaryConfig(augment=0.9, augment_target=0.6)


def test_a_fixed_probability_stays() -> None:
    assert updated(1.0, 50, augment=0.3).probability.item() == pytest.approx(0.3)


def test_anchors_follow_the_logits_slowly() -> None:
    once, long = (updated(0.0, n, real=2.0, fake=-1.0, lecam=0.3) for n in (1, 1000))
    torch.testing.assert_close(once.anchors, torch.tensor([0.02, -0.01]))
    torch.testing.assert_close(long.anchors, torch.tensor([2.0, -1.0]), rtol=1e-3, atol=0)
    assert not updated(0.0, real=2.0).anchors.any()


def test_a_state_is_a_copy() -> None:
    balance = updated(0.9, augment_target=0.6, lecam=1.0, real=1.0)
    state = balance.state_dict()
    balance.update(torch.tensor(0.9), torch.tensor(5.0), torch.tensor(5.0))
    assert state["anchors"][0].item() == pytest.approx(0.01)
    other = Balance(balance.config, "cpu")
    other.load_state_dict(state)
    assert torch.equal(other.probability, state["probability"])
