"""Weights in the store: safetensors, which can hold numbers and nothing that executes."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor, nn

from seisray.errors import StorageError
from seisray.registry import Model, Store

Part = TypeVar("Part")
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
        raise StorageError(f"{location} holds no {part}; {model.ref} is a {model.kind}, name another model")
    return found


def card_settings(kind: type[Part], card: Model, name: str) -> Part:
    """Return one section of a model's configuration, as its card holds it; raise StorageError where that cannot be."""
    found: dict[str, Any] | None = card.config.get(name)
    if found is None:
        raise StorageError(f"the card of {card.ref} ({card.made_by}) has no {name} settings; train the model again")
    where = f"the card of {card.ref} ({card.made_by}) has {name} settings"
    unknown = ", ".join(sorted(set(found) - {field.name for field in fields(kind)}))  # type: ignore[arg-type]
    if unknown:
        raise StorageError(f"{where} unknown here: {unknown}; use the seisray that made it, or train the model again")
    try:
        return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in found.items()})
    except (TypeError, ValueError) as error:
        raise StorageError(f"{where} that cannot be: {error}; train the model again") from error
