"""Which trace headers tell gathers apart."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seisray.errors import ConfigError
from seisray.formats.segy.headers import HeaderField

OF_SHOTS = ("ffid", "shot_point", "source_x", "source_y")


@dataclass(frozen=True, kw_only=True, slots=True)
class GatherKey:
    """Hold the header fields that are the same on all traces of a gather, and what the user calls them.

    of_shots: whether they tell shots apart.
    """

    name: str
    fields: tuple[HeaderField, ...]
    of_shots: bool

    def __str__(self) -> str:
        places = " and ".join(f"{field.byte} ({field.format})" for field in self.fields)
        return f"{self.name}, header byte {places},"

    def read(self, blocks: NDArray[np.uint8], byte_order: str) -> NDArray[np.int64]:
        """Return the key of each trace, (n_traces, n_fields)."""
        columns: list[NDArray[Any]] = [field.read(blocks, byte_order) for field in self.fields]
        return np.stack([column.astype(np.int64) for column in columns], axis=1)


def gather_key(group_by: str, mapping: Mapping[str, HeaderField]) -> GatherKey:
    """Return the key for names such as 'ffid', 'source_line,shot_point', 'receiver', 'cdp', or 'byte:format' places.

    `receiver` without a header of its own is the pair of receiver coordinates. Raises ConfigError on other names, and
    on formats that are no whole numbers.
    """
    fields: list[HeaderField] = []
    for name in group_by.split(","):
        if name in mapping:
            fields.append(mapping[name])
        elif name == "receiver":
            fields += [mapping["receiver_x"], mapping["receiver_y"]]
        elif place := re.fullmatch(r"(\d{1,5})(?::(\w+))?", name):
            fields.append(HeaderField(byte=int(place[1]), format=place[2] or "int32"))
        else:
            raise ConfigError(
                f"--group-by {group_by!r}: {name!r} has no place in the trace header; expected byte[:format], or one "
                f"of receiver, {', '.join(mapping)}, or give it a place with --header {name}=byte"
            )
    for field in fields:
        if field.format.startswith("float"):
            raise ConfigError(f"--group-by {group_by!r}: byte {field.byte} is a {field.format}; expected an integer")
    shots = {mapping[name].byte for name in OF_SHOTS}
    return GatherKey(name=group_by, fields=tuple(fields), of_shots=any(field.byte in shots for field in fields))
