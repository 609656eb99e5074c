import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from coupons.models import CouponEvent
from coupons.queries import almanac, catalogue
from distribution.models import Campaign
from stats.dashboard import cards, chosen, curves, failures, patterns, tables
from stats.dashboard.links import form_for, list_of
from stats.dashboard.period import CHOICES, Period
from stats.queries import budgets
from stats.queries.numbers import Numbers, numbers

#: Campaigns on this page; the list of campaigns has them all.
MOST = 12


def first_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's DASHBOARD_CALLBACK. Who may not see statistics gets the plain page with their own work on it."""
    user = request.user
    if not user.has_perm("stats.view_dayrollup"):
        return {**context, "title": _("Start"), "work": _own_work(context)}
    with_budgets = user.has_perm("coupons.view_budget")
    now = timezone.now()
    period = Period.asked(request.GET.get("days", ""), now)
    choice = chosen.asked(request)
    only = choice.only
    totals, by_day, by_template, by_channel, by_city, by_campaign = numbers(
        (), ("day",), ("template",), ("channel",), ("city",), ("campaign",),
        first=period.first, last=period.last, only=only,
    )  # fmt: skip
    by_activity, by_line = numbers(("activity",), ("business_line",), first=period.first, last=period.last, only=only)
    (by_weekday_and_hour,) = numbers(("weekday", "hour"), first=period.first, last=period.last, only=only)
    earlier = period.before
    totals_before, by_campaign_before = numbers((), ("campaign",), first=earlier.first, last=earlier.last, only=only)
    total, before = totals[()], totals_before[()]
    pace_begins = period.last - dt.timedelta(budgets.PACE_DAYS)
    (recent,) = numbers(("campaign",), first=pace_begins, last=period.last - dt.timedelta(1))
    rows = tables.campaigns(request, by_campaign, recent, now, with_budgets=with_budgets)
    if "campaign" in only:
        rows = [row for row in rows if row.campaign.pk == only["campaign"]]
    purses = []
    if with_budgets and not only:  # purses belong to campaigns as a whole
        limited = [
            (row.campaign.pk,) for row in rows if row.state != "ended" and row.campaign.budget.limit_fen is not None
        ]
        going_on = (
            tables.added([by_campaign.get(key, Numbers()) for key in limited]),
            tables.added([by_campaign_before.get(key, Numbers()) for key in limited]),
        )
        purses = cards.of_the_budgets(budgets.all_together(now), total, before, going_on)
    return {
        **context,
        "title": _("Overview"),
        "dashboard": {
            "period": period,
            "choices": CHOICES,
            "chosen": choice,
            "cards": cards.of_the_period(total, before),
            "purses": purses,
            "curves": curves.of_the_period(period, by_day, total, list_of(request, CouponEvent)),
            "campaigns": rows[:MOST],
            "more_campaigns": len(rows) - len(rows[:MOST]),
            "missing_year": almanac.missing_year(timezone.localtime(now), catalogue.current()),
            "calendar": reverse("admin:coupons_calendar") if user.has_perm("coupons.view_toldday") else "",
            "warnings": [row for row in rows if row.warning],
            "with_budgets": with_budgets,
            "tables": [
                tables.templates(request, by_template),
                tables.channels(by_channel),
                tables.cities(by_city),
                tables.activity_levels(by_activity),
                tables.business_lines(by_line),
            ],
            "failures": failures.of_the_period(period, total, before, only),
            "heat": patterns.heat_map(by_weekday_and_hour),
            "quiet": total == Numbers(),
            "new": not rows and not Campaign.objects.exists(),
            "campaign_list": list_of(request, Campaign),
            "campaign_form": form_for(request, Campaign),
        },
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
