"""Tables and curves of label_efficiency.py, and the pickers that learn nothing, for comparison."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from math import hypot, isfinite
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from label_cells import THEN
from matplotlib import colormaps
from matplotlib.figure import Figure
from scipy import stats

from seisray.gather import Gather
from seisray.metrics.calibration import BINS, Bin
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


Values = dict[tuple[int, int], float]
"""A score by draw and pre-training."""


def grouped(outcomes: Iterable[Mapping[str, Any]], score: str) -> dict[Group, Values]:
    """Return a score of every draw and pre-training, by what is compared; NaN where nothing was picked."""
    found: dict[Group, Values] = defaultdict(dict)
    for one in outcomes:
        cell = one["cell"]
        for survey, scores in one["scores"].items():
            group = cell["survey"], cell["n_gathers"], cell["start"], survey
            found[group][cell["draw"], cell["pretraining"]] = float("nan") if scores[score] is None else scores[score]
    return found


def mean_interval(values: Values) -> float:
    """Return half of a 95 % confidence interval of the mean: those over draws and over pre-trainings together.

    A pre-training is the same in all draws, and a draw in all pre-trainings: each gives a mean, and what these scatter
    adds up. Of one pre-training it is that over draws alone; NaN where there is one of each.
    """
    widths = []
    for part in (0, 1):
        of_one: dict[int, list[float]] = defaultdict(list)
        for key, value in values.items():
            of_one[key[part]].append(value)
        widths.append(half_width([fmean(of) for of in of_one.values()]))
    known = [width for width in widths if isfinite(width)]
    return hypot(*known) if known else float("nan")


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
            values = plain.get((survey, n, start, other), {})
            free = debiased.get((survey, n, start, other), {})
            width = f" ± {mean_interval(values):.1%}" if len(values) > 1 else ""
            cells.append(f"{fmean(values.values()):.1%}{width} ({fmean(free.values()):.1%})" if values else "")
        yield f"| {start} | {' | '.join(cells)} |"


def gains(outcomes: Sequence[Mapping[str, Any]], starts: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a table of how many points more than scratch a start brings, on the same gathers."""
    found = grouped(outcomes, "hit_rate_2ms")
    columns = sorted({(survey, n) for survey, n, _, other in found if n and other == survey})
    yield f"| points more than scratch | {' | '.join(f'{n} of {survey}' for survey, n in columns)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for start in starts[1:] if starts[0] == "scratch" else ():
        cells = []
        for survey, n in columns:
            base, own = (found.get((survey, n, one, survey), {}) for one in ("scratch", start))
            more = {key: 100 * (own[key] - base[key[0], 0]) for key in own if (key[0], 0) in base}
            cells.append(f"{fmean(more.values()):+.1f} ± {mean_interval(more):.1f}" if more else "")
        yield f"| {start} | {' | '.join(cells)} |"


SHOWN = {
    "coverage": ("picked", "{:.1%}"),
    "hit_rate_1ms": ("1 ms", "{:.1%}"),
    "hit_rate_2ms": ("2 ms", "{:.1%}"),
    "hit_rate_4ms": ("4 ms", "{:.1%}"),
    **{f"hr_at_{k}": (f"HR@{k}", "{:.1%}") for k in (1, 3, 5, 7, 9)},
    "rmse_ms": ("RMSE, ms", "{:.2f}"),
    "mae_ms": ("MAE, ms", "{:.2f}"),
    "bias_ms": ("bias, ms", "{:+.2f}"),
    "ece_2ms": ("ECE", "{:.2f}"),
}


def all_scores(
    outcomes: Sequence[Mapping[str, Any]], starts: Sequence[str], unlearned: Mapping[str, Mapping[str, PickScore]]
) -> Iterator[str]:
    """Yield the lines of a table of all scores: means of pickers of the most labels, and pickers that learn nothing."""
    found = {score: grouped(outcomes, score) for score in SHOWN}
    most: dict[str, int] = {}
    for survey, n, *_ in found["coverage"]:
        most[survey] = max(n, most.get(survey, 0))
    yield "| scored on | picker | " + " | ".join(name for name, _ in SHOWN.values()) + " |"
    yield "|---" * (len(SHOWN) + 2) + "|"
    for survey in next(iter(unlearned.values())):
        n = most.get(survey, 0)
        for start in starts:
            own = {score: of.get((survey, n, start, survey), {}) for score, of in found.items()}
            if own["coverage"]:
                means = {score: fmean(of.values()) for score, of in own.items()}
                shown = (
                    how.format(means[score]) if isfinite(means[score]) else "" for score, (_, how) in SHOWN.items()
                )
                yield f"| {survey} | {start}, {n} gathers | {' | '.join(shown)} |"
        for name, scores in unlearned.items():
            known = scores[survey].to_dict()
            shown = ("" if known[score] is None else how.format(known[score]) for score, (_, how) in SHOWN.items())
            yield f"| {survey} | {name} | {' | '.join(shown)} |"


def of_most(one: Mapping[str, Any], survey: str, n: int, start: str) -> bool:
    """Return whether an outcome is of a start with so many gathers of a survey."""
    cell = one["cell"]
    return (cell["survey"], cell["n_gathers"], cell["start"]) == (survey, n, start)


def pooled(outcomes: Iterable[Mapping[str, Any]]) -> list[Bin]:
    """Return how often picks of about one probability are right, of all draws and pre-trainings together."""
    parts: dict[int, list[Bin]] = defaultdict(list)
    for one in outcomes:
        for of in one["reliability"][one["cell"]["survey"]]:
            parts[min(int(of[1] * BINS), BINS - 1)].append(Bin(*of))
    found = []
    for _, own in sorted(parts.items()):
        n = sum(one.n for one in own)
        means = (sum(one.n * getattr(one, name) for one in own) / n for name in ("probability", "hit_rate"))
        found.append(Bin(n, *means))
    return found


def picture(outcomes: Sequence[Mapping[str, Any]], starts: Sequence[str], file: Path) -> None:
    """Draw the hit rate against the number of labelled gathers, and with the most of them against probability.

    A curve a start, a column a survey. A start that went on from its own picks is dashed, in the colour of what it
    began with.
    """
    found = grouped(outcomes, "hit_rate_2ms")
    surveys = sorted({survey for survey, _, _, other in found if survey == other})
    began = list(dict.fromkeys(start.removesuffix(THEN) for start in starts))
    colours = colormaps["tab10" if len(began) <= 10 else "tab20"]
    figure = Figure(figsize=(4.5 * len(surveys), 8.4), layout="constrained")
    for (axes, below), survey in zip(figure.subplots(2, len(surveys), squeeze=False).T, surveys, strict=True):
        counts = sorted({n for one, n, _, other in found if one == other == survey})
        for i, start in enumerate(starts):
            there = [n for n in counts if (survey, n, start, survey) in found]
            values = [found[survey, n, start, survey] for n in there]
            look = {
                "color": colours(began.index(start.removesuffix(THEN))),
                "linestyle": "--" if start.endswith(THEN) else "-",
                "marker": "o",
                "markersize": 3,
                "linewidth": 1.2,
            }
            axes.errorbar(
                [counts.index(n) + 0.04 * (i - len(starts) / 2) for n in there],  # side by side
                [100 * fmean(one.values()) for one in values],
                [100 * mean_interval(one) for one in values],
                label=start,
                capsize=2,
                **look,
            )
            said = pooled(one for one in outcomes if of_most(one, survey, counts[-1], start))
            below.plot([100 * one.probability for one in said], [100 * one.hit_rate for one in said], **look)
        axes.set(title=survey, xlabel="labelled gathers", ylabel="within 2 ms, %")
        axes.set_xticks(range(len(counts)), [str(n) for n in counts])
        axes.set_ylim(0, 100)
        axes.grid(axis="y", alpha=0.3)
        below.plot([0, 100], [0, 100], color="0.7", linewidth=1)
        below.set(xlabel=f"probability of picks, % ({counts[-1]} gathers)", ylabel="of these within 2 ms, %")
        below.grid(alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
    figure.savefig(file, dpi=100)
