"""Who may talk to the review server: whoever has its token, from a page that it served itself."""

import hmac
import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TOKEN_HEADER = "X-Seisray-Token"
TOKEN = web.AppKey("token", str)
HOSTS = ("127.0.0.1", "localhost")
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "connect-src 'self'; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def new_token() -> str:
    """Return a token that nobody can guess."""
    return secrets.token_urlsafe(24)


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 403 without the token, to other hosts' names and to other sites' pages; add headers to what goes out.

    A name other than loopback's that leads here is DNS rebinding: its page would be of the same origin as ours.
    """
    host = request.headers.get("Host", "")
    port = request.transport.get_extra_info("sockname")[1] if request.transport else None
    given = request.headers.get(TOKEN_HEADER) or request.query.get("token", "")
    known = host in [f"{name}:{port}" for name in HOSTS]
    origin = request.headers.get("Origin")
    own = origin is None or origin == f"http://{host}"
    own = own and request.headers.get("Sec-Fetch-Site", "none") in ("same-origin", "none")
    token = hmac.compare_digest(given.encode(), request.app[TOKEN].encode())
    if request.method == "POST":  # a form of another site cannot send this type, nor set this header
        own = own and request.content_type == "application/json" and TOKEN_HEADER in request.headers
    if not (known and own and token):
        return web.Response(status=403, text="seisray: open the address that the command printed\n", headers=HEADERS)
    try:
        response = await handler(request)
    except web.HTTPException as error:
        error.headers.update(HEADERS)
        raise
    response.headers.update(HEADERS)
    return response
