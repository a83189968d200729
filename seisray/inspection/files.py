"""`seisray inspect`: what field files are, and how to ingest them, without reading more than is needed."""

import re
import shlex
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from seisray.errors import SeisrayError
from seisray.formats.seg2 import SEG2_MAGIC
from seisray.formats.segy.headers import TRACE_HEADER_BYTES, header_mapping
from seisray.formats.segy.layout import BELIEVE, ReadAs
from seisray.ingest.sources import field_files
from seisray.inspection.facts import FileFacts, Inspection, KeyGuess
from seisray.inspection.glimpse import N_WINDOWS, SegyGlimpse, look_into_segy
from seisray.inspection.oddities import compare_files
from seisray.inspection.positions import describe_positions
from seisray.inspection.seg2 import Seg2Glimpse, look_into_seg2, seg2_facts, survey_seg2
from seisray.inspection.segy import segy_facts, survey_segy
from seisray.report.field_file import plot_field_files
from seisray.report.plots import png_bytes
from seisray.storage import Location, locate

MOST_FILES = 24
WINDOW_BYTES, ALL_BYTES = 4 << 20, 64 << 20


def inspect(
    files: Sequence[str], *, header: Sequence[str] = (), read_as: ReadAs = BELIEVE, picture: str | None = None
) -> Inspection:
    """Look into field files; return what they are, how their headers behave and how to ingest them.

    files: SEG-Y or SEG-2 files, or folders of them, local or s3://. Of a SEG-Y file five windows of at most 4 MiB and
    some single headers are read, a SEG-2 record whole; of many files, 24 spread over the list. header: places that
    differ from the standard, as name=byte[:format]. read_as: what SEG-Y file headers should have said. picture: PNG to
    write, with shots and receivers, two gathers and their spectra.
    A file that cannot be read is in the result with its `error`. Raises NotFoundError where a folder holds no field
    files, ConfigError on a wrong `header`, StorageError where the picture cannot be written.
    """
    mapping = header_mapping(header)
    found = field_files(files)
    chosen = _choose(found)
    window_bytes = min(WINDOW_BYTES, ALL_BYTES // (N_WINDOWS * len(chosen)))
    last_byte = max(TRACE_HEADER_BYTES, *(field.last_byte for field in mapping.values()))
    facts: list[FileFacts] = []
    segy: list[SegyGlimpse] = []
    seg2: list[Seg2Glimpse] = []
    for file in chosen:
        try:
            if _is_seg2(file):
                seg2.append(look_into_seg2(file))
                facts.append(seg2_facts(seg2[-1]))
            else:
                segy.append(look_into_segy(file, read_as, last_byte, window_bytes))
                facts.append(segy_facts(segy[-1], mapping))
        except SeisrayError as error:
            facts.append(FileFacts(uri=file.uri, error=" ".join(str(error).split())))
    if not segy and not seg2:
        return Inspection(files=tuple(facts), n_found=len(found))
    overview = survey_segy(segy, mapping) if segy else survey_seg2(seg2)
    lines, odd = describe_positions(overview.positions)
    if picture is not None:
        first, last = overview.gathers
        figure = plot_field_files(
            [first] if first.gather_id == last.gather_id else [first, last],
            source_m=overview.positions.source_m,
            receiver_m=overview.positions.receiver_m,
            title=survey_name(files),
        )
        locate(picture).write_bytes(png_bytes(figure))
    return Inspection(
        files=tuple(facts),
        n_found=len(found),
        fields=overview.fields,
        key=overview.key,
        geometry=lines,
        oddities=(*compare_files(facts), *odd),
        command=_command(files, facts, header, read_as, overview.key),
        picture=picture,
    )


def survey_name(files: Sequence[str]) -> str:
    """Return a name for the survey in some files: that of the only one, else of the folder they are in."""
    path = PurePosixPath(locate(files[0]).path)
    stem = path.stem if len(files) == 1 else path.parent.name or path.stem
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", stem).strip("._-") or "survey"


def _choose(found: Sequence[Location]) -> list[Location]:
    """Return the files to look into, spread over the list; of large SEG-2 records, which are read whole, only two."""
    most = MOST_FILES
    try:
        if _is_seg2(found[0]):
            most = min(max(ALL_BYTES // found[0].size(), 2), MOST_FILES)
    except SeisrayError:
        pass  # said when the file is looked into
    return [found[at] for at in np.unique(np.linspace(0, len(found) - 1, most).astype(int))]


def _is_seg2(file: Location) -> bool:
    return file.size() >= len(SEG2_MAGIC[0]) and file.read_range(0, len(SEG2_MAGIC[0])) in SEG2_MAGIC


def _command(
    files: Sequence[str], facts: Sequence[FileFacts], header: Sequence[str], read_as: ReadAs, key: KeyGuess
) -> str:
    """Return the `seisray ingest` to run, quoted for a shell, without the files given that cannot be read."""
    bad = {file.uri for file in facts if file.error is not None}
    good = [file for file in files if locate(file).uri not in bad]
    options = [f"--header={one}" for one in (*header, *key.header)]
    options += [f"--group-by={key.group_by}"] if key.group_by else []
    for name in ReadAs.__slots__:
        value = getattr(read_as, name)
        options += [] if value is None else [f"--{name.replace('_', '-')}={value}"]
    return shlex.join(["seisray", "ingest", survey_name(files), *good, *options])
