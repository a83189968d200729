"""What all files of one kind say together."""

from dataclasses import dataclass

from seisray.gather import Gather
from seisray.inspection.facts import FieldFacts, KeyGuess
from seisray.inspection.positions import Positions


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Hold how headers behave over all files, the key guessed, positions, and gathers from the start and the end."""

    fields: tuple[FieldFacts, ...]
    key: KeyGuess
    positions: Positions
    gathers: tuple[Gather, Gather]
