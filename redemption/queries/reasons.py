"""Why not, with the nearest thing that helps (``remedy``): said alike by quotes and refusals."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from coupons.queries.catalogue import CompiledTemplate
from coupons.queries.wording import scope_words
from coupons.refused import SENTENCES
from redemption.pricing import Why


def reason(code: str, remedy: str = "", **more: Any) -> dict[str, Any]:
    """``remedy`` without a full stop; its sentence follows the refusal's."""
    detail = SENTENCES[code]
    if not remedy:
        return {"code": code, "detail": detail, **more}
    said = _("%(sentence)s %(remedy)s.") % {"sentence": detail, "remedy": remedy}
    return {"code": code, "detail": said, "remedy": remedy, **more}


def of_price(answer: Why, template: CompiledTemplate) -> dict[str, Any]:
    """What a price has against the coupon."""
    scope = pgettext("between sentences", ". ").join(scope_words(template.row))
    if answer.short_by_fen is None:
        return reason(answer.code, scope)
    missing = _("Short by ¥%(amount)s") % {"amount": f"{answer.short_by_fen // 100}.{answer.short_by_fen % 100:02}"}
    # More of something else would not help.
    remedy = _("%(sentence)s (%(more)s)") % {"sentence": missing, "more": scope} if scope else missing
    return reason(answer.code, remedy, short_by_fen=answer.short_by_fen)


def of_company(name: str, clashing: Iterable[str] | None) -> dict[str, Any]:
    """What a coupon has against others. ``clashing``: the names of those of which one may go; None: it goes alone."""
    if clashing is None:
        return reason("cannot_stack", _("Use “%(name)s” without any other") % {"name": name})
    names = pgettext("between names", ", ").join(dict.fromkeys(f"“{one}”" for one in clashing))
    return reason("cannot_stack", _("Use only one of %(names)s") % {"names": names})


def of_state(
    status: str,
    valid_from: datetime,
    valid_until: datetime,
    held_until: datetime | None,
    now: datetime,
    *,
    is_mine: bool,
) -> list[dict[str, Any]]:
    """What the coupon itself has against being used now. ``is_mine``: if it is held, it is for this very order."""
    if status == "void":
        return [reason("not_available")]
    if status == "redeemed":
        return [reason("already_redeemed")]
    if status == "expired" or valid_until <= now:
        return [reason("expired", valid_until=localtime(valid_until))]
    if held_until is not None and held_until > now and not is_mine:
        free = _("Free again at %(time)s, unless that order is paid") % {"time": f"{localtime(held_until):%H:%M}"}
        return [reason("held_by_other_order", free, held_until=localtime(held_until))]
    if valid_from > now:
        start = localtime(valid_from)
        remedy = _("From %(moment)s") % {"moment": f"{start:%Y-%m-%d %H:%M}"}
        return [reason("not_yet_valid", remedy, valid_from=start)]
    return []
