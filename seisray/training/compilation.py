"""Networks of a training step, compiled where the settings ask for it."""

from typing import cast

import torch
from torch import nn

from seisray.config import TrainConfig
from seisray.errors import TrainingError


def compiled(module: nn.Module, train: TrainConfig) -> nn.Module:
    """Return what computes as a module does, on its weights, compiled at its first call where `train.compile` is on.

    The module itself stays as it is: it names the weights in checkpoints, and is what samples and scores are made with,
    whose batches of other sizes would each be compiled for. Put under DDP what this returns, not the other way round.
    """
    if not train.compile or (pads_by_replication(module) and next(module.parameters()).is_cpu):
        # There torch 2.13 takes the gradient of such padding to lie in memory as it does on GPUs, and stops.
        return module
    return cast(nn.Module, torch.compile(module, dynamic=False))


def pads_by_replication(module: nn.Module) -> bool:
    """Return whether a convolution of a network meets copies of the edge, as those of the generator do."""
    return any(isinstance(part, nn.Conv2d) and part.padding_mode == "replicate" for part in module.modules())


def check_compiler(train: TrainConfig, device: str) -> None:
    """Raise TrainingError where networks are to be compiled for a device, and what that takes is missing."""
    if not train.compile:
        return
    from torch._inductor.cpp_builder import get_cpp_compiler  # 1.7 s that runs without compiling need not wait
    from torch._inductor.exc import InvalidCxxCompiler
    from torch.utils._triton import has_triton

    if torch.device(device).type == "cpu":
        try:
            get_cpp_compiler()
        except InvalidCxxCompiler as error:
            raise TrainingError(
                "train.compile is on, but there is no C++ compiler on this node; install g++, name one by CXX, or "
                "leave train.compile out"
            ) from error
    elif not has_triton():
        raise TrainingError("train.compile is on, but Triton cannot be used with this GPU; leave train.compile out")
