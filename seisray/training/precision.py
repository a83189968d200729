"""The number format in which the convolutions of a training step compute."""

import torch

from seisray.config import TrainConfig


def autocast(train: TrainConfig, device: str) -> torch.autocast:
    """Return the context in which a step computes its forward passes.

    bf16 with channels last takes a third of the time of plain fp32 on CPUs that compute in it; on others it is
    emulated and slow, so "auto" asks the processor.
    """
    kind = torch.device(device).type
    able = torch.cuda.is_bf16_supported() if kind == "cuda" else torch.cpu._is_avx512_bf16_supported()
    return torch.autocast(
        kind, torch.bfloat16, enabled=train.precision == "bf16" or (train.precision == "auto" and able)
    )


def flush_denormals() -> None:
    """Take numbers below 1e-38 for zero in this thread and in those that it starts from now on.

    Gradients of a picker that has become sure are full of them, and processors take so long for each that its steps
    took 2.4 times as long (337 ms, with this 141).
    """
    torch.set_flush_denormal(True)
