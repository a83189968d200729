"""The report page: complete, escaped, self-contained."""

import re
from base64 import b64encode

import pytest
from matplotlib.figure import Figure

from seisray.errors import ConfigError
from seisray.report.page import Section, render_page
from seisray.report.plots import png_bytes

PNG = png_bytes(Figure(figsize=(1, 1)), dpi=20)
MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(8)


def page(*sections: Section, title: str = "Soda Lakes", facts: dict[str, str] | None = None) -> str:
    return render_page(title=title, subtitle="picked", facts=facts or {}, sections=sections)


def test_page_names_title_facts_and_sections_in_order() -> None:
    html = page(Section(title="Scores"), Section(title="Gathers"), facts={"traces": "5,760"})
    places = [html.index(text) for text in ("<h1>Soda Lakes</h1>", "5,760", "<h2>Scores</h2>", "<h2>Gathers</h2>")]
    assert places == sorted(places)


@pytest.mark.parametrize("place", ["title", "subtitle", "fact", "section", "text", "caption", "cell"])
def test_html_is_escaped(place: str) -> None:
    text = dict.fromkeys(["title", "subtitle", "fact", "section", "text", "caption", "cell"], "plain")
    text[place] = '<script>"&'
    section = Section(
        title=text["section"], text=text["text"], figures=((text["caption"], PNG),), table=(("h",), (text["cell"],))
    )
    html = render_page(title=text["title"], subtitle=text["subtitle"], facts={"f": text["fact"]}, sections=[section])
    assert "<script" not in html
    assert "&lt;script&gt;&#34;&amp;" in html


def test_a_figure_is_embedded_with_its_caption() -> None:
    html = page(Section(title="Gathers", figures=(("one shot", PNG),)))
    assert f'src="data:image/png;base64,{b64encode(PNG).decode()}"' in html
    assert "<figcaption>one shot</figcaption>" in html


def test_an_answer_is_hidden_below_the_figures_that_it_is_of() -> None:
    html = page(Section(title="Guess", figures=(("which?", PNG),), answer=("Which were <b>?", "1, 3")))
    assert "<details><summary>Which were &lt;b&gt;?</summary><p>1, 3</p></details>" in html
    assert html.index("which?</figcaption>") < html.index("<details>")
    assert "<details" not in page(Section(title="Guess"))


def test_a_video_is_embedded() -> None:
    assert 'src="data:video/mp4;base64,' in page(Section(title="Dreams", figures=(("walk", MP4),)))


def test_nothing_comes_from_the_network_and_nothing_runs() -> None:
    html = page(*[Section(title=name, text="t", figures=(("c", PNG),), table=(("h",), ("1",))) for name in "abc"])
    assert "//" not in re.sub(r"base64,[A-Za-z0-9+/=]*", "", html)
    assert not re.search(r"<(script|link|iframe|object)\b|@import|\burl\(", html)
    assert all(target.startswith(("data:", "#")) for target in re.findall(r'\b(?:src|href)="([^"]*)"', html))


def test_page_fits_a_phone_and_both_schemes() -> None:
    html = page()
    assert 'name="viewport" content="width=device-width' in html
    assert "prefers-color-scheme: dark" in html


def test_paragraphs_are_parted_by_blank_lines() -> None:
    assert re.findall(r"<p>(.*?)</p>", page(Section(title="t", text="one\n\n two \n"))) == ["one", "two"]


def test_the_first_row_of_a_table_is_its_header() -> None:
    html = page(Section(title="t", table=(("picker", "MAE"), ("scratch", "1.2 ms"))))
    assert re.findall(r"<th [^>]*>(.*?)</th>", html) == ["picker", "MAE"]
    assert re.findall(r"<td[^>]*>(.*?)</td>", html) == ["scratch", "1.2 ms"]


@pytest.mark.parametrize(
    "cell", ["1,391", "88.4%", "88.4 %", "-2.03", "\N{MINUS SIGN}2", "1.2e-3", "0.25 ms", "\N{EM DASH}"]
)
def test_numbers_are_set_to_the_right(cell: str) -> None:
    assert f'<td class="number">{cell}</td>' in page(Section(title="t", table=(("h",), (cell,))))


@pytest.mark.parametrize("cell", ["scratch", "5 gathers, 300 steps", "2021-07-27", ""])
def test_words_are_set_to_the_left(cell: str) -> None:
    assert f"<td>{cell}</td>" in page(Section(title="t", table=(("h",), (cell,))))


def test_a_ragged_table_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected 2 cells"):
        Section(title="Scores", table=(("a", "b"), ("1",)))


def test_a_figure_that_is_no_image_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected PNG or MP4"):
        Section(title="Scores", figures=(("c", b"<svg onload=alert(1)>"),))


def test_a_section_without_a_title_is_refused() -> None:
    with pytest.raises(ConfigError, match="empty title"):
        Section(title=" ")
