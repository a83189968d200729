"""Compiled networks: the same figures, the same names in checkpoints, and one line where there is no compiler.

Steps are captured as for the real compiler, but run without it, which would take a minute each.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from ranks import run_two_ranks
from torch import nn
from torch._inductor.cpp_builder import get_cpp_compiler
from torch._inductor.exc import InvalidCxxCompiler

from seisray.config import (
    AdversaryConfig,
    BodyConfig,
    GanConfig,
    GeneratorConfig,
    InpaintConfig,
    MaskedConfig,
    PanelConfig,
    RebuildTrainConfig,
    TrainConfig,
)
from seisray.errors import TrainingError
from seisray.training.compilation import check_compiler, compiled
from seisray.training.ways import WAYS

pytestmark = [  # torch warns of what it does itself as it compiles
    pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning"),
]

ON, OFF = TrainConfig(compile=True), TrainConfig()
PANEL, BODY = PanelConfig(traces=8, samples=32), BodyConfig(channels=(2, 2, 2, 2))


def settings(kind: str, *, on: bool, **adversary: Any) -> Any:
    """Return the smallest settings of a way to pre-train."""
    if kind == "gan":
        return GanConfig(
            panel=PANEL,
            body=BODY,
            generator=GeneratorConfig(latent=4, channels=(2, 2, 2, 2)),
            adversary=AdversaryConfig(**adversary),
            train=TrainConfig(steps=10, batch=4, workers=1, precision="fp32", compile=on),
        )
    train = RebuildTrainConfig(steps=10, batch=4, workers=1, precision="fp32", compile=on)
    return {"masked": MaskedConfig, "inpaint": InpaintConfig}[kind](panel=PANEL, body=BODY, train=train)


def panels(n: int = 4) -> torch.Tensor:
    return torch.randn(n, 8, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def captured(monkeypatch: pytest.MonkeyPatch) -> list[nn.Module]:
    """Capture graphs without building kernels; return which networks are to be compiled."""
    seen: list[nn.Module] = []
    real: Callable[..., Any] = torch.compile

    def capture(module: nn.Module, **how: Any) -> Any:
        seen.append(module)
        return real(module, backend="eager", **how)

    torch._dynamo.reset()
    monkeypatch.setattr(torch, "compile", capture)
    return seen


WAYS_AND_PARTS = pytest.mark.parametrize(
    ("kind", "adversary", "parts"),
    [
        ("masked", {}, ["network"]),
        ("inpaint", {}, ["detector", "repairer"]),
        ("gan", {"judge": "unet"}, ["discriminator"]),
        ("gan", {"judge": "unet", "r1": 0.1}, []),
    ],
    ids=["masked", "inpaint", "gan", "gan with a penalty"],
)


@WAYS_AND_PARTS
def test_a_compiled_step_is_the_step(
    kind: str, adversary: dict[str, Any], parts: list[str], captured: list[nn.Module]
) -> None:
    plain, fast = (WAYS[kind].step(settings(kind, on=on, **adversary)) for on in (False, True))
    assert {id(module) for module in captured} == {id(getattr(fast, part)) for part in parts}
    for _ in range(2):
        figures, same = plain(panels()), fast(panels())
        assert figures.keys() == same.keys()
        for name, figure in figures.items():
            torch.testing.assert_close(same[name], figure, rtol=1e-4, atol=1e-5)
    before, after = plain.state_dict(), fast.state_dict()
    for part in plain.parts:
        assert list(before[part]) == list(after[part])
    fresh = WAYS[kind].step(settings(kind, on=False, **adversary))
    fresh.load_state_dict(after)  # a run goes on uncompiled, too


def test_features_are_learned_compiled_too(captured: list[nn.Module]) -> None:
    step = WAYS["gan"].step(settings("gan", on=True, feature_share=0.1))
    assert [id(module) for module in captured] == [id(module) for module in (step.features.network, step.discriminator)]
    repairs, plays = step(panels()), step(panels())
    assert (set(repairs), "g_loss" in plays) == ({"repair", "gradient"}, True)
    assert all(torch.isfinite(figure) for figure in [*repairs.values(), *plays.values()])


def test_a_generator_is_compiled_where_it_can_be(captured: list[nn.Module]) -> None:
    generator = WAYS["gan"].step(settings("gan", on=False)).generator
    assert compiled(generator, ON) is generator
    assert compiled(generator.to("meta"), ON) is not generator
    assert captured == [generator]


def test_nothing_is_compiled_unless_asked_for() -> None:
    layer = nn.Linear(2, 2)
    assert compiled(layer, OFF) is layer


def test_a_compiled_network_computes_what_it_did_and_shares_its_weights() -> None:
    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        pytest.skip("there is no C++ compiler")
    layer, x = nn.Linear(3, 2), torch.randn(5, 3)
    fast = compiled(layer, ON)
    torch.testing.assert_close(fast(x), layer(x))
    with torch.no_grad():
        layer.bias += 1
    torch.testing.assert_close(fast(x), layer(x))
    assert [id(p) for p in fast.parameters()] == [id(p) for p in layer.parameters()]


def test_without_a_compiler_the_run_ends_in_a_line_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise InvalidCxxCompiler

    monkeypatch.setattr("torch._inductor.cpp_builder.get_cpp_compiler", missing)
    monkeypatch.setattr("torch.utils._triton.has_triton", lambda: False)
    check_compiler(OFF, "cpu")
    with pytest.raises(TrainingError, match=r"train\.compile is on, but there is no C\+\+ compiler.*install g\+\+"):
        check_compiler(ON, "cpu")
    with pytest.raises(TrainingError, match=r"Triton.*leave train\.compile out"):
        check_compiler(ON, "cuda")


TWO_RANKS = """
import functools
torch.compile = functools.partial(torch.compile, backend="aot_eager")
from test_compilation import panels, settings
from seisray.training.ways import WAYS
for kind, how in (("masked", {}), ("gan", dict(judge="unet", accumulate=2, minibatch_std=0))):
    step = WAYS[kind].step(settings(kind, on=True, **how), rank=rank, wrap=DistributedDataParallel)
    networks = [getattr(step, part) for part in step.parts if isinstance(getattr(step, part), torch.nn.Module)]
    assert not any("_orig_mod" in name for network in networks for name in network.state_dict())
    for i in range(2):
        step(panels() + rank)
    agree(kind, [value for network in networks for value in network.state_dict().values()])
"""


def test_two_workers_under_ddp_keep_equal_compiled_networks(tmp_path: Path) -> None:
    run_two_ranks(TWO_RANKS, Path(__file__).parent, tmp_path / "meet")
