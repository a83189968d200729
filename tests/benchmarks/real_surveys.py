"""Pickers from GAN weights and from scratch, on real gathers that neither learned from.

    python tests/benchmarks/real_surveys.py DATA [--store URI] [--labelled 40 5]

DATA: the folder with geostack, danube_island and soda_lakes. The pickers learn from soda_lakes shots 1001-1040 and are
scored on 1043-1060, which share no shot location with them. Both have the same labels, steps and augmentation. What an
interrupted run finished is kept.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from seisray.api import (
    GanConfig,
    IngestConfig,
    Store,
    SyntheticConfig,
    finetune,
    ingest,
    pick_survey,
    pretrain_gan,
    score,
    synthesize,
)
from seisray.config import AugmentConfig

HELD_OUT = list(range(1043, 1061))
DANUBE_PICKS = Path(__file__).with_name("danube_island_picks.csv")
"""Of eight gathers, made for these benchmarks: the peak of the first swing, followed by eye, less the time it takes to
rise, the median of seven neighbours; it begins where the tangent between 20 and 60 % of the peak meets the level ahead.
Of 287 traces 223 have a peak of five times the noise before it and rise as their neighbours do, to 1.5 ms. The hand
labels of soda_lakes lie 1.9 ms before the same point (866 clear traces), the exact ones of synthetic gathers 2.3 ms: a
picker of onsets is early here by about as much."""
GAN = "three-surveys"
VARIED = "varied"
SYNTHETIC = SyntheticConfig(
    shots=768,
    traces=48,
    samples=1600,
    sample_interval_us=250.0,
    shots_per_spread=6,
    depth_m=60.0,
    varied=True,
)
TAUGHT_AUGMENT = AugmentConfig(late=0.2, moveout=0.0, statics=0.0)
"""Of synthetic gathers more is shown behind their first breaks: field ground roll is taken for one otherwise. Of all
slopes they are already, and to what learns beside them others bring nothing."""
UNLABELLED_AUGMENT = replace(TAUGHT_AUGMENT, trace_gain=1.0)
"""Where they alone are learned from; gains of traces pay where labels are of the field."""


def survey_settings(data: Path) -> dict[str, tuple[list[str], IngestConfig]]:
    """Return the field files and the ingest settings of each survey."""
    soda, geostack = data / "soda_lakes", data / "geostack"
    labels = IngestConfig(picks=str(soda / "picks.csv"), geometry=(str(soda / "geometry.csv"),))
    return {
        "soda_lakes": ([str(soda / "raw")], labels),
        "geostack": ([str(geostack / "geostack.sgy")], IngestConfig(picks=str(geostack / "picks.csv"))),
        "danube_island": ([str(data / "danube_island")], IngestConfig(picks=str(DANUBE_PICKS))),
    }


def ingest_synthetic(name: str, config: SyntheticConfig, store: str) -> None:
    """Model a survey and ingest it with its first breaks, unless it is in the store."""
    if name not in Store(store).names("surveys"):
        files, picks = synthesize(name, out=f"{store}/field/{name}", config=config)
        settings = IngestConfig(picks=picks.uri)
        ingest(name, [file.uri for file in files], store=store, config=settings, resume=True)


def main() -> None:
    """Run every stage that the store does not hold yet, and print a row for each picker."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--store", default="./seisray-store")
    parser.add_argument("--labelled", type=int, nargs="+", default=[40, 5])
    options = parser.parse_args()
    store = Store(options.store)
    for name, (files, settings) in survey_settings(options.data).items():
        if name not in store.names("surveys"):
            ingest(name, files, store=options.store, config=settings, resume=True)
    if not store.versions(GAN):
        pretrain_gan(list(survey_settings(options.data)), model=GAN, store=options.store, config=GanConfig())
    gan = store.model(GAN)
    print(f"GAN {gan.ref}: " + ", ".join(f"{name} {value:.4g}" for name, value in gan.metrics.items()))
    print("| weights | labelled gathers | within 1 ms | 2 ms | 4 ms | MAE, ms | median, ms |\n" + "|---" * 7 + "|")
    for labelled in options.labelled:
        ffids = sorted({1001 + round(i * 39 / max(labelled - 1, 1)) for i in range(labelled)})
        for source in (GAN, "scratch"):
            name = f"{source}-{labelled}"
            if not store.versions(name):
                chosen = ",".join(map(str, ffids))
                finetune(["soda_lakes"], source=source, model=name, ffids=chosen, store=options.store)
            if name not in store.names("picks"):
                pick_survey("soda_lakes", model=name, out=name, store=options.store, resume=True)
            found = score(name, store=options.store, ffids=HELD_OUT)
            rates = " | ".join(f"{rate:.1%}" for rate in (found.hit_rate_1ms, found.hit_rate_2ms, found.hit_rate_4ms))
            print(
                f"| {source} | {labelled} | {rates} | {found.mae_ms:.2f} | {found.median_residual_ms:+.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
