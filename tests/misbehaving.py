"""A small real HTTP server on loopback that answers, or misbehaves, as it is told."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

DRIP_S = 0.05


@dataclass(frozen=True)
class Seen:
    """A request as it arrived. ``path`` has its query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float


@dataclass(frozen=True)
class Reply:
    """What to answer, and how badly.

    ``fault``: ``hang`` says nothing at all, ``drip`` sends the body a byte at a time, ``drip-headers`` the headers too,
    ``cut`` promises the whole body and sends half, ``reset`` closes before a word.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""


class Server:
    """Answers each request with ``answer(seen)`` and remembers it in ``seen``. Use as a context manager."""

    def __init__(self, answer: Callable[[Seen], Reply]) -> None:
        self.seen: list[Seen] = []
        self.stopping = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                seen = Seen(self.command, self.path, headers, self.rfile.read(length), time.monotonic())
                outer.seen.append(seen)
                outer.send(self, answer(seen))

            do_GET = do_POST = handle_any

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: object, client_address: object) -> None:
                pass  # clients that hang up on us are the point of these tests

        self._http = Quiet(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._http.server_port}"
        self.url = f"http://{self.host}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()

    def send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        head = f"HTTP/1.1 {reply.status} X\r\nContent-Length: {len(reply.body)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items()) + "\r\n"
        if reply.fault:
            handler.close_connection = True
        if reply.fault == "hang":
            self.stopping.wait(30)
        elif reply.fault == "drip-headers":
            self._drip(handler, head.encode() + reply.body)
        elif reply.fault == "drip":
            handler.wfile.write(head.encode())
            self._drip(handler, reply.body)
        elif reply.fault == "cut":
            handler.wfile.write(head.encode() + reply.body[: len(reply.body) // 2])
        elif reply.fault != "reset":
            handler.wfile.write(head.encode() + reply.body)

    def _drip(self, handler: BaseHTTPRequestHandler, content: bytes) -> None:
        for byte in content:
            if self.stopping.wait(DRIP_S):
                return
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()


def one_by_one(*replies: Reply) -> Callable[[Seen], Reply]:
    """Answers with the replies in turn, and with the last one ever after."""
    left = list(replies)
    return lambda seen: left.pop(0) if len(left) > 1 else left[0]


def closed_port() -> str:
    """An address on loopback where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
