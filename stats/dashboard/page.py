import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from coupons.models import CouponEvent, RefusalCount
from coupons.queries import almanac, catalogue
from distribution.models import Campaign
from stats.dashboard import campaigns, cards, tables
from stats.dashboard.asked import Asked, asked
from stats.dashboard.charts import Chart, View
from stats.dashboard.curves import curves, grouping
from stats.dashboard.failures import failures
from stats.dashboard.funnel import funnel
from stats.dashboard.links import form_for, list_of
from stats.dashboard.patterns import patterns
from stats.dashboard.period import Period
from stats.queries import budgets
from stats.queries.numbers import Numbers, added, numbers
from stats.reporting import SEES_MONEY

SEES_FIGURES = "stats.view_dayrollup"
ByKey = dict[tuple[Any, ...], Numbers]

_BY_DAY = ((), ("day",), ("template",), ("channel",), ("city",), ("campaign",))
_BY_ORDER = (("activity",), ("business_line",))


def first_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's DASHBOARD_CALLBACK. Who may not see statistics gets the plain page with their own work on it."""
    if not request.user.has_perm(SEES_FIGURES):
        return {**context, "title": _("Start"), "work": _own_work(context)}
    return {**context, "title": _("Overview"), "dashboard": opening(request)}


def opening(request: HttpRequest) -> dict[str, Any]:
    """What stands above the figures: little is asked of the database for it."""
    user = request.user
    now = timezone.now()
    choice = asked(request.GET, timezone.localdate(now, timezone.get_default_timezone()))
    of_campaigns = next(one.options for one in choice.filters if one.name == "campaign")
    return {
        "asked": choice,
        "missing_year": almanac.missing_year(timezone.localtime(now), catalogue.current()),
        "calendar": reverse("admin:coupons_calendar") if user.has_perm("coupons.view_toldday") else "",
        "campaign_list": list_of(request, Campaign),
        "campaign_form": form_for(request, Campaign),
        "new": not of_campaigns,
    }


def board(request: HttpRequest, found: dict[str, Any]) -> dict[str, Any]:
    """All that the page says to this operator, where the days were ``found`` to be possible. Read from the rollups
    alone, however many coupons there are.
    """
    choice = found["asked"]
    if choice.period is None:
        return found
    user = request.user
    now = timezone.now()
    today = timezone.localdate(now, timezone.get_default_timezone())
    view = View(choice, choice.period, user.has_perm(SEES_MONEY), list_of(request, CouponEvent))
    seen, before = _counted(choice, choice.period), _counted(choice, choice.against)
    total = seen[()][()]
    total_before = before[()][()] if choice.against else None
    by_campaign = seen[("campaign",)]
    yesterday = today - dt.timedelta(1)
    (recent,) = numbers(("campaign",), first=today - dt.timedelta(budgets.PACE_DAYS), last=yesterday)
    rows = campaigns.of_interest(request, by_campaign, now, with_budgets=view.money, only=choice.only.get("campaign"))
    purses = []
    if view.money and not choice.only:  # purses belong to campaigns as a whole
        limited = [(r.campaign.pk,) for r in rows if r.state != "ended" and r.budget.limit_fen is not None]
        free, free_before = (
            added(counted[key] for key in limited if key in counted) for counted in (by_campaign, before[("campaign",)])
        )
        purses = cards.of_the_budgets(budgets.all_together(now), total, total_before, free, free_before)
    step, crossed = grouping(choice.step), ("weekday", "hour")
    return found | {
        "view": view,
        "cards": cards.of_the_period(view, total, total_before),
        "customers": f"{reverse('admin:stats_customers')}?{choice.query}",
        "excel": f"?{choice.query}",
        "said": choice.said(compared=True),
        "said_alone": choice.said(compared=False),
        "curves_title": {"hour": _("Hour by hour"), "week": _("Week by week")}.get(choice.step, _("Day by day")),
        "funnel": funnel(view, total, total_before),
        "purses": purses,
        "curves": curves(view, seen[step], before[step], total, total_before, now),
        "campaigns": campaigns.chart(view, rows, before[("campaign",)], recent, now),
        "more_campaigns": max(len(rows) - campaigns.MOST, 0),
        "warnings": [row for row in rows if view.money and row.warning],
        "failures": failures(view, total, total_before, list_of(request, RefusalCount)),
        "patterns": patterns(view, seen[crossed], before[crossed]),
        "tables": [
            tables.templates(view, request, seen[("template",)], before[("template",)]),
            tables.channels(view, seen[("channel",)], before[("channel",)]),
            tables.cities(view, seen[("city",)], before[("city",)]),
            tables.activity_levels(view, seen[("activity",)], before[("activity",)]),
            tables.business_lines(view, seen[("business_line",)], before[("business_line",)]),
        ],
        "today_is_going_on": choice.period.last == today and choice.against and choice.against.last < today,
        "lengths_differ": choice.against and choice.against.count != choice.period.count,
        "quiet": total == Numbers(),
    }


def charts(found: dict[str, Any]) -> dict[str, Chart]:
    """All charts of a board by their keys."""
    if "view" not in found:
        return {}
    several = [found["funnel"], *found["curves"], found["campaigns"], *found["patterns"], *found["tables"]]
    return {chart.key: chart for chart in [*several, *(one.chart for one in found["failures"])]}


def _counted(choice: Asked, period: Period | None) -> dict[tuple[str, ...], ByKey]:
    """Numbers by what they are grouped by; all empty where there is no period."""
    by_hour = [("weekday", "hour"), *([("day", "hour")] if choice.step == "hour" else [])]
    several = (_BY_DAY, _BY_ORDER, tuple(by_hour))
    if period is None:
        return {grouping: {} for groupings in several for grouping in groupings}
    return {
        grouping: found
        for groupings in several
        for grouping, found in zip(
            groupings, numbers(*groupings, first=period.first, last=period.last, only=choice.only), strict=True
        )
    }


def _own_work(context: dict[str, Any]) -> list[dict[str, Any]]:
    """The menu's groups with what this operator may open; by application where the site has no menu of its own."""
    groups = [
        {
            "title": group.get("title", ""),
            "links": [
                {
                    "title": item["title"],
                    "link": item.get("link_callback") or item["link"],
                    "icon": item.get("icon", ""),
                }
                for item in group["items"]
                if item.get("has_permission") and item.get("link") and not item.get("active")
            ],
        }
        for group in context.get("sidebar_navigation") or []
    ]
    if not groups:
        groups = [
            {
                "title": app["name"],
                "links": [
                    {"title": model["name"], "link": model["admin_url"], "icon": ""}
                    for model in app["models"]
                    if model["admin_url"]
                ],
            }
            for app in context["app_list"]
        ]
    return [group for group in groups if group["links"]]
