"""A server of another company, on loopback: answers what a test tells it to, and keeps what it was asked."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Asked:
    method: str
    path: str  # with its query
    headers: dict[str, str]  # names in lower case
    body: bytes


@dataclass
class Standin:
    url: str = ""
    asked: list[Asked] = field(default_factory=list)


Told = tuple[int, dict[str, str], bytes]  # status, headers, body


@contextmanager
def standin(answer: Callable[[Asked], Told]) -> Iterator[Standin]:
    """Listening as long as the context lasts; ``answer`` may sleep, or raise to break the connection off."""
    there = Standin()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            said = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, said, self.rfile.read(length))
            there.asked.append(asked)
            try:
                status, headers, body = answer(asked)
            except Exception:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815  the base class's names

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    there.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield there
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
