"""The report of a survey's picks in a real browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from browser import chromium, open_page
from picked import picked_store

from seisray.report.survey import report


@pytest.mark.timeout(600)
def test_in_a_browser_all_pictures_show_and_nothing_scrolls_sideways(line_gathers: Callable, tmp_path: Path) -> None:
    location = report(["line-picks"], store=str(picked_store(tmp_path, line_gathers(2), late_ms=[1.0, 3.0])))
    with chromium() as browser:
        page, faults = open_page(browser, f"file://{location}", width=390)
        n_shown = page.evaluate(
            """async () => {
                for (const one of document.images) { one.loading = "eager"; await one.decode(); }
                return [...document.images].filter((one) => one.naturalWidth > 100 && one.clientWidth > 100).length;
            }"""
        )
        assert n_shown == page.evaluate("document.images.length") >= 10
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate("[...document.querySelectorAll('.columns img')].every((i) => i.clientWidth <= innerWidth)")
        assert faults == []
