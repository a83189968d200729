"""A generator's samples come nearer to the mean spectrum of what it learned from, and stay normalised."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from seisray.config import BodyConfig, GanConfig, GeneratorConfig, PanelConfig
from seisray.gather import Gather
from seisray.metrics.spectra import log_spectrum
from seisray.shards import write_shard
from seisray.storage import Location
from seisray.stream import ShardRef
from seisray.training.gan import GanStep
from seisray.training.measure import reference_panels
from seisray.training.tint import tint

CONFIG = GanConfig(
    panel=PanelConfig(traces=8, samples=32),
    body=BodyConfig(channels=(2, 2, 2, 2)),
    generator=GeneratorConfig(latent=4, channels=(4, 4, 4, 4)),
)


@pytest.fixture
def refs(tmp_path: Path, line_gathers: Callable[..., list[Gather]]) -> list[ShardRef]:
    location = Location(str(tmp_path / "0.parquet"))
    write_shard(location, line_gathers(4), "float32")
    return [ShardRef(location=location, n_gathers=4)]


def test_samples_come_nearer_to_the_spectrum_of_field_panels(refs: list[ShardRef]) -> None:
    step, field = GanStep(CONFIG), reference_panels(refs, CONFIG.panel, 512)
    for name, parameter in step.averaged.named_parameters():
        if name.endswith("noise_gain"):
            parameter.fill_(1.0)  # as yet it makes smooth panels only, and there is nothing to tint
    plain = step.samples(256)
    tint(step, refs, CONFIG)
    tinted = step.samples(256)  # of other latent vectors than those that the tint was found by
    missing = [log_spectrum(field) - log_spectrum(panels.numpy()) for panels in (plain, tinted)]
    before, after = (np.abs(one - one.mean()).mean() for one in missing)  # but for the level, which is normalised
    assert 0.3 * before < after < 0.75 * before
    rms = (tinted.sinh() / CONFIG.panel.gain).square().mean(dim=-1).sqrt()
    torch.testing.assert_close(rms, torch.ones_like(rms), atol=1e-3, rtol=0)


def test_without_field_panels_a_generator_stays_as_it_is() -> None:
    step = GanStep(CONFIG)
    tint(step, [], CONFIG)
    assert torch.equal(step.averaged.tint, torch.ones(8, 17))


def test_training_knows_no_tint() -> None:
    step, latent = GanStep(CONFIG), torch.zeros(1, 4)
    noise = step.generator.draw_noise(1, "cpu")
    torch.testing.assert_close(step.averaged(latent, *noise), step.generator(latent, *noise), atol=1e-4, rtol=1e-4)
    step.generator.tint.fill_(0.0)
    assert step.generator(latent, *noise).abs().max() > 0.1
