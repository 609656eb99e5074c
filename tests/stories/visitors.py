"""Somebody with a phone in hand: a browser on H5 pages, and the messages that arrive."""

import json
import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import Client

PHONE = "13800138000"
WECHAT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0.50"


class Visitor:
    def __init__(self, phone: str = PHONE, agent: str = "Mozilla/5.0 (iPhone)", **headers: str) -> None:
        self.phone = phone
        self.browser = Client(
            headers={"user-agent": agent, "accept-language": "en", **headers}, enforce_csrf_checks=True
        )

    def get(self, path: str) -> Any:
        return self.browser.get(path)

    def post(self, path: str, **said: Any) -> Any:
        """As a form on a page does it: with the page's token."""
        if "csrftoken" not in self.browser.cookies:
            self.browser.get("/h5/sign-in/")
        token = self.browser.cookies["csrftoken"].value
        return self.browser.post(path, {"csrfmiddlewaretoken": token, **said})

    def ask(self, to: str = "wallet", **said: Any) -> Any:
        return self.post("/h5/sign-in/", step="phone", phone=self.phone, to=to, **said)

    def enter(self, code: str = "", to: str = "wallet", **said: Any) -> Any:
        return self.post("/h5/sign-in/", step="code", phone=self.phone, to=to, code=code or self.code(), **said)

    def sign_in(self, to: str = "wallet", **said: Any) -> Any:
        self.ask(to, **said)
        return self.enter(to=to, **said)

    def code(self) -> str:
        """The one that arrived last."""
        return re.findall(r"\d{6}", self.arrived()[-1]["text"])[0]

    def arrived(self) -> list[dict[str, str]]:
        home = Path(settings.MESSAGE_RECORD)
        lines = [json.loads(line) for line in home.read_text().splitlines()] if home.exists() else []
        return [line for line in lines if line["to"].endswith(re.sub(r"\D", "", self.phone)[-11:])]


def once(page: Any) -> str:
    """What makes pressing the button twice have one effect."""
    found = re.search(r'name="once" value="([^"]+)"', page.content.decode())
    assert found
    return found[1]
