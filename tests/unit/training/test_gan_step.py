import dataclasses
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from ranks import run_two_ranks
from torch import Tensor

from seisray.config import AdversaryConfig, BodyConfig, GanConfig, GeneratorConfig, PanelConfig, TrainConfig
from seisray.errors import ConfigError
from seisray.models.masking import random_mask
from seisray.training.gan import GanStep
from seisray.training.rebuild import RebuildStep

PANELS = torch.randn(5, 4, 8, 32, generator=torch.Generator().manual_seed(0))  # (steps, batch, traces, samples)
ALL_OFF = AdversaryConfig(
    judge="unet",
    loss="bce",
    minibatch_std=0,
    spectral_norm=False,
    r1=0,
    pixel_weight=0,
    reconstruction_weight=0,
    hidden_traces=0,
    hidden_blocks=0,
    augment=0,
)
ALL_ON: dict[str, Any] = {
    "loss": "rpgan",
    "orthogonal": True,
    "minibatch_std": 2,
    "d_steps": 2,
    "gradient_clip": 5.0,
    "accumulate": 2,
    "top_k": 0.5,
    "r1": 0.5,
    "r2": 0.3,
    "gradient_penalty": 0.7,
    "penalty_every": 2,
    "penalty_decay": 0.1,
    "coarse_share": 0.5,
    "cool_share": 0.6,
    "augment": 0.5,
    "augment_target": 0.6,
    "augment_steps": 10,
    "instance_noise": 0.2,
    "instance_noise_steps": 3,
    "cutmix": 0.5,
    "lecam": 0.3,
}
UNET: dict[str, Any] = {"judge": "unet", "loss": "bce", "r1": 0.3, "minibatch_std": 0, "augment": 0.0}
FEATURES: dict[str, Any] = {"judge": "features", "feature_share": 0.5, "minibatch_std": 2, "r2": 0.3}
ALONE: dict[str, dict[str, Any]] = {
    "default": {},
    "hinge": {"loss": "hinge"},
    "wgan": {"loss": "wgan"},
    "rpgan": {"loss": "rpgan"},
    "sigmoid": {"loss": "sigmoid"},
    "orthogonal": {"orthogonal": True},
    "minibatch_std": {"minibatch_std": 2},
    "d_steps": {"d_steps": 3},
    "gradient_clip": {"gradient_clip": 0.1},
    "accumulate": {"accumulate": 2},
    "top_k": {"top_k": 0.25},
    "r2": {"r2": 1.0},
    "gradient_penalty": {"gradient_penalty": 1.0},
    "lazy": {"penalty_every": 2},
    "decay": {"penalty_decay": 0.0},
    "cool": {"cool_share": 0.5},
    "augment": {"augment": 0.7},
    "adaptive": {"augment_target": 0.5, "augment_steps": 5},
    "coarse": {"coarse_share": 0.75},
    "instance_noise": {"instance_noise": 1.0, "instance_noise_steps": 3},
    "label_smoothing": {"label_smoothing": 0.1},
    "cutmix": {"cutmix": 0.5},
    "lecam": {"lecam": 0.3},
    "features": {"judge": "features"},
    "features to the middle of the run": FEATURES,
}


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Panels this small are not worth a second one, which would wait for the first on busy cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def config(
    adversary: AdversaryConfig | None = None, *, seed: int = 0, generator: dict[str, Any] | None = None, **settings: Any
) -> GanConfig:
    return GanConfig(
        panel=PanelConfig(traces=8, samples=32),
        body=BodyConfig(channels=(2, 2, 2, 2)),
        generator=GeneratorConfig(**{"latent": 4, "channels": (2, 2, 2, 2), "ema": 0.99} | (generator or {})),
        adversary=adversary or AdversaryConfig(**UNET | settings),
        train=TrainConfig(steps=4, batch=4, workers=1, seed=seed, precision="fp32"),
    )


def run(step: GanStep, steps: range) -> list[dict[str, float]]:
    return [{name: value.item() for name, value in step(PANELS[i]).items()} for i in steps]


@pytest.mark.parametrize("settings", [{}, ALL_ON], ids=["default", "everything"])
def test_the_same_seed_gives_the_same_losses(settings: dict[str, Any]) -> None:
    assert run(GanStep(config(**settings)), range(2)) == run(GanStep(config(**settings)), range(2))


def test_another_seed_gives_other_losses() -> None:
    assert run(GanStep(config(seed=1)), range(1)) != run(GanStep(config()), range(1))


def weights_of(step: GanStep) -> dict[str, Tensor]:
    networks = {name: getattr(step, name).state_dict() for name in ("generator", "discriminator", "averaged")}
    return {f"{name}.{key}": value for name, state in networks.items() for key, value in state.items()}


@pytest.mark.parametrize("settings", [*ALONE.values(), ALL_ON], ids=[*ALONE, "everything"])
def test_a_resumed_run_is_bit_for_bit_one_that_went_straight_on(settings: dict[str, Any]) -> None:
    made = config(**settings, generator={"spectral_norm": settings is ALL_ON, "orthogonal": settings is ALL_ON})
    straight = GanStep(made)
    figures = run(straight, range(4))
    first = GanStep(made)
    before = run(first, range(2))
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    resumed = GanStep(made)
    file.seek(0)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    torch.rand(7)  # randomness outside must not matter
    assert before + run(resumed, range(2, 4)) == figures
    there = weights_of(straight)
    assert all(torch.equal(value, there[name]) for name, value in weights_of(resumed).items())


def test_two_hundred_steps_are_a_hundred_and_a_hundred_more_bit_for_bit() -> None:
    made = config(AdversaryConfig(augment_target=0.6, augment_steps=50, cutmix=0.3, cool_share=0.4, r1=0.1))
    made = dataclasses.replace(made, train=dataclasses.replace(made.train, steps=200))

    def go_on(step: GanStep) -> list[dict[str, float]]:
        return [
            {name: value.item() for name, value in step(PANELS[step.step % len(PANELS)]).items()} for _ in range(100)
        ]

    straight, first, resumed = (GanStep(made) for _ in range(3))
    before = [*go_on(straight), *go_on(straight)]
    half = go_on(first)
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    assert half + go_on(resumed) == before
    there = weights_of(straight)
    assert all(torch.equal(value, there[name]) for name, value in weights_of(resumed).items())


def test_a_resumed_run_without_any_stabiliser_goes_on_as_well() -> None:
    straight, first, resumed = (GanStep(config(ALL_OFF)) for _ in range(3))
    run(first, range(2))
    resumed.load_state_dict(first.state_dict())
    assert run(straight, range(4))[2:] == run(resumed, range(2, 4))


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
    still = GanStep(config(d_lr=1e-7))
    first, second = (still(PANELS[0])["repair"].item() for _ in range(2))
    assert abs(second / first - 1) > 1e-3  # far more than such a step learns


@pytest.mark.parametrize("judge", ["unet", "features"])
def test_every_weight_of_both_networks_moves(judge: str) -> None:
    step = GanStep(config(judge=judge, feature_share=0.5))
    before = {name: tensor.clone() for name, tensor in step.state_dict()["discriminator"].items()}
    before_g = {name: tensor.clone() for name, tensor in step.generator.named_parameters()}
    run(step, range(4))
    still = [n for n, p in step.discriminator.named_parameters() if torch.equal(p, before[n]) and "mix" not in n]
    still += [n for n, p in step.generator.named_parameters() if torch.equal(p, before_g[n])]
    assert still == []


def test_the_generator_step_leaves_no_gradient_on_the_discriminator() -> None:
    step = GanStep(config())
    run(step, range(1))
    assert all(parameter.requires_grad for parameter in step.discriminator.parameters())


def body_of(step: GanStep) -> dict[str, Tensor]:
    return {name: weight.clone() for name, weight in step.discriminator.body.state_dict().items()}


def test_the_body_learns_to_repair_and_then_stays_as_it_is() -> None:
    step = GanStep(config(judge="features", feature_share=0.5))
    new = body_of(step)
    assert [set(found) for found in run(step, range(2))] == [{"repair", "gradient"}] * 2
    learned = body_of(step)
    assert not any(torch.equal(new[name], weight) for name, weight in learned.items())
    assert ["d_loss" in found and "repair" not in found for found in run(step, range(2, 4))] == [True, True]
    assert all(torch.equal(learned[name], weight) for name, weight in body_of(step).items())
    assert not any(parameter.requires_grad for parameter in step.discriminator.body.parameters())


def test_what_the_body_learns_is_what_it_learns_without_a_game() -> None:
    step = GanStep(config(judge="features", feature_share=0.5))
    alone = RebuildStep(step.config.repairing())
    assert [found["repair"] for found in run(step, range(2))] == [alone(PANELS[i])["error"].item() for i in range(2)]
    assert all(torch.equal(body_of(step)[name], weight) for name, weight in alone.network.body.state_dict().items())


@pytest.mark.parametrize(("traces", "samples"), [(32, 128), (128, 1024)])
def test_panels_have_any_size_from_small_to_large(traces: int, samples: int) -> None:
    made = dataclasses.replace(
        config(feature_share=0.25, judge="features"), panel=PanelConfig(traces=traces, samples=samples)
    )
    step = GanStep(made)
    for _ in range(2):
        found = step(torch.randn(2, traces, samples))
    assert found["g_loss"].isfinite()
    assert step.samples(1).shape == (1, traces, samples)


def test_the_heads_tell_panels_apart_by_features() -> None:
    time = torch.arange(32) / 32
    stripes = torch.sin(6.3 * 8 * time).expand(4, 8, 32) * 2
    step = GanStep(config(judge="features", feature_share=0.5, lr_ratio=100, d_lr=0.01))
    losses = [step(stripes) for _ in range(62)][2:]
    assert losses[-1]["d_loss"] < 0.7 * losses[0]["d_loss"]
    assert losses[-1]["d_accuracy"] > 0.8


def test_the_discriminator_learns_to_tell_panels_apart() -> None:
    time = torch.arange(32) / 32
    stripes = torch.sin(6.3 * 8 * time).expand(16, 8, 32) * 2  # nothing a new generator makes
    step = GanStep(config(seed=1, lr_ratio=100, d_lr=0.01))
    losses = [step(stripes) for _ in range(140)]
    assert losses[-1]["d_loss"] < 0.7 * losses[0]["d_loss"]
    assert losses[-1]["d_accuracy"] == 1


def test_a_cooled_run_ends_where_its_last_steps_leave_it() -> None:
    step = GanStep(config(cool_share=0.5, spectral_norm=False))
    run(step, range(3))
    before = {name: value.clone() for name, value in weights_of(step).items() if "averaged" not in name}
    run(step, range(3, 4))  # at a rate of zero
    after = weights_of(step)
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_averaging_follows_the_generator_slowly() -> None:
    step = GanStep(config())
    run(step, range(4))
    networks = (step.generator, step.averaged, GanStep(config()).generator)
    now, mean, start = (torch.cat([one.flatten() for one in network.parameters()]) for network in networks)
    assert 0 < (mean - start).norm() < (now - start).norm()


def test_pictures_of_samples_do_not_disturb_training() -> None:
    watched, unwatched = GanStep(config()), GanStep(config())
    run(watched, range(1))
    run(unwatched, range(1))
    before = torch.get_rng_state()
    assert torch.equal(watched.samples(3), watched.samples(3))
    assert torch.equal(before, torch.get_rng_state())
    assert run(watched, range(1, 2)) == run(unwatched, range(1, 2))


def plain_step(step: GanStep, real: Tensor) -> dict[str, float]:
    """Take the step with a U-Net, spelled out."""
    adversary, d, g = step.config.adversary, step.discriminator, step.generator
    torch.manual_seed(hash((step.config.train.seed, step.step, step.rank)) % 2**63)
    real = real[:, None]
    n = len(real)
    with step._autocast:
        fake = g(torch.randn(n, step.config.generator.latent))
    hidden = random_mask(real, share_of_traces=adversary.hidden_traces, blocks=adversary.hidden_blocks)
    leaf = real.clone().requires_grad_()
    with step._autocast:
        panel, pixel, repaired = (x.float() for x in d(torch.cat([leaf, fake.detach(), real.masked_fill(hidden, 0)])))
    d_loss = F.softplus(-panel[:n]).mean() + F.softplus(panel[n : 2 * n]).mean()
    d_pixel = F.softplus(-pixel[:n]).mean() + F.softplus(pixel[n : 2 * n]).mean()
    repair = ((repaired[2 * n :] - real[:, 0]).abs() * hidden[:, 0]).sum() / hidden.sum()
    judged = panel[:n] + adversary.pixel_weight * pixel[:n].flatten(1).sum(dim=1) / math.sqrt(pixel[0].numel())
    (slope,) = torch.autograd.grad(judged.sum(), leaf, create_graph=True)
    loss = d_loss + adversary.pixel_weight * d_pixel + adversary.reconstruction_weight * repair
    loss = loss + 0.5 * adversary.r1 * slope.square().flatten(1).sum(1).mean()
    step.opt_d.zero_grad()
    loss.backward()
    step.opt_d.step()
    right = torch.cat([panel[:n] > 0, panel[n : 2 * n] < 0]).float().mean()
    d.requires_grad_(False)
    with step._autocast:
        panel, pixel, _ = (x.float() for x in d(fake))
    g_loss = F.softplus(-panel).mean() + adversary.pixel_weight * F.softplus(-pixel).mean()
    step.opt_g.zero_grad()
    g_loss.backward()
    step.opt_g.step()
    d.requires_grad_(True)
    decay = min(step.config.generator.ema, (1 + step.step) / (10 + step.step))
    with torch.no_grad():
        for mean, now in zip(step.averaged.parameters(), g.parameters(), strict=True):
            mean.lerp_(now, 1 - decay)
    step.step += 1
    found = {"d_loss": d_loss, "d_pixel": d_pixel, "repair": repair, "d_accuracy": right, "g_loss": g_loss}
    return {name: value.item() for name, value in found.items()}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_step_with_a_unet_is_to_the_bit_the_one_spelled_out(precision: Any) -> None:
    made = dataclasses.replace(config(), train=TrainConfig(steps=4, batch=4, workers=1, precision=precision))
    plain, step = GanStep(made), GanStep(made)
    for panels in PANELS[:3]:
        expected = plain_step(plain, panels)
        found = step(panels)
        assert {name: found[name].item() for name in expected} == expected
    there = {name: value for name, value in weights_of(plain).items() if not name.startswith("averaged")}
    assert all(torch.equal(weights_of(step)[name], value) for name, value in there.items())
    for mean, expected_mean in zip(step.averaged.parameters(), plain.averaged.parameters(), strict=True):
        assert torch.equal(mean, expected_mean)


def test_figures_are_those_of_what_is_in_use() -> None:
    always = {"d_loss", "d_pixel", "d_accuracy", "g_loss", "real_logit", "fake_logit", "d_gradient", "g_gradient"}
    assert set(GanStep(config(ALL_OFF))(PANELS[0])) == always
    assert set(GanStep(config())(PANELS[0])) == always | {"repair", "penalty"}
    assert "cutmix" in GanStep(config(cutmix=1.0, cutmix_weight=0.0))(PANELS[0])  # pieces are judged without it, too
    every = config(**ALL_ON | {"cutmix": 1.0})
    assert set(GanStep(every)(PANELS[0])) == always | {"repair", "penalty", "cutmix", "lecam", "augment_p"}


@pytest.mark.parametrize("loss", ["bce", "hinge", "wgan", "rpgan", "sigmoid"])
def test_with_any_loss_a_step_of_d_and_one_along_its_gradient_pay(loss: str) -> None:
    step = GanStep(config(loss=loss, spectral_norm=False, r1=0, reconstruction_weight=0, d_lr=1e-3))
    real, fake = PANELS[0][:, None], PANELS[1][:, None]
    before, _ = step._run_d(real, fake)
    after, rivals = step._run_d(real, fake)
    assert after["d_loss"] + 0.5 * after["d_pixel"] < before["d_loss"] + 0.5 * before["d_pixel"]
    gradient, cost = step._ask_d(fake.clone(), rivals)
    _, less = step._ask_d(fake - 0.1 * gradient / gradient.norm(), rivals)
    assert less < cost


SPLIT = [{}, {"spectral_norm": False}, {**ALL_ON, "top_k": 1.0, "minibatch_std": 0}, {"minibatch_std": 2}]


@pytest.mark.parametrize("settings", SPLIT, ids=["default", "no norm", "everything", "minibatch_std"])
def test_micro_batches_add_up_to_the_whole_batch(settings: dict[str, Any]) -> None:
    """In gradients: Adam's first steps would make more of rounding than it is."""
    settings = settings | {"gradient_clip": 0.0, "d_lr": 1e-7}
    whole, split = (GanStep(config(**settings | {"accumulate": n}, generator={"spectral_norm": True})) for n in (1, 2))
    for panels in PANELS[:2]:
        expected, found = whole(panels), split(panels)
        assert expected.keys() == found.keys()
        for name, value in found.items():
            torch.testing.assert_close(value, expected[name], rtol=1e-3, atol=1e-5, msg=f"{name} {value}")
        for network in ("discriminator", "generator"):
            theirs = dict(getattr(whole, network).named_parameters())
            scale = max(p.grad.abs().max().item() for p in theirs.values() if p.grad is not None)
            for name, mine in getattr(split, network).named_parameters():
                torch.testing.assert_close(mine.grad, theirs[name].grad, rtol=1e-3, atol=1e-5 * scale, msg=name)
    there = weights_of(whole)
    for name, value in weights_of(split).items():
        if name.endswith(("_u", "_v")):
            torch.testing.assert_close(value, there[name], rtol=1e-4, atol=1e-5, msg=name)


def test_a_batch_that_does_not_divide_is_refused_with_what_would() -> None:
    six = dataclasses.replace(config().train, batch=6)
    settings = AdversaryConfig(**UNET | {"accumulate": 3, "minibatch_std": 2})
    step = GanStep(dataclasses.replace(config(), train=six, adversary=settings))
    with pytest.raises(ConfigError, match=r"batch of 4 panels .* expected a multiple of 6"):
        step(PANELS[0])


def first_gradients(**settings: Any) -> dict[str, Tensor]:
    """Return D's gradients of the first step."""
    step = GanStep(config(**settings))
    step(PANELS[0])
    return {name: p.grad.clone() for name, p in step.discriminator.named_parameters() if p.grad is not None}


def test_a_lazy_penalty_is_paid_at_once_for_all_its_steps() -> None:
    lazy, eager, light = (first_gradients(r1=r1, penalty_every=n) for r1, n in ((128.0, 4), (512.0, 1), (128.0, 1)))
    assert all(torch.equal(gradient, eager[name]) for name, gradient in lazy.items())  # powers of two: no rounding
    assert not all(torch.equal(gradient, light[name]) for name, gradient in lazy.items())
    step = GanStep(config(penalty_every=2))
    assert ["penalty" in step(panels) for panels in PANELS[:4]] == [True, False, True, False]


def test_a_penalty_can_be_gone_at_the_end_of_the_run() -> None:
    faded, without = GanStep(config(r1=100.0, penalty_decay=0.0)), GanStep(config(r1=0))
    for step in (faded, without):
        step.step = 3  # the last of four
        step(PANELS[0])
    for ours, theirs in zip(faded.discriminator.parameters(), without.discriminator.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


def test_d_takes_its_steps_on_the_same_panels_with_fresh_fakes() -> None:
    step = GanStep(config(d_steps=3))
    seen: list[Tensor] = []
    step.discriminator.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0].detach()))
    step(PANELS[0])
    judged = [panels for panels in seen if len(panels) == 12]  # real, fake, damaged
    assert len(judged) == 3
    assert all(torch.equal(panels[:4], judged[0][:4]) for panels in judged)
    assert not torch.equal(judged[0][4:8], judged[1][4:8])
    moments = next(iter(step.opt_d.state.values()))
    assert moments["step"].item() == 3
    assert next(iter(step.opt_g.state.values()))["step"].item() == 1


@pytest.mark.parametrize("accumulate", [1, 2])
def test_clipping_bounds_the_norm_of_both_gradients_and_reports_what_it_was(accumulate: int) -> None:
    free, clipped = (GanStep(config(gradient_clip=clip, accumulate=accumulate)) for clip in (0.0, 1e-3))
    expected, found = free(PANELS[0]), clipped(PANELS[0])
    assert found["d_gradient"] == expected["d_gradient"] > 1e-3
    assert found["g_gradient"] > 1e-3
    for module in (clipped.discriminator, clipped.generator):
        norm = math.sqrt(sum(p.grad.square().sum().item() for p in module.parameters() if p.grad is not None))
        assert norm == pytest.approx(1e-3, rel=1e-3)


def test_at_the_end_of_a_run_g_learns_from_the_best_fakes_alone() -> None:
    step = GanStep(config(top_k=0.5, spectral_norm=False))
    fake = torch.randn(4, 1, 8, 32)
    with torch.no_grad():
        logits = step.discriminator(fake).panel
    for at, kept in ((0, 4), (3, 2)):
        step.step = at
        gradient, _ = step._ask_d(fake.clone(), [step.discriminator(PANELS[0][:, None])])
        learned = gradient.flatten(1).any(1)
        assert learned.sum() == kept
        assert logits[learned].min() > logits[~learned].max() if kept < 4 else True


def test_g_is_shown_the_way_through_the_augmentation() -> None:
    """A mirrored panel gets a mirrored gradient."""
    step = GanStep(config(augment=0.5))
    step._show = lambda panels: -panels.flip(2)  # type: ignore[method-assign]
    plain = GanStep(config())
    fake = torch.randn(4, 1, 8, 32)
    mirrored, _ = step._ask_d(fake.clone(), [step.discriminator(PANELS[0][:, None])])
    expected, _ = plain._ask_d(-fake.flip(2), [plain.discriminator(PANELS[0][:, None])])
    assert torch.equal(mirrored, -expected.flip(2))


def test_real_and_fake_are_augmented_and_the_repair_is_not() -> None:
    step = GanStep(config(augment=1.0))
    real = PANELS[0][:, None]
    exam = step._exam(real, real.clone(), penalised=False)
    assert not torch.equal(exam.shown["real"], real)
    assert not torch.equal(exam.shown["fake"], real)
    assert exam.hidden is not None
    assert torch.equal(exam.shown["damaged"], real.masked_fill(exam.hidden, 0))


def test_mixed_panels_are_pieces_of_what_d_sees_and_all_ranks_mix_in_the_same_steps() -> None:
    mixes = []
    for rank in (0, 1):
        step = GanStep(config(cutmix=0.5), rank=rank)
        mixes.append(["cutmix" in step(PANELS[i % 5]) for i in range(12)])
    assert mixes[0] == mixes[1]
    assert {True, False} == set(mixes[0])
    exam = GanStep(config(cutmix=1.0))._exam(PANELS[0][:, None], PANELS[1][:, None], penalised=False)
    assert exam.from_real is not None
    assert torch.equal(exam.shown["mixed"], torch.where(exam.from_real, PANELS[0][:, None], PANELS[1][:, None]))
    assert exam.from_real.any()
    assert not exam.from_real.all()


def test_panels_between_lie_on_the_line_from_fake_to_real() -> None:
    real, fake = torch.ones(4, 1, 8, 32), torch.zeros(4, 1, 8, 32)
    between = GanStep(config(gradient_penalty=1.0))._exam(real, fake, penalised=True).shown["between"]
    shares = between[:, 0, 0, 0]
    assert torch.equal(between, shares[:, None, None, None].expand_as(between))
    assert shares.min() >= 0
    assert shares.max() <= 1
    assert shares.unique().numel() == 4


def test_instance_noise_fades_along_a_line() -> None:
    step = GanStep(config(instance_noise=0.8, instance_noise_steps=4))
    found = []
    for at in (0, 1, 3, 4, 9):
        step.step = at
        found.append(step._show(torch.zeros(64, 1, 8, 32)).std().item())
    assert found == pytest.approx([0.8, 0.6, 0.2, 0, 0], abs=0.02)


def test_penalties_and_the_average_begin_with_the_game_too() -> None:
    figures = []
    for decay in (1.0, 0.0):
        made = config(AdversaryConfig(feature_share=0.5, r1=10.0, penalty_decay=decay, penalty_every=2))
        step = GanStep(dataclasses.replace(made, train=dataclasses.replace(made.train, steps=6)))
        run(step, range(3))
        before = [p.clone() for p in step.generator.parameters()]
        figures.append(run(step, range(3, 4)))
        for mean, start, now in zip(step.averaged.parameters(), before, step.generator.parameters(), strict=True):
            torch.testing.assert_close(mean, torch.lerp(start, now, 0.9))
    assert "penalty" in figures[0][0]
    assert figures[0] == figures[1]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({"coarse_share": 0.5}, [0.0, 0.2, 0.5, 0.5]), ({"instance_noise": 0.8, "instance_noise_steps": 8}, None)],
)
def test_schedules_begin_with_the_game_not_while_features_are_learned(
    settings: dict[str, float], expected: list[float] | None
) -> None:
    made = config(AdversaryConfig(feature_share=0.5, augment=0.0, **settings))  # type: ignore[arg-type]
    step = GanStep(dataclasses.replace(made, train=dataclasses.replace(made.train, steps=22)))
    spikes = torch.zeros(64, 1, 8, 32)
    if expected:
        spikes[..., ::2] = 1  # which a coarse look takes for a constant
    found = []
    for step.step in (11, 15, 16, 21):  # the game's first step is 11, its last 21
        found.append(step._show(spikes).std().item())
    assert found == pytest.approx(expected or [0.8, 0.4, 0.3, 0], abs=0.02)


def test_the_average_without_a_ramp_remembers_from_the_first_step() -> None:
    for ramp, share in ((0, 0.01), (9, 0.9)):
        step = GanStep(config(generator={"ema_ramp": ramp}))
        before = [p.clone() for p in step.generator.parameters()]
        run(step, range(1))
        for mean, start, now in zip(step.averaged.parameters(), before, step.generator.parameters(), strict=True):
            torch.testing.assert_close(mean, torch.lerp(start, now, share))


TWO_RANKS = """
from test_gan_step import ALL_ON, FEATURES, PANELS, config, weights_of
from seisray.training.gan import GanStep
for name, settings in dict(
    everything=ALL_ON, default=dict(), features=FEATURES, wgan=dict(loss="wgan", gradient_penalty=1.0)
).items():
    norm = dict(spectral_norm=name == "everything")
    step = GanStep(config(**settings, generator=norm), rank=rank, wrap=DistributedDataParallel)
    for i in range(3):
        step(PANELS[i + rank])
    agree(name, [*weights_of(step).values(), step.balance.anchors, step.balance.probability])
    if name == "everything":
        assert step.balance.anchors.any() and step.balance.probability != 0.5
"""


def test_two_workers_under_ddp_keep_equal_networks_and_equal_states(tmp_path: Path) -> None:
    run_two_ranks(TWO_RANKS, Path(__file__).parent, tmp_path / "meet")
