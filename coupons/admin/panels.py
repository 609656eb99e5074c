"""What is looked at before a template goes live: whoever has something to say about it hangs it in here.

The floors above register theirs when their own admin is loaded; this floor knows nothing of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise

from coupons.models import CouponTemplate

FORM, APPROVAL = "form", "approval"


@dataclass(frozen=True)
class Panel:
    """``show`` gives safe HTML for a template that is saved; empty: it has nothing to say."""

    code: str
    title: str | Promise
    show: Callable[[HttpRequest, CouponTemplate], str]
    places: tuple[str, ...] = (FORM, APPROVAL)
    position: int = 50


PANELS: dict[str, Panel] = {}


def register(panel: Panel) -> Panel:
    if panel.code in PANELS:
        raise ValueError(f"two panels are called {panel.code}")
    PANELS[panel.code] = panel
    return panel


def shown(request: HttpRequest, template: CouponTemplate, place: str) -> list[dict[str, Any]]:
    """In their order: ``code``, ``title``, ``html``."""
    asked = sorted((panel for panel in PANELS.values() if place in panel.places), key=lambda panel: panel.position)
    said = [(panel, panel.show(request, template)) for panel in asked]
    return [{"code": panel.code, "title": panel.title, "html": html} for panel, html in said if html]
