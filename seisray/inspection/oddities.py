"""What a user should know of field files before ingesting them."""

from collections.abc import Mapping, Sequence

import numpy as np

from seisray.formats.segy.headers import HeaderField
from seisray.inspection.facts import FileFacts, SampleFacts
from seisray.inspection.glimpse import SegyGlimpse
from seisray.units import apply_scalar

ORDINARY_CODES = (0, 1, 2)  # unknown, seismic, dead
MANY, SOME = 0.1, 0.05


def odd_in_segy(glimpse: SegyGlimpse, mapping: Mapping[str, HeaderField]) -> list[str]:
    """Return what is odd about the headers of a SEG-Y file."""
    layout, total = glimpse.layout, glimpse.trace.size
    head = {name: field.read(glimpse.headers, layout.byte_order) for name, field in mapping.items()}
    odd = []
    for name, expected, unit in (
        ("n_samples", layout.n_samples, "samples"),
        ("sample_interval_us", layout.sample_interval_us, "us a sample"),
    ):
        unlike = head[name][(head[name] != 0) & (head[name] != expected)]
        if unlike.size:
            odd.append(
                f"{unlike.size:,} of {total:,} trace headers say {unlike[0]:,} {unit}, the file header {expected:,g}"
            )
    delay = np.unique(apply_scalar(head["delay_ms"], head["time_scalar"]))
    if delay.any():
        text = f"{delay[0]:g} ms" if delay.size == 1 else f"{delay[0]:g} to {delay[-1]:g} ms"
        odd.append(f"recording delay {text}".replace("-", "\N{MINUS SIGN}"))
    codes = np.unique(head["trace_code"][~np.isin(head["trace_code"], ORDINARY_CODES)])
    if codes.size:
        some = ", ".join(map(str, codes[:5]))
        odd.append(f"trace codes {some}: auxiliary traces, or not seismic ones, are among them")
    return odd


def odd_samples(samples: SampleFacts) -> list[str]:
    """Return what is odd about amplitudes."""
    odd = []
    total = samples.n_traces
    if samples.n_not_finite:
        odd.append(f"{samples.n_not_finite:,} samples are NaN or infinite; their gathers will be rejected")
    if samples.n_dead > MANY * total:
        odd.append(f"{samples.n_dead:,} of {total:,} traces read are dead (all zero)")
    if samples.n_clipped > SOME * total:
        odd.append(f"{samples.n_clipped:,} of {total:,} traces read are clipped (flat at their peak)")
    return odd


def compare_files(files: Sequence[FileFacts]) -> tuple[str, ...]:
    """Return what is odd about files, each thing once with the files it is true of, and how files differ."""
    readable = [file for file in files if file.error is None]
    odd = []
    for what, values in (
        ("kinds", {file.kind for file in readable}),
        ("sample intervals", {f"{file.sample_interval_us:g} us" for file in readable}),
        ("trace lengths", {f"{file.n_samples:,} samples" for file in readable}),
        ("sample formats", {file.sample_format for file in readable if file.kind == "SEG-Y"}),
        ("byte orders", {file.byte_order for file in readable if file.kind == "SEG-Y"}),
    ):
        if len(values) > 1:
            alone = "; ingest each as a survey of its own" if what == "sample intervals" else ""
            odd.append(f"the files differ in {what}: {', '.join(sorted(values))}{alone}")
    bad = len(files) - len(readable)
    if bad:
        odd.append(f"{bad} of {len(files)} files cannot be read; ingest stops at such a file")
    said: dict[str, list[str]] = {}
    for file in readable:
        for one in file.oddities:
            said.setdefault(one, []).append(file.uri.rpartition("/")[2])
    for text, names in said.items():
        where = names[0] if len(names) == 1 else f"{len(names)} files, first {names[0]}"
        odd.append(text if len(names) == len(readable) else f"{where}: {text}")
    return tuple(odd)
