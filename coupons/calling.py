"""Calls to other companies' servers: with a time-out always, again where that is harmless, never into our own network.

Knows no database and no rules: adapters (weather, SMS, push, risk, webhooks) lean on it and keep their own shapes.
"""

import ipaddress
import socket
from collections.abc import Iterable
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import stamina
from django.utils.translation import gettext as _

from coupons.refused import Invalid

#: Seconds for the connection, for each silence after it, and for the whole of an answer that comes drop by drop.
TIMEOUT = 3.0
#: More than this of an answer is not read.
MOST_BYTES = 1_000_000


class Unreachable(Exception):
    """No usable answer: refused, silent, too late, too long, or a fault of theirs. Whether they did it is not known
    when ``sent``."""

    def __init__(self, why: str, *, sent: bool = False, status: int | None = None) -> None:
        super().__init__(why)
        self.sent = sent
        self.status = status


def ask(
    method: str,
    url: str,
    *,
    attempts: int = 1,
    timeout: float = TIMEOUT,
    most_bytes: int = MOST_BYTES,
    transport: httpx.BaseTransport | None = None,
    **request: Any,
) -> httpx.Response:
    """The answer, whole; ``request`` as httpx takes it. Redirects are not followed.

    ``attempts`` above 1 only for what may be done twice: silence and 5xx are tried again, a little later each time.

    :raises Unreachable: see there; also for 5xx and 429 after the last attempt.
    """
    for attempt in stamina.retry_context(
        on=Unreachable, attempts=attempts, timeout=None, wait_initial=0.1, wait_max=2.0
    ):
        with attempt:
            return _once(method, url, timeout, most_bytes, transport, request)
    raise AssertionError("unreachable")


def _once(
    method: str,
    url: str,
    timeout: float,
    most_bytes: int,
    transport: httpx.BaseTransport | None,
    request: dict[str, Any],
) -> httpx.Response:
    until = monotonic() + timeout
    try:
        with (
            httpx.Client(timeout=timeout, transport=transport, trust_env=False) as client,
            client.stream(method, url, **request) as answer,
        ):
            read = bytearray()
            for piece in answer.iter_bytes():
                read += piece
                if len(read) > most_bytes:
                    raise Unreachable("the answer is too long", sent=True, status=answer.status_code)
                if monotonic() > until:
                    raise Unreachable("the answer takes too long", sent=True, status=answer.status_code)
            if answer.status_code >= 500 or answer.status_code == 429:
                raise Unreachable(f"status {answer.status_code}", sent=True, status=answer.status_code)
            # what was read is decoded already: told without the encoding, or it would be decoded again
            headers = [(name, value) for name, value in answer.headers.items() if name.lower() != "content-encoding"]
            return httpx.Response(answer.status_code, headers=headers, content=bytes(read), request=answer.request)
    except (
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.PoolTimeout,
        httpx.UnsupportedProtocol,
        httpx.InvalidURL,
    ) as no:
        raise Unreachable(str(no) or type(no).__name__) from no
    except httpx.HTTPError as no:
        raise Unreachable(str(no) or type(no).__name__, sent=True) from no


def json_of(answer: httpx.Response) -> Any:
    """What an answer says in JSON, whatever it calls itself.

    :raises Unreachable: nothing of the kind; nested without end, or with numbers that are none (NaN, 1e999), too.
    """
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        raise Unreachable("no JSON", sent=True, status=answer.status_code) from None


def public_address(url: str, *, field: str = "url", allowed: Iterable[str] = ()) -> tuple[str, str]:
    """The host of ``url`` and an address of it on the open internet, to be connected to as it is: asked again, the
    name could lead elsewhere. ``allowed``: hosts that may be private, as ``host`` or ``host:port``.

    :raises Invalid: no http(s), no such host, or one of its addresses is private, loopback, link-local or reserved.
    """
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        host, port = "", 0
    if parts.scheme not in ("https", "http") or not host or parts.username or parts.password:
        raise Invalid.of(field, "invalid_url", _("An address such as https://example.com/hook."))
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        raise Invalid.of(field, "unknown_host", _("There is no server of this name.")) from None
    addresses = sorted(str(address) for address in found)
    if not {host, f"{host}:{port}"} & set(allowed) and not all(map(_is_public, addresses)):
        raise Invalid.of(field, "private_address", _("This address lies within a private network."))
    return host, addresses[0]


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast


class Pinned(httpx.HTTPTransport):
    """Connects to one address, whatever the name says by now; the certificate is still asked for the name."""

    def __init__(self, address: str, **options: Any) -> None:
        super().__init__(**options)
        self._address = address

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.host
        request.extensions = {**request.extensions, "sni_hostname": name}
        request.url = request.url.copy_with(host=self._address)
        return super().handle_request(request)
