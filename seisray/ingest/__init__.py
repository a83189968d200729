"""Field files to a survey: sources are described, parts of them read by Ray Data tasks, and what came of it tallied."""

from seisray.ingest.settings import IngestConfig
from seisray.ingest.survey import ingest

__all__ = ["IngestConfig", "ingest"]
