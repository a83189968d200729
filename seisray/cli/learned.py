"""Commands that show what a model learned: dream, map."""

from dataclasses import asdict
from typing import Annotated

from seisray.cli.app import LEARN, Flat, Shared, app
from seisray.report.dream_settings import DreamConfig
from seisray.report.projection import Projection


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


@app.command(name="map", group=LEARN)
def latent_map(names: list[str], *, model: str, out: str, by: Projection = "pca", common: Shared) -> None:
    """Show where a model puts the gathers of surveys: its latent space, coloured by survey, offset and contrast.

    Parameters
    ----------
    names
        Surveys in the store.
    model
        Any model in the store.
    out
        PNG to write.
    by
        Axes along which gathers differ most (pca), or on which like stays beside like (umap; needs seisray[umap]).
    """
    from seisray.report.latent_map import latent_map as run

    found = run(names, model=model, out=out, store=common.store, by=by)
    common.show(asdict(found), f"map of {found.model}")
