"""Commands that pick, judge and look around."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from seisray.cli.app import LOOK, PICK, Flat, Shared, app
from seisray.config import SHIPPED, PickConfig
from seisray.errors import ConfigError, ExistsError
from seisray.ingest import IngestConfig
from seisray.picking.export_config import ExportConfig, PickFormat

if TYPE_CHECKING:
    from seisray.storage import Location

FORMATS: dict[str, PickFormat] = {".csv": "csv", ".parquet": "parquet"}
EXPORTED = (".sgy", ".segy", ".sgt", ".vs", ".pck")


@app.command(group=PICK)
def pick(
    name: Annotated[list[str], Parameter(negative=())],
    *,
    model: str = SHIPPED,
    out: str | None = None,
    workers: int | None = None,
    resume: bool = False,
    reading: Annotated[IngestConfig | None, Flat] = None,
    config: Annotated[PickConfig | None, Flat] = None,
    common: Shared,
) -> None:
    """Pick the first breaks of a whole survey, or straight from field files.

    Parameters
    ----------
    name
        Survey in the store, or SEG-Y or SEG-2 files and folders of them, local or s3://.
    model
        Picker to use; by default the one that comes with seisray.
    out
        What the picks are called, by default NAME-picks; a path that ends in .csv or .parquet is written as well.
    workers
        Actors at most; by default as many as there are cores.
    resume
        Go on with what an interrupted run left; picks that are finished stay as they are.
    """
    from seisray.picking.export import export_picks
    from seisray.picking.survey import pick as run
    from seisray.registry import Store
    from seisray.storage import locate

    if out is None:
        out = f"{Path(name[0]).stem}-picks"
    if out.lower().endswith(EXPORTED):
        raise ConfigError(f"--out {out}: name the picks, and write them with seisray export (--help: how)")
    suffix = Path(out).suffix if out.endswith(tuple(FORMATS)) else ""
    called = Path(out).stem if suffix else out
    if suffix:
        begun = resume and bool(Store(common.store).folder("picks", called).files())
        _check_target(locate(out), begun=begun)
    how: dict[str, Any] = {"workers": workers, "resume": resume, "reading": reading, "config": config}
    picks = run(name, model=model, out=called, store=common.store, **how)
    if suffix:
        export_picks(called, out, store=common.store, config=ExportConfig(format=FORMATS[suffix]))
    shown = {"traces": picks.n_traces, "picked": picks.n_picked, "traces_per_s": picks.traces_per_s}
    flags = {f"flagged_{flag}": n for flag, n in picks.flags.items() if flag != "ok"}
    where = f"{picks.rejects}, listed in picks/{picks.name}/rejects.parquet"
    failed = {"gathers_not_picked": picks.rejects if common.json else where} if picks.rejects else {}
    common.show(shown | flags | failed, f"picks {picks.name}")


def _check_target(target: "Location", *, begun: bool) -> None:
    """Raise where a file is in the way, but for one of picks that were begun, or its folder cannot be written."""
    if target.exists() and not begun:
        raise ExistsError(f"{target} exists; choose another --out, or delete it")
    if target.is_local:
        folder = next(parent for parent in Path(target.path).resolve().parents if parent.exists())
        if not (folder.is_dir() and os.access(folder, os.W_OK)):
            raise ConfigError(f"--out {target}: {folder} is no folder that can be written; choose another")


@app.command(group=PICK)
def verify_picks(picks: str, *, common: Shared) -> None:
    """Prove that picks hold each trace of their survey once, as their manifest says; what is not so gets a line.

    Parameters
    ----------
    picks
        Picks in the store.
    """
    from dataclasses import asdict

    from seisray.errors import PicksError
    from seisray.picking.verify import verify_picks as run

    found = run(picks, store=common.store)
    if found.faults and not common.json:
        print("\n".join(found.faults))
    elif common.json:
        print(json.dumps(asdict(found)))
    else:
        shown = {"model": found.model, "parts": found.n_parts, "traces": found.n_traces, "picked": found.n_picked}
        unused = {"unused files": found.n_unused} if found.n_unused else {}
        common.show(shown | found.flags | unused, f"picks {picks} proved")
    if found.faults:
        raise PicksError(
            f"picks {picks!r} are not what they must be ({len(found.faults)} faults); delete the parts named and give "
            "the command that made them again, with --resume, or pick under another --out"
        )


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
def report(
    picks: list[str] | None = None,
    *,
    model: str | None = None,
    name: str | None = None,
    truth: str | None = None,
    ffids: str | None = None,
    out: str | None = None,
    common: Shared,
) -> None:
    """Write a page with maps of quality, the worst gathers, suspicious shots and stations, scores, training curves.

    Parameters
    ----------
    picks
        Pick sets of one survey; the first is shown in full, the others are compared with it.
    model
        In place of picks: a page on a model, with its training curves and, of a GAN, what it generates.
    name
        Of the report; by default the first set's.
    truth
        As for score.
    ffids
        Gathers to show and score; by default all.
    out
        HTML file or s3:// URI to write; by default reports/NAME/index.html in the store.
    """
    from seisray.report.learned import model_report
    from seisray.report.survey import report as run
    from seisray.training.picker import parse_ffids

    if model:
        if picks or name or truth or ffids:
            raise ConfigError(
                "report --model: names of picks, --name, --truth and --ffids are of picks; leave them out"
            )
        common.show({"report": str(model_report(model, store=common.store, out=out))}, "report")
        return
    if not picks:
        raise ConfigError("report: expected pick sets, or --model NAME")
    chosen = parse_ffids(ffids) if ffids else None
    page = run(picks, name=name, store=common.store, truth=truth, ffids=chosen, out=out)
    common.show({"report": str(page)}, "report")


@app.command(group=PICK)
def review(
    picks: str,
    *,
    out: str | None = None,
    ffids: str | None = None,
    port: int = 0,
    browser: bool = False,
    common: Shared,
) -> None:
    """Correct picks by hand in the browser, the least sure gathers first, for the next finetune --labels.

    Prints an address on this machine, which works until Ctrl-C. The picks stay as they are. Each change is saved at
    once, and the same command goes on where the last one ended. Gathers that were accepted or corrected are labels.
    Where two people review the same picks, give each --ffids of their own: of one gather the last word counts.

    Parameters
    ----------
    picks
        Picks in the store.
    out
        CSV to write, with ffid,trace,time_ms; by default labels.csv beside the picks.
    ffids
        Gathers to review, e.g. 1001-1040; by default all.
    port
        On 127.0.0.1; by default any that is free.
    browser
        Open the page in the browser.
    """
    from dataclasses import asdict

    from seisray.review.server import review as run
    from seisray.training.picker import parse_ffids

    chosen = parse_ffids(ffids) if ffids else None
    found = run(picks, store=common.store, out=out, ffids=chosen, port=port, browser=browser)
    common.show(asdict(found), f"review of {picks}")


@app.command(group=PICK)
def suggest(name: str, *, n: int = 5, picks: str | None = None, common: Shared) -> None:
    """Name the gathers whose labels would help a picker most: unlike each other, and such as many others are like.

    Parameters
    ----------
    name
        Survey in the store; what is labelled in it counts as known.
    n
        How many.
    picks
        Picks of the survey, by which gathers count that they are doubtful on.
    """
    from seisray.picking.suggest import suggest as run

    found = run(name, n=n, store=common.store, picks=picks)
    doubt = [{"doubt": one.doubt} if picks else {} for one in found]
    rows = {
        f"FFID {one.ffid}": own | {"stands for gathers": one.stands_for} for one, own in zip(found, doubt, strict=True)
    }
    common.compare(rows, f"to label in {name}")
    common.show({"ffids": ",".join(str(one.ffid) for one in found)}, "for seisray review --ffids, finetune --ffids")


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
