"""The functions that the commands call, and their settings, for notebooks and programs.

They live here rather than in `seisray` itself, so that importing one module of the package does not import Ray.
"""

from seisray.config import (
    AutoencoderConfig,
    DemoConfig,
    GanConfig,
    InpaintConfig,
    MaskedConfig,
    PickConfig,
    PickerConfig,
    RefineConfig,
    TuneConfig,
)
from seisray.demo import demo
from seisray.ingest import IngestConfig, ingest
from seisray.ingest.export import export_segy
from seisray.ingest.verify import verify
from seisray.inspection.facts import Inspection
from seisray.inspection.files import inspect
from seisray.picking.export import export_picks
from seisray.picking.export_config import ExportConfig
from seisray.picking.quality import assess_picks
from seisray.picking.score import export_csv, score
from seisray.picking.suggest import suggest
from seisray.picking.survey import pick, pick_files, pick_survey
from seisray.picking.verify import verify_picks
from seisray.registry import Store
from seisray.report.dream import dream
from seisray.report.dream_settings import DreamConfig
from seisray.report.latent_map import latent_map
from seisray.report.learned import model_report
from seisray.report.survey import report
from seisray.review.server import review
from seisray.synthesize import synthesize
from seisray.synthetic.survey import SyntheticConfig
from seisray.training.finetune import finetune
from seisray.training.pretrain import pretrain_autoencoder, pretrain_gan, pretrain_inpaint, pretrain_masked
from seisray.training.refinement import refine
from seisray.tuning.search import tune_gan, tune_picker

__all__ = [
    "AutoencoderConfig",
    "DemoConfig",
    "DreamConfig",
    "ExportConfig",
    "GanConfig",
    "IngestConfig",
    "InpaintConfig",
    "Inspection",
    "MaskedConfig",
    "PickConfig",
    "PickerConfig",
    "RefineConfig",
    "Store",
    "SyntheticConfig",
    "TuneConfig",
    "assess_picks",
    "demo",
    "dream",
    "export_csv",
    "export_picks",
    "export_segy",
    "finetune",
    "ingest",
    "inspect",
    "latent_map",
    "model_report",
    "pick",
    "pick_files",
    "pick_survey",
    "pretrain_autoencoder",
    "pretrain_gan",
    "pretrain_inpaint",
    "pretrain_masked",
    "refine",
    "report",
    "review",
    "score",
    "suggest",
    "synthesize",
    "tune_gan",
    "tune_picker",
    "verify",
    "verify_picks",
]
