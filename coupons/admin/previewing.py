"""What a template will be to customers, while it is typed: the card, every sentence, the calendar. Nothing is saved."""

import copy
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coupons.admin.money import yuan
from coupons.models import CouponTemplate, Supply
from coupons.models.checks import check_template
from coupons.queries.plainly import plain_words
from coupons.queries.wording import claim_wording, wording
from coupons.queries.wording import plain as short_number
from coupons.queries.wording import yuan as short_yuan
from coupons.rules import schedule
from coupons.rules.looks import dressed
from coupons.rules.schedule import DAY, Schedule, Window

DAYS = 60
LANGUAGES = (("zh-hans", "简体中文"), ("en", "English"))
_MONEY = ("type", "amount_fen", "threshold_fen", "percent_off", "cap_fen")
_VALIDITY = ("validity_type", "valid_days", "starts_after_days", "valid_from", "valid_until")


def preview_of(template: CouponTemplate, limits: dict[str, int | None], wrong: set[str]) -> dict[str, Any]:
    """For the page: as far as it makes sense. ``wrong``: fields whose answers do not."""
    draft = copy.copy(template)
    draft.supply = Supply(template=draft, **{name: limits.get(name) for name in Supply.LIMITS})
    wrong = wrong | {path.split(".")[0] for path in check_template(draft)}
    no_money, no_time = not wrong.isdisjoint(_MONEY), not wrong.isdisjoint(_VALIDITY)
    if wrong & {"looks"}:
        draft.looks = {}
    budget = draft.budget if draft.budget_id else None
    worst = draft.worst_case_fen(limits, budget.limit_fen if budget else None)
    voices = []
    for code, name in LANGUAGES:
        with translation.override(code):
            voices.append({"code": code, "name": name, **_said(draft, no_money, no_time)})
    shown = next(voice for voice in voices if voice["code"] == (translation.get_language() or "zh-hans"))
    return {
        "name": draft.name or _("Name for customers"),
        "face": _face(draft, no_money),
        "looks": dressed(draft.looks),
        "short": shown["short"],
        "validity": shown["validity"],
        "voices": voices,
        "plain": None if no_money or no_time else plain_words(draft),
        "worst": None if no_money or budget is None else yuan(worst, _("without end")),
        "calendar": _calendar(draft, budget) if "release" not in wrong else None,
    }


def _said(draft: CouponTemplate, no_money: bool, no_time: bool) -> dict[str, Any]:
    words = wording(draft)
    money, time, *others = words["rules"]
    hints = [sentence for is_missing, sentence in (
        (no_money, _("What it takes off is not said yet.")), (no_time, _("How long it is valid is not said yet."))
    ) if is_missing]  # fmt: skip
    known = [sentence for is_missing, sentence in ((no_money, money), (no_time, time)) if not is_missing]
    return {
        "short": "" if no_money else words["short"],
        "validity": "" if no_time else time,
        "hints": hints,
        "rules": [*known, *others],
        "claim": claim_wording(draft),
    }


def _face(draft: CouponTemplate, no_money: bool) -> dict[str, str]:
    """The big number: an amount with its sign before, or tenths (percent) with theirs behind."""
    if no_money:
        return {"before": "¥", "number": "–", "after": ""}
    if draft.type == CouponTemplate.Type.PERCENT_OFF:
        percent = Decimal(draft.percent_off or 0)
        if (translation.get_language() or "").startswith("zh"):
            return {"before": "", "number": short_number((100 - percent) / 10), "after": "折"}
        return {"before": "", "number": short_number(percent), "after": "% off"}
    amount = draft.amount_fen or 0
    return {"before": "¥", "number": short_yuan(amount), "after": ""}


# --- the calendar --------------------------------------------------------------------------------------------------


def _calendar(draft: CouponTemplate, budget: Any) -> dict[str, Any]:
    campaign = getattr(budget, "campaign", None)
    period = (campaign.starts_at, campaign.ends_at) if campaign else (None, None)
    now = timezone.localtime()
    days = schedule.open_days(Schedule.of(draft.release), now, DAYS, period)
    first = days[0][0]
    cells: list[dict[str, Any] | None] = [None] * (first.isoweekday() - 1)
    cells += [_cell(day, windows, first) for day, windows in days]
    cells += [None] * (-len(cells) % 7)
    open_count = sum(1 for _day, windows in days if windows)
    return {
        "weeks": [cells[start : start + 7] for start in range(0, len(cells), 7)],
        "weekdays": [date_format(date(2024, 1, day), "D") for day in range(1, 8)],  # 1 January 2024 was a Monday
        "runs": list(_runs(days)),
        "says": ngettext(
            "Can be claimed on %(count)d of the next %(days)d days.",
            "Can be claimed on %(count)d of the next %(days)d days.",
            open_count,
        )
        % {"count": open_count, "days": DAYS},
        "campaign": campaign,
    }


def _cell(day: date, windows: list[Window], first: date) -> dict[str, Any]:
    return {
        "day": day.day,
        "month": f"{day.month}/" if day == first or day.day == 1 else "",
        "open": bool(windows),
        "whole": windows == [(0, DAY)],
        "hours": [_short(window) for window in windows],
        "says": f"{date_format(day, 'MONTH_DAY_FORMAT')} {_hours(windows)}",
    }


def _runs(days: list[tuple[date, list[Window]]]) -> Iterator[dict[str, str]]:
    """Days in a row with the same hours, as a list that is read from top to bottom."""
    for windows, group in groupby(days, key=lambda pair: pair[1]):
        run = [day for day, _windows in group]
        if not windows:
            continue
        start, end = (date_format(day, "MONTH_DAY_FORMAT") for day in (run[0], run[-1]))
        yield {"days": start if run[0] == run[-1] else f"{start} – {end}", "hours": _hours(windows)}


def _hours(windows: list[Window]) -> str:
    if not windows:
        return _("not given out")
    if windows == [(0, DAY)]:
        return _("all day")
    return ", ".join(f"{_clock(a)}–{_clock(b)}" for a, b in windows)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _short(window: Window) -> str:
    return "–".join(str(minute // 60) if minute % 60 == 0 else _clock(minute) for minute in window)
