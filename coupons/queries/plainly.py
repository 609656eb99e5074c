"""What a template means, for operators: what it costs, who gets it when, how each rule is counted, where it ends."""

from collections.abc import Iterator
from contextlib import suppress
from math import ceil

from django.core.exceptions import ObjectDoesNotExist
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coupons.models import CouponTemplate, Supply
from coupons.queries.wording import claim_cities_words, plain, release_words, validity_words, yuan
from coupons.rules import compile_rules

Type, Validity = CouponTemplate.Type, CouponTemplate.Validity


def plain_words(template: CouponTemplate) -> dict[str, list[str]]:
    """Sentences in the active language: ``cost``, ``claim`` (given to whom, when), ``use``."""
    return {
        "cost": [*_cost(template)],
        "claim": [*_claim(template)],
        "use": [*_use(template)],
    }


def _cost(template: CouponTemplate) -> Iterator[str]:
    worth = template.worth_fen
    if worth is None:
        yield _("Nobody can say what one coupon costs at most: its percentage has no cap.")
    else:
        yield _("One coupon costs at most ¥%(worth)s.") % {"worth": yuan(worth)}
    if template.type == Type.PERCENT_OFF and template.percent_off and template.cap_fen:
        reached = ceil((template.cap_fen * 2 - 1) * 50 / template.percent_off)  # rounded half up to the fen
        yield _("Its cap is reached from an order of ¥%(order)s on.") % {"order": yuan(reached)}
    if template.threshold_fen and template.amount_fen:
        share = template.amount_fen * 100 / template.threshold_fen
        words = {"share": f"{share:.4g}"}
        if template.scope.get("shipping"):
            yield _("At its threshold that is %(share)s%% of the shipping fee, above it less.") % words
        else:
            yield _("At its threshold that is %(share)s%% of the order, above it less.") % words
    if template.merchant_percent:
        yield _(
            "The merchant pays %(percent)s%% of each discount, rounded half up to the fen; the platform the rest."
        ) % {"percent": plain(template.merchant_percent)}
    elif template.merchant_fen:
        yield _("The merchant pays up to ¥%(amount)s of each discount; the platform the rest.") % {
            "amount": yuan(template.merchant_fen)
        }
    else:
        yield _("The platform pays all of it.")
    with suppress(ObjectDoesNotExist):  # not saved yet
        yield from _supply(template.supply, worth, getattr(template.budget, "limit_fen", None))


def _supply(supply: Supply, worth: int | None, budget: int | None) -> Iterator[str]:
    if supply.total_count is None:
        yield _("There is no limit to the number of coupons.")
    else:
        words = {"count": f"{supply.total_count:,}"}
        said = ngettext(
            "%(count)s coupon is given out at most.", "%(count)s coupons are given out at most.", supply.total_count
        )
        yield said % words
        if worth is not None:
            yield _("All of them together cost at most ¥%(all)s.") % {"all": yuan(worth * supply.total_count)}
    if budget is not None and worth:
        lasts = budget // worth
        yield ngettext(
            "The campaign's budget alone is enough for %(count)s of them.",
            "The campaign's budget alone is enough for %(count)s of them.",
            lasts,
        ) % {"count": f"{lasts:,}"}
    if supply.daily_count is not None or supply.daily_fen is not None:
        yield _("What a day may give out begins anew at midnight; what is left of a day is not carried over.")


def _claim(template: CouponTemplate) -> Iterator[str]:
    release = template.release
    yield from release_words(release)
    if release.get("month_days") and any(day > 28 for day in release["month_days"]):
        yield _("A month without such a day has none; the last day is there every month.")
    if release.get("hours"):
        yield _("Hours hold their beginning and not their end, by the clock of the business's time zone.")
    if template.claim_cities:
        yield claim_cities_words(template)
    yield from (condition.for_operators() for condition in compile_rules(template.claim_conditions, "claim"))
    if template.newcomer:
        yield _("Whoever holds an unexpired newcomer coupon of any template is refused.")
    if template.exclusive_group:
        yield _("Whoever holds an unexpired coupon of the group %(group)s is refused.") % {
            "group": template.exclusive_group
        }
    if template.claim_conditions:
        yield _("What is not known of a customer is not fulfilled: unknown refuses.")


def _use(template: CouponTemplate) -> Iterator[str]:
    yield validity_words(template)
    if template.validity_type == Validity.CLAIM_DAY:
        yield _("It ends at the midnight after the claim, even if that is a minute later.")
    elif template.validity_type == Validity.DAYS_AFTER_CLAIM:
        yield _("The day of the start is day one; the last day ends at its midnight.")
    else:
        yield _("Whenever it is claimed, it ends with the period; who claims late has less time.")
    if template.threshold_fen and template.scope.get("shipping"):
        yield _("The shipping fee alone is held against the threshold, whatever the goods cost; equal is enough.")
    elif template.threshold_fen:
        yield _("Goods in scope at full price, shipping left out, are held against the threshold; equal is enough.")
    yield from (condition.for_operators() for condition in compile_rules(template.use_conditions))
    if template.use_conditions:
        yield _("Rules of use are asked when the order is placed, not when the coupon is claimed.")
