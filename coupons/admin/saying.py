"""Small pieces of page: a bar that fills, a list of sentences."""

from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from coupons.rules import compile_rules


def bar(part: int, whole: int | None, words: str) -> SafeString:
    """Words with a thin line below that is as full as ``part`` of ``whole``."""
    share = None if not whole else min(100, part * 100 // whole)
    return render_to_string("coupons/admin/bar.html", {"share": share, "words": words})  # type: ignore[return-value]


def sentences(words: list[str]) -> SafeString:
    return render_to_string("coupons/admin/sentences.html", {"sentences": words})  # type: ignore[return-value]


def condition_words(conditions: dict[str, Any], deed: Any) -> list[str]:
    return [condition.wording() for condition in compile_rules(conditions, deed)]
