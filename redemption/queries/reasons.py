"""Why not, with the nearest thing that helps (``remedy``): said alike by quotes and refusals."""

from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

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
    if answer.short_by_fen is not None:
        missing = {"amount": f"{answer.short_by_fen // 100}.{answer.short_by_fen % 100:02}"}
        return reason(answer.code, _("Short by ¥%(amount)s") % missing, short_by_fen=answer.short_by_fen)
    if answer.code == "cannot_stack":
        return reason(answer.code, _("Use one of them"))
    return reason(answer.code, ". ".join(scope_words(template.row)))


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
        start = date_format(localtime(valid_from), "DATETIME_FORMAT")
        return [reason("not_yet_valid", _("From %(moment)s") % {"moment": start}, valid_from=localtime(valid_from))]
    return []
