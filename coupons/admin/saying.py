"""Small pieces of page: a bar that fills, a list of sentences."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from coupons.rules import compile_rules


def bar(part: int, whole: int | None, words: str) -> SafeString:
    """Words with a thin line below that is as full as ``part`` of ``whole``."""
    share = None if not whole else min(100, part * 100 // whole)
    return render_to_string("coupons/admin/bar.html", {"share": share, "words": words})


def who(by: str) -> str:
    """Whoever is named in the ledger, in words: ``customer:C1``, ``key:5``, ``user:anna``, ``clerk:li``,
    ``system:expiry``.
    """
    kind, _colon, name = by.partition(":")
    match kind:
        case "customer":
            return _("customer %(name)s") % {"name": name}
        case "key":
            return _("API key %(name)s") % {"name": name}
        case "user":
            return _("operator %(name)s") % {"name": name}
        case "clerk":
            return _("shop staff %(name)s") % {"name": name}
        case "file":
            return _("a file, job %(name)s") % {"name": name}
        case "system":
            return _("the system")
    return by


def sentences(words: list[str]) -> SafeString:
    return render_to_string("coupons/admin/sentences.html", {"sentences": words})


def condition_words(conditions: dict[str, Any], deed: Any) -> list[str]:
    return [condition.for_operators() for condition in compile_rules(conditions, deed)]


def once(show: Callable[[Any, Any], SafeString]) -> Callable[[Any, Any], SafeString]:
    """For a piece of a page that asks the database: unfold asks for each piece several times."""

    @wraps(show)
    def shown(desk: Any, obj: Any) -> SafeString:
        kept: dict[str, SafeString] = obj.__dict__.setdefault("_shown", {})
        if show.__name__ not in kept:
            kept[show.__name__] = show(desk, obj)
        return kept[show.__name__]

    return shown
