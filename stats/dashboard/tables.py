"""Campaigns with their purses; the strongest templates; channels and cities side by side."""

import datetime as dt
from dataclasses import dataclass, field, fields
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from coupons.admin.money import yuan
from coupons.conditions.names import line_called
from coupons.models import City, CouponTemplate
from distribution.models import Campaign, Placement
from stats.dashboard.figures import count, percent
from stats.dashboard.links import page_of
from stats.models import Activity
from stats.queries import budgets
from stats.queries.numbers import Numbers

#: So many rows; a table on this page is for looking, not for searching.
MOST = 10

ByKey = dict[tuple[Any, ...], Numbers]


@dataclass(frozen=True)
class Row:
    name: str
    numbers: Numbers
    key: str = ""
    link: str = ""
    #: Of the largest row's, for the bar behind the number.
    share: float = 0

    @property
    def width(self) -> str:
        return f"{self.share * 100:.2f}"

    @property
    def cells(self) -> list[str]:
        n = self.numbers
        return [
            count(n.issued_count), count(n.used_count), percent(n.use_rate),
            yuan(n.gmv_fen), yuan(n.discount_fen), percent(n.subsidy_rate),
        ]  # fmt: skip


def headers() -> list[str]:
    return [_("Issued"), _("Redeemed"), _("Use rate"), _("GMV"), _("Discount"), _("Subsidy rate")]


@dataclass(frozen=True)
class Table:
    key: str
    title: str
    about: str
    rows: list[Row]
    empty: str
    headers: list[str] = field(default_factory=headers)


def added(several: list[Numbers]) -> Numbers:
    return Numbers(**{f.name: sum(getattr(numbers, f.name) for numbers in several) for f in fields(Numbers)})


def strongest(found: ByKey) -> list[tuple[Any, Numbers]]:
    """Names with their numbers, most redeemed first."""
    ranked = [(name, numbers) for (name,), numbers in found.items() if numbers != Numbers()]
    return sorted(ranked, key=lambda pair: (-pair[1].used_count, -pair[1].issued_count, str(pair[0])))


def _named(pairs: list[tuple[Any, Numbers]], describe: Any) -> list[Row]:
    most = max((numbers.used_count for _name, numbers in pairs), default=0)
    return [
        Row(numbers=numbers, share=max(numbers.used_count, 0) / most if most > 0 else 0, **describe(name))
        for name, numbers in pairs
    ]


def templates(request: HttpRequest, found: ByKey) -> Table:
    pairs = strongest(found)[:MOST]
    known = CouponTemplate.objects.only("internal_name", "key").in_bulk([name for name, _numbers in pairs])

    def describe(pk: int) -> dict[str, str]:
        if template := known.get(pk):
            return {"name": template.internal_name, "key": template.key, "link": page_of(request, template)}
        return {"name": str(pk)}

    return Table(
        "templates", _("Strongest coupons"), _("Most redeemed in these days, at most ten."), _named(pairs, describe),
        _("No coupon was given out or redeemed in these days."),
    )  # fmt: skip


def channels(found: ByKey) -> Table:
    labels = dict(Placement.Channel.choices)
    return Table(
        "channels", _("By channel"), _("Where the coupons were offered."),
        _named(strongest(found), lambda name: {"name": str(labels.get(name) or name or _("Without a placement"))}),
        _("Nothing came through any channel in these days."),
    )  # fmt: skip


def cities(found: ByKey) -> Table:
    """The first cities by name; all others in one row, so that the rows add up."""
    pairs = strongest(found)
    shown, others = pairs[:MOST], pairs[MOST:]
    known = City.objects.in_bulk([name for name, _numbers in shown if name])
    rows = _named(shown, lambda name: {"name": str(known.get(name) or name or _("City not told"))})
    if others:
        rows.append(Row(_("%(count)s other cities") % {"count": len(others)}, added([n for _name, n in others])))
    return Table(
        "cities", _("By city"), _("Issued where the customer was, redeemed where the order was."), rows,
        _("Nothing happened in any city in these days."),
    )  # fmt: skip


def activity_levels(found: ByKey) -> Table:
    """From those who order most to those who do not, whichever is stronger."""
    levels = list(reversed(Activity.values))
    pairs = [(level, found.get((level,), Numbers())) for level in levels]
    return Table(
        "activity", _("By activity level"), _("How often the customer had ordered when it happened."),
        _named([pair for pair in pairs if pair[1] != Numbers()], lambda level: {"name": str(Activity(level).label)}),
        _("Nothing was given out or redeemed in these days."),
    )  # fmt: skip


def business_lines(found: ByKey) -> Table:
    """Only what hangs on an order has one: uses and what became of them."""
    pairs = strongest({key: numbers for key, numbers in found.items() if key[0]})
    return Table(
        "lines", _("By business line"), _("Of the orders on which coupons were redeemed."),
        _named(pairs, lambda line: {"name": line_called(line)}),
        _("No order with a coupon told its business line in these days."),
    )  # fmt: skip


@dataclass(frozen=True)
class CampaignRow:
    campaign: Campaign
    link: str
    state: str  # not_started, running, ended
    state_label: str
    numbers: Numbers
    limit: str = ""
    spent: str = ""
    committed: str = ""
    free: str = ""
    spent_percent: str = "0"
    committed_percent: str = "0"
    used: str = ""
    share: float = 0
    warning: str = ""
    #: When the budget runs out at its present pace; empty where nobody can tell.
    forecast: str = ""

    @property
    def cells(self) -> list[str]:
        n = self.numbers
        return [count(n.issued_count), count(n.used_count), percent(n.use_rate), yuan(n.discount_fen)]


def forecast(campaign: Campaign, recent: Numbers, now: dt.datetime) -> str:
    """``recent``: of the last full days, as many as the forecast looks back."""
    today = timezone.localdate(now, timezone.get_default_timezone())
    day = budgets.runs_out(campaign.budget, recent.committed_fen + recent.spent_fen, today)
    if day is None:
        return ""
    if day > timezone.localdate(campaign.ends_at, timezone.get_default_timezone()):
        return _("lasts until the end at this pace")
    return _("gone on %(day)s at this pace") % {"day": day.isoformat()}


def campaigns(
    request: HttpRequest, found: ByKey, recent: ByKey, now: dt.datetime, *, with_budgets: bool
) -> list[CampaignRow]:
    """Those nearest to the end of their budget first; without the right to see budgets, the most redeemed first."""
    active = [pk for (pk,), numbers in found.items() if pk and numbers != Numbers()]
    rows = []
    for campaign in budgets.of_interest(now, also=active):
        budget = campaign.budget
        state, label = (
            ("ended", _("ended")) if campaign.ends_at <= now
            else ("not_started", _("not started")) if campaign.starts_at > now
            else ("running", _("running"))
        )  # fmt: skip
        share = budgets.share_used(budget)
        # A budget without a limit shows how what is used is made up.
        whole = max(budget.limit_fen or 0, budget.spent_fen + budget.committed_fen, 1)
        money: dict[str, Any] = {
            "limit": yuan(budget.limit_fen, _("no limit")),
            "spent": yuan(budget.spent_fen),
            "committed": yuan(budget.committed_fen),
            "free": yuan(budget.free_fen, _("no limit")),
            "spent_percent": f"{budget.spent_fen * 100 / whole:.2f}",
            "committed_percent": f"{budget.committed_fen * 100 / whole:.2f}",
            "used": percent(share) if share is not None else "",
            "share": share or 0,
            "warning": budgets.warning(budget) if state != "ended" else "",
            "forecast": forecast(campaign, recent.get((campaign.pk,), Numbers()), now) if state == "running" else "",
        }
        rows.append(
            CampaignRow(
                campaign, page_of(request, campaign), state, label, found.get((campaign.pk,), Numbers()),
                **(money if with_budgets else {}),
            )
        )  # fmt: skip
    order = {"running": 0, "not_started": 1, "ended": 2}
    return sorted(rows, key=lambda r: (order[r.state], -r.share, -r.numbers.used_count, -r.campaign.pk))
