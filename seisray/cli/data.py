"""Commands from field files to a survey, and the demo that goes all the way."""

import json
from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from seisray.cli.app import DATA, OWN, Flat, Shared, app
from seisray.config import DemoConfig
from seisray.ingest import IngestConfig
from seisray.synthetic.survey import SyntheticConfig


@app.command(group=OWN)
def demo(
    *,
    survey: list[str] | None = None,
    picks: str | None = None,
    geometry: list[str] | None = None,
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
        CSV with kind,number,x_m,y_m, or SPS files, for your survey.
    """
    from seisray.demo import demo as run_demo

    found = run_demo(store=common.store, survey=survey or (), picks=picks, geometry=geometry or (), config=config)
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
    append: bool = False,
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
    append
        Add the files to a survey that exists, read as its others were.
    resume
        Keep the shards that an interrupted ingest left.
    """
    from seisray.ingest import ingest as run

    survey = run(name, files, store=common.store, config=config, replace=replace, resume=resume, append=append)
    keys = ("n_gathers", "n_traces", "n_live", "n_labelled", "n_samples", "sample_interval_us", "encoding")
    rejects = (
        f"{survey.rejects}, listed in surveys/{name}/rejects.parquet"
        if survey.rejects and not common.json
        else survey.rejects
    )
    unused = {"unused_labels": survey.unused_labels} if survey.unused_labels or common.json else {}
    shown = {key: getattr(survey, key) for key in keys} | {"rejects": rejects} | unused
    common.show(shown, f"survey {name}")


@app.command(group=DATA)
def verify(name: str, *, common: Shared) -> None:
    """Prove a survey equal to its field files, reading both again.

    Parameters
    ----------
    name
        Survey in the store.
    """
    from seisray.ingest.verify import verify as run

    common.show(asdict(run(name, store=common.store)), f"survey {name} is what it was made from")
