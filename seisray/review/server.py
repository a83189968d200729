"""`seisray review`: a page on loopback on which a person steps through gathers and corrects their picks."""

import asyncio
import functools
import importlib.util
import json
import signal
import sys
import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from seisray.errors import ConfigError, MissingExtraError, NotFoundError, SeisrayError
from seisray.review.desk import GAINS, Desk
from seisray.storage import locate

ASSETS = {"review.js": "text/javascript", "edits.js": "text/javascript", "review.css": "text/css"}
MOST_BYTES = 16 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Reviewed:
    """Say what a review left behind. labels: the CSV, whether it exists or not."""

    n_gathers: int
    accepted: int
    corrected: int
    drafts: int
    n_labels: int
    labels: str


def review(
    picks: str,
    *,
    store: str,
    out: str | None = None,
    ffids: Sequence[int] | None = None,
    port: int = 0,
    browser: bool = False,
    started: Callable[[str], None] | None = None,
) -> Reviewed:
    """Serve the review page of a set of picks until it is interrupted; return what was decided.

    Picks are never changed. out: CSV for the corrected first breaks, by default labels.csv beside the picks. ffids: the
    gathers to review, None = all. port: on 127.0.0.1, 0 = any free one. started: told the address, by default it is
    printed. Raises MissingExtraError without the extra `review`.
    """
    for name in ("bokeh", "aiohttp"):
        if importlib.util.find_spec(name) is None:
            raise MissingExtraError(
                f"seisray review needs {name!r}, which is not installed; pip install 'seisray[review]'"
            )
    desk = Desk(picks, store=store, labels=locate(out) if out else None, ffids=ffids)
    asyncio.run(_serve(desk, port, functools.partial(_announce, desk, browser) if started is None else started))
    state = desk.state()
    same = {name: state[name] for name in ("n_gathers", "accepted", "corrected", "n_labels", "labels")}
    return Reviewed(drafts=state["draft"], **same)


def _announce(desk: Desk, browser: bool, address: str) -> None:
    print(
        f"Review of {len(desk)} gathers of {desk.picks.name}: {address}\nCtrl-C ends it.", file=sys.stderr, flush=True
    )
    if browser:
        webbrowser.open(address)


async def _serve(desk: Desk, port: int, started: Callable[[str], None]) -> None:
    from aiohttp import web

    from seisray.review.guard import new_token

    token = new_token()
    runner = web.AppRunner(application(desk, token), access_log=None, shutdown_timeout=2)
    await runner.setup()
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    try:
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        except (OSError, OverflowError) as error:
            raise ConfigError(f"port {port} on 127.0.0.1 cannot be used: {error}; choose another --port") from error
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(one, stop.set)
        started(f"http://127.0.0.1:{runner.addresses[0][1]}/?token={token}")
        await stop.wait()
    finally:
        await runner.cleanup()


def application(desk: Desk, token: str) -> Any:
    """Return the aiohttp application that serves a desk to whoever has the token."""
    from aiohttp import web

    from seisray.review.figure import plot_json
    from seisray.review.guard import TOKEN, guard

    plot, bokeh = plot_json(), _bokeh_script()
    lock = asyncio.Lock()

    async def ask(call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Run what reads or writes files beside the loop, one at a time; its errors are answers of status 400."""
        try:
            async with lock:
                return await asyncio.to_thread(call, *args, **options)
        except SeisrayError as error:
            text = json.dumps({"error": str(error)})
            kind = web.HTTPNotFound if isinstance(error, NotFoundError) else web.HTTPBadRequest
            raise kind(text=text, content_type="application/json") from error

    async def page(_: web.Request) -> web.Response:
        html = (resources.files("seisray.review") / "page.html").read_text()
        return web.Response(text=html.replace("__TOKEN__", token), content_type="text/html")

    async def asset(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name == "bokeh.js":
            return web.FileResponse(bokeh)
        if name not in ASSETS:
            raise web.HTTPNotFound
        text = (resources.files("seisray.review") / name).read_text()
        return web.Response(text=text.replace("__TOKEN__", token), content_type=ASSETS[name])

    async def start(_: web.Request) -> web.Response:
        facts = {"picks": desk.picks.name, "survey": desk.picks.survey, "first": desk.first(), "gains": len(GAINS)}
        extra = json.dumps({**facts, "state": desk.state()})
        return web.Response(text=f'{{"plot": {plot}, "desk": {extra}}}', content_type="application/json")

    async def gather(request: web.Request) -> web.Response:
        return web.json_response(await ask(desk.gather, int(request.match_info["place"])))

    async def picture(request: web.Request) -> web.Response:
        place, gain = (int(request.match_info[name]) for name in ("place", "gain"))
        return web.Response(body=await ask(desk.picture, place, gain), content_type="image/png")

    async def find(request: web.Request) -> web.Response:
        return web.json_response({"place": await ask(desk.find, int(request.match_info["ffid"]))})

    async def save(request: web.Request) -> web.Response:
        place = int(request.match_info["place"])
        try:
            body = await request.json()
            done, picks = bool(body["done"]), body["picks"]
            withdraw = picks is None
            if not withdraw and not isinstance(picks, dict):
                raise TypeError("picks is no object")
        except (ValueError, TypeError, KeyError) as error:
            raise web.HTTPBadRequest(text=json.dumps({"error": f"not a save: {error!r}"})) from error
        answer = await ask(desk.withdraw, place) if withdraw else await ask(desk.save, place, picks, done=done)
        return web.json_response(answer)

    app = web.Application(middlewares=[guard], client_max_size=MOST_BYTES)
    app[TOKEN] = token
    app.add_routes(
        [
            web.get("/", page),
            web.get("/assets/{name}", asset),
            web.get("/api/start", start),
            web.get(r"/api/gather/{place:\d{1,9}}", gather),
            web.post(r"/api/gather/{place:\d{1,9}}", save),
            web.get(r"/api/gather/{place:\d{1,9}}/{gain:\d}.png", picture),
            web.get(r"/api/find/{ffid:\d{1,12}}", find),
        ]
    )
    return app


def _bokeh_script() -> Path:
    """Return BokehJS as the package brings it along: nothing comes from the network."""
    import bokeh

    return Path(bokeh.__file__).parent / "server" / "static" / "js" / "bokeh.min.js"
