"""The page on a model: its curves, what it generates, and what was measured of that."""

from pathlib import Path

import pytest
import torch
from matplotlib.figure import Figure

from seisray.cli import main
from seisray.errors import NotFoundError
from seisray.registry import Model, Store
from seisray.report.learned import model_report
from seisray.report.plots import png_bytes
from seisray.weights import pack_weights

PNG = png_bytes(Figure(figsize=(1, 1)), dpi=20)
HISTORY = [{"step": 1.0, "g_loss": 0.7}, {"step": 2.0, "g_loss": 0.6}]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store with a GAN, and a picker that was made of it."""
    store = Store(str(tmp_path))
    measure = {"value": 6.0, "floor": 1.2, "noise": 80.0, "collapsed": 40.0, "learned": 1.3}
    told = {"measures": {"frechet_distance": measure}, "blind": [False, True, True]}
    for name, kind, parent, details in (("gan", "gan", None, told), ("picker", "picker", "gan@v1", {})):
        card = Model(
            name=name,
            version="v1",
            kind=kind,
            config={},
            surveys={"line": "0123"},
            sample_interval_us=500.0,
            parent=parent,
            metrics={"g_loss": 0.6},
            details={"history": HISTORY, **details},
        )
        pictures = {"blind.png": PNG, "samples.png": PNG} if kind == "gan" else {}
        store.publish_model(card, pack_weights(part=torch.nn.Linear(1, 1)), pictures)
    return store


def test_a_gan_has_a_page_without_any_picks(store: Store) -> None:
    page = model_report("gan", store=store.root.uri)
    assert page.uri.endswith("reports/gan-v1/index.html")
    html = page.read_bytes().decode()
    assert "<h1>gan gan@v1</h1>" in html
    assert all(text in html for text in ("Training curves", "Generated panels", "0.5 ms", "learned by heart", "40"))


def test_which_panels_were_recorded_stands_below_them_and_is_hidden(store: Store) -> None:
    html = model_report("gan", store=store.root.uri).read_bytes().decode()
    assert "<summary>Which were recorded?</summary><p>2, 3, counted row by row.</p></details>" in html
    assert html.index("Which of them are field panels?</figcaption>") < html.index("<details>")


def test_the_page_of_a_picker_shows_what_it_was_made_of(store: Store, tmp_path: Path) -> None:
    page = model_report("picker", store=store.root.uri, out=str(tmp_path / "page.html"))
    html = (tmp_path / "page.html").read_text()
    assert page.uri.endswith("page.html")
    assert "Made of gan@v1" in html
    assert html.index("<h2>picker picker@v1</h2>") < html.index("<h2>gan gan@v1</h2>")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "gan"], "reports/gan-v1/index.html"),
        ([], "expected pick sets, or --model NAME"),
        (["some", "--model", "gan"], "are of picks; leave them out"),
        (["--model", "gan", "--ffids", "1-2"], "are of picks; leave them out"),
    ],
)
def test_the_command_takes_picks_or_a_model(
    arguments: list[str], said: str, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["report", *arguments, "--store", store.root.uri, "--json"])
    found = capsys.readouterr()
    assert said in "".join((found.out if code == 0 else found.err).split("\n")).replace("  ", " ")
    assert code == (0 if "html" in said else 2)


def test_a_model_that_is_not_there_has_no_page(store: Store) -> None:
    with pytest.raises(NotFoundError, match="nobody"):
        model_report("nobody", store=store.root.uri)
