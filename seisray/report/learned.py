"""What a report says of the models that made picks: training curves, and what a GAN generates."""

from collections.abc import Iterable, Iterator

from seisray.registry import Model, Store
from seisray.report.charts import plot_curves
from seisray.report.page import Section
from seisray.report.plots import png_bytes

SHEETS = {
    "samples.png": "Generated panels, none of them recorded",
    "rebuilt.png": "Recorded panels, what the network saw of them, and what it made of that",
    "refined.png": "Synthetic panels with their first breaks, as they were refined, and field panels",
}


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
        names = sorted({name for row in history for name in row} - {"step"})
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
        text="In the picture half of the panels were recorded, half generated, row by row in random order.\n\n"
        f"Recorded were {', '.join(map(str, recorded))}.",
        figures=(("Which of them are field panels?", blind.read_bytes()),),
        table=(head, *rows),
    )
