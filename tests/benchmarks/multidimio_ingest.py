"""multidimio's ingest of a prestack line, for ingest_speed.py: run by a Python that has multidimio, not seisray.

    python multidimio_ingest.py FILE OUT

FILE has 48 traces of 1000 samples a gather, the FFID at byte 9 and the channel at 13; FILE and OUT may be on S3. Prints
the version and the seconds of `segy_to_mdio` alone, its imports left out. Ends with an error where OUT lacks samples.
Of its settings, whole gathers and 64 of them a chunk, and LZ4, were the fastest (its own choice, chunks of 16 x 32 and
zstd, takes 1.8 times as long). The command line of 1.1 calls an interface that its Python API no longer has.
"""

import os
import sys
import time
from importlib.metadata import version

import zarr
from mdio import segy_to_mdio
from mdio.builder.schemas.compressors import Blosc, BloscCname
from mdio.builder.templates.seismic_2d_streamer_shot import Seismic2DStreamerShotGathersTemplate
from segy import SegyFile
from segy.schema import HeaderField
from segy.standards import get_segy_standard

HEADERS = {"shot_point": 9, "channel": 13, "source_coord_x": 73, "source_coord_y": 77}
HEADERS |= {"group_coord_x": 81, "group_coord_y": 85}
CHUNK = (64, 48, 1000)  # gathers, traces, samples


class Line(Seismic2DStreamerShotGathersTemplate):
    """Prestack line with large chunks, compressed lightly."""

    def __init__(self) -> None:
        super().__init__()
        self._var_chunk_shape = CHUNK

    def _add_variables(self) -> None:
        super()._add_variables()
        self._builder._variables[-1].compressor = Blosc(cname=BloscCname.lz4, clevel=1)


def main() -> None:
    """Ingest, then compare the first, the middle and the last gather with the file."""
    path, out = sys.argv[1:]
    if path.startswith("s3://"):
        os.environ["MDIO__IMPORT__CLOUD_NATIVE"] = "true"  # headers come with their traces, in fewer requests
    fields = [HeaderField(name=name, byte=byte, format="int32") for name, byte in HEADERS.items()]
    fields.append(HeaderField(name="coordinate_scalar", byte=71, format="int16"))
    spec = get_segy_standard(1.0).customize(trace_header_fields=fields)
    began_s = time.perf_counter()
    segy_to_mdio(spec, Line(), path, out, overwrite=True)
    seconds = time.perf_counter() - began_s
    made, file = zarr.open_group(out, mode="r")["amplitude"], SegyFile(path, spec=spec)
    if made.nchunks_initialized != made.nchunks:
        raise SystemExit(f"{made.nchunks_initialized} of {made.nchunks} chunks are there")
    for gather in (0, made.shape[0] // 2, made.shape[0] - 1):
        traces = file.sample[gather * CHUNK[1] : (gather + 1) * CHUNK[1]]
        if not (made[gather] == traces).all():
            raise SystemExit(f"gather {gather + 1} differs from the file")
    print(version("multidimio"), seconds)


if __name__ == "__main__":  # its workers import this module
    main()
