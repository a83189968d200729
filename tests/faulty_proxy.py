"""A proxy on loopback that stands before an S3 server and misbehaves by plan."""

import asyncio
import random
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["pass", "error", "reset", "lost", "cut", "stall", "lie"]
_ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>by plan</Message></Error>'


@dataclass(frozen=True)
class Fault:
    """What befalls one request.

    error: `status` and `code` instead of an answer, the request never reaches the server.
    reset: the connection is reset before the body of the request is read; lost: after the server acted on it.
    cut: half of the body of the answer, or the first line of one without a body, then the end of the connection.
    stall: that, but after `seconds` of silence.
    lie: status 200 with the error in the body, as S3 answers when it fails to put the parts of an upload together.
    """

    kind: Kind
    status: int = 500
    code: str = "InternalError"
    seconds: float = 0.0


PASS = Fault("pass")
INTERNAL_ERROR = Fault("error")
SLOW_DOWN = Fault("error", status=503, code="SlowDown")
RESET, LOST, CUT, LIE = Fault("reset"), Fault("lost"), Fault("cut"), Fault("lie", status=200)


def stall(seconds: float) -> Fault:
    """Return the fault of an answer that stops in the middle and says nothing for so long."""
    return Fault("stall", seconds=seconds)


class FaultyProxy:
    """Forward every request to the server at `port`, unless the plan says otherwise.

    The Host header goes through as it came, since the signature of a request covers it.
    """

    def __init__(self, port: int) -> None:
        self.server_port = port
        self.port = 0
        self.heads: list[str] = []  # of every request, from its method on
        self._plan: deque[tuple[str, Fault]] = deque()
        self._chance: Callable[[], Fault] = lambda: PASS
        self._loop = asyncio.new_event_loop()
        self._listener: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="faulty-proxy", daemon=True)

    def __enter__(self) -> "FaultyProxy":
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._hang_up())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def plan(self, *faults: Fault, method: str = "") -> None:
        """Let the next requests (of a method, e.g. "PUT") meet these faults, in turn."""
        self._plan.extend((method, fault) for fault in faults)

    def plan_at_random(self, faults: Iterable[Fault], share: float, seed: int) -> None:
        """Let a share of all requests from now on meet one of these faults."""
        rng, choice = random.Random(seed), list(faults)
        self._chance = lambda: rng.choice(choice) if rng.random() < share else PASS

    @property
    def waits(self) -> bool:
        """Return whether a planned fault has not met its request yet."""
        return bool(self._plan)

    def calm(self) -> None:
        """Forget every planned fault."""
        self._plan.clear()
        self._chance = lambda: PASS

    def outage(self, seconds: float) -> None:
        """Cut all connections and refuse new ones for so long."""
        self._run(self._hang_up())
        self._loop.call_soon_threadsafe(self._loop.call_later, seconds, lambda: self._keep(self._listen()))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self) -> None:
        self._listener = await asyncio.start_server(self._connected, "127.0.0.1", self.port, limit=2**20)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _hang_up(self) -> None:
        if self._listener is not None:
            self._listener.close()
        for writer in list(self._open):
            _reset(writer)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        self._keep(self._serve(reader, writer))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # either side went away, which is what a proxy is there for
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection goes on."""
        head = await reader.readuntil(b"\r\n\r\n")
        method = head.decode("latin-1").split(" ", 1)[0]
        self.heads.append(head.decode("latin-1"))
        fault = self._fault(method)
        if fault.kind == "reset":
            _reset(writer)
            return False
        if _header(head, b"expect") is not None:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await reader.readexactly(int(_header(head, b"content-length") or 0))
        if fault.kind in ("error", "lie"):
            text = _ERROR.format(code=fault.code).encode() if method != "HEAD" else b""
            about = (
                f"HTTP/1.1 {fault.status} By Plan\r\nContent-Type: application/xml\r\nContent-Length: {len(text)}\r\n"
            )
            writer.write(about.encode() + b"\r\n" + text)
            return True
        answer = await self._forward(head, body)
        if fault.kind == "pass":
            writer.write(answer)
            return True
        if fault.kind in ("cut", "stall"):
            start = answer.index(b"\r\n\r\n") + 4
            n_body = len(answer) - start
            writer.write(answer[: start + n_body // 2 if n_body else answer.index(b"\r\n") + 2])
            await writer.drain()
            await asyncio.sleep(fault.seconds)
            return False
        _reset(writer)
        return False

    def _fault(self, method: str) -> Fault:
        if self._plan and self._plan[0][0] in ("", method):
            return self._plan.popleft()[1]
        return self._chance()

    async def _forward(self, head: bytes, body: bytes) -> bytes:
        """Return the whole answer of the server, head and body."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server_port)
        try:
            lines = [
                line for line in head[:-4].split(b"\r\n") if not line.lower().startswith((b"expect:", b"connection:"))
            ]
            writer.write(b"\r\n".join([*lines, b"Connection: close", b"", b""]) + body)
            answer = await reader.read()
        finally:
            writer.close()
        return answer.replace(b"\r\nConnection: close\r\n", b"\r\n", 1)


def _header(head: bytes, name: bytes) -> bytes | None:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip()
    return None


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a TCP reset: whatever was on its way is thrown away."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
