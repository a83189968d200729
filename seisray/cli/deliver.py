"""Commands that say how far picks can be trusted, and hand them on."""

import json
from collections import Counter

from rich.console import Console
from rich.table import Table

from seisray.cli.app import PICK, Shared, app

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
