"""How pickers do on surveys of which they saw neither labels nor traces, and what the first labels there bring.

    python tests/benchmarks/unseen_surveys.py DATA [--store URI] [--workers N]

DATA: the folder with geostack, danube_island and soda_lakes. Every picker starts from a network that learned to repair
hidden parts of gathers, and learns from labelled gathers of locations that it is not scored on: one from soda_lakes and
geostack together, and for each survey one that saw neither its labels nor its traces; the first has seen the raw traces
of what it is scored on. All that with a synthetic survey beside them, each spread of which stands on ground of its own,
and without; of the synthetic survey alone one learns, too, from no human label. The model `of-both-varied` is the
picker that comes with seisray. A second table is of pickers that learn from one or five gathers of the other survey:
from scratch, from the network that repairs, and from the picker of field and synthetic gathers, neither of which has
seen that survey. Before it, rows of pickers that no person's label taught: that of synthetic gathers picks each survey,
and goes on learning from what it is sure of there (--labels-of), on gathers other than those scored; once, and again
from the picks of what came of that; and, for three gathers in turn, first from that one's labels, and then from its
own picks beside them. What an interrupted run finished is kept, but for the second table. danube_island has labels for
these benchmarks only (real_surveys.py), and nothing learns from them.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import mean

import ray
import safetensors.torch
from label_cells import Cell, outcome
from label_efficiency import in_turn
from label_tables import half_width
from real_surveys import ingest_synthetic, survey_settings

from seisray.api import (
    MaskedConfig,
    PickConfig,
    PickerConfig,
    Store,
    SyntheticConfig,
    finetune,
    ingest,
    pick_survey,
    pretrain_masked,
    score,
)
from seisray.config import AugmentConfig, PickerTrainConfig, RebuildTrainConfig, TransferConfig
from seisray.formats.picks.first_breaks import first_breaks_csv
from seisray.metrics.picks import PickScore
from seisray.registry import Model
from seisray.session import connect
from seisray.storage import locate
from seisray.stream import read_labelled
from seisray.training.picker import parse_ffids
from seisray.weights import BODY_OF, load_weights

LEARN = {"soda_lakes": "1001-1040", "geostack": "13,20,21,108,109"}
SCORED = {
    "soda_lakes": [*range(1043, 1061)],
    "geostack": [134, 135, 256, 257, 280, 281],
    "danube_island": [1054, 1099, 1113, 1119, 2027, 2037, 2045, 2054],
}
ONE_LABELLED = {"soda_lakes": (1005, 1020, 1035), "geostack": (13, 20, 108)}
AUGMENT = AugmentConfig(stretch=2.0)
STEADY = PickConfig(average=True, smoothness=1.0)
VARIED = "varied"
SYNTHETIC = SyntheticConfig(
    shots=768,
    traces=48,
    samples=800,
    sample_interval_us=500.0,
    shots_per_spread=6,
    depth_m=60.0,
    varied=True,
)


def picker(
    surveys: Sequence[str], *, seen: Sequence[str], name: str, synthetic: bool, store: str, workers: int
) -> Model:
    """Return a picker that learned from labels of some surveys and raw traces of those seen; from scratch of none."""
    place, base = Store(store), f"{name}-base"
    if seen and not place.versions(base):
        repair = MaskedConfig(train=RebuildTrainConfig(steps=2000, workers=workers))
        pretrain_masked(seen, model=base, store=store, config=repair)
    model = f"{name}-{VARIED}" if synthetic else name
    if not place.versions(model):
        config = PickerConfig(train=PickerTrainConfig(workers=workers), augment=AUGMENT)
        learned = [f"{survey}:{LEARN[survey]}" for survey in surveys] + [VARIED] * synthetic
        finetune(learned, source=base if seen else "scratch", model=model, store=store, config=config)
    return place.model(model)


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


def brief(workers: int) -> PickerConfig:
    """Return the settings of a picker that goes on learning."""
    return PickerConfig(transfer=TransferConfig(lr=1e-3), train=PickerTrainConfig(steps=300, workers=workers))


def rows_of_one(nobody: Model, survey: str, store: str, workers: int) -> Iterator[str]:
    """Yield rows of pickers that went on from synthetic gathers to one by hand, and then to their own picks."""
    for one in ONE_LABELLED.get(survey, ()):
        name = f"of-{one}-on-{survey}"
        if not Store(store).versions(name):
            finetune([f"{survey}:{one}"], source=nobody.ref, model=name, store=store, config=brief(workers))
        first = Store(store).model(name)
        yield row(first, survey, f"{survey}, other shots", f"synthetic, then gather {one}", store)
        then = self_taught(first, survey, name=f"{name}-then-itself", store=store, workers=workers, by_hand=one)
        yield row(then, survey, f"{survey}, other shots", f"synthetic, then gather {one}, then its own picks", store)


def scored(model: Model, survey: str, store: str) -> PickScore:
    """Return how a picker does on gathers of a survey that it did not learn from."""
    out = f"{model.name}-on-{survey}"
    if out not in Store(store).names("picks"):
        pick_survey(survey, model=model.ref, out=out, store=store, resume=True)
    return score(out, store=store, ffids=SCORED[survey])


def row(model: Model, survey: str, scored_on: str, learned_from: str, store: str) -> str:
    """Return a line of the first table."""
    found = scored(model, survey, store)
    rates = (found.hit_rate_1ms, found.hit_rate_2ms, found.hit_rate_4ms, found.hit_rate_2ms_debiased)
    shown = " | ".join(f"{rate:.1%}" for rate in rates)
    last = f"{found.median_residual_ms:+.2f} | {found.coverage:.1%} | {found.ece_2ms:.2f}"
    return f"| {scored_on} | {learned_from} | {shown} | {last} |"


def first_labels(place: Store, cores: int) -> Iterator[str]:
    """Yield the lines of the second table: means and 95 % confidence intervals over three draws of gathers."""
    connect(dashboard=False)
    draws, steps, columns = range(3), 300, [(survey, n) for survey in LEARN for n in (1, 5)]
    starts = {"from scratch": "", "repair of other surveys": "-base", "picker of the other survey": f"-{VARIED}"}
    data, calls = {}, []
    for survey in LEARN:
        parts = (("learn", parse_ffids(LEARN[survey])), ("validate", SCORED[survey]))
        data[survey] = ray.put({part: {survey: read_labelled(place, [place.survey(survey)], of)} for part, of in parts})
    task = ray.remote(num_cpus=1)(outcome)
    for draw in draws:
        for survey, n in columns:
            for start, suffix in starts.items():
                weights = None
                if suffix:
                    card = place.model(f"without-{survey}{suffix}")
                    weights = safetensors.torch.save(load_weights(place, card, BODY_OF[card.kind]))
                cell = Cell(survey=survey, n_gathers=n, draw=draw, start=start, steps=steps)
                calls.append((cell, lambda cell=cell, weights=weights: task.remote(cell, data[cell.survey], weights)))
    rates = defaultdict(list)
    for cell, found in in_turn(calls, cores):
        rates[cell.start, cell.survey, cell.n_gathers].append(found["scores"][cell.survey]["hit_rate_2ms"])
        print(cell, f"{rates[cell.start, cell.survey, cell.n_gathers][-1]:.1%}", file=sys.stderr, flush=True)
    yield "| start | " + " | ".join(f"{survey}, {n} gathers" for survey, n in columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    for start in starts:
        cells = (rates[start, *column] for column in columns)
        yield f"| {start} | " + " | ".join(f"{mean(one):.1%} ± {half_width(one) * 100:.1f}" for one in cells) + " |"


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
        "| scored on | learned from | within 1 ms | 2 ms | 4 ms | 2 ms without constant | median, ms | picked | ECE |\n"
        + "|---" * 9
        + "|"
    )
    ingest_synthetic(VARIED, SYNTHETIC, store)
    make = partial(picker, store=store, workers=workers)
    for synthetic, learned in ((True, "field and synthetic"), (False, "field")):
        both = make(list(LEARN), seen=list(surveys), name="of-both", synthetic=synthetic)
        for survey in SCORED:
            labelled, others = ([name for name in names if name != survey] for names in (LEARN, surveys))
            stranger = make(labelled, seen=others, name=f"without-{survey}", synthetic=synthetic)
            known = "other shots" if survey in LEARN else "traces seen"
            print(row(both, survey, f"{survey}, {known}", learned, store), flush=True)
            print(row(stranger, survey, f"{survey}, never seen", learned, store), flush=True)
    nobody = make([], seen=[], name="of-nobody", synthetic=True)
    for survey in SCORED:
        print(row(nobody, survey, f"{survey}, never seen", "synthetic", store), flush=True)
        teach = partial(self_taught, survey=survey, store=store, workers=workers)
        once = teach(nobody, name=f"of-itself-on-{survey}")
        print(row(once, survey, f"{survey}, other shots", "synthetic and its own picks", store), flush=True)
        twice = teach(once, name=f"of-itself-twice-on-{survey}")
        print(row(twice, survey, f"{survey}, other shots", "the same, twice", store), flush=True)
        for line in rows_of_one(nobody, survey, store, workers):
            print(line, flush=True)
    print()
    for line in first_labels(Store(store), workers):
        print(line, flush=True)


if __name__ == "__main__":
    main()
