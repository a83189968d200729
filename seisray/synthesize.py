"""`seisray synthesize`: a synthetic survey as ordinary field files, one shot a Ray task."""

from collections import deque
from collections.abc import Iterator
from typing import Any

from seisray.formats.picks.first_breaks import first_breaks_csv
from seisray.formats.segy.writer import segy_bytes
from seisray.gather import Gather
from seisray.progress import Progress
from seisray.session import connect, free_cores
from seisray.storage import Location, locate
from seisray.synthetic.survey import SyntheticConfig, synthetic_gather
from seisray.synthetic.variety import varied_gather

SHOTS_A_FILE = 256  # bounds the memory of a survey of any size


def synthesize(name: str, *, out: str, config: SyntheticConfig | None = None) -> tuple[list[Location], Location]:
    """Model an elastic survey and write it to a folder as SEG-Y files with a CSV of its exact first breaks.

    Returns the SEG-Y files and the CSV. Raises MissingExtraError without the extra `synthetic`.
    """
    config = config or SyntheticConfig()
    folder = locate(out)
    files: list[Location] = []
    picks: list[str] = []
    with Progress("synthesize", config.shots, "shots") as progress:
        batch: list[Gather] = []
        for gather in _gathers(config):
            batch.append(gather)
            progress.advance()
            if len(batch) == SHOTS_A_FILE or progress.done == config.shots:
                file = folder / f"{name}-{len(files) + 1:03}.sgy"
                text = f"SEISRAY SYNTHETIC SURVEY {name}, SEED {config.seed}, ELASTIC FINITE DIFFERENCES"
                file.write_bytes(b"".join(segy_bytes(batch, text=text)))
                picks.append(first_breaks_csv(batch, header=not files))
                files.append(file)
                batch = []
    table = folder / f"{name}-picks.csv"
    table.write_bytes("".join(picks).encode())
    return files, table


def _gathers(config: SyntheticConfig) -> Iterator[Gather]:
    """Yield the gathers in order; a bounded number are modelled ahead."""
    import ray

    connect()
    task = ray.remote(num_cpus=1, max_retries=3)(varied_gather if config.varied else synthetic_gather)
    ahead: deque[Any] = deque()
    for shot in range(config.shots):
        ahead.append(task.remote(config, shot))
        if len(ahead) > free_cores():
            yield ray.get(ahead.popleft())
    while ahead:
        yield ray.get(ahead.popleft())
