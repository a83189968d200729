"""The gathers that a picker learns from, labelled by people or by picks that a picker is sure of."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import xxhash

from seisray.errors import ConfigError
from seisray.formats.picks.corrected import read_corrected_csv
from seisray.gather import Gather
from seisray.picking.decode import LEAST_PROBABILITY
from seisray.registry import PickSet, Store, Survey
from seisray.storage import locate
from seisray.stream import read_labelled
from seisray.training.picker import choose_gathers, parse_ffids
from seisray.training.sure_picks import sure_gathers


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelledGathers:
    """Hold gathers with first breaks, those of the first survey first.

    surveys: their manifests. origin: for a card, where labels are from that are not the surveys' own, with their xxh3.
    """

    surveys: list[Survey]
    gathers: list[Gather] = field(repr=False)
    origin: dict[str, list[dict[str, Any]]]

    @property
    def digests(self) -> dict[str, list[str]]:
        """Return the xxh3 of all labels that are not the surveys' own."""
        return {name: [part["xxh3"] for part in parts] for name, parts in self.origin.items()}


def labelled_gathers(
    store: Store,
    surveys: Sequence[str],
    *,
    labelled: int | None = None,
    ffids: str | None = None,
    labels: str | None = None,
    labels_of: Sequence[str] = (),
    least_probability: float | None = None,
) -> LabelledGathers:
    """Return what a picker is to learn from; the arguments as of `finetune`.

    Raises ConfigError where they do not go together, or nothing is labelled.
    """
    parts = {name: own for name, _, own in (survey.partition(":") for survey in surveys)}
    if len(parts) < len(surveys):
        raise ConfigError(f"{', '.join(surveys)}: a survey is named twice; name it once, as in line:101-104,120")
    manifests = [store.survey(name) for name in parts]
    sets = _picks_of(store, labels_of, list(parts))
    _check_together(sets, parts, labelled, ffids, labels, least_probability)
    data = locate(labels).read_bytes() if labels else b""
    given = read_corrected_csv(data, str(labels)) if labels else None
    origin: dict[str, list[dict[str, Any]]] = {}
    if labels:
        origin["labels"] = [{"file": labels, "xxh3": xxhash.xxh3_64_hexdigest(data)}]
    found: list[Gather] = []
    for survey, picks in sets.items():
        own = parts.pop(survey) or ffids
        sure = sure_gathers(
            store,
            picks,
            least_probability=least_probability or LEAST_PROBABILITY,
            ffids=parse_ffids(own) if own else None,
            by_hand=given,
        )
        print(f"{picks.name}: {sure.said}", file=sys.stderr)
        found += sure.gathers
        given = None
        origin.setdefault("labels_of", []).append(sure.origin)
    if given:  # they are of the first survey, and no other's
        own = parts.pop(manifests[0].survey) or ffids
        found += read_labelled(store, manifests[:1], parse_ffids(own) if own else None, given)
    whole = [manifest for manifest in manifests if parts.get(manifest.survey) == ""]
    found += read_labelled(store, whole, parse_ffids(ffids) if ffids else None) if whole else []
    for manifest in manifests:
        if own := parts.get(manifest.survey):
            found += read_labelled(store, [manifest], parse_ffids(own))
    order = [manifest.survey for manifest in manifests]
    found.sort(key=lambda gather: order.index(gather.survey))  # the first survey's tempo is the picker's
    return LabelledGathers(surveys=manifests, gathers=choose_gathers(found, labelled), origin=origin)


def _picks_of(store: Store, names: Sequence[str], surveys: Sequence[str]) -> dict[str, PickSet]:
    """Return the picks whose surest are labels, by survey; raise ConfigError where it is not one to learn from."""
    found: dict[str, PickSet] = {}
    for name in names:
        picks = store.picks(name)
        if picks.survey is None or picks.survey not in surveys:
            raise ConfigError(
                f"--labels-of {name}: these are picks of {picks.survey or 'field files'}; expected picks of a survey "
                f"to learn from ({', '.join(surveys)})"
            )
        if picks.survey in found:
            raise ConfigError(f"--labels-of {found[picks.survey].name} {name}: both are of {picks.survey}; name one")
        found[picks.survey] = picks
    return found


def _check_together(
    sets: dict[str, PickSet],
    parts: dict[str, str],
    labelled: int | None,
    ffids: str | None,
    labels: str | None,
    least_probability: float | None,
) -> None:
    """Raise ConfigError where arguments of `labelled_gathers` do not go together."""
    if not sets:
        if least_probability is not None:
            raise ConfigError(f"--least-probability {least_probability:g} is of picks; expected --labels-of beside it")
        return
    if labelled is not None:
        raise ConfigError(f"--labelled {labelled} with --labels-of; name gathers by --ffids")
    if labels and len(sets) > 1:
        raise ConfigError(
            f"--labels {labels} names gathers of one survey, got picks of {', '.join(sets)}; give one "
            "set to --labels-of, and the others another time"
        )
    if ffids and len(parts) > 1:
        raise ConfigError(f"--ffids {ffids} with --labels-of and {len(parts)} surveys; write SURVEY:FFIDS")
    if least_probability is not None and not LEAST_PROBABILITY <= least_probability <= 1:
        raise ConfigError(
            f"--least-probability {least_probability:g}; expected {LEAST_PROBABILITY:g}..1, as picks below have a flag"
        )
