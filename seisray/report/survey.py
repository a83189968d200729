"""`seisray report`: one page on the picks of a survey and on the models that made them."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute

from seisray.errors import PicksError
from seisray.gather import Gather
from seisray.metrics.picks import PickScore, score_picks
from seisray.picking.score import compare
from seisray.registry import Model, PickSet, Store
from seisray.report.charts import plot_curves, plot_hit_rates, plot_pick_offset, plot_residuals
from seisray.report.page import Section, render_page
from seisray.report.plots import plot_gather, png_bytes
from seisray.shards import read_gathers, read_shard
from seisray.storage import Location

GATHERS = 6
MARGIN_MS = 30.0
SHEETS = {
    "samples.png": "Generated panels, none of them recorded",
    "rebuilt.png": "Recorded panels, what the network saw of them, and what it made of that",
}


def report(
    picks: Sequence[str],
    *,
    name: str | None = None,
    store: str,
    truth: str | None = None,
    ffids: list[int] | None = None,
) -> Location:
    """Write a self-contained page on pick sets of one survey into the store; return where it lies.

    The first set is shown in full, the others are compared with it. name: of the report, by default the first set's.
    truth and ffids: as for `score`; without any labels the page shows picks and no scores.
    """
    place = Store(store)
    sets = [place.picks(one) for one in picks]
    if len({one.survey for one in sets}) > 1:
        raise PicksError(f"picks {', '.join(picks)} are of different surveys; make a report for each")
    survey = place.survey(sets[0].survey)
    tables = {one.name: compare(place, one.name, truth, ffids) for one in sets}
    main = tables[sets[0].name]
    scores = {
        one: score_picks(
            table["pick_ms"].to_numpy(),
            table["first_break_ms"].to_numpy(),
            sample_interval_us=survey.sample_interval_us,
        )
        for one, table in tables.items()
        if np.isfinite(table["first_break_ms"].to_numpy()).any()
    }
    models = {one.name: place.model(one.model) for one in sets}
    facts = {
        "survey": survey.survey,
        "gathers": f"{survey.n_gathers:,}",
        "traces": f"{survey.n_traces:,}",
        "sampling": f"{survey.sample_interval_us / 1000:g} ms",
        "picked": f"{sets[0].n_picked / max(sets[0].n_traces, 1):.1%}",
        "model": sets[0].model,
        "speed": f"{sets[0].n_traces / sets[0].seconds:,.0f} traces/s",
    }
    if scores:
        facts["within 2 ms"] = f"{scores[sets[0].name].hit_rate_2ms:.1%}"
        facts["within 4 ms"] = f"{scores[sets[0].name].hit_rate_4ms:.1%}"
    sections = [
        *_score_sections(main, scores),
        Section(
            title="Gathers",
            text="Picks are red dots, labels circles; orange dots are doubtful picks, sand-coloured traces are dead.",
            figures=tuple(_gather_figures(place, sets[0], main)),
        ),
        *_offset_section(place, sets[0], main),
        *_model_sections(place, models),
    ]
    page = render_page(
        title=f"First breaks of {survey.survey}",
        subtitle=f"Picks {sets[0].name}, made by {sets[0].model}",
        facts=facts,
        sections=sections,
    )
    location = place.folder("reports", name or sets[0].name) / "index.html"
    location.write_bytes(page.encode())
    return location


def _score_sections(main: pa.Table, scores: dict[str, PickScore]) -> Iterator[Section]:
    if not scores:
        return
    head = (
        "picks",
        "labels",
        "within 1 ms",
        "2 ms",
        "4 ms",
        "2 ms, median removed",
        "MAE, ms",
        "median, ms",
        "coverage",
    )
    rows = [
        (
            name,
            f"{one.n_labelled:,}",
            *(f"{rate:.1%}" for rate in (one.hit_rate_1ms, one.hit_rate_2ms, one.hit_rate_4ms)),
            f"{one.hit_rate_2ms_debiased:.1%}",
            f"{one.mae_ms:.2f}",
            f"{one.median_residual_ms:+.2f}",
            f"{one.coverage:.1%}",
        )
        for name, one in scores.items()
    ]
    residual_ms = main["pick_ms"].to_numpy() - main["first_break_ms"].to_numpy()
    residual_ms = residual_ms[np.isfinite(residual_ms)]
    figures = [("Share of labelled traces within a tolerance", png_bytes(plot_hit_rates(scores)))]
    if residual_ms.size:
        figures.append(("Residuals: pick minus first break", png_bytes(plot_residuals(residual_ms))))
    yield Section(
        title="Against the labels",
        text="A trace that is labelled and not picked counts as a miss.",
        figures=tuple(figures),
        table=(head, *rows),
    )


def _gather_figures(store: Store, picks: PickSet, rows: pa.Table) -> Iterator[tuple[str, bytes]]:
    """Yield pictures of gathers spread over those that were compared, as density and the first as wiggles too."""
    last_ms = np.nanmax(rows["pick_ms"].to_numpy(), initial=0.0) + MARGIN_MS
    for place, gather in enumerate(_spread(store, picks, rows)):
        own = rows.filter(pa.compute.equal(rows["ffid"], gather.ffid))
        pick_ms, flag = np.full(gather.n_traces, np.nan), np.full(gather.n_traces, "ok", dtype=object)
        at = own["trace"].to_numpy() - 1
        pick_ms[at], flag[at] = own["pick_ms"].to_numpy(), own["flag"].to_pylist()
        for display in ("density", "wiggle") if place == 0 else ("density",):
            figure = plot_gather(
                gather, pick_ms=pick_ms, flag=list(flag), display=display, title=f"FFID {gather.ffid}", max_ms=last_ms
            )
            yield f"FFID {gather.ffid}", png_bytes(figure)


def _spread(store: Store, picks: PickSet, rows: pa.Table) -> Iterator[Gather]:
    survey = store.survey(picks.survey)
    compared = rows.filter(pa.compute.is_finite(rows["first_break_ms"])) if len(rows) else rows
    ffids = sorted(set((compared if len(compared) else rows)["ffid"].to_pylist()))
    chosen = {ffids[i] for i in np.linspace(0, len(ffids) - 1, min(GATHERS, len(ffids))).round().astype(int)}
    for i, shard in enumerate(survey.shards):
        if chosen & set(shard["ffids"]):
            yield from (gather for gather in read_gathers(store.shard(survey, i)) if gather.ffid in chosen)


def _offset_section(store: Store, picks: PickSet, rows: pa.Table) -> Iterator[Section]:
    survey = store.survey(picks.survey)
    offset = {
        (row["ffid"], int(trace)): float(offset_m)
        for i in range(len(survey.shards))
        for row in read_shard(store.shard(survey, i), columns=["ffid", "trace", "offset_m"])
        for trace, offset_m in zip(row["trace"], row["offset_m"], strict=True)
    }
    keys = zip(rows["ffid"].to_pylist(), rows["trace"].to_pylist(), strict=True)
    offset_m = np.array([offset.get(key, np.nan) for key in keys])
    if np.isfinite(offset_m).any():
        figure = plot_pick_offset(offset_m, rows["pick_ms"].to_numpy())
        yield Section(title="Pick time against offset", figures=(("Every pick", png_bytes(figure)),))


def _model_sections(store: Store, models: dict[str, Model]) -> Iterator[Section]:
    """Yield the training curves of the models, and of those they were made from, with what a GAN generates."""
    lineage: dict[str, Model] = {}
    for model in models.values():
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
    head = ("measure", "samples", "real against real", "white noise", "collapsed")
    columns = ("value", "floor", "noise", "collapsed")
    rows = ((name, *(f"{row[column]:.3g}" for column in columns)) for name, row in measures.items())
    blind = store.folder("models", model.name, model.version) / "blind.png"
    recorded = [i + 1 for i, one in enumerate(model.details["blind"]) if one]
    return Section(
        title=f"What {model.ref} generates, against gathers that it did not learn from",
        text="In the picture half of the panels were recorded, half generated, row by row in random order.\n\n"
        f"Recorded were {', '.join(map(str, recorded))}.",
        figures=(("Which of them are field panels?", blind.read_bytes()),),
        table=(head, *rows),
    )
