"""How the traces of a SEG-Y file lie in its bytes, as its headers say and its size confirms."""

from dataclasses import replace

from seisray.errors import SegyError
from seisray.formats.segy.binary import VARIABLE, BinaryHeader, check_size, read_binary_header
from seisray.formats.segy.evidence import check_samples
from seisray.formats.segy.headers import HeaderField
from seisray.formats.segy.layout import BELIEVE, FILE_HEADER_BYTES, TEXT_HEADER_BYTES, ReadAs, ReadAt, SegyLayout
from seisray.formats.segy.lengths import check_lengths, trace_header
from seisray.formats.segy.text import end_of_text, trailer_records

__all__ = ["FILE_HEADER_BYTES", "TEXT_HEADER_BYTES", "ReadAs", "ReadAt", "SegyLayout", "read_layout"]


def read_layout(read_at: ReadAt, file_bytes: int, where: str, read_as: ReadAs = BELIEVE) -> SegyLayout:
    """Return the layout of a SEG-Y file from its headers and a few of its traces.

    where: the file's name for messages. read_as: overrides what the headers say. Reads at most a few hundred KB
    (extended text headers of unknown number excepted), all of it within the file. Raises SegyError where the headers
    contradict each other, the file's size, the samples or the standard.
    """
    check_size(file_bytes, where)
    header = read_binary_header(read_at(0, FILE_HEADER_BYTES), where, read_as)
    layout = SegyLayout(
        byte_order=header.byte_order,
        format_code=header.format_code,
        n_samples=header.n_samples,
        sample_interval_us=header.sample_interval_us,
        data_start=_data_start(read_at, header, file_bytes, where),
        n_traces=0,
        unit_m=header.unit_m,
        header_bytes=header.header_bytes,
        revision=header.revision,
        ensemble_traces=header.ensemble_traces,
    )
    if header.n_samples == 0 or header.sample_interval_us == 0:
        raise _no_sampling(read_at, layout, where)
    data_bytes = file_bytes - layout.data_start - _trailer_bytes(read_at, header, layout, file_bytes)
    layout = replace(layout, n_traces=max(data_bytes, 0) // layout.trace_bytes)
    check_lengths(read_at, layout, data_bytes, where, read_as)
    if header.n_traces not in (0, layout.n_traces):
        fault = "missing whole traces" if layout.n_traces < header.n_traces else "more traces than there should be"
        raise SegyError(
            f"{where}: {fault}: the binary header says {header.n_traces} (bytes 3513-3520), the file holds "
            f"{layout.n_traces}; fetch or write the file again"
        )
    check_samples(read_at, layout, where, read_as)
    return layout


def _data_start(read_at: ReadAt, header: BinaryHeader, file_bytes: int, where: str) -> int:
    """Return the byte of the first trace, behind the extended text headers; what rev 2 says outright comes first."""
    if header.first_trace_byte:
        start, said = header.first_trace_byte, "bytes 3521-3528"
    elif header.text_records == VARIABLE:
        start, said = end_of_text(read_at, file_bytes, where), "the stanza ((SEG: EndText))"
    else:
        start = FILE_HEADER_BYTES + TEXT_HEADER_BYTES * header.text_records
        said = f"{header.text_records} extended text headers in bytes 3505-3506"
    if not FILE_HEADER_BYTES <= start <= file_bytes - header.header_bytes:
        raise SegyError(
            f"{where}: the first trace should start at byte {start} ({said}) with {header.header_bytes} bytes of "
            f"headers, but the file has {file_bytes} bytes; it is cut short, or its binary header is wrong"
        )
    return start


def _trailer_bytes(read_at: ReadAt, header: BinaryHeader, layout: SegyLayout, file_bytes: int) -> int:
    """Return the bytes of the data trailer of rev 2, which follows the last trace."""
    if header.trailer_records != VARIABLE:
        return TEXT_HEADER_BYTES * header.trailer_records
    if header.n_traces:
        rest = file_bytes - layout.data_start - header.n_traces * layout.trace_bytes
        return rest if rest >= 0 and rest % TEXT_HEADER_BYTES == 0 else 0
    return TEXT_HEADER_BYTES * trailer_records(read_at, layout.data_start, file_bytes, layout.trace_bytes)


def _no_sampling(read_at: ReadAt, layout: SegyLayout, where: str) -> SegyError:
    first = trace_header(read_at, layout.data_start)
    n_samples, interval_us = (
        int(HeaderField(byte=byte, format="uint16").read(first, layout.byte_order)[0]) for byte in (115, 117)
    )
    options = []
    if layout.n_samples == 0:
        options.append(f"--n-samples {n_samples or 1000}")
    if layout.sample_interval_us == 0:
        options.append(f"--sample-interval-us {interval_us or 250}")
    return SegyError(
        f"{where}: the binary header says {layout.n_samples} samples a trace at {layout.sample_interval_us:g} us "
        f"(bytes 3221-3222, 3217-3218), the first trace's header {n_samples} at {interval_us} us; expected both above "
        f"0: pass what is right, such as {' '.join(options)}"
    )
