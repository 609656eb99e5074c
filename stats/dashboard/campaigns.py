"""Campaigns with what is left in their purses, and when that runs out."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from coupons.admin.exporting import in_yuan
from coupons.admin.money import yuan
from coupons.models import Budget
from distribution.models import Campaign
from stats.dashboard.charts import Cell, Chart, Line, View, heads, units
from stats.dashboard.curves import ByKey
from stats.dashboard.figures import percent
from stats.dashboard.links import page_of
from stats.queries import budgets
from stats.queries.numbers import Numbers

#: Campaigns on this page; the list of campaigns has them all.
MOST = 12


@dataclass(frozen=True)
class Shown:
    """A campaign of this page. ``state``: running, not_started or ended."""

    campaign: Campaign
    state: str
    link: str
    numbers: Numbers

    @property
    def budget(self) -> Budget:
        return self.campaign.budget

    @property
    def used(self) -> str:
        """Of the budget; empty where it has no limit."""
        share = budgets.share_used(self.budget)
        return "" if share is None else percent(share)

    @property
    def free(self) -> str:
        return yuan(self.budget.free_fen, _("no limit"))

    @property
    def warning(self) -> str:
        return budgets.warning(self.budget) if self.state != "ended" else ""


def of_interest(
    request: HttpRequest, found: ByKey, now: dt.datetime, *, with_budgets: bool, only: int | None
) -> list[Shown]:
    """Those nearest to the end of their budget first; without the right to see budgets, the most redeemed first."""
    active = [pk for (pk,), numbers in found.items() if pk and numbers != Numbers()]
    rows = []
    for campaign in budgets.of_interest(now, also=active):
        if only is not None and campaign.pk != only:
            continue
        state = "ended" if campaign.ends_at <= now else "not_started" if campaign.starts_at > now else "running"
        numbers = found.get((campaign.pk,), Numbers())
        rows.append(Shown(campaign, state, page_of(request, campaign), numbers))
    order = {"running": 0, "not_started": 1, "ended": 2}

    def key(row: Shown) -> tuple[Any, ...]:
        share = (budgets.share_used(row.budget) or 0) if with_budgets else 0
        return order[row.state], -share, -row.numbers.used_count, -row.campaign.pk

    return sorted(rows, key=key)


def forecast(campaign: Campaign, recent: Numbers, now: dt.datetime) -> str:
    """``recent``: of the last full days, as many as the forecast looks back."""
    today = timezone.localdate(now, timezone.get_default_timezone())
    day = budgets.runs_out(campaign.budget, recent.committed_fen + recent.spent_fen, today)
    if day is None:
        return ""
    if day > timezone.localdate(campaign.ends_at, timezone.get_default_timezone()):
        return _("lasts until the end at this pace")
    return _("gone on %(day)s at this pace") % {"day": day.isoformat()}


def chart(view: View, rows: list[Shown], before: ByKey, recent: ByKey, now: dt.datetime) -> Chart:
    """Budget bars are of now; the numbers behind them of the days that are shown."""
    labels = {"ended": _("ended"), "not_started": _("not started"), "running": _("running")}
    measures = view.measures("issued_count", "used_count", "use_rate", "spent_fen")
    lines = []
    for row in rows[:MOST]:
        campaign, budget = row.campaign, row.budget
        began, ends = (timezone.localdate(moment) for moment in (campaign.starts_at, campaign.ends_at))
        notes = [(f"ov-state ov-{row.state}", str(labels[row.state])), ("ov-sub", f"{began} – {ends}")]
        bars: list[tuple[str, str]] = []
        money: list[Cell] = []
        if view.money:
            # A budget without a limit shows how what is used is made up.
            whole = max(budget.limit_fen or 0, budget.spent_fen + budget.committed_fen, 1)
            bars = [
                ("ov-spent", f"{budget.spent_fen * 100 / whole:.2f}"),
                ("ov-committed", f"{budget.committed_fen * 100 / whole:.2f}"),
            ]
            money = [
                Cell(yuan(budget.limit_fen, _("no limit")), in_yuan(budget.limit_fen)),
                Cell(yuan(budget.spent_fen), in_yuan(budget.spent_fen)),
                Cell(yuan(budget.committed_fen), in_yuan(budget.committed_fen)),
                Cell(row.free, in_yuan(budget.free_fen)),
            ]
            if row.used:
                used = _("%(used)s used") % {"used": row.used}
                notes.append((f"ov-chip ov-{row.warning}" if row.warning else "ov-chip", used))
            if row.state == "running" and (said := forecast(campaign, recent.get((campaign.pk,), Numbers()), now)):
                notes.append(("ov-sub ov-forecast", said))
        then = before.get((campaign.pk,), Numbers()) if view.against else None
        cells = view.cells(measures, row.numbers, then, {"campaign": campaign.pk})
        lines.append(Line(campaign.name, [*money, *cells], row.link, notes, bars))
    purse = [_("Budget"), _("Budget spent"), _("Committed"), _("Free")] if view.money else []
    return Chart(
        "campaigns",
        _("Campaigns"),
        _("Campaign"),
        [*purse, *heads(measures)],
        lines,
        units=[*(_("%(what)s, yuan") % {"what": words} for words in purse), *units(measures)],
        legend=[("ov-spent", _("Spent")), ("ov-committed", _("Committed")), ("ov-free", _("Free"))] if purse else [],
        about=_("Budgets are of this moment, what is issued and redeemed of the days above.") if purse else "",
        empty=_("All campaigns have ended."),
        compared=view.against is not None,
    )
