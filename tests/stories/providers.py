"""A provider of SMS and push on loopback: checks signatures as the real ones do, counts, and answers as it is told.

with provider() as at:  # at.address, at.taken (reference → how often), at.asked (bodies)
    at.answers.append("limited")
"""

import hashlib
import hmac
import json
import threading
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

KEY, SECRET = "provider-key", "provider-secret"


class Provider(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.taken: Counter[str] = Counter()
        self.asked: list[dict[str, Any]] = []
        #: What to say to the next callers: limited, refused, broken (500), silent (takes it and hangs up), forged.
        self.answers: list[str] = []
        #: Once so many are taken, nobody is answered until it may go on.
        self.stops_after: int | None = None
        self.may_go_on = threading.Event()
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    server: Provider
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        asked = dict(parse_qsl(parts.query, keep_blank_values=True)) or json.loads(body)
        mood = self.server.answers.pop(0) if self.server.answers else ""
        speak = (
            self._push if parts.path == "/v3/push" else self._tencent if "X-TC-Action" in self.headers else self._aliyun
        )
        with self.server.lock:
            self.server.asked.append(asked)
        said = speak(asked, body, mood)
        if mood == "silent":
            self.close_connection = True
            return
        if self.server.stops_after is not None and self.server.taken.total() > self.server.stops_after:
            self.server.may_go_on.wait(600)
        answer = json.dumps(said).encode()
        self.send_response(500 if mood == "broken" else 200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *words: Any) -> None:
        """Quietly."""

    def _take(self, reference: str, mood: str) -> bool:
        if mood in ("limited", "refused", "broken"):
            return False
        with self.server.lock:
            self.server.taken[reference] += 1
        return True

    def _aliyun(self, asked: dict[str, Any], body: bytes, mood: str) -> dict[str, Any]:
        scheme, _space, rest = self.headers["Authorization"].partition(" ")
        told = dict(part.split("=", 1) for part in rest.split(","))
        names = told["SignedHeaders"].split(";")
        query = "&".join(f"{quote(n, safe='~')}={quote(asked[n], safe='~')}" for n in sorted(asked))
        lines = "".join(f"{name}:{self.headers[name]}\n" for name in names)
        digest = hashlib.sha256(body).hexdigest()
        request = f"POST\n/\n{query}\n{lines}\n{told['SignedHeaders']}\n{digest}"
        text = f"{scheme}\n{hashlib.sha256(request.encode()).hexdigest()}"
        wanted = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
        good = told["Credential"] == KEY and self.headers["x-acs-action"] == "SendSms" and told["Signature"] == wanted
        if not good or digest != self.headers["x-acs-content-sha256"]:
            return {"Code": "SignatureDoesNotMatch", "Message": "signature"}
        if not self._take(asked["OutId"], mood):
            codes = {"limited": "isv.BUSINESS_LIMIT_CONTROL", "refused": "isv.MOBILE_NUMBER_ILLEGAL"}
            return {"Code": codes.get(mood, ""), "Message": mood}
        return {"Code": "OK", "Message": "OK", "BizId": f"biz-{asked['OutId']}"}

    def _tencent(self, asked: dict[str, Any], body: bytes, mood: str) -> dict[str, Any]:
        scheme, _space, rest = self.headers["Authorization"].partition(" ")
        told = dict(part.strip().split("=", 1) for part in rest.split(","))
        credential, scope = told["Credential"].split("/", 1)
        names = told["SignedHeaders"]
        lines = "".join(f"{name}:{self.headers[name]}\n" for name in names.split(";"))
        request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        text = f"{scheme}\n{self.headers['X-TC-Timestamp']}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = f"TC3{SECRET}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        if credential != KEY or hmac.new(key, text.encode(), hashlib.sha256).hexdigest() != told["Signature"]:
            return {"Response": {"Error": {"Code": "AuthFailure.SignatureFailure", "Message": ""}, "RequestId": "r"}}
        if not self._take(asked["SessionContext"], mood):
            codes = {"limited": "LimitExceeded.PhoneNumberDailyLimit", "refused": "FailedOperation.TemplateIncorrect"}
            return {"Response": {"SendStatusSet": [{"Code": codes.get(mood, ""), "Message": mood}], "RequestId": "r"}}
        return {"Response": {"SendStatusSet": [{"Code": "Ok", "SerialNo": "serial-1"}], "RequestId": "r"}}

    def _push(self, asked: dict[str, Any], body: bytes, mood: str) -> dict[str, Any]:
        if b64decode(self.headers["Authorization"].removeprefix("Basic ")) != f"{KEY}:{SECRET}".encode():
            return {"error": {"code": 1004, "message": "authen failed"}}
        if not self._take(asked["audience"]["alias"][0], mood):
            return {"error": {"code": 2002 if mood == "limited" else 1011, "message": mood}}
        return {"sendno": "0", "msg_id": "push-1"}


@contextmanager
def provider() -> Iterator[Provider]:
    server = Provider()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
