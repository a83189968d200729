"""From learned weights to a picker: what a discriminator knows of gathers is handed on."""

import textwrap
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from seisray.errors import ConfigError
from seisray.models.picker import Picker
from seisray.models.unet import weighted_layers


def bake_spectral_norm(module: nn.Module) -> None:
    """Replace each normalised weight by its present value, in place."""
    training = module.training
    module.eval()  # in training each look at a weight is one more power iteration
    for layer in module.modules():
        if parametrize.is_parametrized(layer, "weight"):
            parametrize.remove_parametrizations(layer, "weight")
    module.train(training)


def load_body(picker: Picker, weights: Mapping[str, Tensor], *, decoder: bool = True) -> bool:
    """Load the tensors named body.* into a picker, its decoder's too unless that is to begin anew.

    Where they are a picker's, its head comes with the decoder: return whether it did. Raises ConfigError where the
    architectures differ.
    """
    body = {name.removeprefix("body."): tensor for name, tensor in weights.items() if name.startswith("body.")}
    own = {name: tensor for name, tensor in picker.body.state_dict().items() if name.startswith("decoder.")}
    try:
        picker.body.load_state_dict(body if decoder else body | own)
    except RuntimeError as error:
        reason = textwrap.shorten(str(error).partition("\n")[2] or str(error), 160, placeholder=" ...")
        raise ConfigError(
            f"the model's body does not fit the picker's: {reason}; use the same body.channels and "
            f"body.kernel_samples, and of models of earlier versions of seisray the encoder alone "
            f"(--transfer.decoder=false)"
        ) from error
    head = {name: tensor for name, tensor in weights.items() if name == "none" or name.startswith("pick_head.")}
    if not (head and decoder):
        return False
    picker.load_state_dict(head, strict=False)
    return True


@torch.no_grad()
def rescale_activations(picker: Picker, panels: Tensor) -> None:
    """Scale each layer of the body so that its outputs on field panels have unit variance, in place.

    panels: (batch, 1, traces, samples). Spectral norm leaves activations that fade with depth, and with them the
    gradients of a new head (layer-sequential unit variance, Mishkin and Matas 2016, 1511.06422).
    """
    for layer in weighted_layers(picker.body):
        seen: list[Tensor] = []  # not the outputs, which activations change in place
        hook = layer.register_forward_hook(lambda _layer, _inputs, output, seen=seen: seen.append(output.std()))
        picker.body(panels)
        hook.remove()
        scale = seen[0].clamp(min=1e-6)
        layer.weight /= scale
        if layer.bias is not None:
            layer.bias /= scale


def parameter_groups(
    picker: Picker, *, lr: float, encoder_lr: float, frozen: int, level_lr: float = 1.0, apart: bool = False
) -> list[dict[str, Any]]:
    """Return optimiser groups: heads and decoder at lr, the encoder at lr * encoder_lr, its first levels frozen.

    frozen: 0 freezes nothing, n the stem and the n finest levels. apart: a group for each level, the deepest first,
    whose rate is level_lr times that of the level below it.
    """
    fixed = [picker.body.stem, *list(picker.body.encoder)[:frozen]] if frozen else []
    for module in fixed:
        module.requires_grad_(False)
    levels = [[p for p in level if p.requires_grad] for level in encoder_levels(picker)]
    if not apart:  # in order of definition, as optimisers in checkpoints have them
        levels = [[p for level in reversed(levels) for p in level]]
    known = {id(p) for level in encoder_levels(picker) for p in level}
    others = [p for p in picker.parameters() if id(p) not in known]
    groups: list[dict[str, Any]] = [{"params": others, "lr": lr}]
    for depth, level in enumerate(levels):
        if level and encoder_lr > 0:
            groups.append({"params": level, "lr": lr * encoder_lr * level_lr**depth})
        for parameter in level if encoder_lr == 0 else ():
            parameter.requires_grad_(False)
    return groups


def encoder_levels(picker: Picker) -> list[list[nn.Parameter]]:
    """Return the encoder's parameters level by level, the deepest first; the stem goes with the finest."""
    stem, blocks = list(picker.body.stem.parameters()), [list(block.parameters()) for block in picker.body.encoder]
    return [*reversed(blocks[1:]), stem + blocks[0]]


def hold_frozen(picker: Picker, *, step: int, thaw_steps: float) -> None:
    """Drop the gradients of levels of the encoder that do not learn yet; the next step then leaves them as they are.

    Level by level they thaw, the deepest of n after thaw_steps / n, the finest and the stem after thaw_steps (gradual
    unfreezing, Howard and Ruder 2018, 1801.06146). step: steps taken. What requires gradients stays, since that is
    settled for DDP when it wraps a module.
    """
    levels = encoder_levels(picker)
    for depth, level in enumerate(levels):
        if step < (depth + 1) / len(levels) * thaw_steps:
            for parameter in level:
                parameter.grad = None
