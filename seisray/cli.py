"""The command line: parsing only; each command calls one public function and prints what it returns."""

import json
import os
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import cyclopts
from cyclopts import App, Group, Parameter
from rich.console import Console
from rich.table import Table

from seisray import __version__
from seisray.config import DemoConfig, GanConfig, PickerConfig
from seisray.errors import ConfigError, SeisrayError
from seisray.ingest import IngestConfig
from seisray.synthetic.survey import SyntheticConfig

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
            print(json.dumps(value))
            return
        table = Table(title=title, show_header=False, title_justify="left")
        for key, entry in value.items():
            table.add_row(key.replace("_", " "), f"{entry:.4g}" if isinstance(entry, float) else str(entry))
        Console().print(table)


Shared = Annotated[Common, Parameter(parse=False)]
Flat = Parameter(name="*")


@app.command(group=OWN)
def demo(
    *,
    survey: list[str] | None = None,
    picks: str | None = None,
    geometry: str | None = None,
    config: Annotated[DemoConfig | None, Flat] = None,
    common: Shared,
) -> None:
    """Run the whole job on this machine: field files, GAN, picker, picks, report.

    Parameters
    ----------
    survey
        Your own field files; by default a synthetic survey is modelled.
    picks
        CSV with ffid,trace,time_ms for some gathers of your survey.
    geometry
        CSV with kind,number,x_m,y_m for your survey.
    """
    from seisray.demo import demo as run_demo

    found = run_demo(store=common.store, survey=survey or (), picks=picks, geometry=geometry, config=config)
    if common.json:
        print(
            json.dumps(
                {**asdict(found), "from_gan": found.from_gan.to_dict(), "from_scratch": found.from_scratch.to_dict()}
            )
        )
        return
    table = Table(title="First breaks of gathers that neither picker learned from", title_justify="left")
    for column in ("picker", "within 1 ms", "2 ms", "4 ms", "MAE, ms", "median, ms"):
        table.add_column(column, justify="left" if column == "picker" else "right")
    for name, one in (("from GAN weights", found.from_gan), ("from scratch", found.from_scratch)):
        rates = (one.hit_rate_1ms, one.hit_rate_2ms, one.hit_rate_4ms)
        table.add_row(name, *(f"{rate:.1%}" for rate in rates), f"{one.mae_ms:.2f}", f"{one.median_residual_ms:+.2f}")
    Console().print(table)
    print(f"report   {found.report}")


@app.command(group=DATA)
def synthesize(
    name: str, *, out: str | None = None, config: Annotated[SyntheticConfig | None, Flat] = None, common: Shared
) -> None:
    """Model an elastic survey with exact first breaks, as SEG-Y files and a picks CSV.

    Parameters
    ----------
    name
        What the files are called.
    out
        Folder or s3:// prefix to write to; by default field/NAME in the store.
    """
    from seisray.synthesize import synthesize as run

    files, table = run(name, out=out or f"{common.store}/field/{name}", config=config)
    common.show({"field_files": " ".join(map(str, files)), "picks": str(table)}, f"synthetic survey {name}")


@app.command(group=DATA)
def ingest(
    name: str,
    files: Annotated[list[str], Parameter(negative=())],
    *,
    replace: bool = False,
    resume: bool = False,
    config: Annotated[IngestConfig | None, Flat] = None,
    common: Shared,
) -> None:
    """Turn SEG-Y or SEG-2 files into a survey in the store.

    Parameters
    ----------
    name
        What the survey is called from now on.
    files
        Field files, or folders of them; local or s3://.
    replace
        Rebuild a survey that exists.
    resume
        Keep the shards that an interrupted ingest left.
    """
    from seisray.ingest import ingest as run

    survey = run(name, files, store=common.store, config=config, replace=replace, resume=resume)
    keys = ("n_gathers", "n_traces", "n_live", "n_labelled", "n_samples", "sample_interval_us", "encoding", "rejects")
    common.show({key: getattr(survey, key) for key in keys}, f"survey {name}")


@pretrain.command(name="gan")
def pretrain_gan(
    names: list[str],
    *,
    model: str,
    resume: bool = False,
    restart: bool = False,
    config: Annotated[GanConfig | None, Flat] = None,
    common: Shared,
) -> None:
    """Train a GAN on the gathers of surveys; an interrupted run goes on when called again.

    Parameters
    ----------
    names
        Surveys in the store.
    model
        What the model is called.
    resume
        Fail unless there is an interrupted run to go on with.
    restart
        Remove what an interrupted run left, and begin anew.
    """
    from seisray.training.pretrain import pretrain_gan as run

    card = run(names, model=model, store=common.store, config=config, resume=resume, restart=restart)
    common.show({"model": card.ref, **card.metrics}, f"GAN {card.ref}")


@app.command(group=LEARN)
def finetune(
    names: list[str],
    *,
    source: Annotated[str, Parameter(name="--from")],
    model: str,
    labelled: int | None = None,
    ffids: str | None = None,
    restart: bool = False,
    config: Annotated[PickerConfig | None, Flat] = None,
    common: Shared,
) -> None:
    """Train a picker on a few labelled gathers, from a model's weights or from scratch.

    Parameters
    ----------
    names
        Surveys in the store.
    source
        Model to start from, or "scratch".
    model
        What the picker is called.
    labelled
        Learn from this many labelled gathers, spread over the survey.
    ffids
        Learn from these gathers, e.g. 1001-1040.
    restart
        Remove what an interrupted run left, and begin anew.
    """
    from seisray.training.finetune import finetune as run

    card = run(
        names,
        source=source,
        model=model,
        store=common.store,
        labelled=labelled,
        ffids=ffids,
        config=config,
        restart=restart,
    )
    common.show({"model": card.ref, "gathers": len(card.details["ffids"]), **card.metrics}, f"picker {card.ref}")


@app.command(group=PICK)
def pick(name: str, *, model: str, out: str, workers: int | None = None, resume: bool = False, common: Shared) -> None:
    """Pick the first breaks of a whole survey.

    Parameters
    ----------
    name
        Survey in the store.
    model
        Picker to use.
    out
        What the picks are called; a path that ends in .csv is written as well.
    workers
        Actors at most; by default as many as there are cores.
    resume
        Keep the parts that an interrupted run left.
    """
    from seisray.picking.score import export_csv
    from seisray.picking.survey import pick_survey
    from seisray.registry import Store
    from seisray.storage import locate

    picks = pick_survey(
        name,
        model=model,
        out=Path(out).stem if out.endswith(".csv") else out,
        store=common.store,
        workers=workers,
        resume=resume,
    )
    if out.endswith(".csv"):
        export_csv(Store(common.store), picks.name, locate(out))
    shown = {"traces": picks.n_traces, "picked": picks.n_picked, "traces_per_s": picks.n_traces / picks.seconds}
    common.show(shown, f"picks {picks.name}")


@app.command(group=PICK)
def score(picks: str, truth: str | None = None, *, ffids: str | None = None, common: Shared) -> None:
    """Compare picks with labelled first breaks.

    Parameters
    ----------
    picks
        Picks in the store.
    truth
        Survey in the store or CSV with ffid,trace,time_ms; by default the labels of the survey picked.
    ffids
        Gathers to score, e.g. 1043-1060; by default all that are labelled.
    """
    from seisray.picking.score import score as run
    from seisray.training.picker import parse_ffids

    found = run(picks, truth, store=common.store, ffids=parse_ffids(ffids) if ffids else None)
    common.show(found.to_dict(), f"{picks} against {truth or 'the labels of its survey'}")


@app.command(group=PICK)
def export(picks: str, out: str, *, common: Shared) -> None:
    """Write picks as a CSV with ffid,trace,time_ms.

    Parameters
    ----------
    picks
        Picks in the store.
    out
        File or s3:// URI to write.
    """
    from seisray.picking.score import export_csv
    from seisray.registry import Store
    from seisray.storage import locate

    common.show({"rows": export_csv(Store(common.store), picks, locate(out)), "file": out}, f"picks {picks}")


@app.command(group=PICK)
def report(
    picks: list[str], *, name: str | None = None, truth: str | None = None, ffids: str | None = None, common: Shared
) -> None:
    """Write a page with gathers, picks, scores and training curves.

    Parameters
    ----------
    picks
        Pick sets of one survey; the first is shown in full, the others are compared with it.
    name
        Of the report; by default the first set's.
    truth
        As for score.
    ffids
        Gathers to show and score; by default all.
    """
    from seisray.report.survey import report as run
    from seisray.training.picker import parse_ffids

    chosen = parse_ffids(ffids) if ffids else None
    page = run(picks, name=name, store=common.store, truth=truth, ffids=chosen)
    common.show({"report": str(page)}, "report")


@app.command(name="list", group=LOOK)
def list_(kind: str = "all", *, common: Shared) -> None:
    """List what is in the store.

    Parameters
    ----------
    kind
        surveys, models, studies, runs, picks, reports or all.
    """
    from seisray.registry import KINDS, Store

    if kind not in (*KINDS, "all"):
        raise ConfigError(f"{kind!r} is nothing a store holds; expected one of {', '.join(KINDS)} or all")
    store = Store(common.store)
    found = {one: store.names(one) for one in (KINDS if kind == "all" else [kind])}
    if common.json:
        print(json.dumps(found))
        return
    for one, names in found.items():
        print(f"{one:<8} {'  '.join(names) or '-'}")


@app.meta.default
def launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    store: str | None = None,
    config: str | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set")] = None,
    json: bool = False,
    ray_address: str | None = None,
    verbose: bool = False,
) -> None:
    """Run one command.

    Parameters
    ----------
    store
        Where all that lasts is kept: a folder or s3://bucket/prefix. [default: ./seisray-store]
    config
        TOML file with any of the command's options; what is given on the command line wins.
    set_
        section.field=value, the same as --section.field value.
    json
        Print results as JSON.
    ray_address
        Ray cluster to join; by default RAY_ADDRESS, or this machine alone.
    verbose
        Show Ray's own messages.
    """
    settings = read_toml(config) if config else {}
    common = Common(
        store=store or settings.get("store", "./seisray-store"),
        json=json or settings.get("json", False),
    )
    ray_address = ray_address or settings.get("ray-address")
    if ray_address:
        os.environ["RAY_ADDRESS"] = ray_address
    if verbose:
        os.environ["SEISRAY_VERBOSE"] = "1"
    settings = {name: value for name, value in settings.items() if name not in ("store", "json", "ray-address")}
    app.config = [cyclopts.config.Dict(settings, use_commands_as_keys=False, source=config)] if settings else []
    more = [part for one in set_ or [] for part in set_tokens(one)]
    command, bound, extra = app.parse_args([*tokens, *more], exit_on_error=False, print_error=False)
    command(*bound.args, **bound.kwargs, **({"common": common} if "common" in extra else {}))


def read_toml(path: str) -> dict[str, Any]:
    """Return the settings in a TOML file, local or s3://; raise ConfigError where it is none."""
    from seisray.storage import locate

    try:
        return tomllib.loads(locate(path).read_bytes().decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error


def set_tokens(setting: str) -> list[str]:
    """Return section.field=value as command-line tokens; raise ConfigError where it is something else."""
    name, equals, value = setting.partition("=")
    if not equals or not name:
        raise ConfigError(f"--set {setting!r}: expected section.field=value")
    return [f"--{name.replace('_', '-')}={value}"]


def main(argv: Sequence[str]) -> int:
    """Run the command line; return the exit status: 0, or 2 with one clear line on standard error."""
    try:
        app.meta(list(argv), exit_on_error=False, print_error=False, result_action="return_value")
    except Exception as error:
        line = one_line(error)
        if line is None:
            raise
        print(f"seisray: {line}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("seisray: interrupted; the same command goes on from what is done", file=sys.stderr)
        return 130
    return 0


def one_line(error: BaseException) -> str | None:
    """Return what a user should read of an error, or None where the error is a bug of ours."""
    cause = getattr(error, "cause", None)  # Ray wraps what a task raised
    for one in (error, cause, error.__cause__):
        if isinstance(one, SeisrayError | cyclopts.CycloptsError):
            return " ".join(str(one).split())
    return None


def run() -> None:
    """Start from the shell."""
    sys.exit(main(sys.argv[1:]))
