"""The command that makes synthetic gathers look like field ones."""

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from seisray.cli.app import LEARN, Flat, Shared, app
from seisray.cli.learn import RunOptions
from seisray.config import RefineConfig


@app.command(group=LEARN)
def refine(
    name: str,
    *,
    like: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    out: str | None = None,
    replace: bool = False,
    run: Annotated[RunOptions, Flat],
    config: Annotated[RefineConfig | None, Flat] = None,
    common: Shared,
) -> None:
    """Make a synthetic survey look like field surveys, its first breaks staying where they are.

    Trains a refiner on unlabelled field gathers unless the model is there, and writes the refined survey.

    Parameters
    ----------
    name
        Synthetic survey in the store, with first breaks.
    like
        Field surveys in the store, one or more, to learn from; no labels are used.
    out
        What the refined survey is called; by default none is written.
    replace
        Make a refined survey that exists anew.
    """
    from seisray.training.refinement import refine as go

    found = go(name, like=like or (), out=out, replace=replace, store=common.store, config=config, **asdict(run))
    survey = found.survey
    written = {"survey": survey.survey, "gathers": survey.n_gathers, "labelled": survey.n_labelled} if survey else {}
    metrics = found.model.metrics if found.trained else {}
    common.show({"model": found.model.ref, **metrics, **written}, f"refiner {found.model.ref}")
