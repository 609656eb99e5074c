"""券UI: how a coupon is drawn. Stored as ``{"design", "color", "text_color", "badge", "picture"}``, each optional.

``design`` is one of ``DESIGNS``; ``color`` and ``text_color`` are ``#rrggbb`` and stand in for the design's own;
``badge`` is a few words in the corner; ``picture`` is the address that an upload was given. Other names are a client's
own business: kept as they are, if they are plain words, numbers or truths.
"""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons.rules.engine import InvalidRules

#: Background and words of each fixed design, in the order in which operators see them.
DESIGNS: dict[str, tuple[str, str]] = {
    "classic": ("#c2410c", "#ffffff"),
    "sunrise": ("#be185d", "#ffffff"),
    "lake": ("#0f766e", "#ffffff"),
    "night": ("#1e1b4b", "#fde68a"),
    "festive": ("#b91c1c", "#fef3c7"),
    "fresh": ("#dcfce7", "#14532d"),
    "plain": ("#ffffff", "#18181b"),
}
LABELS: dict[str, str | Promise] = {
    "classic": gettext_lazy("Classic orange"),
    "sunrise": gettext_lazy("Sunrise"),
    "lake": gettext_lazy("Lake"),
    "night": gettext_lazy("Night and gold"),
    "festive": gettext_lazy("Festive red"),
    "fresh": gettext_lazy("Fresh green"),
    "plain": gettext_lazy("Plain white"),
}
USUAL = "classic"
#: As the accessibility guidelines ask of words (WCAG AA).
LEAST_CONTRAST = 4.5
BADGE_LENGTH = 10
MOST_OTHERS, OTHER_LENGTH = 20, 200
COLOR = re.compile(r"#[0-9A-Fa-f]{6}", re.ASCII)
PICTURE = re.compile(r"/pictures/[0-9a-f]{32}\.(?:png|jpg|webp)", re.ASCII)


def clean(looks: Any) -> dict[str, Any]:
    """The looks as they are stored.  :raises InvalidRules: naming each field that is wrong."""
    if not isinstance(looks, Mapping):
        raise InvalidRules([("", "wrong_type", _("An object."))])
    errors: list[tuple[str, str, str]] = []
    said = {name: value for name, value in looks.items() if value not in (None, "")}

    def wrong(name: str, code: str, sentence: str) -> None:
        errors.append((str(name)[:64], code, sentence))

    if said.get("design", USUAL) not in tuple(DESIGNS):
        wrong("design", "invalid_choice", _("One of: %(designs)s.") % {"designs": ", ".join(DESIGNS)})
    for name in ("color", "text_color"):
        if name in said and not (isinstance(said[name], str) and COLOR.fullmatch(said[name])):
            wrong(name, "invalid_format", _("A colour such as #ff5a1f."))
    badge = said.get("badge", "")
    if not isinstance(badge, str) or not badge.isprintable() or len(badge) > BADGE_LENGTH:
        wrong("badge", "too_long", _("At most %(count)d characters.") % {"count": BADGE_LENGTH})
    picture = said.get("picture", "")
    if picture and not (isinstance(picture, str) and PICTURE.fullmatch(picture)):
        wrong("picture", "invalid_format", _("The address that an uploaded picture was given."))
    others = [name for name in said if name not in FIELDS]
    if len(others) > MOST_OTHERS:
        wrong(others[MOST_OTHERS], "too_long", _("Too many."))
    for name in others:
        value = said[name]
        if not isinstance(value, str | int | float) or len(str(value)) > OTHER_LENGTH:
            wrong(name, "wrong_type", _("A word, a number, true or false."))
    if not errors and "text_color" in said:
        background = said.get("color") or DESIGNS[said.get("design", USUAL)][0]
        found = contrast(background, said["text_color"])
        if found < LEAST_CONTRAST:
            sentence = _("Hard to read on this background: contrast %(found).1f, at least %(least).1f is needed.")
            wrong("text_color", "too_little_contrast", sentence % {"found": found, "least": LEAST_CONTRAST})
    if errors:
        raise InvalidRules(errors)
    return said


FIELDS = ("design", "color", "text_color", "badge", "picture")


def dressed(looks: Mapping[str, Any]) -> dict[str, str]:
    """Every field filled in, as a card is drawn; of an own background the words become black or white by contrast."""
    design = looks.get("design") if looks.get("design") in DESIGNS else USUAL
    background, words = DESIGNS[str(design)]
    if looks.get("color"):
        background = looks["color"]
        words = max(("#ffffff", "#000000"), key=lambda ink: contrast(background, ink))
    return {
        "design": str(design),
        "color": background,
        "text_color": looks.get("text_color") or words,
        "badge": looks.get("badge") or "",
        "picture": looks.get("picture") or "",
    }


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black and white), as WCAG counts it."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
