"""Text headers of SEG-Y: 3200 characters in 40 lines of 80, in EBCDIC or ASCII."""

import re

from seisray.errors import SegyError
from seisray.formats.segy.layout import FILE_HEADER_BYTES, TEXT_HEADER_BYTES, ReadAt, SegyLayout

LINES, LINE_CHARACTERS = 40, 80
EBCDIC = "cp037"
RECORDS_SEARCHED = 1024  # of a variable number of extended text headers: 3.3 MB
RECORDS_SHOWN = 64
RECORDS_A_READ = 16
END_OF_TEXT = re.compile(r"\(\(\s*SEG\s*:\s*EndText\s*\)\)", re.IGNORECASE)
STANZA_STARTS = tuple("((".encode(encoding) for encoding in ("ascii", EBCDIC))


def text_encoding(record: bytes) -> str:
    """Return 'ascii' or 'cp037' (EBCDIC), whichever makes more letters, digits and spaces of a text header."""
    ascii_text, ebcdic_text = (record.decode(encoding, errors="replace") for encoding in ("ascii", EBCDIC))
    return "ascii" if _legible(ascii_text) >= _legible(ebcdic_text) else EBCDIC


def _legible(text: str) -> int:
    return sum(character.isascii() and (character.isalnum() or character == " ") for character in text)


def decode_text(record: bytes) -> str:
    """Return the 40 lines of one text header, blanks at their ends cut; characters that do not print become blanks."""
    text = record[:TEXT_HEADER_BYTES].decode(text_encoding(record), errors="replace").ljust(TEXT_HEADER_BYTES)
    shown = "".join(character if character.isprintable() else " " for character in text.replace("�", " "))
    return "\n".join(shown[at : at + LINE_CHARACTERS].rstrip() for at in range(0, LINES * LINE_CHARACTERS, 80))


def read_text_headers(read_at: ReadAt, layout: SegyLayout) -> list[str]:
    """Return the text header and the extended ones, 40 lines each; at most 64, the rest is no text for a screen."""
    extended = min((layout.data_start - FILE_HEADER_BYTES) // TEXT_HEADER_BYTES, RECORDS_SHOWN - 1)
    raw = read_at(FILE_HEADER_BYTES, extended * TEXT_HEADER_BYTES) if extended else b""
    records = [read_at(0, TEXT_HEADER_BYTES)]
    records += [raw[at : at + TEXT_HEADER_BYTES] for at in range(0, len(raw), TEXT_HEADER_BYTES)]
    return [decode_text(record) for record in records]


def end_of_text(read_at: ReadAt, file_bytes: int, where: str) -> int:
    """Return the byte after the extended text header with the stanza ((SEG: EndText)).

    Source: SEG-Y rev 1, section 6.2: the stanza stands in the last record; case and blanks do not count. Raises
    SegyError where the first 1024 records have none.
    """
    step = RECORDS_A_READ * TEXT_HEADER_BYTES
    stop = min(FILE_HEADER_BYTES + RECORDS_SEARCHED * TEXT_HEADER_BYTES, file_bytes)
    for start in range(FILE_HEADER_BYTES, stop, step):
        raw = read_at(start, min(step, stop - start))
        for at in range(0, len(raw), TEXT_HEADER_BYTES):
            record = raw[at : at + TEXT_HEADER_BYTES]
            if any(END_OF_TEXT.search(record.decode(encoding, errors="replace")) for encoding in ("ascii", EBCDIC)):
                return start + at + TEXT_HEADER_BYTES
    raise SegyError(
        f"{where}: the binary header announces extended text headers that end with ((SEG: EndText)) (-1 in bytes "
        f"3505-3506), but none of the {-(-(stop - FILE_HEADER_BYTES) // TEXT_HEADER_BYTES)} records after byte 3600 "
        "holds that stanza; write the file again with the number of its extended text headers there"
    )


def trailer_records(read_at: ReadAt, data_start: int, file_bytes: int, trace_bytes: int) -> int:
    """Return how many 3200-byte data trailer records end a file that does not say their number (-1 in 3529-3532).

    Trailers begin with a stanza, ((...)), and leave whole traces before them. Source: SEG-Y rev 2.0, section 8.
    """
    most = min((file_bytes - data_start) // TEXT_HEADER_BYTES, RECORDS_SHOWN)
    tail = read_at(file_bytes - most * TEXT_HEADER_BYTES, most * TEXT_HEADER_BYTES) if most > 0 else b""
    for records in range(most, 0, -1):
        start = len(tail) - records * TEXT_HEADER_BYTES
        whole = (file_bytes - data_start - records * TEXT_HEADER_BYTES) % trace_bytes == 0
        if whole and tail[start:].startswith(STANZA_STARTS):
            return records
    return 0
