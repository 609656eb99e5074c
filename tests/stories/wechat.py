"""WeChat on loopback, as far as its sign-in on web pages goes: JSON that calls itself text/plain."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PEOPLE = {"lin": "林小满🌸"}


class WeChat(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = json.dumps(self._answer(parts.path, asked), ensure_ascii=False).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        """Quietly."""

    @staticmethod
    def _answer(path: str, asked: dict[str, str]) -> dict[str, Any]:
        if path == "/sns/oauth2/access_token":
            known = asked.get("code") in PEOPLE and (asked["appid"], asked["secret"]) == ("wx-app", "wx-secret")
            if not known or asked["grant_type"] != "authorization_code":
                return {"errcode": 40029, "errmsg": "invalid code"}
            return {"access_token": f"token-{asked['code']}", "openid": f"o-{asked['code']}", "expires_in": 7200}
        who = asked.get("openid", "").removeprefix("o-")
        if path != "/sns/userinfo" or asked.get("access_token") != f"token-{who}":
            return {"errcode": 40001, "errmsg": "invalid credential"}
        return {"openid": f"o-{who}", "nickname": PEOPLE[who], "unionid": f"u-{who}"}


@contextmanager
def standing_in() -> Iterator[WeChat]:
    server = WeChat()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
