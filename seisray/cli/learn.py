"""Commands that learn: pretrain, finetune, tune; and dream, which shows what was learned."""

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from seisray.cli.app import LEARN, Flat, Shared, app, pretrain, tune
from seisray.config import GanConfig, PickerConfig, TuneConfig
from seisray.report.dream_settings import DreamConfig


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


@tune.command(name="gan")
def tune_gan(
    names: list[str],
    *,
    study: str,
    trials: int = 16,
    resume: bool = False,
    config: Annotated[GanConfig | None, Flat] = None,
    search: Annotated[TuneConfig | None, Parameter(name="search")] = None,
    common: Shared,
) -> None:
    """Search the settings whose generated panels come nearest to field panels.

    Parameters
    ----------
    names
        Surveys in the store.
    study
        What the search is called; the same command goes on with a study that has fewer trials.
    trials
        How many, in all.
    resume
        Fail unless there is such a study to go on with.
    """
    from seisray.tuning.search import tune_gan as run

    best = run(names, study=study, store=common.store, trials=trials, config=config, tune=search, resume=resume)
    common.show({best.metric: best.value, **best.drawn, "use": best.use}, f"best of {best.study}: trial {best.number}")


@tune.command(name="picker")
def tune_picker(
    names: list[str],
    *,
    study: str,
    trials: int = 16,
    sources: Annotated[list[str] | None, Parameter(name="--from")] = None,
    labelled: int | None = None,
    ffids: str | None = None,
    validate: str | None = None,
    resume: bool = False,
    config: Annotated[PickerConfig | None, Flat] = None,
    search: Annotated[TuneConfig | None, Parameter(name="search")] = None,
    common: Shared,
) -> None:
    """Search how a picker best learns from a few labelled gathers.

    Parameters
    ----------
    names
        Surveys in the store.
    study
        What the search is called; the same command goes on with a study that has fewer trials.
    trials
        How many, in all.
    sources
        Models to start from, or "scratch"; give it several times to let the search choose.
    labelled
        Learn from this many labelled gathers, spread over the survey.
    ffids
        Learn from these gathers, e.g. 1001-1040.
    validate
        Judge by these gathers; by default the last quarter of the labelled ones.
    resume
        Fail unless there is such a study to go on with.
    """
    from seisray.training.finetune import SCRATCH
    from seisray.tuning.search import tune_picker as run

    best = run(
        names,
        study=study,
        store=common.store,
        trials=trials,
        sources=sources or [SCRATCH],
        labelled=labelled,
        ffids=ffids,
        validate=validate,
        config=config,
        tune=search,
        resume=resume,
    )
    common.show({best.metric: best.value, **best.drawn, "use": best.use}, f"best of {best.study}: trial {best.number}")


@app.command(group=LEARN)
def dream(
    model: str,
    *,
    out: str,
    config: Annotated[DreamConfig | None, Flat] = None,
    common: Shared,
) -> None:
    """Show what a GAN can generate: a film of a closed walk through its latent space, or a sheet of panels.

    Parameters
    ----------
    model
        GAN in the store.
    out
        File to write: .mp4 or .gif for a walk, .png for a sheet.
    """
    from seisray.report.dream import dream as run

    found = run(model, out=out, store=common.store, config=config)
    common.show({name: value for name, value in asdict(found).items() if value}, f"dream of {found.model}")
