"""How figures are written, and how one compares with the one before."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from coupons.admin.money import yuan
from stats.queries.measures import Measure

NOTHING = "–"


def count(number: int | float | None) -> str:
    """Of parts, two places."""
    if number is None:
        return NOTHING
    return f"{number:,.2f}" if isinstance(number, float) else f"{number:,}"


def percent(share: float | None) -> str:
    return NOTHING if share is None else f"{share * 100:,.1f}%"


def said(measure: Measure, numbers: Any) -> str:
    """``numbers``: of :class:`stats.queries.figures.Figures`, or of those that it stands on; None: not known."""
    value: Any = None if numbers is None else measure.of(numbers)
    match measure.kind:
        case "count":
            return count(value)
        case "money":
            return yuan(value)
        case "share":
            return percent(value)
        case _:
            return NOTHING if value is None else f"{value:,.2f}"


def signed(fen: int) -> str:
    return f"+{yuan(fen)}" if fen > 0 else yuan(fen)


@dataclass(frozen=True)
class Change:
    text: str
    direction: str  # up, down, same
    mood: str = ""  # good, bad, or neither


@dataclass(frozen=True)
class Card:
    """``note``: the same figure of the days compared with. ``moved``: by how much a standing sum moved in these.
    ``link``: where the rows stand that it is the sum of.
    """

    key: str
    label: str
    value: str
    change: Change | None = None
    note: str = ""
    detail: str = ""
    moved: str = ""
    link: str = ""


#: Whether more of it is good news; of what is not here, it depends.
WELCOME = {
    "issued_count": True,
    "used_count": True,
    "order_count": True,
    "use_rate": True,
    "average_paid_fen": True,
    "gmv_fen": True,
    "paid_fen": True,
    "expired_count": False,
    "subsidy_rate": False,
    "claim_failure_rate": False,
    "use_failure_rate": False,
}


def moved(measure: Measure, now: Any, before: Any) -> Change | None:
    """By how much a measure changed; None where there is nothing to compare with."""
    if now is None or before is None:
        return None
    welcome = WELCOME.get(measure.code)
    return change(measure.of(now), measure.of(before), points=measure.kind == "share", welcome=welcome)


def change(
    now: float | None, before: float | None, *, points: bool = False, welcome: bool | None = None
) -> Change | None:
    """None where there is nothing to compare with. ``points``: the figures are shares, and so is their difference.

    ``welcome``: whether more is good news; None where it depends.
    """
    if now is None or before is None or (not points and not before):
        return None
    difference = (now - before) * 100 if points else (now - before) / abs(before) * 100
    rounded = round(difference, 1)
    if not rounded:
        return Change(_("as before"), "same")
    size = f"{abs(rounded):,.1f}"
    more, less = (
        (_("%(change)s points more"), _("%(change)s points less"))
        if points
        else (_("%(change)s%% more"), _("%(change)s%% less"))
    )
    mood = "" if welcome is None else "good" if (rounded > 0) == welcome else "bad"
    return Change((more if rounded > 0 else less) % {"change": size}, "up" if rounded > 0 else "down", mood)
