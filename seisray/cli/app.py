"""The application: groups of commands, and what every command is given."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import App, Group, Parameter
from rich.console import Console
from rich.table import Table

from seisray import __version__

OWN = Group("Start here", sort_key=0)
DATA = Group("Field files to a survey", sort_key=1)
LEARN = Group("Learn", sort_key=2)
PICK = Group("Pick and judge", sort_key=3)
LOOK = Group("Look around", sort_key=4)

app = App(
    name="seisray",
    help="Learn from unlabelled seismic gathers, then pick the first breaks of whole surveys.",
    version=__version__,
    default_parameter=Parameter(negative=()),
)
app.meta.group_parameters = Group("Options of every command", sort_key=99)
pretrain = App(name="pretrain", group=LEARN, help="Learn from gathers without labels.")
tune = App(name="tune", group=LEARN, help="Search the settings that train best.")
app.command(pretrain)
app.command(tune)


@dataclass(frozen=True, kw_only=True)
class Common:
    """What every command is given."""

    store: str
    json: bool

    def show(self, value: dict[str, Any], title: str) -> None:
        """Print a result: a table for people, one line of JSON for programs."""
        if self.json:
            print(json.dumps({key: None if entry != entry else entry for key, entry in value.items()}, allow_nan=False))
            return
        table = Table(title=title, show_header=False, title_justify="left")
        for key, entry in value.items():
            table.add_row(key.replace("_", " "), f"{entry:.4g}" if isinstance(entry, float) else str(entry))
        Console().print(table)

    def compare(self, rows: Mapping[str, Mapping[str, float]], title: str) -> None:
        """Print rows of figures under the same names, for people only; nothing where there is no row."""
        if self.json or not rows:
            return
        table = Table("", *next(iter(rows.values())), title=title, title_justify="left")
        for name, row in rows.items():
            table.add_row(name.replace("_", " "), *(f"{figure:.3g}" for figure in row.values()))
        Console().print(table)


Shared = Annotated[Common, Parameter(parse=False)]
Flat = Parameter(name="*")
