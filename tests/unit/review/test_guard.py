"""The review server answers its own page, and nobody else."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from picked import picked_store

from seisray.review.desk import Desk
from seisray.review.server import application

TOKEN = "a-token-that-nobody-guesses"
SAVE = {"done": True, "picks": {"trace": [1], "time_ms": [5.0]}}
OURS = {"X-Seisray-Token": TOKEN}


@pytest.fixture(scope="module")
def desk(line_gathers: Callable, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    store = picked_store(tmp_path_factory.mktemp("store"), line_gathers(2))
    return Desk("line-picks", store=str(store))


def ask(desk: Desk, path: str, *, method: str = "GET", headers: dict[str, str] | None = None, **body: Any) -> tuple:
    """Return status, text and headers of one request to a server on a free port."""

    async def run() -> tuple:
        runner = web.AppRunner(application(desk, TOKEN))
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            port = runner.addresses[0][1]
            known = {name: value.replace("PORT", str(port)) for name, value in (headers or {}).items()}
            async with (
                aiohttp.ClientSession() as session,
                session.request(method, f"http://127.0.0.1:{port}{path}", headers=known, **body) as answer,
            ):
                return answer.status, await answer.text(), answer.headers
        finally:
            await runner.cleanup()

    return asyncio.run(run())


def test_the_page_is_served_to_whoever_has_the_token(desk: Desk) -> None:
    status, text, headers = ask(desk, f"/?token={TOKEN}")
    assert status == 200
    assert "<main" in text
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=guess", "/assets/bokeh.js", "/api/start", "/api/gather/0"])
def test_without_the_token_everything_is_forbidden(desk: Desk, path: str) -> None:
    status, text, _ = ask(desk, path)
    assert status == 403
    assert TOKEN not in text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:PORT", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:PORT.x"])
def test_a_name_that_was_made_to_lead_here_is_forbidden(desk: Desk, host: str) -> None:
    assert ask(desk, "/api/start", headers={**OURS, "Host": host})[0] == 403


@pytest.mark.parametrize(
    "foreign",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_requests_of_other_sites_are_forbidden(desk: Desk, foreign: dict[str, str]) -> None:
    assert ask(desk, "/api/gather/0", method="POST", headers={**OURS, **foreign}, json=SAVE)[0] == 403
    assert desk.verdicts.n_labels == 0


def test_a_form_cannot_save_even_with_the_token(desk: Desk) -> None:
    path = f"/api/gather/0?token={TOKEN}"
    assert ask(desk, path, method="POST", data={"done": "true"})[0] == 403
    assert ask(desk, path, method="POST", json=SAVE)[0] == 403
    assert desk.verdicts.n_labels == 0


def test_its_own_page_can_save(desk: Desk) -> None:
    own = {**OURS, "Origin": "http://127.0.0.1:PORT", "Sec-Fetch-Site": "same-origin"}
    status, text, _ = ask(desk, "/api/gather/0", method="POST", headers=own, json=SAVE)
    assert (status, '"corrected"' in text) == (200, True)
    assert desk.verdicts.n_labels == 1


@pytest.mark.parametrize("body", [{"done": True}, {"done": True, "picks": 3}, [1], {"done": True, "picks": {}}])
def test_a_save_that_is_none_gets_status_400(desk: Desk, body: Any) -> None:
    assert ask(desk, "/api/gather/1", method="POST", headers=OURS, json=body)[0] == 400


@pytest.mark.parametrize("path", ["/api/gather/99", "/api/find/7", "/assets/server.py", "/assets/..%2fserver.py", "/x"])
def test_what_is_not_there_gets_status_404(desk: Desk, path: str) -> None:
    assert ask(desk, path, headers=OURS)[0] == 404


def test_nothing_on_the_page_comes_from_the_network() -> None:
    import seisray.review

    folder = Path(seisray.review.__file__).parent
    text = "".join((folder / name).read_text() for name in ("page.html", "review.js", "edits.js", "review.css"))
    assert "http://" not in text
    assert "https://" not in text
