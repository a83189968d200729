"""Weights in the store: safetensors, which can hold numbers and nothing that executes."""

from collections.abc import Mapping

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor, nn

from seisray.errors import StorageError
from seisray.registry import Model, Store

BODY_OF: Mapping[str, str] = {
    "gan": "discriminator",
    "autoencoder": "rebuilder",
    "masked": "rebuilder",
    "inpaint": "discriminator",
    "refiner": "discriminator",
    "picker": "picker",
}
"""Which module of a published model holds the body that a picker takes over, by the model's kind."""


def pack_weights(**modules: nn.Module) -> bytes:
    """Return the weights of modules as safetensors, each name led by its module's."""
    tensors = {
        f"{part}.{name}": tensor.detach().cpu().contiguous()
        for part, module in modules.items()
        for name, tensor in module.state_dict().items()
    }
    return safetensors.torch.save(tensors)


def load_weights(store: Store, model: Model, part: str) -> dict[str, Tensor]:
    """Return the tensors of one module of a model; raise StorageError where they cannot be read."""
    location = store.weights(model)
    try:
        tensors = safetensors.torch.load(location.read_bytes())
    except SafetensorError as error:
        raise StorageError(f"{location} holds no readable weights: {error}") from error
    found = {name.removeprefix(f"{part}."): t for name, t in tensors.items() if name.startswith(f"{part}.")}
    if not found:
        raise StorageError(f"{location} holds no {part}; {model.ref} is a {model.kind}")
    return found
