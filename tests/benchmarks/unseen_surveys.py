"""How pickers do on surveys of which they saw neither labels nor traces, and on other shots of those they learned from.

    python tests/benchmarks/unseen_surveys.py DATA [--store URI] [--workers N]

DATA: the folder with geostack, danube_island and soda_lakes. Every picker starts from a network that learned to repair
hidden parts of gathers, and learns from labelled gathers of locations that it is not scored on: one from soda_lakes and
geostack together, and one from each alone, which never saw the other; the first has seen the raw traces of what it is
scored on. What an interrupted run finished is kept.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from real_surveys import survey_settings

from seisray.api import MaskedConfig, PickerConfig, Store, finetune, ingest, pick_survey, pretrain_masked, score
from seisray.config import PickerTrainConfig, RebuildTrainConfig
from seisray.metrics.picks import PickScore
from seisray.registry import Model

LEARN = {"soda_lakes": "1001-1040", "geostack": "13,20,21,108,109"}
SCORED = {"soda_lakes": [*range(1043, 1061)], "geostack": [134, 135, 256, 257, 280, 281]}


def picker(surveys: Sequence[str], *, seen: Sequence[str], name: str, store: str, workers: int) -> Model:
    """Return a picker that learned from labels of some surveys and raw traces of those seen."""
    place, base = Store(store), f"{name}-base"
    if not place.versions(base):
        repair = MaskedConfig(train=RebuildTrainConfig(steps=2000, workers=workers))
        pretrain_masked(seen, model=base, store=store, config=repair)
    if not place.versions(name):
        config = PickerConfig(train=PickerTrainConfig(workers=workers))
        ffids = ",".join(LEARN[survey] for survey in surveys)
        finetune(surveys, source=base, model=name, ffids=ffids, store=store, config=config)
    return place.model(name)


def scored(model: Model, survey: str, store: str) -> PickScore:
    """Return how a picker does on gathers of a survey that it did not learn from."""
    out = f"{model.name}-on-{survey}"
    if out not in Store(store).names("picks"):
        pick_survey(survey, model=model.ref, out=out, store=store, resume=True)
    return score(out, store=store, ffids=SCORED[survey])


def main() -> None:
    """Train what the store does not hold yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--store", default="./seisray-store")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    store, workers = options.store, options.workers
    surveys = survey_settings(options.data)
    for name, (files, settings) in surveys.items():
        if name not in Store(store).names("surveys"):
            ingest(name, files, store=store, config=settings, resume=True)
    print(
        "| scored on | within 1 ms | 2 ms | 4 ms | 2 ms without a constant | median, ms | picked |\n" + "|---" * 7 + "|"
    )
    both = picker(list(LEARN), seen=list(surveys), name="of-both", store=store, workers=workers)
    for survey in LEARN:
        labelled, others = ([name for name in names if name != survey] for names in (LEARN, surveys))
        stranger = picker(labelled, seen=others, name=f"without-{survey}", store=store, workers=workers)
        for how, model in (("other shots", both), ("never seen", stranger)):
            found = scored(model, survey, store)
            rates = (found.hit_rate_1ms, found.hit_rate_2ms, found.hit_rate_4ms, found.hit_rate_2ms_debiased)
            shown = " | ".join(f"{rate:.1%}" for rate in rates)
            print(
                f"| {survey}, {how} | {shown} | {found.median_residual_ms:+.2f} | {found.coverage:.1%} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
