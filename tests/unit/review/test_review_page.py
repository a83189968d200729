"""The review page in a real browser, by mouse and keys, against the command as a user starts it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from browser import PATIENCE_MS, chromium, open_page
from picked import picked_store

from seisray.registry import Store
from seisray.review.desk import Desk
from seisray.review.server import application

COMMAND = "import sys; from seisray.cli import main; sys.exit(main(sys.argv[1:]))"
TOKEN = "a-token-for-the-test"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@contextmanager
def served(store: Store) -> Iterator[str]:
    """Yield the address of a review page of the picks in a store."""
    loop = asyncio.new_event_loop()

    async def start() -> web.AppRunner:
        runner = web.AppRunner(application(Desk("line-picks", store=str(store)), TOKEN), shutdown_timeout=2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        runner = asyncio.run_coroutine_threadsafe(start(), loop).result(60)
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/?token={TOKEN}"
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Session:
    """A review page that is open in the browser."""

    def __init__(self, context: Any, address: str, store: Store) -> None:
        self.labels = Path(store.folder("picks", "line-picks").uri) / "labels.csv"
        self.page, self.faults = open_page(context, address)
        self.at(0)

    def at(self, place: int) -> None:
        self.page.wait_for_selector(f'body[data-place="{place}"]')

    def picks(self) -> dict[int, float]:
        found = self.page.evaluate("JSON.parse(document.body.dataset.picks)")
        return dict(zip(found["trace"], found["time_ms"], strict=True))

    def screen(self, trace: int, time_ms: float) -> tuple[float, float]:
        """Return where a trace and time are on the page, by what the plot shows."""
        place = """([i, ms]) => {
            const view = Bokeh.index.roots.find((one) => one.model.name === "plot");
            const box = view.canvas_view.el.getBoundingClientRect();
            return [box.left + view.frame.x_scale.compute(i), box.top + view.frame.y_scale.compute(ms)];
        }"""
        x, y = self.page.evaluate(place, [trace - 1, time_ms])
        return x, y

    def drag(self, trace: int, from_ms: float, to_ms: float) -> None:
        self.page.mouse.move(*self.screen(trace, from_ms))
        self.page.mouse.down()
        x, y = self.screen(trace, to_ms)
        self.page.mouse.move(x + 3, (y + self.screen(trace, from_ms)[1]) / 2)
        self.page.mouse.move(x, y)
        self.page.mouse.up()

    def click(self, trace: int, time_ms: float) -> None:
        self.page.mouse.click(*self.screen(trace, time_ms))

    def key(self, name: str) -> None:
        self.page.keyboard.press(name)

    def saved(self) -> None:
        self.page.wait_for_selector("#saved:text-is('saved')")

    def rows(self) -> list[str]:
        return self.labels.read_text().splitlines()[1:] if self.labels.exists() else []


@contextmanager
def opened(browser: Any, store: Store) -> Iterator[Session]:
    """Yield a session; in the end browser and server go, without a goodbye."""
    context = browser.new_context()
    with served(store) as address:
        try:
            yield Session(context, address, store)
        finally:
            context.close()


@pytest.fixture
def store(line_gathers: Callable, tmp_path: Path) -> Store:
    """Return a store with three gathers, FFID 102 the least sure, all picks 4 ms late, trace 3 dead."""
    return picked_store(tmp_path, line_gathers(3), late_ms=[4.0] * 3, probability=[0.7, 0.3, 0.9])


@pytest.fixture
def session(browser: Any, store: Store) -> Iterator[Session]:
    with opened(browser, store) as found:
        yield found


def test_picks_are_dragged_added_and_deleted_by_mouse_and_keys_and_saved_as_labels(session: Session) -> None:
    own = session.picks()
    assert sorted(own) == [1, 2, *range(4, 13)]
    session.drag(1, own[1], own[1] + 20)
    assert session.picks()[1] == pytest.approx(own[1] + 20, abs=1)
    session.click(2, own[2])
    session.key("Delete")
    assert 2 not in session.picks()
    session.click(2, own[2] + 30)
    assert session.picks()[2] == pytest.approx(own[2] + 30, abs=1)
    session.click(5, own[5])
    session.key("d")
    session.saved()
    assert session.rows() == []
    expected = session.picks()
    session.key("Enter")
    session.at(1)
    assert session.rows() == [f"102,{trace},{time_ms:.3f}" for trace, time_ms in sorted(expected.items())]
    assert len(expected) == 10
    if folder := os.environ.get("SEISRAY_TEST_PICTURES"):
        session.page.screenshot(path=f"{folder}/review_1200.png")
    assert session.faults == []


def test_edits_are_undone_and_redone_step_by_step(session: Session) -> None:
    own = session.picks()
    session.drag(1, own[1], own[1] + 20)
    moved = session.picks()
    session.key("f")
    assert session.picks() == {1: moved[1]}
    session.key("Control+z")
    assert session.picks() == moved
    session.key("Control+z")
    assert session.picks() == own
    session.key("Control+y")
    assert session.picks() == moved
    session.key("Control+Shift+z")
    assert session.picks() == {1: moved[1]}
    session.key("r")
    assert session.picks() == own
    session.page.wait_for_selector("#status.open")
    assert session.faults == []


def test_only_what_was_accepted_or_corrected_is_a_label(session: Session) -> None:
    session.key("ArrowRight")  # 102: looked at
    session.at(1)
    session.key("a")  # 101: accepted
    session.at(2)
    own = session.picks()
    session.drag(4, own[4], own[4] + 15)  # 103: corrected by going on
    session.key("ArrowLeft")
    session.at(1)
    assert {row.split(",")[0] for row in session.rows()} == {"101", "103"}
    assert session.page.inner_text("#status") == "accepted"


def test_a_gather_on_which_all_was_undone_is_no_label(session: Session) -> None:
    own = session.picks()
    session.drag(1, own[1], own[1] + 20)
    session.key("Control+z")
    session.key("n")
    session.at(1)
    assert session.rows() == []
    session.key("p")
    session.at(0)
    assert session.page.inner_text("#status") == "open"


def test_nothing_is_lost_when_browser_and_server_go_in_the_middle_of_a_gather(browser: Any, store: Store) -> None:
    with opened(browser, store) as session:
        own = session.picks()
        session.drag(1, own[1], own[1] + 20)
        session.saved()
        left = session.picks()
        assert session.rows() == []
    with opened(browser, store) as again:
        assert again.picks() == left
        assert again.page.inner_text("#status") == "changed, not finished"
        again.key("n")
        again.at(1)
        assert f"102,1,{left[1]:.3f}" in again.rows()


def test_a_drag_beside_the_picks_pans_and_the_wheel_zooms(session: Session) -> None:
    ranges = """() => {
        const plot = Bokeh.documents.at(-1).get_model_by_name("plot");
        return [plot.x_range.start, plot.x_range.end, plot.y_range.start, plot.y_range.end];
    }"""
    own, before = session.picks(), session.page.evaluate(ranges)
    session.drag(2, 95, 65)
    panned = session.page.evaluate(ranges)
    assert panned[2] - before[2] == pytest.approx(30, abs=3)
    session.page.mouse.wheel(0, -400)
    for _ in range(100):
        zoomed = session.page.evaluate(ranges)
        if zoomed != panned:
            break
        session.page.wait_for_timeout(100)
    assert zoomed[1] - zoomed[0] < panned[1] - panned[0]
    assert session.picks() == own


def test_a_dead_trace_takes_no_pick(session: Session) -> None:
    own = session.picks()
    session.click(3, 60)
    assert session.picks() == own
    assert session.page.inner_text("#saved") == "trace 3 is dead"


def test_a_failed_save_is_said_and_made_good(session: Session) -> None:
    own = session.picks()
    session.page.route("**/api/gather/0", lambda route: route.abort())
    session.drag(1, own[1], own[1] + 20)
    session.page.wait_for_selector("#saved.lost", timeout=PATIENCE_MS)
    session.key("n")  # stays, for what is here is not yet safe
    session.page.wait_for_timeout(300)
    assert session.page.get_attribute("body", "data-place") == "0"
    session.page.unroute("**/api/gather/0")
    session.key("n")
    session.at(1)
    assert len(session.rows()) == len(own)


def test_the_page_fits_a_phone(session: Session) -> None:
    session.page.set_viewport_size({"width": 390, "height": 780})
    session.page.wait_for_timeout(500)
    assert session.page.evaluate("document.documentElement.scrollWidth") <= 390
    if folder := os.environ.get("SEISRAY_TEST_PICTURES"):
        session.page.screenshot(path=f"{folder}/review_390.png")


def test_the_command_says_where_the_page_is_and_ctrl_c_ends_it(store: Store) -> None:
    command = [sys.executable, "-c", COMMAND, "review", "line-picks", "--store", str(store), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            address = server.stderr.readline().split()[-1]
            assert address.startswith("http://127.0.0.1:")
            with urllib.request.urlopen(address, timeout=60) as answer:
                assert b"<main" in answer.read()
            server.send_signal(signal.SIGINT)
            out, err = server.communicate(timeout=120)
        finally:
            server.kill()
    assert server.returncode == 0
    assert "Traceback" not in err
    assert json.loads(out)["n_gathers"] == 3
