"""Commands that learn: pretrain, finetune, tune."""

import sys
from dataclasses import asdict, dataclass
from typing import Annotated

from cyclopts import Parameter

from seisray.cli.app import LEARN, Flat, Shared, app, pretrain, tune
from seisray.config import AutoencoderConfig, GanConfig, InpaintConfig, MaskedConfig, PickerConfig, TuneConfig


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a run of `seisray pretrain` is called.

    Parameters
    ----------
    model
        What the model is called.
    resume
        Fail unless there is an interrupted run to go on with.
    restart
        Remove what an interrupted run left, and begin anew.
    """

    model: str
    resume: bool = False
    restart: bool = False


@pretrain.command(name="gan")
def pretrain_gan(
    names: list[str],
    *,
    run: Annotated[RunOptions, Flat],
    config: Annotated[GanConfig | None, Flat] = None,
    common: Shared,
) -> None:
    """Train a GAN on the gathers of surveys; an interrupted run goes on when called again.

    Parameters
    ----------
    names
        Surveys in the store.
    """
    from seisray.training.pretrain import pretrain_gan as pretrain

    card = pretrain(names, store=common.store, config=config, **asdict(run))
    common.show({"model": card.ref, **card.metrics}, f"GAN {card.ref}")
    common.compare(card.details["measures"], "its samples, against gathers that it did not learn from")
    if missing := card.details.get("unmeasured"):
        print(f"its samples were not measured: {missing}", file=sys.stderr)


@pretrain.command(name="autoencoder")
def pretrain_autoencoder(
    names: list[str],
    *,
    run: Annotated[RunOptions, Flat],
    config: Annotated[AutoencoderConfig | None, Flat] = None,
    common: Shared,
) -> None:
    """Train an autoencoder on the gathers of surveys; an interrupted run goes on when called again.

    Parameters
    ----------
    names
        Surveys in the store.
    """
    from seisray.training.pretrain import pretrain_autoencoder as pretrain

    card = pretrain(names, store=common.store, config=config, **asdict(run))
    common.show({"model": card.ref, **card.metrics}, f"autoencoder {card.ref}")


@pretrain.command(name="masked")
def pretrain_masked(
    names: list[str],
    *,
    run: Annotated[RunOptions, Flat],
    config: Annotated[MaskedConfig | None, Flat] = None,
    common: Shared,
) -> None:
    """Train a network to repair hidden parts of gathers; an interrupted run goes on when called again.

    Parameters
    ----------
    names
        Surveys in the store.
    """
    from seisray.training.pretrain import pretrain_masked as pretrain

    card = pretrain(names, store=common.store, config=config, **asdict(run))
    common.show({"model": card.ref, **card.metrics}, f"masked model {card.ref}")


@pretrain.command(name="inpaint")
def pretrain_inpaint(
    names: list[str],
    *,
    run: Annotated[RunOptions, Flat],
    config: Annotated[InpaintConfig | None, Flat] = None,
    common: Shared,
) -> None:
    """Train a network to find the repairs that another makes in gathers; an interrupted run goes on when called again.

    Parameters
    ----------
    names
        Surveys in the store.
    """
    from seisray.training.pretrain import pretrain_inpaint as pretrain

    card = pretrain(names, store=common.store, config=config, **asdict(run))
    common.show({"model": card.ref, **card.metrics}, f"inpainting model {card.ref}")


@app.command(group=LEARN)
def finetune(
    names: list[str],
    *,
    source: Annotated[str, Parameter(name="--from")],
    model: str,
    labelled: int | None = None,
    ffids: str | None = None,
    labels: str | None = None,
    labels_of: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    least_probability: float | None = None,
    like: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    restart: bool = False,
    config: Annotated[PickerConfig | None, Flat] = None,
    common: Shared,
) -> None:
    """Train a picker on a few labelled gathers, from a model's weights or from scratch.

    Parameters
    ----------
    names
        Surveys in the store, or SURVEY:FFIDS to learn from these of its gathers only.
    source
        Model to start from, or "scratch".
    model
        What the picker is called.
    labelled
        Learn from this many labelled gathers, spread over the survey.
    ffids
        Learn from these gathers, e.g. 1001-1040.
    labels
        CSV with ffid,trace,time_ms, such as review writes; on the gathers in it, it takes the place of the first
        survey's own labels.
    labels_of
        Picks of surveys to learn from, one set of each; those that are sure take the place of its labels, so that it
        needs none. Gathers in --labels stay as labelled there, and the picks of all others are moved by the constant
        between the two. By default 256 gathers from all over the survey.
    least_probability
        Of picks that are sure, 0.5 by default; picks with a flag are not.
    like
        Field surveys whose gathers, without labels, the picker is to see as it sees labelled ones; needs
        --align.weight.
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
        labels=labels,
        labels_of=labels_of or (),
        least_probability=least_probability,
        like=like or (),
        config=config,
        restart=restart,
    )
    n_gathers = sum(map(len, card.details["ffids"].values()))
    common.show({"model": card.ref, "gathers": n_gathers, **card.metrics}, f"picker {card.ref}")


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
