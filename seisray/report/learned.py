"""What a report says of the models that made picks: training curves, and what a GAN generates."""

from collections.abc import Iterable, Iterator

from seisray.registry import Model, Store
from seisray.report.charts import plot_curves
from seisray.report.page import Section, render_page
from seisray.report.plots import png_bytes
from seisray.storage import Location, locate

SHEETS = {
    "samples.png": "Generated panels, none of them recorded",
    "rebuilt.png": "Recorded panels, what the network saw of them, and what it made of that",
    "refined.png": "Synthetic panels with their first breaks, as they were refined, and field panels",
}


def model_report(model: str, *, store: str, out: str | None = None) -> Location:
    """Write a self-contained page on a model, and on those it was made from; return where it lies.

    Training curves, and of a GAN what it generates: measures with their controls, and a sheet to judge by eye. out: a
    file or s3:// URI in place of reports/MODEL-VERSION/index.html in the store. Raises NotFoundError where there is no
    such model.
    """
    place = Store(store)
    card = place.model(model)
    page = render_page(
        title=f"{card.kind} {card.ref}",
        subtitle=f"Made of {card.parent}" if card.parent else "From scratch",
        facts={"surveys": ", ".join(card.surveys), "sampling": f"{card.sample_interval_us / 1000:g} ms"},
        sections=list(model_sections(place, [card])),
    )
    location = locate(out) if out else place.folder("reports", f"{card.name}-{card.version}") / "index.html"
    location.write_bytes(page.encode())
    return location


def model_sections(store: Store, models: Iterable[Model]) -> Iterator[Section]:
    """Yield the training curves of the models, and of those they were made from, with what a GAN generates."""
    lineage: dict[str, Model] = {}
    for model in models:
        ref: str | None = model.ref
        while ref and ref not in lineage:
            lineage[ref] = store.model(ref)
            ref = lineage[ref].parent
    for ref, model in lineage.items():
        history = model.details["history"]
        names = sorted({name for row in history for name in row} - {"step", "elapsed_s"})
        curves = {
            name: ([row["step"] for row in history if name in row], [row[name] for row in history if name in row])
            for name in names
        }
        figures = [("Training curves", png_bytes(plot_curves(curves, title=ref)))]
        for name, caption in SHEETS.items():
            sheet = store.folder("models", model.name, model.version) / name
            if sheet.exists():
                figures.append((caption, sheet.read_bytes()))
        if measures := model.details.get("measures"):
            yield _measures_section(store, model, measures)
        facts = (
            ("from", model.parent or "scratch"),
            *((name, f"{value:.4g}") for name, value in model.metrics.items()),
        )
        yield Section(title=f"{model.kind} {ref}", figures=tuple(figures), table=(("figure", "value"), *facts))


def _measures_section(store: Store, model: Model, measures: dict[str, dict[str, float]]) -> Section:
    """Return what was measured of generated panels, and a sheet that lets the reader judge."""
    heads = {
        "value": "samples",
        "floor": "real against real",
        "noise": "white noise",
        "collapsed": "collapsed",
        "learned": "learned by heart",
    }
    shown = [column for column in heads if all(column in row for row in measures.values())]
    head = ("measure", *(heads[column] for column in shown))
    rows = ((name, *(f"{row[column]:.3g}" for column in shown)) for name, row in measures.items())
    blind = store.folder("models", model.name, model.version) / "blind.png"
    recorded = [i + 1 for i, one in enumerate(model.details["blind"]) if one]
    return Section(
        title=f"What {model.ref} generates, against gathers that it did not learn from",
        text="In the picture half of the panels were recorded, half generated, row by row in random order.",
        figures=(("Which of them are field panels?", blind.read_bytes()),),
        answer=("Which were recorded?", f"{', '.join(map(str, recorded))}, counted row by row."),
        table=(head, *rows),
    )
