"""A server of files on this machine that breaks off, ignores ranges or sends something else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Served:
    """What the server has, how it misbehaves, and what it was asked for.

    cut_at   bytes after which an answer of a whole file breaks off; None: never
    hold     keep the connection open there instead of closing it
    ranges   answer requests for a part with that part
    """

    files: dict[str, bytes]
    cut_at: int | None = None
    hold: bool = False
    ranges: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list)  # path, range
    released: threading.Event = field(default_factory=threading.Event)
    base: str = ""


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Served]:
    """A server of these files, by their path below `base`."""
    served = Served(files)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, served)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served.base = f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield served
    finally:
        served.released.set()
        server.shutdown()
        server.server_close()


def _answer(handler: BaseHTTPRequestHandler, served: Served) -> None:
    asked = handler.headers.get("Range", "")
    path = handler.path.lstrip("/")
    served.asked.append((path, asked))
    if path not in served.files:
        handler.send_error(404)
        return
    data = served.files[path]
    first = int(asked.removeprefix("bytes=").rstrip("-")) if asked and served.ranges else 0
    if first > len(data):
        handler.send_error(416)
        return
    handler.send_response(206 if first else 200)
    if first:
        handler.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
    handler.send_header("Content-Length", str(len(data) - first))
    handler.end_headers()
    cut = served.cut_at if served.cut_at is not None and not first else None
    handler.wfile.write(data[first:cut])
    if cut is not None:
        handler.wfile.flush()
        if served.hold:
            served.released.wait(60)
        handler.close_connection = True
