"""Commands that say how far picks can be trusted, and hand them on."""

import json
from collections import Counter
from typing import Annotated

from rich.console import Console
from rich.table import Table

from seisray.cli.app import PICK, Flat, Shared, app
from seisray.errors import ConfigError
from seisray.picking.export_config import ExportConfig

SHOWN = 20


@app.command(group=PICK)
def quality(picks: str, *, skip_polarity: bool = False, common: Shared) -> None:
    """Say how far each pick can be trusted, and which shots and stations are suspicious.

    Writes quality.parquet (a row a trace) and suspects.parquet (a row a fault) beside the picks, which stay as they
    are.

    Parameters
    ----------
    picks
        Picks in the store.
    skip_polarity
        Look for no stations of reversed polarity, which needs the samples of the survey.
    """
    from seisray.picking.quality import assess_picks

    found = assess_picks(picks, store=common.store, polarity=not skip_polarity)
    faults = Counter(f"{row['kind']} {row['fault']}" for row in found.suspects)
    shown = {"traces": found.n_traces, **{flag: n for flag, n in found.flags.items() if n or flag == "ok"}}
    if common.json:
        rows = [{name: None if value != value else value for name, value in row.items()} for row in found.suspects]
        tables = {"quality": found.quality, "suspects_table": found.suspects_uri}
        print(json.dumps({**shown, "suspects": rows, **tables}, allow_nan=False))
        return
    named = {f"{kind}s {fault}": n for (kind, fault), n in ((name.split(), n) for name, n in faults.items())}
    common.show({**shown, **named, "table": found.quality}, f"quality of {picks}")
    if not found.suspects:
        return
    more = f" (the first {SHOWN} of {len(found.suspects)}; all in suspects.parquet)"
    table = Table(show_header=False, title="suspects" + more * (len(found.suspects) > SHOWN), title_justify="left")
    for row in found.suspects[:SHOWN]:
        name = f"FFID {row['ffid']}" if row["kind"] == "shot" else f"station of channel {row['channel']}"
        table.add_row(name, row["fault"], row["reason"])
    Console().print(table)


@app.command(group=PICK)
def export(
    name: str, out: str | None = None, *, config: Annotated[ExportConfig, Flat] | None = None, common: Shared
) -> None:
    """Write picks as other programs read them, or a survey as the SEG-Y files it came from.

    A survey's name with --format segy, and no --header, gives its field files back. Whatever was written reads back
    equal: with ingest --picks OUT (csv, sgt, vs, pck), or ingest --header first_break=... (segy).

    Parameters
    ----------
    name
        Picks in the store; a survey with --format segy.
    out
        File or s3:// URI to write; a folder with --format segy.
    """
    from seisray.ingest.export import export_segy
    from seisray.picking.export import export_picks
    from seisray.registry import Store

    config = config or ExportConfig()
    if (
        config.format == "segy"
        and not (config.header or config.in_place)
        and name in Store(common.store).names("surveys")
    ):
        if out is None:
            raise ConfigError("say where the survey goes: seisray export SURVEY OUT --format segy")
        made = export_segy(name, out, store=common.store)
        shown = {"traces": made.n_traces, "left_out_as_rejects": made.n_left_out, "files": " ".join(made.files)}
        common.show(shown, f"survey {name}")
        return
    written = export_picks(name, out, store=common.store, config=config)
    files = written.files if len(written.files) < 4 else [*written.files[:2], f"and {len(written.files) - 2} more"]
    counts = {"picks": written.n_picks, "traces_without": written.n_without, "largest_rounding_ms": written.rounding_ms}
    common.show({**counts, "files": " ".join(files)}, f"picks {name}")
