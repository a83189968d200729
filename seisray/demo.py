"""`seisray demo`: the whole job on this machine, from field files to a report."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from seisray.config import (
    AdversaryConfig,
    AugmentConfig,
    DemoConfig,
    GanConfig,
    PickerConfig,
    PickerTrainConfig,
    TrainConfig,
)
from seisray.errors import ConfigError
from seisray.ingest import IngestConfig, ingest
from seisray.ingest.sources import field_files
from seisray.metrics.picks import PickScore
from seisray.picking.score import score
from seisray.picking.survey import pick_survey
from seisray.registry import Store
from seisray.report.survey import report
from seisray.stream import read_labelled
from seisray.synthesize import synthesize
from seisray.synthetic.noise import NoiseConfig
from seisray.synthetic.survey import SyntheticConfig
from seisray.training.finetune import SCRATCH, finetune
from seisray.training.picker import choose_gathers
from seisray.training.pretrain import pretrain_gan

NAME = "demo"
TRAIN_SHARE = 0.75  # labels to learn from lie in the first part of the survey, those to score on in the rest


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoResult:
    """What the demo found: scores on gathers that neither picker learned from, and the report's URI."""

    survey: str
    from_gan: PickScore
    from_scratch: PickScore
    report: str


def demo(
    *,
    store: str,
    survey: Sequence[str] = (),
    picks: str | None = None,
    geometry: Sequence[str] = (),
    config: DemoConfig | None = None,
) -> DemoResult:
    """Run field files -> survey -> GAN -> picker -> picks -> scores -> report, and print where things are.

    survey, picks, geometry: the user's own field files and labels; none = a synthetic survey. Each stage that an
    interrupted demo finished is kept. Raises ConfigError where field files come without labels.
    """
    config = config or DemoConfig()
    if bool(survey) != bool(picks):
        raise ConfigError("--survey and --picks go together: the demo learns from labels and scores itself on others")
    place = Store(store)
    place.check_writable()
    name = f"{NAME}-own" if survey else NAME
    if name not in place.names("surveys"):
        if not survey:
            shots = SyntheticConfig(shots=config.shots, noise=NoiseConfig(snr_db=config.snr_db))
            files, table = synthesize(name, out=str(place.root / "field" / name), config=shots)
            survey, picks = [str(file) for file in files], str(table)
        ingest(name, survey, store=store, config=IngestConfig(picks=picks, geometry=tuple(geometry)), resume=True)
    manifest = place.survey(name)
    if survey and {str(file) for file in field_files(survey)} - {source["uri"] for source in manifest.sources}:
        raise ConfigError(f"{place} holds a demo of other field files; name another store with --store")
    print(
        f"survey   {place.folder('surveys', name)}: {manifest.n_gathers} gathers, {manifest.n_traces} traces",
        file=sys.stderr,
    )

    gathers = read_labelled(place, [manifest], None)
    ordered = [gather.ffid for gather in choose_gathers(gathers, None)]
    split = int(len(ordered) * TRAIN_SHARE)
    learn = [
        gather.ffid for gather in choose_gathers([g for g in gathers if g.ffid in ordered[:split]], config.labelled)
    ]
    held_out = ordered[split:]
    gan = f"{name}-gan"
    gan_config = GanConfig(
        adversary=AdversaryConfig(feature_share=0.5),  # what the picker takes over is worth more here than samples
        train=TrainConfig(steps=config.gan_steps, batch=config.gan_batch),
    )
    picker_config = PickerConfig(
        train=PickerTrainConfig(steps=config.picker_steps),
        augment=AugmentConfig(moveout=0.0, statics=0.0),  # gathers of many spreads are of all slopes already
    )
    if not place.versions(gan):
        pretrain_gan([name], model=gan, store=store, config=gan_config)
    print(f"gan      {place.folder('models', gan)}", file=sys.stderr)
    for source, model in ((gan, f"{name}-from-gan"), (SCRATCH, f"{name}-from-scratch")):
        if not place.versions(model):
            ffids = ",".join(map(str, learn))
            finetune([name], source=source, model=model, ffids=ffids, store=store, config=picker_config)
        if model not in place.names("picks"):
            pick_survey(name, model=model, out=model, store=store, resume=True)
        print(f"picker   {place.folder('models', model)}", file=sys.stderr)
    scores = [score(f"{name}-{way}", store=store, ffids=held_out) for way in ("from-gan", "from-scratch")]
    page = report([f"{name}-from-gan", f"{name}-from-scratch"], name=name, store=store, ffids=held_out)
    return DemoResult(survey=name, from_gan=scores[0], from_scratch=scores[1], report=str(page))
