"""How near labels let any picker come: where two pickers that share no labelled gather agree, and the labels do not.

    python tests/benchmarks/label_limits.py DATA [--store URI] [--steps 300]

DATA: the folder with geostack, danube_island and soda_lakes. One picker learns from every other labelled gather of a
survey, one from those between, and both pick gathers at other locations. Those of soda_lakes (20 gathers each) begin
from scratch, by other seeds. Those of geostack (three and two) begin as the picker that comes with seisray, which saw
nothing of it, and go on from what they are sure of on gathers that nobody labelled. A line is 48 geophones: soda_lakes
has two a shot. Where both pickers are as far from the labels, what is off is the labels. Takes some eight minutes on
two cores.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import ray
from label_bench import LEARN, VALIDATE
from label_cells import Cell, sure_gathers, trained
from numpy.typing import NDArray
from real_surveys import survey_settings
from torch import Tensor

from seisray.config import SHIPPED, PickerConfig
from seisray.gather import Gather
from seisray.ingest import ingest
from seisray.registry import Store
from seisray.session import connect
from seisray.stream import read_labelled, shard_refs
from seisray.training.picker import parse_ffids, pick_gathers
from seisray.weights import load_weights

LINE = 48
HIT_MS, ALIKE_MS, FAR_MS = 2.0, 1.0, 1.5
Lines = NDArray[np.float64]
"""(n_lines, LINE), in ms."""


def picks_ms(
    steps: int,
    seed: int,
    learn: Sequence[Gather],
    validate: Sequence[Gather],
    raw: Sequence[Gather],
    weights: Mapping[str, Tensor] | None,
) -> Lines:
    """Return what a picker of labelled gathers, and then of its own picks of raw ones, says; NaN = no pick.

    seed: of its first weights and of the panels that it sees. weights: what it begins with, None = from scratch.
    """
    survey, lr = learn[0].survey, 1e-3 if weights else 2e-3
    cell = Cell(survey=survey, n_gathers=len(learn), draw=seed, start="scratch", lr=lr, steps=steps)
    picker = trained(cell, learn, dict(weights) if weights else None)
    if raw:
        picker = trained(cell, [*learn, *sure_gathers(picker, raw, learn)], picker.state_dict())
    return np.array(pick_gathers(picker, validate, PickerConfig().panel)).reshape(-1, LINE)


def lines(gathers: Sequence[Gather]) -> Lines:
    """Return the labels of gathers, NaN = none."""
    return np.array([gather.first_break_ms for gather in gathers], float).reshape(-1, LINE)


def within(residual_ms: Lines, counted: NDArray[np.bool_], limit_ms: float = HIT_MS) -> float:
    """Return the share of the traces counted whose residual is at most so large; NaN = it is not."""
    return float((np.abs(residual_ms[counted]) <= limit_ms).mean())


def row(survey: str, label_ms: Lines, picks: Sequence[Lines]) -> str:
    """Return a line of the table."""
    labelled = np.isfinite(label_ms)
    left = [one - label_ms for one in picks]
    whole = [within(one - np.nanmedian(one), labelled) for one in left]
    by_line = [within(one - np.nanmedian(one, axis=1, keepdims=True), labelled) for one in left]
    apart = picks[0] - picks[1]
    both = labelled & np.isfinite(apart)
    off = both & (np.abs(left[0]) > HIT_MS)
    shown = [
        " and ".join(f"{one:.1%}" for one in two) for two in ([within(one, labelled) for one in left], whole, by_line)
    ]
    alike = (within(apart, both, ALIKE_MS), within(apart, both), within(apart, off, ALIKE_MS), within(apart, off))
    return f"| {survey} | {' | '.join([*shown, *(f'{one:.1%}' for one in alike)])} |"


def far(survey: str, validate: Sequence[Gather], label_ms: Lines, picks: Sequence[Lines]) -> str:
    """Return which lines both pickers put more than FAR_MS to the same side of their labels, by the median."""
    a, b = (np.nanmedian(one - label_ms, axis=1) for one in picks)
    nearer = np.where(a * b > 0, np.minimum(np.abs(a), np.abs(b)), 0)
    ffids = np.repeat([gather.ffid for gather in validate], len(label_ms) // len(validate))
    named = ", ".join(f"{ffids[i]} ({a[i]:+.1f}, {b[i]:+.1f} ms)" for i in np.flatnonzero(nearer > FAR_MS))
    return f"{survey}: lines that both put more than {FAR_MS} ms from their labels, by FFID: {named or 'none'}"


def main() -> None:
    """Train the pickers, and print what they say of the labels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--store", default="./seisray-store")
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()
    store = Store(options.store)
    shipped = load_weights(store, store.model(SHIPPED), "picker")
    connect(dashboard=False)
    task, asked, begun = ray.remote(num_cpus=1)(picks_ms), {}, {}
    for survey, weights in (("soda_lakes", None), ("geostack", shipped)):
        if survey not in store.names("surveys"):
            files, settings = survey_settings(options.data)[survey]
            ingest(survey, files, store=options.store, config=settings, resume=True)
        place = store.survey(survey)
        learn, validate = (read_labelled(store, [place], parse_ffids(of[survey])) for of in (LEARN, VALIDATE))
        known = {gather.ffid for gather in (*learn, *validate)}
        every = [gather for ref in shard_refs(store, [place]) for gather in ref.gathers() if weights]
        raw = ray.put([gather for gather in every if gather.ffid not in known])
        asked[survey] = validate
        begun[survey] = [task.remote(options.steps, half, learn[half::2], validate, raw, weights) for half in (0, 1)]
    print(
        "| survey | within 2 ms of the labels | without a constant | without one a line | the two alike, to 1 ms "
        "| 2 ms | where the first is off, to 1 ms | 2 ms |\n" + "|---" * 8 + "|"
    )
    notes = []
    for survey, validate in asked.items():
        found, label_ms = ray.get(begun[survey]), lines(validate)
        print(row(survey, label_ms, found), flush=True)
        notes.append(far(survey, validate, label_ms, found))
    print("\n" + "\n".join(notes))


if __name__ == "__main__":
    main()
