"""What surveys at other sampling intervals cost a picker: each learned alone, and all three together.

    python tests/benchmarks/sampling_intervals.py [--store URI] [--steps 600]

Surveys: the same kind of synthetic ground and wavelets (18-32 Hz, 40 ms a period) recorded at 1, 2 and 4 ms, of
different seeds. A picker learns from three spreads of one, or of each, and is scored on the fourth, on other ground: in
the same steps, of which each survey then gets a third, and in three times as many, of which each gets as many as one
that is learned alone. Limits are in ms, and a wavelet's period is the same at every interval. Takes twenty minutes on
two cores; what an interrupted run finished is kept.
"""

import argparse

from real_surveys import ingest_synthetic

from seisray.api import (
    PickerConfig,
    Store,
    SyntheticConfig,
    finetune,
    pick_survey,
    score,
)
from seisray.config import PickerTrainConfig

RECORD_MS = 1600
SPREADS, SHOTS_PER_SPREAD, FIRST_FFID = 4, 15, 1001
INTERVALS_MS = (1, 2, 4)
LEARN = f"{FIRST_FFID}-{FIRST_FFID + (SPREADS - 1) * SHOTS_PER_SPREAD - 1}"
VALIDATE = [*range(FIRST_FFID + (SPREADS - 1) * SHOTS_PER_SPREAD, FIRST_FFID + SPREADS * SHOTS_PER_SPREAD)]


def recorded(interval_ms: int) -> SyntheticConfig:
    """Return the settings of the survey at one interval."""
    return SyntheticConfig(
        shots=SPREADS * SHOTS_PER_SPREAD,
        shots_per_spread=SHOTS_PER_SPREAD,
        traces=48,
        samples=RECORD_MS // interval_ms,
        sample_interval_us=1000.0 * interval_ms,
        seed=interval_ms,
    )


def main() -> None:
    """Make, learn and pick what the store does not hold yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default="./seisray-store")
    parser.add_argument("--steps", type=int, default=600)
    options = parser.parse_args()
    place, store = Store(options.store), options.store
    surveys = {interval_ms: f"at-{interval_ms}-ms" for interval_ms in INTERVALS_MS}
    for interval_ms, name in surveys.items():
        ingest_synthetic(name, recorded(interval_ms), store)
    print("| survey | learned | within 1 ms | 2 ms | 4 ms | MAE, ms | median, ms |\n" + "|---" * 7 + "|")
    three = [*surveys.values()]
    for name in three:
        for learned, times, which in (
            ([name], 1, "alone"),
            (three, 1, "all three together, in the same steps"),
            (three, 3, "all three together, each for as many steps"),
        ):
            steps = times * options.steps
            model = f"of-{name if learned == [name] else 'all-intervals'}-{steps}"
            if not place.versions(model):
                of = [f"{one}:{LEARN}" for one in learned]
                config = PickerConfig(train=PickerTrainConfig(steps=steps, workers=2))
                finetune(of, source="scratch", model=model, store=store, config=config)
            out = f"{model}-on-{name}"
            if out not in place.names("picks"):
                pick_survey(name, model=model, out=out, store=store, resume=True)
            found = score(out, store=store, ffids=VALIDATE)
            rates = (found.hit_rate_1ms, found.hit_rate_2ms, found.hit_rate_4ms)
            shown = " | ".join(f"{rate:.1%}" for rate in rates)
            print(f"| {name} | {which} | {shown} | {found.mae_ms:.2f} | {found.median_residual_ms:+.2f} |", flush=True)


if __name__ == "__main__":
    main()
