"""How many labelled gathers a picker needs, by what it learned before it saw one.

    python tests/benchmarks/label_efficiency.py DATA [--store URI] [--full] [--only START ...] [--suggested]

DATA: the folder with geostack, danube_island and soda_lakes. Pre-training sees the raw traces of all three, but for the
gathers that pickers are scored on. A cell is one picker: a survey, how many of its labelled gathers, which (a draw),
what it started from, and which pre-training of that kind. It is scored on the survey's validation gathers, none of
which share a shot location with those to learn from, and on those of the others, of which it saw no label. All cells
have the same steps and panels, and the same augmentation, but that starts that learned from synthetic gathers keep
these beside the labelled ones, in equal shares, and see more of what lies behind first breaks. The rates of each start
are those that did best in one search, on five soda_lakes gathers, judged by gathers to learn from that the search did
not see. Starts in SELF_TAUGHT go on, as `finetune --labels-of` does, from what they are sure of on gathers of the
survey that nobody labelled, but with --no-own-picks. With --suggested, soda_lakes gathers that `seisray suggest` names
stand beside those drawn at random: by their looks for who starts from scratch, by the doubts of the picker, too, for
who starts from one; their intervals are over the seeds of the panels alone. Starts that are pickers already are scored
without any labelled gather, too. Gathers without labels, here and in pre-training, may stand next to those scored.

Cells are Ray tasks of one core. What each came to lies in URI/benchmarks, and an interrupted script goes on where it
was. Prints tables: within 2 ms, means and 95 % confidence intervals over draws and pre-trainings (geostack has five
gathers to learn from, so that five are the same in each draw; how few gathers are scored is in no interval); the gain
over scratch, draw by draw; what becomes of other surveys; and all scores with the most labels. By default sized for
some hours on two cores; --full for a cluster.
"""

import argparse
import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from label_bench import LEARN, STARTS, Bench
from label_cells import (
    OF_SUGGESTED,
    SELF_TAUGHT,
    SUGGESTED,
    THEN,
    is_taught,
    parts_of,
)
from label_peer import PEER, is_there
from label_suggested import SURVEY
from label_tables import all_scores, classical, gains, picture, table
from real_surveys import survey_settings

from seisray.ingest import ingest
from seisray.registry import Store
from seisray.session import connect, free_cores


def rows_of(start: str, self_taught: Sequence[str], suggested_to: Sequence[str]) -> Iterator[str]:
    """Yield the names of a start's rows."""
    yield start
    if start in self_taught:
        yield start + THEN
    if start in suggested_to:
        yield start + OF_SUGGESTED


def main() -> None:
    """Train what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--store", default="./seisray-store")
    parser.add_argument("--full", action="store_true", help="more counts, draws and pre-trainings, for a cluster")
    parser.add_argument("--cores", type=int, help="cells at a time (default: as many as there are cores)")
    parser.add_argument("--steps", type=int, default=600, help="of a picker")
    parser.add_argument("--pretraining-steps", type=int, default=4000, help="of masked reconstruction")
    parser.add_argument("--surveys", nargs="+", choices=LEARN, default=[*LEARN], help="to learn from (default: both)")
    parser.add_argument("--counts", type=int, nargs="+", help="of labelled gathers (default: 1 5 20)")
    parser.add_argument("--draws", type=int, help="of which gathers (default: 3)")
    parser.add_argument("--pretrainings", type=int, help="of each kind (default: 2)")
    parser.add_argument("--only", nargs="+", choices=STARTS, help="starts (default: all, PhaseNet where it is there)")
    parser.add_argument("--no-own-picks", dest="own_picks", action="store_false", help="in less than half of the time")
    parser.add_argument("--suggested", action="store_true", help="beside those drawn, gathers that are suggested")
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    options.only = options.only or [start for start in STARTS if start != PEER or is_there()]
    if PEER in options.only and not is_there():
        parser.error(f"{PEER} is not installed: pip install seisbench==0.12.6, or name other starts by --only")
    store = Store(options.store)
    for name, (files, settings) in survey_settings(options.data).items():
        if name not in store.names("surveys"):
            ingest(name, files, store=options.store, config=settings, resume=True)
    connect(dashboard=False)
    bench = Bench(
        options.data,
        store,
        options.only,
        cores=options.cores or free_cores(),
        steps=options.steps,
        pretraining_steps=options.pretraining_steps,
        self_taught=SELF_TAUGHT if options.own_picks else (),
    )
    counts, n_draws, n_pretrainings = ((1, 2, 5, 10, 20, 40), 5, 3) if options.full else ((1, 5, 20), 3, 2)
    counts = options.counts or counts
    n_draws, n_pretrainings = options.draws or n_draws, options.pretrainings or n_pretrainings
    bench.pretrain(n_pretrainings, options.only)
    suggested_to = [start for start in ("scratch", "synthetic") if options.suggested and start in options.only]
    some = [n for n in counts if 0 < n <= len(bench.data["learn"][SURVEY])]
    bench.suggest(options.data, suggested_to, some, n_pretrainings)
    rates = bench.best_rates(options.only)
    for start, (lr, encoder_lr) in rates.items():
        print(f"{start}: learning rate {lr:g}, of the encoder {encoder_lr:g} times that", file=sys.stderr)
    cells = [
        bench.cell(survey, n, draw, start, pretraining, rates[start])
        for draw, pretraining in itertools.product(range(n_draws), range(n_pretrainings))
        for survey in options.surveys
        for n in (0, *counts)
        if n <= len(bench.data["learn"][survey])
        for start in options.only
        if n or is_taught(start)
    ] + [
        bench.cell(SURVEY, n, SUGGESTED - seed, start, pretraining, rates[start])
        for seed, pretraining in itertools.product(range(n_draws), range(n_pretrainings))
        for n in some
        for start in suggested_to
    ]
    outcomes = [part for one in bench.outcomes(cells).values() for part in parts_of(one)]
    rows = [name for start in options.only for name in rows_of(start, bench.self_taught, suggested_to)]
    print(
        "\n".join(
            [
                *table(outcomes, rows),
                "",
                *gains(outcomes, [row for row in rows if OF_SUGGESTED not in row]),
                "",
                *table(outcomes, rows, elsewhere=True),
                "",
                *all_scores(outcomes, rows, classical(bench.data["validate"])),
            ]
        )
    )
    if options.picture:
        picture(outcomes, rows, options.picture)


if __name__ == "__main__":
    main()
