"""SEG-2 records: what they say, each read whole, as they are small."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seisray.errors import Seg2Error
from seisray.formats.seg2 import read_seg2
from seisray.gather import Gather
from seisray.inspection.facts import FileFacts, KeyGuess
from seisray.inspection.glimpse import Meter, text_lines
from seisray.inspection.oddities import odd_samples
from seisray.inspection.overview import Overview
from seisray.inspection.positions import Positions
from seisray.inspection.runs import Trail, describe_field
from seisray.inspection.samples import describe_samples
from seisray.storage import Location

LARGEST_RECORD_BYTES = 256 << 20
MOST_STRINGS = 400


@dataclass(frozen=True, kw_only=True)
class Seg2Glimpse:
    """Hold one SEG-2 record, which is small enough to be read whole."""

    meter: Meter
    text: tuple[str, ...]
    gather: Gather


def look_into_seg2(file: Location) -> Seg2Glimpse:
    """Return a SEG-2 record; raise Seg2Error, GatherError or StorageError where it cannot be read."""
    size = file.size()
    if size > LARGEST_RECORD_BYTES:
        raise Seg2Error(
            f"{file} begins like a SEG-2 record, but has {size} bytes, "
            f"expected at most {LARGEST_RECORD_BYTES}; is it one?"
        )
    meter = Meter(file)
    data = meter.read_at(0, size)
    gather = read_seg2(data, survey=file.name, source_file=file.uri)
    return Seg2Glimpse(meter=meter, text=_seg2_text(data), gather=gather)


def _seg2_text(data: bytes) -> tuple[str, ...]:
    """Return the strings of the file descriptor block, which lie behind the pointers to the traces.

    Source: Pullan (1990): pointers' bytes at 5-6, the lengths of string and line terminators and themselves at 9-14.
    """
    order: str = "little" if data[:2] == b"\x55\x3a" else "big"
    at = 32 + int.from_bytes(data[4:6], order)  # type: ignore[arg-type]
    found: list[str] = []
    while len(found) < MOST_STRINGS:
        length = int.from_bytes(data[at : at + 2], order)  # type: ignore[arg-type]
        if length <= 2 or at + length > len(data):
            break
        found.append(data[at + 2 : at + length].decode("latin-1"))
        at += length
    return text_lines("\n".join(found))


def seg2_facts(glimpse: Seg2Glimpse) -> FileFacts:
    """Return what one record is."""
    gather, file = glimpse.gather, glimpse.meter.file
    samples = describe_samples([gather.samples])
    delay = [f"recording delay {gather.delay_ms:g} ms".replace("-", "\N{MINUS SIGN}")] if gather.delay_ms else []
    return FileFacts(
        uri=file.uri,
        bytes=glimpse.meter.bytes_read,
        bytes_read=glimpse.meter.bytes_read,
        kind="SEG-2",
        text=glimpse.text,
        n_traces=gather.n_traces,
        n_traces_read=gather.n_traces,
        n_samples=gather.n_samples,
        sample_interval_us=gather.sample_interval_us,
        fields=survey_seg2([glimpse]).fields,
        samples=samples,
        oddities=(*delay, *odd_samples(samples)),
    )


def survey_seg2(glimpses: Sequence[Seg2Glimpse]) -> Overview:
    """Return what records say together."""
    gathers = [one.gather for one in glimpses]
    sizes = [gather.n_traces for gather in gathers]
    trail = Trail(
        file=np.repeat(np.arange(len(gathers)), sizes),
        trace=np.concatenate([np.arange(size) for size in sizes]),
        n_file_traces=np.repeat(sizes, sizes),
    )
    columns = {
        name: np.repeat([getattr(g, name) for g in gathers], sizes) for name in ("ffid", "shot_point", "delay_ms")
    }
    names = ("channel", "offset_m", *(f"{end}_{axis}_m" for end in ("source", "receiver") for axis in "xyz"))
    columns |= {name: np.concatenate([getattr(g, name) for g in gathers]) for name in names}
    fields = tuple(describe_field(name, "", values, trail) for name, values in columns.items())
    numbers = sorted(g.ffid for g in gathers)
    evidence = (
        f"each SEG-2 record is one gather; its FFID is the number in the file's name: {numbers[0]} to {numbers[-1]}"
    )
    twice = len(set(numbers)) < len(numbers)
    key = KeyGuess(
        found=True,
        gather_traces=int(np.median(sizes)),
        evidence=(evidence, *(["some records have the same number"] if twice else [])),
    )
    positions = Positions(
        source_m=np.stack([columns["source_x_m"], columns["source_y_m"]], axis=1),
        receiver_m=np.stack([columns["receiver_x_m"], columns["receiver_y_m"]], axis=1),
        offset_m=columns["offset_m"],
    )
    return Overview(fields=fields, key=key, positions=positions, gathers=(gathers[0], gathers[-1]))
