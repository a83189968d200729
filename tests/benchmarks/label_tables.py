"""Tables and curves of label_efficiency.py, and the pickers that learn nothing, for comparison."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
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


def table(outcomes: Sequence[Mapping[str, Any]], starts: Sequence[str]) -> Iterator[str]:
    """Yield the lines: a start a row; a column for each survey and number of labelled gathers, and survey scored on."""
    plain, debiased = grouped(outcomes, "hit_rate_2ms"), grouped(outcomes, "hit_rate_2ms_debiased")
    columns = sorted({(survey, other, n) for survey, n, _, other in plain}, key=lambda one: (one[0] != one[1], one))
    heads = [f"{n} of {survey}" + (f" on {other}" if other != survey else "") for survey, other, n in columns]
    yield f"| start | {' | '.join(heads)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for start in starts:
        cells = []
        for survey, other, n in columns:
            values = plain.get((survey, n, start, other), [])
            free = debiased.get((survey, n, start, other), [])
            cells.append(f"{np.mean(values):.1%} ± {half_width(values):.1%} ({np.mean(free):.1%})" if values else "")
        yield f"| {start} | {' | '.join(cells)} |"


def picture(outcomes: Sequence[Mapping[str, Any]], starts: Sequence[str], file: Path) -> None:
    """Draw the hit rate against the number of labelled gathers, a curve a start, a panel a survey."""
    found = grouped(outcomes, "hit_rate_2ms")
    surveys = sorted({survey for survey, _, _, other in found if survey == other})
    figure = Figure(figsize=(5.5 * len(surveys), 4), layout="constrained")
    for axes, survey in zip(figure.subplots(1, len(surveys), squeeze=False)[0], surveys, strict=True):
        for start in starts:
            counts = sorted({n for one, n, name, other in found if one == other == survey and name == start})
            values = [found[survey, n, start, survey] for n in counts]
            means, widths = [np.mean(one) for one in values], [half_width(one) for one in values]
            axes.errorbar(counts, means, widths, label=start, capsize=2, marker="o", markersize=3, linewidth=1)
        axes.set(title=survey, xscale="log", xlabel="labelled gathers", ylabel="within 2 ms")
    axes.legend(fontsize=7)
    figure.savefig(file, dpi=110)
