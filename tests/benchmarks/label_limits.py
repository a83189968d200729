"""How near the labels of soda_lakes let any picker come: where two that share no gather agree, and the labels do not.

    python tests/benchmarks/label_limits.py DATA [--store URI] [--steps 300]

DATA: the folder with geostack, danube_island and soda_lakes. Two pickers learn from scratch, one from every other
gather of 1001-1040, the other from those between, and pick 1043-1060. A gather is two lines of 48 geophones. Where both
pickers are as far from the labels of a shot on one line, what is off is the labels. Takes two minutes on two cores.
"""

import argparse
from pathlib import Path

import numpy as np
import ray
from label_cells import Cell, trained
from numpy.typing import NDArray
from real_surveys import HELD_OUT, survey_settings

from seisray.config import PickerConfig
from seisray.gather import Gather
from seisray.ingest import ingest
from seisray.registry import Store
from seisray.session import connect
from seisray.stream import read_labelled
from seisray.training.picker import parse_ffids, pick_gathers

LINE = 48
FAR_MS = 1.5


def residuals_ms(
    steps: int, seed: int, learn: list[Gather], validate: list[Gather]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (n_lines, LINE) picks of a picker from scratch, and what is left after the labels, NaN = not both."""
    cell = Cell(survey="soda_lakes", n_gathers=len(learn), draw=seed, start="scratch", steps=steps)
    picks_ms = np.array(pick_gathers(trained(cell, learn, None), validate, PickerConfig().panel))
    label_ms = np.array([gather.first_break_ms for gather in validate])
    return picks_ms.reshape(-1, LINE), (picks_ms - label_ms).reshape(-1, LINE)


def within(residual_ms: NDArray[np.float64], labelled: NDArray[np.bool_], limit_ms: float = 2.0) -> float:
    """Return the share of labelled traces whose residual is at most so large."""
    return float((np.abs(residual_ms[labelled]) <= limit_ms).mean())


def main() -> None:
    """Train both pickers, and print what they say of the labels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--store", default="./seisray-store")
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()
    store = Store(options.store)
    if "soda_lakes" not in store.names("surveys"):
        files, settings = survey_settings(options.data)["soda_lakes"]
        ingest("soda_lakes", files, store=options.store, config=settings, resume=True)
    learn, validate = (
        read_labelled(store, [store.survey("soda_lakes")], ffids) for ffids in (parse_ffids("1001-1040"), HELD_OUT)
    )
    connect(dashboard=False)
    task = ray.remote(num_cpus=1)(residuals_ms)
    found = ray.get([task.remote(options.steps, half, learn[half::2], validate) for half in (0, 1)])
    labelled = np.array([gather.labelled for gather in validate]).reshape(-1, LINE)
    print("| within 2 ms of the labels | as they are | without a constant | without one per shot and line |")
    print("|---|---|---|---|")
    for half, (_, left_ms) in enumerate(found):
        by_line = np.nanmedian(left_ms, axis=1, keepdims=True)
        kinds = (left_ms, left_ms - np.nanmedian(left_ms), left_ms - by_line)
        print(f"| picker {half + 1} | {' | '.join(f'{within(one, labelled):.1%}' for one in kinds)} |")
    (picks_a, left_a), (picks_b, left_b) = found
    both = np.isfinite(picks_a - picks_b)
    a, b = np.nanmedian(left_a, axis=1), np.nanmedian(left_b, axis=1)
    far = (np.minimum(np.abs(a), np.abs(b)) > FAR_MS) & (a * b > 0)
    print(f"\nthe two, of traces that both pick, within 1 ms of each other: {within(picks_a - picks_b, both, 1.0):.1%}")
    print(
        f"medians of shots and lines, the two apart: {np.median(np.abs(a - b)):.2f} ms, at most {abs(a - b).max():.2f}"
    )
    print(f"of {len(a)} shots and lines both are more than {FAR_MS} ms from the labels, the same way, on {far.sum()}:")
    for i in np.flatnonzero(far):
        print(f"  FFID {validate[i // 2].ffid}, line {i % 2 + 1}: {a[i]:+.1f} and {b[i]:+.1f} ms")


if __name__ == "__main__":
    main()
