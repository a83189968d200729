import torch

from seisray.models.masking import random_mask

PANELS = torch.zeros(200, 1, 24, 96)


def mask(**how: float) -> torch.Tensor:
    torch.manual_seed(0)
    return random_mask(PANELS, share_of_traces=how["traces"], blocks=int(how["blocks"]))


def test_nothing_is_hidden_when_asked_for_nothing() -> None:
    assert not mask(traces=0, blocks=0).any()


def test_hidden_traces_are_hidden_whole() -> None:
    hidden = mask(traces=0.15, blocks=0)
    assert hidden.shape == PANELS.shape
    assert torch.equal(hidden.any(dim=-1), hidden.all(dim=-1))


def test_the_share_of_hidden_traces_is_the_one_asked_for() -> None:
    assert abs(mask(traces=0.15, blocks=0).float().mean().item() - 0.15) < 0.02


def test_a_block_is_a_rectangle_of_at_most_a_third_of_each_axis() -> None:
    hidden = mask(traces=0, blocks=1)[:, 0]
    for panel in hidden:
        rows, columns = panel.any(dim=1), panel.any(dim=0)
        assert torch.equal(panel, rows[:, None] & columns)
        assert 2 <= rows.sum() <= 24 / 3 + 1
        assert 8 <= columns.sum() <= 96 / 3 + 1


def test_more_blocks_hide_more() -> None:
    assert mask(traces=0, blocks=6).float().mean() > 2 * mask(traces=0, blocks=1).float().mean()


def test_panels_are_masked_differently() -> None:
    hidden = mask(traces=0.15, blocks=3).flatten(1)
    assert len(torch.unique(hidden, dim=0)) == len(hidden)
