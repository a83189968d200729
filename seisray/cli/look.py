"""The command that looks into field files before anything is made of them."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from seisray.cli.app import DATA, Flat, Shared, app
from seisray.errors import FormatError
from seisray.formats.segy.layout import ReadAs
from seisray.inspection.facts import FieldFacts, FileFacts, Inspection, SampleFacts

TEXT_LINES, FILE_LINES, ODD_LINES = 7, 6, 8
WIDTH = 100


@app.command(group=DATA, sort_key=0)
def inspect(
    files: Annotated[list[str], Parameter(negative=())],
    *,
    header: list[str] | None = None,
    read_as: Annotated[ReadAs | None, Flat] = None,
    picture: str | None = None,
    no_picture: bool = False,
    common: Shared,
) -> None:
    """Say what SEG-Y or SEG-2 files are and how to ingest them, from a few MB of each.

    Parameters
    ----------
    files
        Field files, or folders of them; local or s3://.
    header
        Places in trace headers that differ from the standard, as name=byte[:format].
    picture
        PNG to write, with shots and receivers, two gathers and their spectra. [default: inspect-NAME.png]
    no_picture
        Write no picture.
    """
    from seisray.formats.segy.layout import BELIEVE
    from seisray.inspection.files import inspect as run
    from seisray.inspection.files import survey_name

    place = None if no_picture else picture or f"inspect-{survey_name(files)}.png"
    found = run(files, header=header or (), read_as=read_as or BELIEVE, picture=place)
    if found.command and common.store != "./seisray-store":
        found = replace(found, command=f"{found.command} {shlex.join([f'--store={common.store}'])}")
    if common.json:
        print(json.dumps(asdict(found), allow_nan=False))
    elif found.readable or len(found.files) > 1:
        draw(found, Console(highlight=False))
    if not found.readable:
        first = str(found.files[0].error)
        n = len(found.files)
        raise FormatError(first if n == 1 else f"none of {n} files can be read; the first: {first}")


def draw(found: Inspection, console: Console) -> None:
    """Print what was found on one screen, about 45 lines of 100 columns."""
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    _files(found, console)
    if not found.readable or found.key is None:
        return
    first = found.readable[0]
    _section(console, "text header")
    for line in first.text[:TEXT_LINES]:
        _line(console, line)
    if len(first.text) > TEXT_LINES:
        _line(console, f"… {len(first.text) - TEXT_LINES} more lines")
    elif not first.text:
        _line(console, "empty")
    _section(console, "trace headers")
    _fields(found.fields, console)
    _section(console, "amplitudes, geometry")
    for line in (*_samples([file.samples for file in found.readable if file.samples]), *found.geometry):
        _line(console, line)
    if found.oddities:
        _section(console, "to know")
        for line in found.oddities[:ODD_LINES]:
            _line(console, line)
        if len(found.oddities) > ODD_LINES:
            _line(console, f"… {len(found.oddities) - ODD_LINES} more, all with --json")
    _section(console, "gathers")
    for line in found.key.evidence:
        _line(console, line)
    if found.picture:
        _section(console, "picture")
        _line(console, found.picture)
    _section(console, "to ingest" if found.key.found else "to ingest, once the gathers' number is found")
    console.print(Text(f"{found.command}", style="bold"), soft_wrap=True)  # so that it can be copied


def _files(found: Inspection, console: Console) -> None:
    """Print what each file is, files that are alike together."""
    alike: dict[tuple[str, ...], list[FileFacts]] = {}
    for file in found.files:
        alike.setdefault((file.error.removeprefix(f"{file.uri}: "),) if file.error else _file(file), []).append(file)
    for lines, files in list(alike.items())[:FILE_LINES]:
        more = f"  and {len(files) - 1} more files like it, last {files[-1].uri.rpartition('/')[2]}"
        console.print(Text(files[0].uri + (more if len(files) > 1 else ""), style="bold"), soft_wrap=True)
        for line in lines:
            _line(console, line, "red" if files[0].error else "")
    left = sum(len(files) for files in list(alike.values())[FILE_LINES:])
    if left:
        _line(console, f"… {left} more files of other kinds, all with --json")
    if len(found.files) > 1:
        looked = f"looked into {len(found.files)} of {found.n_found:,} files"
        looked += ", spread over the list" if found.n_found > len(found.files) else ""
        _line(console, f"{looked}; read {_part(found.bytes_read, sum(file.bytes for file in found.files))}")


def _file(file: FileFacts) -> tuple[str, ...]:
    revision = f" rev {file.revision}, {file.byte_order}, {file.sample_format}" if file.kind == "SEG-Y" else ""
    sampling = f"{file.sample_interval_us / 1000:g} ms = {file.duration_ms:g} ms"
    part = "" if file.n_traces_read == file.n_traces else f"; {file.n_traces_read:,} of their headers read"
    return (
        f"{file.kind}{revision}; read {_part(file.bytes_read, file.bytes)}",
        f"{file.n_traces:,} traces of {file.n_samples:,} samples at {sampling}{part}",
    )


def _part(n_bytes: int, of_bytes: int) -> str:
    """Return how much of a file was read; its headers may have been read twice."""
    return f"all {_size(of_bytes)}" if n_bytes >= of_bytes else f"{_size(n_bytes)} of {_size(of_bytes)}"


def _fields(fields: Sequence[FieldFacts], console: Console) -> None:
    """Print a table of the fields that vary, and a line each for those that do not."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column, justify in (("  field", "left"), ("bytes", "left"), ("from", "right"), ("to", "right"), ("", "left")):
        table.add_column(column, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for field in fields:
        if field.pattern not in ("zero", "constant"):
            low, high = _number(field.minimum), _number(field.maximum)
            table.add_row(f"  {field.name}", field.place, low, high, behaviour(field))
    if table.row_count:
        console.print(table)
    constant = [f"{field.name} {_number(field.minimum)}" for field in fields if field.pattern == "constant"]
    if constant:
        _line(console, f"constant: {', '.join(constant)}")
    zero = [field.name for field in fields if field.pattern == "zero"]
    if zero:
        _line(console, f"all zero: {', '.join(zero)}")


def behaviour(field: FieldFacts) -> str:
    """Return in words how a field behaves from trace to trace."""
    if field.pattern == "counts" and field.run_traces:
        return f"counts up, again after {field.run_traces[0]:,} traces"
    if field.pattern == "steps" and field.run_traces:
        few, many = field.run_traces
        text = f"changes every {few:,} traces" if few == many else f"changes after {few:,} to {many:,} traces"
    elif field.pattern == "steps":
        text = "stays within what was read" if not field.n_changes else "changes now and then"
    else:
        text = "" if field.direction else "changes from trace to trace"
    return ", ".join(part for part in (text, field.direction, "comes back" if field.comes_back else "") if part)


def _samples(samples: Sequence[SampleFacts]) -> list[str]:
    total = sum(one.n_traces for one in samples)
    dead, clipped = (sum(getattr(one, name) for one in samples) for name in ("n_dead", "n_clipped"))
    rms = sorted(one.rms for one in samples)[len(samples) // 2]
    peak = max(one.peak for one in samples)
    return [
        f"RMS {rms:.3g}, peak {peak:.3g}; of {total:,} traces read {dead:,} dead ({dead / total:.1%}), "
        f"{clipped:,} clipped ({clipped / total:.1%})"
    ]


def _section(console: Console, title: str) -> None:
    console.print(Text(title, style="cyan"))


def _line(console: Console, text: str, style: str = "") -> None:
    """Print one indented line; a long one goes on, indented further."""
    for number, part in enumerate(Text(text, style=style).wrap(console, console.width - 4)):
        part.rstrip()
        console.print(Text("  " if number == 0 else "    ") + part)


def _number(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else f"{value:.2f}"


def _size(n_bytes: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if n_bytes >= size:
            return f"{n_bytes / size:,.1f} {unit}"
    return f"{n_bytes} bytes"
