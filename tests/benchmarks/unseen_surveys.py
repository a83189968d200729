"""How pickers do on surveys of which they saw neither labels nor traces, and what the first labels there bring.

    python tests/benchmarks/unseen_surveys.py DATA [--store URI] [--workers N]

DATA: the folder with geostack, danube_island and soda_lakes. Pickers learn from a synthetic survey, each spread of
which stands on ground of its own, from scratch and from no human label (three seeds). The first of them goes on with
labels of soda_lakes, of geostack or of both beside the synthetic gathers, and is scored on gathers at other locations,
and on all labelled ones of surveys that it never saw; the model `of-soda_lakes` is the picker that comes with seisray.
Or it picks a survey, and goes on learning from what it is sure of there (--labels-of), on gathers other than those
scored; once, and again from the picks of what came of that; and, for three gathers in turn, first from that one's
labels beside the synthetic gathers, and then from its own picks beside them. What an interrupted run finished is kept,
and what another version of this script left under the same names: give each its own store. danube_island has labels for
these benchmarks only (real_surveys.py), and nothing learns from them.

A second table says what `pick --habit` brings with the labels of one gather, of each in turn that may be learned from
(of danube_island each that is labelled, the others scored): picks are moved by the constant by which these labels lie
from them, and nothing is learned. The same picks are scored, moved.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np
from real_surveys import SYNTHETIC, TAUGHT_AUGMENT, UNLABELLED_AUGMENT, VARIED, ingest_synthetic, survey_settings

from seisray.api import PickConfig, PickerConfig, Store, finetune, ingest, pick_survey, score
from seisray.config import AugmentConfig, PickerTrainConfig, TransferConfig
from seisray.formats.picks.first_breaks import first_breaks_csv
from seisray.metrics.picks import PickScore, score_picks
from seisray.picking.habit import habit_of
from seisray.picking.score import compare
from seisray.registry import Model
from seisray.storage import locate
from seisray.stream import read_labelled
from seisray.training.picker import parse_ffids

LEARN = {"soda_lakes": "1001-1040", "geostack": "13,20,21,108,109"}
SCORED = {
    "soda_lakes": [*range(1043, 1061)],
    "geostack": [134, 135, 256, 257, 280, 281],
    "danube_island": [1054, 1099, 1113, 1119, 2027, 2037, 2045, 2054],
}
ONE_LABELLED = {"soda_lakes": (1005, 1020, 1035), "geostack": (13, 20, 108)}
STEADY = PickConfig(average=True, smoothness=1.0)
ALL, KEPT, OTHERS = "never seen, all gathers", "never seen, other shots", "other shots"
"""What of a survey pickers are scored on: all that has labels; or, of one never seen or seen, SCORED."""
NOBODY, SEEDS = "of-nobody", range(3)


def of_nobody(seed: int, *, store: str, workers: int) -> Model:
    """Return a picker that learned from synthetic gathers alone."""
    name = NOBODY if seed == 0 else f"{NOBODY}-{seed}"
    if not Store(store).versions(name):
        train = PickerTrainConfig(steps=1500, workers=workers, seed=seed)
        config = PickerConfig(train=train, augment=UNLABELLED_AUGMENT, calibrate=True)
        finetune([VARIED], source="scratch", model=name, store=store, config=config)
    return Store(store).model(name)


def of_labels(nobody: Model, surveys: Sequence[str], *, store: str, workers: int) -> Model:
    """Return the picker that labels of surveys, beside synthetic gathers, make of one."""
    name = f"of-{'-and-'.join(surveys)}"
    if not Store(store).versions(name):
        learned = [*(f"{survey}:{LEARN[survey]}" for survey in surveys), VARIED]
        config = replace(brief(workers, TAUGHT_AUGMENT), calibrate=True)
        finetune(learned, source=nobody.ref, model=name, store=store, config=config)
    return Store(store).model(name)


def self_taught(
    teacher: Model, survey: str, *, name: str, store: str, workers: int, by_hand: int | None = None
) -> Model:
    """Return what a picker becomes by its own sure picks of a survey, but for the gathers scored.

    by_hand: FFID of a gather that keeps the survey's labels.
    """
    place, picks = Store(store), f"{teacher.name}-sure-of-{survey}"
    if not place.versions(name):
        if picks not in place.names("picks"):
            pick_survey(survey, model=teacher.ref, out=picks, store=store, resume=True, config=STEADY)
        manifest = place.survey(survey)
        others = {ffid for shard in manifest.shards for ffid in shard["ffids"]} - set(SCORED[survey])
        learned, labels = [f"{survey}:{','.join(map(str, sorted(others)))}"], None
        if by_hand is not None:
            labels = f"{store}/benchmarks/{survey}-{by_hand}.csv"
            locate(labels).write_bytes(first_breaks_csv(read_labelled(place, [manifest], [by_hand])).encode())
        config = brief(workers)
        finetune(learned, source=teacher.ref, model=name, store=store, labels=labels, labels_of=[picks], config=config)
    return place.model(name)


def brief(workers: int, augment: AugmentConfig | None = None) -> PickerConfig:
    """Return the settings of a picker that goes on learning."""
    train = PickerTrainConfig(steps=300, workers=workers)
    return PickerConfig(transfer=TransferConfig(lr=1e-3), train=train, augment=augment or AugmentConfig())


def rows_of_one(nobody: Model, survey: str, store: str, workers: int) -> Iterator[str]:
    """Yield rows of pickers of one gather by hand beside synthetic ones, and of what their own picks make of them."""
    for one in ONE_LABELLED.get(survey, ()):
        name, learned = f"of-{one}-on-{survey}", f"synthetic and gather {one}"
        if not Store(store).versions(name):
            config = brief(workers, TAUGHT_AUGMENT)
            finetune([f"{survey}:{one}", VARIED], source=nobody.ref, model=name, store=store, config=config)
        first = Store(store).model(name)
        yield row(first, survey, OTHERS, learned, store)
        then = self_taught(first, survey, name=f"{name}-then-itself", store=store, workers=workers, by_hand=one)
        yield row(then, survey, OTHERS, f"{learned}, then its own picks", store)


def scored(model: Model, survey: str, store: str, ffids: Sequence[int] | None) -> PickScore:
    """Return how a picker does on gathers of a survey that it did not learn from, None = on all labelled ones."""
    out = f"{model.name}-on-{survey}"
    if out not in Store(store).names("picks"):
        pick_survey(survey, model=model.ref, out=out, store=store, resume=True)
    return score(out, store=store, ffids=ffids)


def row(model: Model, survey: str, which: str, learned_from: str, store: str) -> str:
    """Return a line of the table."""
    found = scored(model, survey, store, None if which == ALL else SCORED[survey])
    rates = (found.hit_rate_1ms, found.hit_rate_2ms, found.hit_rate_4ms, found.hit_rate_2ms_debiased)
    shown = " | ".join(f"{rate:.1%}" for rate in rates)
    last = f"{found.median_residual_ms:+.2f} | {found.coverage:.1%} | {found.ece_2ms:.2f}"
    return f"| {survey}, {which} | {learned_from} | {shown} | {last} |"


def habit_row(model: Model, survey: str, learned_from: str, store: str) -> str:
    """Return a line of the table of constants told by one gather."""
    scored(model, survey, store, None)
    found = compare(Store(store), f"{model.name}-on-{survey}")
    names = ("ffid", "pick_ms", "first_break_ms", "probability")
    ffid, pick_ms, label_ms, probability = (found[name].to_numpy() for name in names)
    ok = np.isfinite(label_ms) & np.isfinite(pick_ms) & (found["flag"].to_numpy() == "ok")
    before, after, interval_us = [], [], Store(store).survey(survey).sample_interval_us
    tellers = parse_ffids(LEARN[survey]) if survey in LEARN else SCORED[survey]
    for one in tellers:
        habit_ms = habit_of((label_ms - pick_ms)[ok & (ffid == one)].tolist()).ms
        if np.isnan(habit_ms):  # too few labels: `pick --habit` refuses them
            continue
        those = np.isin(ffid, [other for other in SCORED[survey] if other != one])
        for moved_ms, scores in ((0.0, before), (habit_ms, after)):
            about = {"sample_interval_us": interval_us, "probability": probability[those]}
            scores.append(score_picks(pick_ms[those] + moved_ms, label_ms[those], **about))
    rates = [sorted(getattr(one, f"hit_rate_{ms}ms") for one in after) for ms in (1, 2, 4)]
    shown = " | ".join(f"{fmean(of):.1%} ({of[0]:.1%} to {of[-1]:.1%})" for of in rates)
    plain, errors = fmean(one.hit_rate_2ms for one in before), fmean(one.ece_2ms for one in after)
    return f"| {survey} | {learned_from} | {len(after)} of {len(tellers)} | {plain:.1%} | {shown} | {errors:.2f} |"


def main() -> None:
    """Train what the store does not hold yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--store", default="./seisray-store")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    store, workers = options.store, options.workers
    for name, (files, settings) in survey_settings(options.data).items():
        if name not in Store(store).names("surveys"):
            ingest(name, files, store=store, config=settings, resume=True)
    print(
        "| scored on | learned from | within 1 ms | 2 ms | 4 ms | 2 ms without constant | median, ms | picked | ECE |\n"
        + "|---" * 9
        + "|"
    )
    ingest_synthetic(VARIED, SYNTHETIC, store)
    make = partial(of_labels, store=store, workers=workers)
    seeds = [of_nobody(seed, store=store, workers=workers) for seed in SEEDS]
    nobody = seeds[0]
    taught = {survey: make(nobody, [survey]) for survey in LEARN}
    both = make(nobody, list(LEARN))
    for survey in SCORED:
        for which in (ALL, KEPT) if survey in LEARN else (ALL,):
            for seed, model in zip(SEEDS, seeds, strict=True):
                print(row(model, survey, which, f"synthetic, seed {seed}", store), flush=True)
        for model, surveys in [*((model, [of]) for of, model in taught.items()), (both, list(LEARN))]:
            which, learned = OTHERS if survey in surveys else ALL, " and ".join(["synthetic", *surveys])
            print(row(model, survey, which, learned, store), flush=True)
        teach = partial(self_taught, survey=survey, store=store, workers=workers)
        once = teach(nobody, name=f"of-itself-on-{survey}")
        print(row(once, survey, OTHERS, "synthetic and its own picks", store), flush=True)
        twice = teach(once, name=f"of-itself-twice-on-{survey}")
        print(row(twice, survey, OTHERS, "the same, twice", store), flush=True)
        for line in rows_of_one(nobody, survey, store, workers):
            print(line, flush=True)
    print("\n| scored on | learned from | gathers | 2 ms, not moved | 1 ms | 2 ms | 4 ms | ECE |\n" + "|---" * 8 + "|")
    for survey in SCORED:
        for seed, model in zip(SEEDS, seeds, strict=True):
            print(habit_row(model, survey, f"synthetic, seed {seed}", store), flush=True)
        for of, model in taught.items():
            if of != survey:
                print(habit_row(model, survey, f"synthetic and {of}", store), flush=True)


if __name__ == "__main__":
    main()
