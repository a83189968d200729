"""`seisray report`: one page on the picks of a survey and on the models that made them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seisray.errors import PicksError
from seisray.metrics.picks import PickScore, score_picks, sureness
from seisray.picking.score import labels_of
from seisray.picking.traces import picked_shards
from seisray.registry import PickSet, Store, Survey
from seisray.report.charts import (
    plot_hit_rates,
    plot_pick_channel,
    plot_pick_offset,
    plot_probabilities,
    plot_reliability,
    plot_residuals,
)
from seisray.report.learned import model_sections
from seisray.report.maps import Quality, plot_map, plot_matrix
from seisray.report.page import Section, render_page
from seisray.report.plots import png_bytes
from seisray.report.suspects import suspects_section
from seisray.report.tally import PickTally
from seisray.report.worst import gather_sections
from seisray.storage import Location, locate

FLAGS = {
    "ok": "",
    "low_probability": "the picker itself is in doubt",
    "outside_window": "nothing to pick between the times and velocities allowed",
    "dead": "all samples are zero, or its header says so; not picked",
    "not_finite": "NaN or infinite samples; not picked",
    "failed": "picking the gather failed; the set's rejects.parquet says why",
    "missing": "the pick set has no row for this trace",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """Hold what one set of picks says of the survey, gather by gather; labels only where traces have them."""

    tally: PickTally
    pick_ms: NDArray[np.float64] = field(repr=False)
    first_break_ms: NDArray[np.float64] = field(repr=False)
    probability: NDArray[np.float64] = field(repr=False)

    def score(self, sample_interval_us: float) -> PickScore:
        """Return how well the picks meet the labels."""
        return score_picks(
            self.pick_ms,
            self.first_break_ms,
            sample_interval_us=sample_interval_us,
            probability=self.probability,
        )


def report(
    picks: Sequence[str],
    *,
    name: str | None = None,
    store: str,
    truth: str | None = None,
    ffids: list[int] | None = None,
    out: str | None = None,
) -> Location:
    """Write a self-contained page on pick sets of one survey; return where it lies.

    The first set is shown in full, the others are compared with it. name: of the report, by default the first set's.
    truth and ffids: as for `score`; without any labels the page shows picks and no scores. out: a file or s3:// URI in
    place of reports/NAME/index.html in the store. Picks are read a shard at a time, samples of the gathers shown only.
    """
    place = Store(store)
    sets = [place.picks(one) for one in picks]
    if len({one.survey for one in sets}) > 1:
        raise PicksError(f"picks {', '.join(picks)} are of different surveys; make a report for each")
    main, survey = sets[0], place.survey_of(sets[0])
    labels = labels_of(place, truth) if truth else None
    known = {one.name: _read(place, one, survey, labels, ffids) for one in sets}
    tally = known[main.name].tally
    if not tally.gathers:
        raise PicksError(f"picks {main.name!r} hold no gather with a live trace; there is nothing to show")
    scores = {one: found.score(survey.sample_interval_us) for one, found in known.items() if found.first_break_ms.size}
    sections = [
        *_score_sections(known[main.name], scores),
        _where_section(tally),
        _picks_section(tally),
        suspects_section(place, main),
        *gather_sections(place, survey, main, tally, labels),
        *model_sections(place, {one.model: place.model(one.model) for one in sets}.values()),
    ]
    page = render_page(
        title=f"First breaks of {survey.survey}",
        subtitle=f"Picks {main.name}, made by {main.model}",
        facts=_facts(survey, main, tally, scores.get(main.name), whole=ffids is None),
        sections=sections,
    )
    location = locate(out) if out else place.folder("reports", name or main.name) / "index.html"
    location.write_bytes(page.encode())
    return location


def _read(store: Store, picks: PickSet, survey: Survey, labels: pa.Table | None, ffids: Sequence[int] | None) -> _Known:
    tally = PickTally(n_gathers=survey.n_gathers if ffids is None else len(set(ffids)))
    for shard in picked_shards(store, picks, labels=labels, ffids=ffids):
        tally.add(shard)
    pick_ms, first_break_ms, probability = (
        np.concatenate([*parts, np.empty(0)])
        for parts in (tally.labelled_pick_ms, tally.first_break_ms, tally.labelled_probability)
    )
    return _Known(tally=tally, pick_ms=pick_ms, first_break_ms=first_break_ms, probability=probability)


def _facts(survey: Survey, picks: PickSet, tally: PickTally, score: PickScore | None, *, whole: bool) -> dict[str, str]:
    flagged = sum(one.n_flagged for one in tally.gathers)
    facts = {
        "survey": survey.survey,
        "gathers" if whole else "gathers in the survey": f"{survey.n_gathers:,}",
        "traces" if whole else "traces in the survey": f"{picks.n_traces:,}",
        "sampling": f"{survey.sample_interval_us / 1000:g} ms",
        "live traces" if whole else "live traces shown": f"{tally.n_live:,}",
        "of them picked": f"{tally.n_picked / max(tally.n_live, 1):.1%}",
        "of them flagged": f"{flagged / max(tally.n_live, 1):.1%}",
        "time to pick": f"{picks.seconds:,.1f} s",
        "throughput": f"{picks.traces_per_s:,.0f} traces/s",
    }
    if score:
        facts["within 2 ms of labels"] = f"{score.hit_rate_2ms:.1%}"
        facts["within 4 ms of labels"] = f"{score.hit_rate_4ms:.1%}"
    return facts


def _where_section(tally: PickTally) -> Section:
    draw = plot_map if tally.has_geometry else plot_matrix
    captions: dict[Quality, str] = {"probability": "Where picks are sure", "flagged": "Where picks are doubtful"}
    if tally.has_geometry:
        lost = tally.n_live - tally.n_placed
        text = f"{lost:,} live traces have no coordinates and are not on the maps." if lost else ""
    else:
        together = tally.matrix.gathers_a_row
        text = "The survey has no coordinates, so gathers stand below each other, channels beside each other." + (
            f" {together} gathers share a row." if together > 1 else ""
        )
    figures = tuple((caption, png_bytes(draw(tally, quality), dpi=150)) for quality, caption in captions.items())
    return Section(title="Where picks are good", text=text, figures=figures, columns=True)


def _picks_section(tally: PickTally) -> Section:
    """Return pick times and probabilities over the whole survey, and a table of the flags."""
    offset_m, channel, pick_ms = tally.sample()
    figures = []
    if np.isfinite(offset_m).any():
        n_offset = tally.n_picked if np.isfinite(offset_m).all() else None
        figures.append(("Picks against offset", plot_pick_offset(offset_m, pick_ms, n_all=n_offset)))
    elif channel.size:
        figures.append(("Picks against channel", plot_pick_channel(channel, pick_ms, n_all=tally.n_picked)))
    figures.append(
        ("How sure the picker is; counts grow tenfold from line to line", plot_probabilities(tally.probability))
    )
    rows = [
        (flag, f"{count:,}", f"{count / tally.flags.total():.1%}", FLAGS.get(flag, "does not fit the picks around it"))
        for flag, count in tally.flags.most_common()
    ]
    thinned = f"{offset_m.size:,} of {tally.n_picked:,} picks, drawn at random, are in the chart of times."
    return Section(
        title="All picks",
        text=thinned if offset_m.size < tally.n_picked else "",
        figures=tuple((caption, png_bytes(figure, dpi=150)) for caption, figure in figures),
        table=(("flag", "traces", "share", "what it says"), *rows),
        columns=True,
    )


def _score_sections(main: _Known, scores: dict[str, PickScore]) -> Iterator[Section]:
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
        "ECE",
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
            f"{one.ece_2ms:.3f}",
        )
        for name, one in scores.items()
    ]
    residual_ms = main.pick_ms - main.first_break_ms
    residual_ms = residual_ms[np.isfinite(residual_ms)]
    figures = [("Share of labelled traces within a tolerance", png_bytes(plot_hit_rates(scores), dpi=150))]
    if residual_ms.size:
        figures.append(("Residuals: pick minus first break", png_bytes(plot_residuals(residual_ms), dpi=150)))
        sure = plot_reliability(*sureness(main.pick_ms, main.first_break_ms, main.probability))
        figures.append(("What a probability is worth; larger dots, more picks", png_bytes(sure, dpi=150)))
    yield Section(
        title="Against the labels",
        text="A trace that is labelled and not picked counts as a miss.",
        figures=tuple(figures),
        table=(head, *rows),
        columns=True,
    )
