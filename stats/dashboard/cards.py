"""The figures at the top, each against the days that are compared with."""

from django.utils.translation import gettext as _

from coupons.admin.money import yuan
from stats.dashboard.charts import View
from stats.dashboard.figures import Card, count, said, signed
from stats.queries.budgets import Purse
from stats.queries.numbers import Numbers


def of_the_period(view: View, now: Numbers, before: Numbers | None) -> list[Card]:
    returned = _("%(redeemed)s, of which %(returned)s came back") % {
        "redeemed": count(now.redeemed_count),
        "returned": count(now.returned_count),
    }
    shown = {
        "issued_count": ("issued", ""),
        "used_count": ("used", returned if now.returned_count else ""),
        "use_rate": ("use_rate", _("Redeemed ÷ issued in these days")),
        "average_paid_fen": (
            "average_paid",
            _("%(orders)s orders, each once, however many coupons") % {"orders": count(now.order_count)},
        ),
        "gmv_fen": ("gmv", _("Full price of orders with a coupon")),
        "spent_fen": ("discount", ""),
        "subsidy_rate": ("subsidy_rate", _("Discount ÷ GMV")),
        "merchant_fen": ("merchants", _("Their share of the discount")),
    }
    measures = view.measures(*shown)
    return [
        Card(
            shown[one.code][0], _("Merchants pay") if one.code == "merchant_fen" else str(one.label), cell.text,
            cell.change, said(one, before) if before else "", shown[one.code][1], link=cell.link,
        )
        for one, cell in zip(measures, view.cells(measures, now, before, {}), strict=True)
    ]  # fmt: skip


def of_the_budgets(
    purse: Purse, now: Numbers, before: Numbers | None, free: Numbers, free_before: Numbers
) -> list[Card]:
    """What stands in the purses now, and how it moved in the period; ``free``: of campaigns with something free."""

    def note(fen: int) -> str:
        return signed(fen) if before else ""

    then = before or Numbers()
    return [
        Card("spent", _("Spent"), yuan(purse.spent_fen), moved=signed(now.spent_fen), note=note(then.spent_fen),
             detail=_("All campaigns, by coupons redeemed")),
        Card("committed", _("Committed"), yuan(purse.committed_fen), moved=signed(now.committed_fen),
             note=note(then.committed_fen), detail=_("All campaigns, by coupons that are out")),
        Card("free", _("Free"), yuan(purse.free_fen), moved=signed(-free.committed_fen - free.spent_fen),
             note=note(-free_before.committed_fen - free_before.spent_fen),
             detail=_("Of %(limit)s in campaigns that have not ended") % {"limit": yuan(purse.limit_fen)}),
    ]  # fmt: skip
