"""SEG-2: one record a file, as near-surface seismographs write it, read through ObsPy.

Source: Pullan, Recommended standard for seismic (/radar) data files in the personal computer environment,
Geophysics 55 (1990) 1260.
"""

import io
import re
import warnings
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seisray.errors import GatherError, Seg2Error
from seisray.gather import Gather

SEG2_MAGIC = (b"\x55\x3a", b"\x3a\x55")


def read_seg2(data: bytes, *, survey: str, source_file: str, name: str | None = None) -> Gather:
    """Return the gather in a SEG-2 file; samples are never shifted by the recording delay, which is kept beside them.

    The FFID is the last number in the file's name, or the shot sequence number where the name has none. name: what the
    gather is called after, by default the file.
    Raises Seg2Error where the file cannot be read, GatherError where its traces do not make one gather.
    """
    if data[:2] not in SEG2_MAGIC:
        raise Seg2Error(f"{source_file} is not a SEG-2 file: it starts with {data[:2].hex()}, expected 553a or 3a55")
    import obspy  # 1 s of imports, and only SEG-2 needs it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ObsPy warns of every DELAY and every private header word
        try:
            stream = obspy.read(io.BytesIO(data), format="SEG2")
        except Exception as error:  # ObsPy raises whatever its parser trips over, and says little of the file
            raise Seg2Error(f"{source_file}, {len(data)} bytes, cannot be read as SEG-2; is it cut?") from error
    try:
        return _gather(stream, survey=survey, source_file=source_file, name=name)
    except GatherError:
        raise
    except ValueError as error:  # a header word that is no number
        raise Seg2Error(f"{source_file} cannot be read as SEG-2: {error}") from error


def _gather(stream: Iterable[Any], *, survey: str, source_file: str, name: str | None) -> Gather:
    words = [trace.stats.seg2 for trace in stream]
    lengths = {(trace.stats.npts, trace.stats.delta) for trace in stream}
    delays_ms = {round(1000 * float(word.get("DELAY", 0)), 6) for word in words}
    if len(lengths) != 1 or len(delays_ms) != 1:
        found = ", ".join(f"{n} samples at {1000 * delta:g} ms" for n, delta in sorted(lengths))
        delays = ", ".join(f"{delay:g}" for delay in sorted(delays_ms))
        raise GatherError(f"{source_file}: traces differ: {found}; delays of {delays} ms; is the file cut?")
    samples = np.stack([np.asarray(trace.data, dtype=np.float32) for trace in stream])
    stem = PurePosixPath(source_file).stem
    numbers = re.findall(r"\d+", stem)
    ffid = int(numbers[-1] if numbers else words[0].get("SHOT_SEQUENCE_NUMBER", 0))
    if ffid >= 2**63:
        raise GatherError(f"the number {ffid} in the file's name is too large for an FFID")
    source, receiver = (_locations(words, f"{end}_LOCATION") for end in ("SOURCE", "RECEIVER"))
    return Gather(
        survey=survey,
        gather_id=f"{name or stem}-{ffid}",
        source_file=source_file,
        ffid=ffid,
        shot_point=int(float(words[0].get("SOURCE_STATION_NUMBER", 0))),
        sample_interval_us=round(1e6 * lengths.pop()[1], 6),
        delay_ms=delays_ms.pop(),
        samples=samples,
        channel=np.array([int(word.get("CHANNEL_NUMBER", i + 1)) for i, word in enumerate(words)], dtype=np.int32),
        source_x_m=source[:, 0],
        source_y_m=source[:, 1],
        source_z_m=source[:, 2],
        receiver_x_m=receiver[:, 0],
        receiver_y_m=receiver[:, 1],
        receiver_z_m=receiver[:, 2],
    )


def _locations(words: list[dict[str, str]], key: str) -> NDArray[np.float64]:
    """Return (n_traces, 3) x, y, z in metres; all-zero locations were not filled in and are NaN."""
    found = np.full((len(words), 3), np.nan)
    for row, word in zip(found, words, strict=True):
        values = [float(value) for value in word.get(key, "").split()[:3]]
        row[: len(values)] = values
    return found if np.nan_to_num(found).any() else np.full_like(found, np.nan)
