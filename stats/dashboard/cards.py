"""The figures at the top, each against the period before."""

from django.utils.translation import gettext as _

from coupons.admin.money import yuan
from stats.dashboard.figures import Card, change, count, percent, signed
from stats.queries.budgets import Purse
from stats.queries.numbers import Numbers


def of_the_period(now: Numbers, before: Numbers) -> list[Card]:
    returned = _("%(redeemed)s, of which %(returned)s came back") % {
        "redeemed": count(now.redeemed_count),
        "returned": count(now.returned_count),
    }
    return [
        Card(
            "issued", _("Issued"), count(now.issued_count),
            change(now.issued_count, before.issued_count, welcome=True), count(before.issued_count),
        ),
        Card(
            "used", _("Redeemed"), count(now.used_count),
            change(now.used_count, before.used_count, welcome=True), count(before.used_count),
            detail=returned if now.returned_count else "",
        ),
        Card(
            "use_rate", _("Use rate"), percent(now.use_rate),
            change(now.use_rate, before.use_rate, points=True, welcome=True), percent(before.use_rate),
            detail=_("Redeemed ÷ issued in these days"),
        ),
        Card(
            "average_paid", _("Average paid"), yuan(now.average_paid_fen),
            change(now.average_paid_fen, before.average_paid_fen, welcome=True), yuan(before.average_paid_fen),
            detail=_("Per coupon redeemed"),
        ),
        Card(
            "gmv", _("GMV"), yuan(now.gmv_fen), change(now.gmv_fen, before.gmv_fen, welcome=True), yuan(before.gmv_fen),
            detail=_("Full price of orders with a coupon"),
        ),
        Card(
            "discount", _("Discount"), yuan(now.discount_fen),
            change(now.discount_fen, before.discount_fen), yuan(before.discount_fen),
        ),
        Card(
            "subsidy_rate", _("Subsidy rate"), percent(now.subsidy_rate),
            change(now.subsidy_rate, before.subsidy_rate, points=True, welcome=False), percent(before.subsidy_rate),
            detail=_("Discount ÷ GMV"),
        ),
        Card(
            "merchants", _("Merchants pay"), yuan(now.merchant_fen),
            change(now.merchant_fen, before.merchant_fen), yuan(before.merchant_fen),
            detail=_("Their share of the discount"),
        ),
    ]  # fmt: skip


def of_the_budgets(purse: Purse, now: Numbers, before: Numbers, going_on: tuple[Numbers, Numbers]) -> list[Card]:
    """What stands in the purses now, and how it moved in the period; ``going_on``: of campaigns with something free."""
    freed, freed_before = (-(n.committed_fen + n.spent_fen) for n in going_on)
    return [
        Card("spent", _("Spent"), yuan(purse.spent_fen), moved=signed(now.spent_fen), note=signed(before.spent_fen),
             detail=_("All campaigns, by coupons redeemed")),
        Card("committed", _("Committed"), yuan(purse.committed_fen), moved=signed(now.committed_fen),
             note=signed(before.committed_fen), detail=_("All campaigns, by coupons that are out")),
        Card("free", _("Free"), yuan(purse.free_fen), moved=signed(freed), note=signed(freed_before),
             detail=_("Of %(limit)s in campaigns that have not ended") % {"limit": yuan(purse.limit_fen)}),
    ]  # fmt: skip
