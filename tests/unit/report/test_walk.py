"""The path through latent space: closed, even, on the sphere; and the noise that goes along."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seisray.errors import ConfigError
from seisray.report.walk import Walk, WalkedNoise, slerp


def angles_rad(latent: np.ndarray) -> np.ndarray:
    """Return the angle from each vector to the next, and from the last to the first."""
    unit = latent.astype(np.float64) / np.linalg.norm(latent, axis=1, keepdims=True)
    return np.arccos(np.clip(np.sum(unit * np.roll(unit, -1, axis=0), axis=1), -1, 1))


@given(latent=st.integers(3, 96), keys=st.integers(3, 20), seed=st.integers(0, 2**32))
def test_every_step_is_as_long_as_any_other_and_the_last_leads_into_the_first(
    latent: int, keys: int, seed: int
) -> None:
    walk = Walk.random(latent=latent, keys=keys, seed=seed)
    step_rad = angles_rad(walk.at(np.arange(400) / 400))
    assert step_rad.max() < 1.05 * walk.length_rad / 400
    assert step_rad.mean() > 0.9 * walk.length_rad / 400


@given(latent=st.integers(2, 96), keys=st.integers(3, 20), seed=st.integers(0, 2**32))
def test_the_walk_ends_where_it_began_and_stays_on_the_sphere(latent: int, keys: int, seed: int) -> None:
    walk = Walk.random(latent=latent, keys=keys, seed=seed)
    np.testing.assert_allclose(*walk.at(np.array([0.0, 1.0])), rtol=0)
    lengths = np.linalg.norm(walk.at(np.linspace(0, 1, 33)), axis=1)
    np.testing.assert_allclose(lengths, np.sqrt(latent), rtol=1e-5)


def test_the_walk_passes_its_keys() -> None:
    keys = np.random.default_rng(3).standard_normal((6, 32))
    walked = Walk(keys).at(np.arange(20_000) / 20_000) / np.sqrt(32)
    nearest = (walked @ (keys / np.linalg.norm(keys, axis=1, keepdims=True)).T).max(axis=0)
    assert nearest.min() > 0.99999


def test_the_walk_turns_no_corner_at_a_key() -> None:
    latent = Walk.random(latent=64, keys=8, seed=1).at(np.arange(2000) / 2000).astype(np.float64)
    step = np.roll(latent, -1, axis=0) - latent
    turn_rad = angles_rad(step)
    assert turn_rad.max() < 0.2  # one slerp after the other turns by about 2 rad at each key


def test_two_keys_or_one_dimension_make_no_closed_walk() -> None:
    for shape in ((2, 8), (5, 1)):
        with pytest.raises(ConfigError, match="3 keys in 2 dimensions"):
            Walk(np.ones(shape))


def test_slerp_goes_along_the_arc() -> None:
    start, end = np.array([[2.0, 0.0]]), np.array([[0.0, 5.0]])
    for share in (0.0, 0.25, 1.0):
        expected = [[np.cos(share * np.pi / 2), np.sin(share * np.pi / 2)]]
        np.testing.assert_allclose(slerp(start, end, np.array([share])), expected, atol=1e-12)
    np.testing.assert_allclose(slerp(start, start, np.array([0.3])), [[1, 0]])


def draw() -> list[torch.Tensor]:
    return [torch.randn(1, 1, 24, 32), torch.randn(1, 1, 24, 32)]


def test_noise_is_the_same_wherever_the_walk_is_cut_into_batches() -> None:
    turn = np.arange(12) / 12
    whole = WalkedNoise(draw, keys=5, seed=7).at(turn)[1]
    noise = WalkedNoise(draw, keys=5, seed=7)
    parts = torch.cat([noise.at(turn[first : first + 5])[1] for first in (0, 5, 10)])
    torch.testing.assert_close(whole, parts)


@pytest.mark.parametrize("keys", [1, 3, 8])
def test_noise_has_unit_variance_all_along_and_closes(keys: int) -> None:
    first, second = WalkedNoise(draw, keys=keys, seed=0).at(np.linspace(0, 1, 17))
    assert first.std(dim=(1, 2, 3)).sub(1).abs().max() < 0.1
    torch.testing.assert_close(first[0], first[-1])
    assert (first[0] * second[0]).mean().abs() < 0.15, "layers share their noise"


def test_noise_changes_slowly_with_many_keys_and_not_at_all_with_one() -> None:
    turn = np.arange(240) / 240
    held, _ = WalkedNoise(draw, keys=1, seed=0).at(turn)
    assert torch.equal(held, held[:1].expand_as(held))
    walked, _ = WalkedNoise(draw, keys=8, seed=0).at(turn)
    step = (walked - walked.roll(1, 0)).square().mean(dim=(1, 2, 3)).sqrt()
    assert step.max() < 0.1  # noise drawn anew differs by 1.4
    assert (walked[0] * walked[120]).mean().abs() < 0.15


def test_drawings_out_of_reach_are_forgotten() -> None:
    noise = WalkedNoise(draw, keys=1000, seed=0)
    for turn in np.arange(0, 1, 0.01):
        noise.at(np.array([turn]))
        assert len(noise._drawn) == 4


def test_the_random_state_of_others_is_left_alone() -> None:
    torch.manual_seed(0)
    expected = torch.randn(3)
    torch.manual_seed(0)
    WalkedNoise(draw, keys=3, seed=5).at(np.zeros(2))
    assert torch.equal(torch.randn(3), expected)
