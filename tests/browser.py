"""Headless Chromium, where there is one."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

PATIENCE_MS = 120_000
"""A busy machine is slow, which is no fault of the page."""


@contextmanager
def chromium() -> Iterator[Any]:
    """Yield a browser of playwright; skip where Chromium is not installed. SEISRAY_TEST_CHROMIUM names another one."""
    names = (os.environ.get("SEISRAY_TEST_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("Chromium is not here; name it in SEISRAY_TEST_CHROMIUM")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--disable-gpu"], timeout=PATIENCE_MS)
        try:
            yield browser
        finally:
            browser.close()


def open_page(browser: Any, address: str, *, width: int = 1200, height: int = 850) -> tuple[Any, list[str]]:
    """Return an open page, and a list that whatever goes wrong on it is added to."""
    page = browser.new_page()
    page.set_viewport_size({"width": width, "height": height})
    page.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("requestfailed", lambda request: faults.append(f"{request.url} {request.failure}"))
    page.goto(address)
    return page, faults
