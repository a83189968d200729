from typing import Any

import pytest
import torch
from torch import nn

from seisray.config import AutoencoderConfig, BodyConfig, GanConfig, InpaintConfig, MaskedConfig, RefineConfig
from seisray.models.cost import Cost, cost_of
from seisray.models.discriminator import Discriminator
from seisray.training.ways import WAYS


def test_a_convolution_costs_two_operations_a_weight_and_place() -> None:
    assert cost_of(nn.Conv2d(3, 5, 3, padding=1, bias=False), (1, 3, 8, 16)) == Cost(135, 2 * 135 * 8 * 16)


@pytest.mark.parametrize(
    ("kind", "config", "networks"),
    [
        ("gan", GanConfig(), ["generator", "discriminator"]),
        ("autoencoder", AutoencoderConfig(), ["network"]),
        ("masked", MaskedConfig(), ["network"]),
        ("inpaint", InpaintConfig(), ["repairer", "detector"]),
        ("refiner", RefineConfig(), ["refiner", "discriminator"]),
    ],
    ids=["gan", "autoencoder", "masked", "inpaint", "refiner"],
)
def test_each_way_to_pretrain_tells_the_cost_of_each_network(kind: str, config: Any, networks: list[str]) -> None:
    step = WAYS[kind].step(config)
    costs = WAYS[kind].costs(step)
    assert list(costs) == networks
    for name, cost in costs.items():
        assert cost.parameters == sum(p.numel() for p in getattr(step, name).parameters())
        assert cost.flops > cost.parameters


def test_the_cost_reads_as_a_line() -> None:
    assert str(Cost(1_230_000, 4_560_000_000)) == "1.23 M parameters, 4.56 GFLOP a panel"


def test_counting_changes_neither_the_network_nor_the_random_numbers() -> None:
    network = Discriminator(BodyConfig(channels=(2, 2, 2, 2)), spectral_norm=True)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    cost_of(network, (1, 1, 8, 32))
    assert network.training
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
