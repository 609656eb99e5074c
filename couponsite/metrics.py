"""What Prometheus may know: how often each door was asked, what it answered, how long it took."""

from __future__ import annotations

import hmac
import os
from time import perf_counter
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from types import TracebackType

SECONDS = Histogram(
    "coupons_door_seconds",
    "Time from request to answer",
    ["door", "method", "status"],
    buckets=[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
)
_series: dict[tuple[str, str, int], Histogram] = {}  # looked up once: `labels()` costs more than the observation


class door:  # noqa: N801  used as a statement
    """Times one request at its door."""

    status = 500

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    def __enter__(self) -> door:
        self.began = perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        took = perf_counter() - self.began
        match = self.request.resolver_match
        method = self.request.method if self.request.method in ("GET", "POST") else "other"
        key = (match.route if match else "unknown", method or "other", self.status)
        if key not in _series:
            _series[key] = SECONDS.labels(*map(str, key))
        _series[key].observe(took)


def page(request: HttpRequest) -> HttpResponse:
    """For Prometheus, which shows METRICS_TOKEN as its bearer token; nobody else learns that the page exists."""
    shown = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not hmac.compare_digest(
        shown.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()
    ):
        raise Http404
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
