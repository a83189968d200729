"""The table of shots and stations that stand out, as the survey's quality check left it beside the picks."""

import pyarrow as pa

from seisray.registry import PickSet, Store
from seisray.report.page import Section
from seisray.shards import read_table

SUSPECTS = "suspects.parquet"
TITLE = "Suspicious shots and stations"
MOST_ROWS = 200
COLUMNS = {
    "kind": "",
    "ffid": "FFID",
    "channel": "channel",
    "x_m": "x (m)",
    "y_m": "y (m)",
    "fault": "fault",
    "figure": "figure",
    "unit": "unit",
    "times_spread": "times the spread",
    "reason": "reason",
}
"""Columns that are shown unless all of one is null, and what they are called."""


def suspects_section(store: Store, picks: PickSet) -> Section:
    """Return the suspicious shots and stations of a set, or a line that names the command which finds them."""
    location = store.folder("picks", picks.name) / SUSPECTS
    if not location.exists():
        return Section(title=TITLE, text=f"Not looked for yet: seisray quality {picks.name} finds them.")
    table = read_table(location)
    if not len(table):
        return Section(title=TITLE, text="None stands out.")
    shown = [name for name in COLUMNS if table[name].null_count < len(table)]
    rows = [tuple(_cell(row[name]) for name in shown) for row in table.slice(0, MOST_ROWS).select(shown).to_pylist()]
    text = f"{_count(table)}. A suspicion is no verdict: nothing was taken out."
    if len(table) > MOST_ROWS:
        text += f" The first {MOST_ROWS} are shown, all of them are in {SUSPECTS} beside the picks."
    return Section(title=TITLE, text=text, table=(tuple(COLUMNS[name] for name in shown), *rows))


def _count(table: pa.Table) -> str:
    kinds = table["kind"].to_pylist()
    found = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    return ", ".join(f"{n:,} {kind}{'s' if n > 1 else ''}" for kind, n in found.items())


def _cell(value: object) -> str:
    if value is None or value != value:
        return "\N{EM DASH}"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.1f}" if abs(value) >= 1000 else f"{value:.4g}"  # coordinates, to the peg
