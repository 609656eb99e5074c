"""文案释义: what a coupon says of itself, in the active language; made of the same answers that are checked."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypedDict

from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from coupons.conditions.moment import WEEKDAYS
from coupons.conditions.names import all_of, called, one_of
from coupons.models import Category, City, CouponTemplate, Merchant
from coupons.rules import compile_rules, reversal
from coupons.rules.schedule import Schedule

if TYPE_CHECKING:
    from coupons.models import Supply

Type, Validity = CouponTemplate.Type, CouponTemplate.Validity
BETWEEN = " · "


class Wording(TypedDict):
    short: str
    rules: list[str]


def wording(template: CouponTemplate) -> Wording:
    """``short`` for the coupon's face, ``rules`` sentence by sentence. How it is given out: :func:`claim_wording`."""
    conditions = compile_rules(template.use_conditions)
    face = [*_face(template), *(condition.short() for condition in conditions)]
    rules = [_money(template), validity_words(template), *_scope(template)]
    rules += [condition.wording() for condition in conditions]
    rules += _company(template)
    return {"short": BETWEEN.join(words for words in face if words), "rules": [*map(_sentence, rules)]}


def claim_wording(template: CouponTemplate) -> list[str]:
    """When, where and to whom it is given out, and how many."""
    rules = release_wording(template)
    if template.claim_cities:
        rules.append(claim_cities_words(template))
    rules += [condition.wording() for condition in compile_rules(template.claim_conditions, "claim")]
    with suppress(ObjectDoesNotExist):  # not saved yet
        rules += _limits(template.supply)
    return [*map(_sentence, rules)]


def release_wording(template: CouponTemplate) -> list[str]:
    """When it is given out; nothing, if always."""
    return [*release_words(template.release)]


def claim_cities_words(template: CouponTemplate) -> str:
    cities = one_of(called(City, template.claim_cities))
    return pgettext("claim", "Can be claimed only %(when)s") % {"when": _("in %(places)s") % {"places": cities}}


def scope_words(template: CouponTemplate) -> list[str]:
    """What it is for, where that is not everything; without full stops."""
    return list(_scope(template))


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


# --- money -------------------------------------------------------------------------------------------------------


def yuan(fen: int) -> str:
    """Without needless decimals: 20, 0.5, 1234.56."""
    whole, rest = divmod(fen, 100)
    return str(whole) if not rest else f"{whole}.{rest:02}".rstrip("0")


def plain(number: Decimal) -> str:
    """Without trailing zeros or exponents: 20, 8.5."""
    return f"{number.normalize():f}"


def _discount(template: CouponTemplate) -> dict[str, str]:
    """As the language tells it: 20 taken off, or 8 tenths to pay, 8折."""
    off = Decimal(template.percent_off or 0)
    told = pgettext("A percentage is told as what is taken off (off) or as the tenths that are left (tenths)", "off")
    return {"discount": plain((100 - off) / 10 if told == "tenths" else off)}


def _face(template: CouponTemplate) -> Iterator[str]:
    amount = {"amount": yuan(template.amount_fen or 0), "threshold": yuan(template.threshold_fen or 0)}
    shipping = bool(template.scope.get("shipping"))
    if template.type == Type.AMOUNT_OFF and shipping:
        yield pgettext("face", "¥%(amount)s off ¥%(threshold)s shipping") % amount
    elif template.type == Type.AMOUNT_OFF:
        yield pgettext("face", "¥%(amount)s off ¥%(threshold)s") % amount
    elif template.type == Type.NO_THRESHOLD:
        yield pgettext("face", "¥%(amount)s off, no minimum") % amount
    else:
        words = {**amount, **_discount(template)}
        if template.threshold_fen and shipping:
            yield pgettext("face", "%(discount)s%% off ¥%(threshold)s shipping") % words
        elif template.threshold_fen:
            yield pgettext("face", "%(discount)s%% off ¥%(threshold)s") % words
        else:
            yield pgettext("face", "%(discount)s%% off") % words
        if template.cap_fen:
            yield pgettext("face", "up to ¥%(cap)s") % {"cap": yuan(template.cap_fen)}
    if shipping and not template.threshold_fen:
        yield pgettext("face", "shipping")


def glance(template: CouponTemplate) -> str:
    """What it is worth, in the biggest letters: ¥20, 8折."""
    if template.type == Type.PERCENT_OFF:
        return pgettext("face", "%(discount)s%% off") % _discount(template)
    return f"¥{yuan(template.amount_fen or 0)}"


def _money(template: CouponTemplate) -> str:
    words = {
        "amount": yuan(template.amount_fen or 0),
        "threshold": yuan(template.threshold_fen or 0),
        "cap": yuan(template.cap_fen or 0),
        **_discount(template),
    }
    if template.scope.get("shipping") and template.threshold_fen:
        return _of_shipping(template) % words
    if template.type == Type.AMOUNT_OFF:
        return _("¥%(amount)s off when you spend ¥%(threshold)s or more") % words
    if template.type == Type.NO_THRESHOLD:
        return _("¥%(amount)s off, no minimum spend") % words
    if template.threshold_fen and template.cap_fen:
        return _("%(discount)s%% off when you spend ¥%(threshold)s or more, up to ¥%(cap)s off") % words
    if template.threshold_fen:
        return _("%(discount)s%% off when you spend ¥%(threshold)s or more") % words
    if template.cap_fen:
        return _("%(discount)s%% off, up to ¥%(cap)s off") % words
    return _("%(discount)s%% off") % words


def _of_shipping(template: CouponTemplate) -> str:
    """Its threshold is held against the shipping fee alone, however much is bought."""
    if template.type == Type.AMOUNT_OFF:
        return _("¥%(amount)s off a shipping fee of ¥%(threshold)s or more")
    if template.cap_fen:
        return _("%(discount)s%% off a shipping fee of ¥%(threshold)s or more, up to ¥%(cap)s off")
    return _("%(discount)s%% off a shipping fee of ¥%(threshold)s or more")


# --- time --------------------------------------------------------------------------------------------------------


def validity_words(template: CouponTemplate) -> str:
    later = template.starts_after_days
    one_day = template.validity_type == Validity.DAYS_AFTER_CLAIM and template.valid_days == 1 and not later
    if one_day or template.validity_type == Validity.CLAIM_DAY:
        return _("Valid on the day you get it")
    if template.validity_type == Validity.DAYS_AFTER_CLAIM:
        days = {"days": template.valid_days or 1, "later": later}
        if not later:
            return _("Valid for %(days)d days, the day you get it included") % days
        valid = ngettext("valid for %(days)d day", "valid for %(days)d days", days["days"]) % days
        starts = ngettext("Starts %(later)d day after you get it", "Starts %(later)d days after you get it", later)
        return _("%(starts)s, %(valid)s") % {"starts": starts % days, "valid": valid}
    if template.valid_from is None or template.valid_until is None:
        return _("No period yet")
    return _("Valid %(period)s") % {"period": period_words(template.valid_from, template.valid_until)}


def period_words(start: datetime | None, end: datetime | None) -> str:
    """A half-open period; at midnight the days alone, the last one included."""
    start, end = (moment and timezone.localtime(moment, timezone.get_default_timezone()) for moment in (start, end))
    whole_days = all(moment is None or (moment.hour, moment.minute) == (0, 0) for moment in (start, end))
    style = "DATE_FORMAT" if whole_days else "DATETIME_FORMAT"
    if end and whole_days:
        end -= timedelta(days=1)
    words = {"start": start and date_format(start, style), "end": end and date_format(end, style)}
    if not end:
        return _("from %(start)s") % words
    if not start:
        return pgettext("the last day is included", "until %(end)s") % words
    if start == end:
        return str(words["start"])
    return _("from %(start)s to %(end)s") % words


def moment_words(moment: datetime) -> str:
    return date_format(timezone.localtime(moment, timezone.get_default_timezone()), "DATETIME_FORMAT")


def release_words(release: Mapping[str, Any]) -> Iterator[str]:
    schedule, hours = Schedule.of(release), release.get("hours") or ()
    if schedule.starts_at or schedule.ends_at:
        yield _("Given out %(period)s") % {"period": period_words(schedule.starts_at, schedule.ends_at)}
    if schedule.weekdays:
        yield _("Given out on %(days)s") % {"days": all_of(str(WEEKDAYS[day]) for day in sorted(schedule.weekdays))}
    if schedule.month_days:
        days = [
            pgettext("of the month", "day %(day)d") % {"day": day} for day in sorted(schedule.month_days) if day > 0
        ]
        if -1 in schedule.month_days:
            days.append(pgettext("of the month", "the last day"))
        yield _("Given out every month on %(days)s") % {"days": all_of(days)}
    if hours:
        yield _("Given out %(hours)s") % {"hours": all_of(f"{start}–{end}" for start, end in hours)}


def _limits(supply: "Supply") -> Iterator[str]:
    if supply.customer_count is not None:
        count = supply.customer_count
        yield ngettext("%(count)d per customer", "%(count)d per customer", count) % {"count": count}
    if supply.customer_daily_count is not None:
        count = supply.customer_daily_count
        yield ngettext("%(count)d per customer and day", "%(count)d per customer and day", count) % {"count": count}
    if supply.customer_fen is not None:
        yield _("Up to ¥%(amount)s per customer") % {"amount": yuan(supply.customer_fen)}
    if supply.customer_daily_fen is not None:
        yield _("Up to ¥%(amount)s per customer and day") % {"amount": yuan(supply.customer_daily_fen)}


# --- what for, and beside what -----------------------------------------------------------------------------------


def _scope(template: CouponTemplate) -> Iterator[str]:
    scope = template.scope
    if scope.get("shipping"):
        yield _("Only for the shipping fee")
    if scope.get("categories"):
        yield _("Only for %(categories)s") % {"categories": one_of(called(Category, scope["categories"]))}
    if scope.get("merchants"):
        yield _("Only at %(merchants)s") % {"merchants": one_of(called(Merchant, scope["merchants"]))}
    if scope.get("skus"):
        yield _("Only for certain goods: %(skus)s") % {"skus": one_of(scope["skus"])}


def _company(template: CouponTemplate) -> Iterator[str]:
    if template.stack_group == "exclusive":
        yield _("Cannot be used together with other coupons")
    elif template.stack_group == "shipping":
        yield _("One shipping coupon per order")
    else:
        yield _("One coupon of this kind per order")
    if template.newcomer:
        yield _("One newcomer coupon at a time per account")
    if template.exclusive_group:
        yield _("While you hold it, others of its group cannot be claimed")
    yield from reversal_words(template)


# --- if the order does not stand -----------------------------------------------------------------------------------


def reversal_words(template: CouponTemplate) -> list[str]:
    """What becomes of the coupon if its order does not stand: what all cases have in common is said once."""
    table, plain = template.reversal, template.returns_on_rollback
    if not table:
        if plain:
            return [_("Comes back if the whole order is refunded, for as long as it is valid")]
        return [_("Does not come back if the order is refunded")]
    days = {"days": table.get("grace_days", 0)}
    words = {
        "cancelled": pgettext("if the order is", "cancelled"),
        "unpaid": pgettext("if the order is", "not paid in time"),
        "refunded": pgettext("if the order is", "refunded as a whole"),
    }
    said = []
    for result, sentence in (
        ("returns", _("Comes back if the order is %(cases)s, for as long as it is valid")),
        ("grace", _("Comes back if the order is %(cases)s, and is then valid for at least %(days)d days")),
        ("stays", _("Does not come back if the order is %(cases)s")),
    ):
        cases = [word for case, word in words.items() if reversal.outcome(table, plain, case) == result]  # type: ignore[arg-type]
        if cases:
            said.append(sentence % {"cases": one_of(cases), **days})
    partial = reversal.outcome(table, plain, "below_threshold")
    if partial == "returns":
        said.append(_("If a partial refund leaves less than it needs, it comes back, and its discount is taken back"))
    elif partial == "grace":
        said.append(
            _(
                "If a partial refund leaves less than it needs, it comes back for at least %(days)d days, and its"
                " discount is taken back"
            )
            % days
        )
    match table.get("expired"):
        case "grace":
            said.append(_("If it has expired meanwhile, it comes back for %(days)d days") % days)
        case "stays":
            said.append(_("If it has expired meanwhile, it does not come back"))
    return said
