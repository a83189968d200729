import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from seisray.config import AdversaryConfig
from seisray.models.discriminator import Judgement
from seisray.training.exam import Exam, mark, set_exam

WEIGHT = torch.full((8, 16), 0.25)  # of norm sqrt(8)
REAL = torch.randn(4, 1, 8, 16, generator=torch.Generator().manual_seed(0))
FAKE = torch.randn(4, 1, 8, 16, generator=torch.Generator().manual_seed(1))
HIDDEN = torch.zeros(4, 1, 8, 16, dtype=torch.bool)
HIDDEN[:, :, 2] = True


def linear(panels: Tensor) -> Judgement:
    """Judge by a weighted sum: its slope is WEIGHT everywhere."""
    return Judgement((panels[:, 0] * WEIGHT).sum((1, 2)), panels[:, 0], panels[:, 0] + 2)


def marked(exam: Exam, *, scale: float = 1.0, **settings: float) -> tuple[Tensor, dict[str, Tensor]]:
    panels = exam.panels.requires_grad_()
    adversary = AdversaryConfig(**{"judge": "unet", "loss": "bce", "pixel_weight": 0.0} | settings)  # type: ignore[arg-type]
    return mark(linear(panels), exam, panels, adversary, anchors=torch.tensor([1.0, -1.0]), penalty_scale=scale)


def exam(*, mix: bool = False, between: bool = False) -> Exam:
    return set_exam(REAL, FAKE, whole=REAL, hidden=HIDDEN, mix=mix, between=between)


@pytest.mark.parametrize(
    ("settings", "penalty"),
    [({"r1": 3.0}, 12.0), ({"r2": 5.0}, 20.0), ({"gradient_penalty": 2.0}, 2 * (8**0.5 - 1) ** 2)],
)
def test_penalties_are_those_of_the_slope_of_a_linear_judge(settings: dict[str, float], penalty: float) -> None:
    asked = exam(between="gradient_penalty" in settings)
    free, _ = marked(asked)
    loss, figures = marked(asked, scale=4.0, **settings)
    assert figures["penalty"].item() == pytest.approx(penalty, rel=1e-5)
    assert (loss - free).item() == pytest.approx(4 * penalty, rel=1e-4)
    spared, figures = marked(asked, scale=0.0, **settings)
    assert spared == free
    assert "penalty" not in figures


PATCH, PIXEL = 5.0, 0.5 * 3  # slopes of a patch's logit, and of a pixel's by its weight


def penalty_of_patches(**settings: float) -> float:
    """Return the penalty of a judge whose two patches see a sample each, and whose pixels one each."""
    panels = exam(between=True).panels.requires_grad_()
    patches, pixel = PATCH * panels[:, 0, 0, :2], 3 * panels[:, 0]
    adversary = AdversaryConfig(judge="unet", pixel_weight=0.5, reconstruction_weight=0, **settings)  # type: ignore[arg-type]
    said = Judgement(patches, pixel, pixel)
    _, figures = mark(said, exam(between=True), panels, adversary, anchors=torch.zeros(2), penalty_scale=1.0)
    return figures["penalty"].item()


def test_zero_penalties_are_of_each_logit_however_many_a_panel_has() -> None:
    of_patch, of_pixel = PATCH / 2**0.5, PIXEL / 128**0.5
    expected = 2 * (of_patch + of_pixel) ** 2 + 126 * of_pixel**2
    assert penalty_of_patches(r1=2.0) == pytest.approx(expected, rel=1e-5)
    assert penalty_of_patches(r2=2.0) == pytest.approx(expected, rel=1e-5)


def test_the_unit_penalty_is_of_the_mean_of_a_panels_logits() -> None:
    of_patch, of_pixel = PATCH / 2, PIXEL / 128
    norm = (2 * (of_patch + of_pixel) ** 2 + 126 * of_pixel**2) ** 0.5
    assert penalty_of_patches(gradient_penalty=2.0) == pytest.approx(2 * (norm - 1) ** 2, rel=1e-5)


def test_a_judge_of_patches_is_right_in_the_share_of_them() -> None:
    panels = exam().panels
    patches = torch.tensor([[3.0, -1.0, -1.0]] * 4 + [[-3.0, 1.0, -1.0]] * 4 + [[0.0] * 3] * 4)
    adversary = AdversaryConfig(loss="bce", reconstruction_weight=0)
    said = Judgement(patches, panels[:, 0], panels[:, 0])
    figures = mark(said, exam(), panels, adversary, anchors=torch.zeros(2), penalty_scale=0.0)[1]
    assert figures["d_accuracy"].item() == pytest.approx(3 / 6)


def test_penalties_add_up() -> None:
    _, figures = marked(exam(between=True), r1=3.0, r2=5.0, gradient_penalty=2.0)
    assert figures["penalty"].item() == pytest.approx(32 + 2 * (8**0.5 - 1) ** 2, rel=1e-5)


def test_each_term_comes_with_its_weight() -> None:
    asked = exam(mix=True)
    plain, _ = marked(asked, reconstruction_weight=0, cutmix_weight=0)
    for name, setting in (("repair", "reconstruction_weight"), ("cutmix", "cutmix_weight"), ("lecam", "lecam")):
        settings = {"reconstruction_weight": 0.0, "cutmix_weight": 0.0} | {setting: 0.5}
        loss, figures = marked(asked, **settings)
        assert (loss - plain).item() == pytest.approx(0.5 * figures[name].item(), rel=1e-4, abs=1e-5)


def test_a_judge_of_pixels_alone_pays_nothing_for_its_consistency() -> None:
    assert marked(exam(mix=True))[1]["cutmix"] == 0


def test_mixed_panels_are_judged_as_generated_and_pixel_by_pixel() -> None:
    asked = exam(mix=True)
    settings = {"reconstruction_weight": 0.0, "pixel_weight": 0.5}
    without = Exam(shown={name: panels for name, panels in asked.shown.items() if name != "mixed"})
    loss, plain = marked(asked, **settings)[0], marked(without, **settings)[0]
    mixed, real, fake = (linear(asked.shown[name]) for name in ("mixed", "real", "fake"))
    assert asked.from_real is not None
    of_real = asked.from_real[:, 0]
    taken = F.softplus(-real.panel).mean() + F.softplus(mixed.panel).mean()
    pixels = F.softplus(-torch.where(of_real, mixed.pixel, real.pixel)).mean()
    pixels = pixels + F.softplus(torch.where(of_real, fake.pixel, mixed.pixel)).mean()
    assert (loss - plain).item() == pytest.approx((taken + 0.5 * pixels).item(), rel=1e-5)


def test_the_repair_is_judged_against_the_whole_panel_where_it_was_hidden() -> None:
    error = (2 - REAL[:, 0, 2]).abs().mean()  # hidden samples are 0, and the judge says 2
    torch.testing.assert_close(marked(exam())[1]["repair"], error)


def test_every_head_has_a_gradient_even_where_nobody_asks_for_it() -> None:
    """DDP would wait for it."""
    panels = exam().panels
    heads = [head.detach().requires_grad_() for head in linear(panels)]
    adversary = AdversaryConfig(loss="bce", pixel_weight=0, reconstruction_weight=0)
    loss, _ = mark(Judgement(*heads), exam(), panels, adversary, anchors=torch.zeros(2), penalty_scale=0.0)
    loss.backward()
    assert all(head.grad is not None for head in heads)


def test_parts_hold_the_rows_of_the_whole_and_share_its_count() -> None:
    asked = exam(mix=True, between=True)
    first, second = asked.parts(2)
    for name, panels in asked.shown.items():
        assert torch.equal(torch.cat([first.shown[name], second.shown[name]]), panels)
    assert first.from_real is not None
    assert asked.from_real is not None
    assert torch.equal(first.from_real, asked.from_real[:2])
    assert first.n_hidden == second.n_hidden == HIDDEN.sum() / 2
