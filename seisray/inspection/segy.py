"""SEG-Y files: what their headers and some windows of their traces say."""

from collections.abc import Mapping, Sequence

import numpy as np

from seisray.formats.segy.headers import HeaderField, header_mapping
from seisray.formats.segy.key import gather_key
from seisray.formats.segy.layout import SAMPLE_FORMATS
from seisray.gather import Gather
from seisray.inspection.facts import FieldFacts, FileFacts, KeyGuess
from seisray.inspection.glimpse import SegyGlimpse
from seisray.inspection.grouping import TraceHeaders, guess_key, place_of
from seisray.inspection.oddities import odd_in_segy, odd_samples
from seisray.inspection.overview import Overview
from seisray.inspection.positions import read_positions
from seisray.inspection.runs import Trail, describe_field
from seisray.inspection.samples import describe_samples
from seisray.units import apply_scalar

SHOWN_TRACES = 480


def segy_facts(glimpse: SegyGlimpse, mapping: Mapping[str, HeaderField]) -> FileFacts:
    """Return what one file is."""
    layout, file = glimpse.layout, glimpse.meter.file
    headers = _headers([glimpse])
    samples = describe_samples([samples for _, samples in glimpse.windows])
    return FileFacts(
        uri=file.uri,
        bytes=glimpse.bytes,
        bytes_read=glimpse.meter.bytes_read,
        kind="SEG-Y",
        revision=".".join(map(str, layout.revision)),
        byte_order="big endian" if layout.byte_order == ">" else "little endian",
        sample_format=SAMPLE_FORMATS[layout.format_code].name,
        text=glimpse.text,
        n_traces=layout.n_traces,
        n_traces_read=glimpse.trace.size,
        n_samples=layout.n_samples,
        sample_interval_us=layout.sample_interval_us,
        ensemble_traces=layout.ensemble_traces,
        fields=_fields(headers, mapping),
        samples=samples,
        oddities=(*odd_in_segy(glimpse, mapping), *odd_samples(samples)),
    )


def survey_segy(glimpses: Sequence[SegyGlimpse], mapping: Mapping[str, HeaderField]) -> Overview:
    """Return what files say together."""
    headers = _headers(glimpses)
    ensembles = {one.layout.ensemble_traces for one in glimpses}
    ensemble_traces = ensembles.pop() if len(ensembles) == 1 else 0
    key = guess_key(headers, mapping, ensemble_traces, lambda field: _first_run(glimpses[0], field))
    unit_m = np.concatenate([np.full(one.trace.size, one.layout.unit_m) for one in glimpses])
    return Overview(
        fields=_fields(headers, mapping),
        key=key,
        positions=read_positions({name: headers.read(field) for name, field in mapping.items()}, unit_m),
        gathers=(_example(glimpses[0], key, mapping, 0), _example(glimpses[-1], key, mapping, -1)),
    )


def _headers(glimpses: Sequence[SegyGlimpse]) -> TraceHeaders:
    sizes = [one.trace.size for one in glimpses]
    return TraceHeaders(
        parts=[(one.headers, one.layout.byte_order) for one in glimpses],
        trail=Trail(
            file=np.repeat(np.arange(len(glimpses)), sizes),
            trace=np.concatenate([one.trace for one in glimpses]),
            n_file_traces=np.repeat([one.layout.n_traces for one in glimpses], sizes),
        ),
    )


def _fields(headers: TraceHeaders, mapping: Mapping[str, HeaderField]) -> tuple[FieldFacts, ...]:
    return tuple(
        describe_field(name, place_of(field), headers.read(field), headers.trail) for name, field in mapping.items()
    )


def _first_run(glimpse: SegyGlimpse, field: HeaderField) -> int:
    """Return the traces of a file's first gather, found by some dozens of single headers; 0 where it never ends."""
    order, end = glimpse.layout.byte_order, glimpse.layout.n_traces
    first = field.read(glimpse.headers[:1], order)[0]
    inside, step = 0, 64
    while inside + step < end and field.read(glimpse.header_at(inside + step), order)[0] == first:
        inside, step = inside + step, 2 * step
    if inside + step >= end:
        return 0
    outside = inside + step
    while outside - inside > 1:
        middle = (inside + outside) // 2
        same = field.read(glimpse.header_at(middle), order)[0] == first
        inside, outside = (middle, outside) if same else (inside, middle)
    return outside


def _example(glimpse: SegyGlimpse, key: KeyGuess, mapping: Mapping[str, HeaderField], window: int) -> Gather:
    """Return the longest gather that lies in a window, or the traces of it that do, named for a picture."""
    layout = glimpse.layout
    first, samples = glimpse.windows[window]
    at = int(np.searchsorted(glimpse.trace, first))
    headers = glimpse.headers[at : at + len(samples)]
    mapping = {**mapping, **{one.partition("=")[0]: header_mapping([one])[one.partition("=")[0]] for one in key.header}}
    values = gather_key(key.group_by or "ffid", mapping).read(headers, layout.byte_order)
    edges = np.concatenate([[0], np.flatnonzero((values[1:] != values[:-1]).any(axis=1)) + 1, [len(values)]])
    longest = int(np.argmax(np.diff(edges)))
    start, stop = int(edges[longest]), int(edges[longest + 1])
    begins = start > 0 or first == 0
    ends = stop < len(values) or first + stop == layout.n_traces
    rows = slice(start, min(stop, start + SHOWN_TRACES))
    head = {name: field.read(headers[rows], layout.byte_order) for name, field in mapping.items()}
    delay = apply_scalar(head["delay_ms"], head["time_scalar"])[0]
    ffid = int(head["ffid"][0])
    name = f"{key.group_by} at trace {first + start + 1}" if key.group_by else f"FFID {ffid}"
    part = "" if begins and ends and stop == rows.stop else " (part)"
    return Gather(
        survey=glimpse.meter.file.name,
        gather_id=f"{glimpse.meter.file.name}, {name}{part}",
        source_file=glimpse.meter.file.uri,
        ffid=ffid,
        shot_point=int(head["shot_point"][0]),
        sample_interval_us=layout.sample_interval_us,
        delay_ms=float(delay),
        samples=samples[rows],
        offset_m=np.float32(layout.unit_m) * head["offset"].astype(np.float32),
    )
