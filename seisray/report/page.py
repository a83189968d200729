"""A report: one static HTML page that carries its figures inside it."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from seisray.errors import ConfigError

_ENVIRONMENT = Environment(
    loader=PackageLoader("seisray", "report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_NUMBER = re.compile(r"[^\w\s]?\s*\d[\d,.\s]*(e[+-]?\d+)?\s*(%|[a-zµ/]{1,5})?|[^\w\s]", re.IGNORECASE)
"""A cell set to the right: an optional sign, a number and a short unit, or a lone dash for "none"."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """Hold one section of a report.

    text: paragraphs parted by blank lines, plain text. figures: (caption, PNG or MP4 bytes) in order.
    table: rows of cells, the first one the header; None = no table. columns: figures stand side by side where they fit.
    answer: (question, answer), the answer below the figures and hidden until it is asked for.
    Raises ConfigError on an empty title, ragged rows, or a figure that is neither PNG nor MP4.
    """

    title: str
    text: str = ""
    figures: tuple[tuple[str, bytes], ...] = ()
    table: tuple[tuple[str, ...], ...] | None = None
    columns: bool = False
    answer: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        if not self.title.strip():
            raise ConfigError("a report section has an empty title, expected a line of text")
        for row in self.table or ():
            if len(row) != len((self.table or ())[0]):
                header = (self.table or ())[0]
                raise ConfigError(f"table of section {self.title!r} has a row {row}, expected {len(header)} cells")
        for caption, content in self.figures:
            if _media_type(content) is None:
                where = f"figure {caption!r} of section {self.title!r}"
                raise ConfigError(f"{where} starts with {content[:8]!r}, expected PNG or MP4")


def render_page(*, title: str, subtitle: str, facts: Mapping[str, str], sections: Sequence[Section]) -> str:
    """Return a self-contained HTML page: no scripts, nothing from the network, light and dark, readable on a phone.

    title, subtitle: the head of the page. facts: short name -> value pairs shown as tiles below it, in order.
    Every text is escaped.
    """
    template = _ENVIRONMENT.get_template("page.html.jinja")
    parts = [_part(index, section) for index, section in enumerate(sections, start=1)]
    return template.render(title=title, subtitle=subtitle, facts=dict(facts), sections=parts)


def _part(index: int, section: Section) -> dict[str, object]:
    """Return what the template needs of a section."""
    return {
        "anchor": f"section-{index}",
        "title": section.title,
        "paragraphs": [part.strip() for part in re.split(r"\n\s*\n", section.text) if part.strip()],
        "figures": [
            {"caption": caption, "video": _media_type(content) == "video/mp4", "uri": _data_uri(content)}
            for caption, content in section.figures
        ],
        "columns": section.columns,
        "answer": section.answer,
        "header": section.table[0] if section.table else (),
        "rows": [[(cell, _NUMBER.fullmatch(cell) is not None) for cell in row] for row in (section.table or ())[1:]],
    }


def _data_uri(content: bytes) -> str:
    return f"data:{_media_type(content)};base64,{b64encode(content).decode('ascii')}"


def _media_type(content: bytes) -> str | None:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    return "video/mp4" if content[4:8] == b"ftyp" else None
