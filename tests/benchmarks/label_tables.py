"""Tables and curves of label_efficiency.py, and the pickers that learn nothing, for comparison."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from label_cells import THEN
from matplotlib.figure import Figure
from scipy import stats

from seisray.gather import Gather
from seisray.metrics.picks import PickScore
from seisray.picking.classical import aic, coppens, modified_energy_ratio, sta_lta
from seisray.resampling import samples_per_period
from seisray.training.picker import score_labels
from seisray.units import sample_to_ms


def classical(validate: Mapping[str, list[Gather]]) -> dict[str, dict[str, PickScore]]:
    """Return how pickers that learn nothing do, by name and survey; windows are shares of a period."""
    scores: dict[str, dict[str, PickScore]] = defaultdict(dict)
    for survey, gathers in validate.items():
        period = max(round(samples_per_period(gathers)), 8)
        pickers = {
            "STA/LTA": partial(sta_lta, short=period // 4, long=2 * period),
            "MER": partial(modified_energy_ratio, window=period // 2),
            "Coppens": partial(coppens, window=period // 2, smoothing=period // 4),
            "AIC": partial(aic, window=period // 8, share=0.02),
        }
        for name, picker in pickers.items():
            picks_ms = [sample_to_ms(picker(one.samples), one.sample_interval_us) for one in gathers]
            scores[name][survey] = score_labels(picks_ms, gathers)
    return scores


Group = tuple[str, int, str, str]
"""Survey learned from, labelled gathers, start, survey scored on."""


def grouped(outcomes: Iterable[Mapping[str, Any]], score: str) -> dict[Group, list[float]]:
    """Return a score of every draw and pre-training, by what is compared."""
    found: dict[Group, list[float]] = defaultdict(list)
    for one in outcomes:
        cell = one["cell"]
        for survey, scores in one["scores"].items():
            found[cell["survey"], cell["n_gathers"], cell["start"], survey].append(scores[score] or 0.0)
    return found


def half_width(values: Sequence[float]) -> float:
    """Return half of a 95 % confidence interval of the mean; NaN of a single value."""
    if len(values) < 2:
        return float("nan")
    return float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5)


def table(outcomes: Sequence[Mapping[str, Any]], starts: Sequence[str], *, elsewhere: bool = False) -> Iterator[str]:
    """Yield the lines: a start a row; a column for each survey and number of labelled gathers learned from.

    elsewhere: scored on surveys of which no label was seen, by pickers of the most labelled gathers, and a column for
    each of these surveys, too.
    """
    plain, debiased = grouped(outcomes, "hit_rate_2ms"), grouped(outcomes, "hit_rate_2ms_debiased")
    most = {survey: max(n for one, n, *_ in plain if one == survey) for survey, *_ in plain}
    columns = sorted(
        {
            (survey, other, n)
            for survey, n, _, other in plain
            if (survey != other) == elsewhere and (not elsewhere or n == most[survey])
        }
    )
    heads = [f"{n} of {survey}" + (f" on {other}" if elsewhere else "") for survey, other, n in columns]
    yield f"| start | {' | '.join(heads)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for start in starts:
        cells = []
        for survey, other, n in columns:
            values = plain.get((survey, n, start, other), [])
            free = debiased.get((survey, n, start, other), [])
            around = f" ± {half_width(values):.1%}" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.1%}{around} ({np.mean(free):.1%})" if values else "")
        yield f"| {start} | {' | '.join(cells)} |"


def gains(outcomes: Sequence[Mapping[str, Any]], starts: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a table of how many points more than scratch a start brings, on the same gathers."""
    found: dict[tuple[str, int, str], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in outcomes:
        cell = one["cell"]
        rate = one["scores"][cell["survey"]]["hit_rate_2ms"]
        found[cell["survey"], cell["n_gathers"], cell["start"]][cell["draw"]].append(rate)
    columns = sorted({(survey, n) for survey, n, _ in found if n})
    yield f"| points more than scratch | {' | '.join(f'{n} of {survey}' for survey, n in columns)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for start in starts[1:] if starts[0] == "scratch" else ():
        cells = []
        for survey, n in columns:
            base, own = found[survey, n, "scratch"], found[survey, n, start]
            more = [float(np.mean(own[draw]) - np.mean(base[draw])) for draw in own if draw in base]
            cells.append(f"{100 * np.mean(more):+.1f} ± {100 * half_width(more):.1f}" if more else "")
        yield f"| {start} | {' | '.join(cells)} |"


def picture(outcomes: Sequence[Mapping[str, Any]], starts: Sequence[str], file: Path) -> None:
    """Draw the hit rate against the number of labelled gathers, a curve a start, a panel a survey.

    A start that went on from its own picks is dashed, in the colour of what it began with.
    """
    found = grouped(outcomes, "hit_rate_2ms")
    surveys = sorted({survey for survey, _, _, other in found if survey == other})
    began = list(dict.fromkeys(start.removesuffix(THEN) for start in starts))
    figure = Figure(figsize=(4.5 * len(surveys), 4.6), layout="constrained")
    for axes, survey in zip(figure.subplots(1, len(surveys), squeeze=False)[0], surveys, strict=True):
        counts = sorted({n for one, n, _, other in found if one == other == survey})
        for i, start in enumerate(starts):
            there = [n for n in counts if (survey, n, start, survey) in found]
            values = [[100 * value for value in found[survey, n, start, survey]] for n in there]
            axes.errorbar(
                [counts.index(n) + 0.04 * (i - len(starts) / 2) for n in there],  # side by side
                [np.mean(one) for one in values],
                [half_width(one) for one in values],
                label=start,
                color=f"C{began.index(start.removesuffix(THEN))}",
                linestyle="--" if start.endswith(THEN) else "-",
                capsize=2,
                marker="o",
                markersize=3,
                linewidth=1.2,
            )
        axes.set(title=survey, xlabel="labelled gathers", ylabel="within 2 ms, %")
        axes.set_xticks(range(len(counts)), [str(n) for n in counts])
        axes.set_ylim(0, 100)
        axes.grid(axis="y", alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
    figure.savefig(file, dpi=100)
