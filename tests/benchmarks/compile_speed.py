"""Whether torch.compile pays: the default GAN's and the masked model's step with and without it.

    python tests/benchmarks/compile_speed.py [--device cpu|cuda] [--rounds 5] [--steps 20] [--batch 16] [--threads N]

Plain torch, on panels that are in memory already, of 32 x 128 and 48 x 256; on a GPU where there is one. Both ways take
turns in each round; figures are medians over the steps of all rounds, the ratio is that of the medians of each round,
in the median. The first steps, which compile, are timed apart. On a GPU also the achieved share of its peak in dense
bf16: the operations of a whole step, forward and backward, as torch counts them (no FFTs, nothing pointwise), over its
median time.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from seisray.api import GanConfig
from seisray.config import MaskedConfig, PanelConfig, RebuildTrainConfig, TrainConfig
from seisray.training.gan import GanStep
from seisray.training.rebuild import RebuildStep

PANELS = (PanelConfig(traces=32, samples=128), PanelConfig(traces=48, samples=256))
WARM_UP = 5  # steps of the game, or of repairing, until nothing new is compiled
PEAK_TFLOPS: Mapping[str, float] = {
    "H200": 989.4,
    "H100": 989.4,
    "A100": 311.9,
    "L40S": 362.0,
    "A10G": 70.0,
    "L4": 121.0,
}
"""In dense bf16, by NVIDIA's data sheets; of a GPU that is not here, what a product of two large matrices reaches."""

Step = Callable[[Tensor], dict[str, Tensor]]


@dataclass(kw_only=True)
class Turn:
    """One way to take steps. first_s: of the first steps, compiling included. rounds: ms of each step of each round."""

    step: Step
    first_s: float = 0.0
    rounds: list[list[float]] = field(default_factory=list)


class Everything(AbstractContextManager[None]):
    """Let torch count operations under one name."""

    parents: ClassVar = {"Global"}

    def __exit__(self, *error: object) -> None:
        pass


def gan_step(panel: PanelConfig, train: TrainConfig, device: str) -> GanStep:
    """Return the default GAN's step, its body having learned its features in one step."""
    config = GanConfig(panel=panel, train=train)
    config = replace(config, adversary=replace(config.adversary, feature_share=0.01))
    return GanStep(config, device=device)


def masked_step(panel: PanelConfig, train: TrainConfig, device: str) -> RebuildStep:
    """Return the masked model's step."""
    own = RebuildTrainConfig(steps=train.steps, batch=train.batch, workers=1, compile=train.compile)
    return RebuildStep(MaskedConfig(panel=panel, train=own), device=device)


def timed_ms(step: Step, panels: Tensor) -> float:
    """Return the time of one step, all of it done."""
    began_s = time.perf_counter()
    step(panels)
    if panels.is_cuda:
        torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - began_s)


def turns(
    make: Callable[[PanelConfig, TrainConfig, str], Step], panel: PanelConfig, options: argparse.Namespace
) -> tuple[list[Turn], float]:
    """Return the plain and the compiled way, timed, and the operations of a step."""
    panels = torch.randn(options.batch, panel.traces, panel.samples, device=options.device)
    found = []
    for on in (False, True):
        train = TrainConfig(steps=100, batch=options.batch, workers=1, compile=on)
        turn = Turn(step=make(panel, train, options.device))
        turn.first_s = sum(timed_ms(turn.step, panels) for _ in range(WARM_UP)) / 1000
        found.append(turn)
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = Everything()  # its own follows modules, and fails where a step asks for a gradient in between
    with counter:
        found[0].step(panels)
    for _ in range(options.rounds):
        for turn in found:
            turn.rounds.append([timed_ms(turn.step, panels) for _ in range(options.steps)])
    return found, counter.get_total_flops()


def peak_tflops() -> float:
    """Return the peak of this GPU in dense bf16."""
    name = torch.cuda.get_device_name().upper()
    known = next((peak for part, peak in PEAK_TFLOPS.items() if part in name.replace("-", " ").split()), None)
    if known:
        return known
    one = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
    times_ms = [timed_ms(lambda _: {"": one @ one}, one) for _ in range(20)]
    return 2 * 8192**3 / min(times_ms) / 1e9


def row(name: str, panel: PanelConfig, found: Sequence[Turn], flops: float, peak: float | None) -> str:
    """Return a row of the table."""
    plain, fast = found
    ms = [statistics.median(ms for one in turn.rounds for ms in one) for turn in found]
    ratio = statistics.median(
        statistics.median(b) / statistics.median(a) for a, b in zip(plain.rounds, fast.rounds, strict=True)
    )
    cells = [name, f"{panel.traces} x {panel.samples}", *(f"{one:.1f}" for one in ms), f"**{ratio:.2f}**"]
    cells += [f"{fast.first_s - plain.first_s:.0f} s"]
    cells += [f"{flops / one / 1e9 / peak:.2%}" for one in ms] if peak else []
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    peak = peak_tflops() if options.device == "cuda" else None
    where = f"{torch.cuda.get_device_name()}, peak {peak:.0f} TFLOP/s in bf16" if peak else f"{options.threads} threads"
    print(f"torch {torch.__version__}, {where}, {options.batch} panels a step\n")
    head = ["step", "panels", "plain, ms", "compiled, ms", "compiled / plain", "compiling takes"]
    head += ["share of peak, plain", "compiled"] if peak else []
    print(f"| {' | '.join(head)} |\n{'|---' * len(head)}|")
    for name, make in (("GAN", gan_step), ("masked", masked_step)):
        for panel in PANELS:
            torch.compiler.reset()  # or the limit of compiled variants is reached
            print(row(name, panel, *turns(make, panel, options), peak), flush=True)


if __name__ == "__main__":
    main()
