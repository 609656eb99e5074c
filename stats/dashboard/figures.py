"""How figures are written, and how one compares with the one before."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from coupons.admin.money import yuan

NOTHING = "–"


def count(number: int | None) -> str:
    return NOTHING if number is None else f"{number:,}"


def percent(share: float | None) -> str:
    return NOTHING if share is None else f"{share * 100:,.1f}%"


def signed(fen: int) -> str:
    return f"+{yuan(fen)}" if fen > 0 else yuan(fen)


@dataclass(frozen=True)
class Change:
    text: str
    direction: str  # up, down, same
    mood: str = ""  # good, bad, or neither


@dataclass(frozen=True)
class Card:
    """``note``: the same figure of the period before. ``moved``: by how much a standing sum moved in this one."""

    key: str
    label: str
    value: str
    change: Change | None = None
    note: str = ""
    detail: str = ""
    moved: str = ""


def change(
    now: float | None, before: float | None, *, points: bool = False, welcome: bool | None = None
) -> Change | None:
    """None where there is nothing to compare with. ``points``: the figures are shares, and so is their difference.

    ``welcome``: whether more is good news; None where it depends.
    """
    if now is None or before is None or (not points and not before):
        return None
    moved = (now - before) * 100 if points else (now - before) / abs(before) * 100
    rounded = round(moved, 1)
    if not rounded:
        return Change(_("as before"), "same")
    text = _("%(change)s points") % {"change": f"{rounded:+,.1f}"} if points else f"{rounded:+,.1f}%"
    mood = "" if welcome is None else "good" if (rounded > 0) == welcome else "bad"
    return Change(text, "up" if rounded > 0 else "down", mood)
