import pytest
import torch

from seisray.config import AdversaryConfig, BodyConfig, GanConfig, GeneratorConfig, PanelConfig, TrainConfig
from seisray.training.gan import GanStep

PANELS = torch.randn(5, 4, 8, 32, generator=torch.Generator().manual_seed(0))  # (steps, batch, traces, samples)
ALL_ON = AdversaryConfig(r1=0.5)
ALL_OFF = AdversaryConfig(
    spectral_norm=False, r1=0, pixel_weight=0, reconstruction_weight=0, hidden_traces=0, hidden_blocks=0
)


def config(adversary: AdversaryConfig = ALL_ON, *, seed: int = 0, spectral_norm: bool = False) -> GanConfig:
    return GanConfig(
        panel=PanelConfig(traces=8, samples=32),
        body=BodyConfig(channels=(2, 2, 2, 2)),
        generator=GeneratorConfig(latent=4, channels=(2, 2, 2, 2), spectral_norm=spectral_norm),
        adversary=adversary,
        train=TrainConfig(steps=4, batch=4, workers=1, seed=seed),
    )


def run(step: GanStep, steps: range) -> list[dict[str, float]]:
    return [{name: value.item() for name, value in step(PANELS[i]).items()} for i in steps]


@pytest.mark.parametrize("adversary", [ALL_ON, ALL_OFF, AdversaryConfig()], ids=["on", "off", "default"])
def test_the_same_seed_gives_the_same_losses(adversary: AdversaryConfig) -> None:
    assert run(GanStep(config(adversary)), range(4)) == run(GanStep(config(adversary)), range(4))


def test_another_seed_gives_other_losses() -> None:
    assert run(GanStep(config(seed=1)), range(1)) != run(GanStep(config()), range(1))


@pytest.mark.parametrize("spectral_norm", [False, True])
@pytest.mark.parametrize("adversary", [ALL_ON, ALL_OFF, AdversaryConfig()], ids=["on", "off", "default"])
def test_a_resumed_run_has_the_losses_of_one_that_went_straight_on(
    adversary: AdversaryConfig, spectral_norm: bool
) -> None:
    made = config(adversary, spectral_norm=spectral_norm)
    straight = run(GanStep(made), range(4))
    first = GanStep(made)
    losses = run(first, range(2))
    resumed = GanStep(made)
    resumed.load_state_dict(first.state_dict())
    torch.rand(7)  # randomness outside must not matter
    assert losses + run(resumed, range(2, 4)) == straight


def test_a_resumed_run_has_the_averaged_generator_too() -> None:
    straight, first, resumed = (GanStep(config()) for _ in range(3))
    run(straight, range(4))
    run(first, range(2))
    resumed.load_state_dict(first.state_dict())
    run(resumed, range(2, 4))
    assert torch.equal(straight.samples(2), resumed.samples(2))


def test_ranks_draw_different_panels() -> None:
    assert run(GanStep(config(), rank=1), range(1)) != run(GanStep(config()), range(1))


def test_each_step_hides_other_samples() -> None:
    still = GanStep(config(AdversaryConfig(d_lr=1e-7)))
    first, second = (still(PANELS[0])["repair"].item() for _ in range(2))
    assert abs(second / first - 1) > 1e-3  # far more than such a step learns


def test_every_weight_of_both_networks_moves() -> None:
    step = GanStep(config())
    before = {name: tensor.clone() for name, tensor in step.state_dict()["discriminator"].items()}
    before_g = {name: tensor.clone() for name, tensor in step.generator.named_parameters()}
    run(step, range(4))
    still = [n for n, p in step.discriminator.named_parameters() if torch.equal(p, before[n])]
    still += [n for n, p in step.generator.named_parameters() if torch.equal(p, before_g[n])]
    assert still == []


def test_the_generator_step_leaves_no_gradient_on_the_discriminator() -> None:
    step = GanStep(config())
    run(step, range(1))
    assert all(parameter.requires_grad for parameter in step.discriminator.parameters())


def test_the_discriminator_learns_to_tell_panels_apart() -> None:
    time = torch.arange(32) / 32
    stripes = torch.sin(6.3 * 8 * time).expand(16, 8, 32) * 2  # nothing a new generator makes
    step = GanStep(config(AdversaryConfig(lr_ratio=100, d_lr=0.01)))
    losses = [step(stripes) for _ in range(60)]
    assert losses[-1]["d_loss"] < 0.7 * losses[0]["d_loss"]
    assert losses[-1]["d_accuracy"] == 1


def test_averaging_follows_the_generator_slowly() -> None:
    step = GanStep(config())
    run(step, range(4))
    name, now = next(iter(step.generator.named_parameters()))
    mean = dict(step.averaged.named_parameters())[name]
    start = dict(GanStep(config()).generator.named_parameters())[name]
    assert 0 < (mean - start).norm() < (now - start).norm()


def test_pictures_of_samples_do_not_disturb_training() -> None:
    watched, unwatched = GanStep(config()), GanStep(config())
    run(watched, range(1))
    run(unwatched, range(1))
    before = torch.get_rng_state()
    assert torch.equal(watched.samples(3), watched.samples(3))
    assert torch.equal(before, torch.get_rng_state())
    assert run(watched, range(1, 2)) == run(unwatched, range(1, 2))
