"""The operators' site: its name, its colours, and a menu by job. Each sees only what they may open."""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise, lazy
from django.utils.translation import gettext_lazy as _


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


_late = lazy(_address, str)


def _may_read(model: str) -> Callable[[HttpRequest], bool]:
    def ask(request: HttpRequest) -> bool:
        from django.contrib import admin  # wants the settings, which read this page

        desk = admin.site._registry.get(apps.get_model(model))
        return desk is not None and desk.has_view_or_change_permission(request)

    return ask


def _page(title: str | Promise, model: str, icon: str) -> dict[str, Any]:
    link = _late(f"admin:{model.replace('.', '_')}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": _may_read(model)}


def _sees_figures(request: HttpRequest) -> bool:
    return request.user.has_perm("stats.view_dayrollup")


def _reads_reports(request: HttpRequest) -> bool:
    """The comparison's address lies below the reports', and has an entry of its own."""
    match = request.resolver_match
    return bool(match and match.view_name.startswith("admin:stats_report_"))


MENU: list[dict[str, Any]] = [
    {
        "title": _("Operations"),
        "items": [
            _page(_("Campaigns"), "distribution.campaign", "campaign"),
            _page(_("Coupon templates"), "coupons.coupontemplate", "confirmation_number"),
            _page(_("Rehearsals"), "stats.rehearsal", "science"),
            _page(_("Placements"), "distribution.placement", "ads_click"),
            _page(_("Coupons"), "coupons.coupon", "redeem"),
        ],
    },
    {
        "title": _("Tools of placements"),
        "items": [
            _page(_("Redemption codes"), "distribution.codebatch", "password"),
            _page(_("Code lookup"), "distribution.redemptioncode", "pin"),
            _page(_("H5 pages"), "distribution.claimpage", "smartphone"),
            _page(_("Bindings"), "distribution.binding", "person_add"),
            _page(_("Triggers"), "distribution.triggerrule", "bolt"),
            _page(_("Events of the app"), "distribution.inboundevent", "sensors"),
            _page(_("Share packets"), "distribution.shareplan", "group_add"),
        ],
    },
    {
        "title": _("Audiences and customers"),
        "items": [
            _page(_("Customers"), "coupons.customer", "person_search"),
            _page(_("Audiences"), "coupons.audience", "groups"),
            _page(_("Facts"), "coupons.fact", "fact_check"),
            _page(_("Sensitivity bands"), "coupons.band", "tune"),
        ],
    },
    {
        "title": _("Messages"),
        "items": [
            _page(_("Messages sent"), "distribution.message", "sms"),
            _page(_("Message templates"), "distribution.messagetemplate", "edit_note"),
            _page(_("Reminders"), "distribution.reminderrule", "notifications_active"),
            _page(_("Without messages"), "distribution.optout", "notifications_off"),
        ],
    },
    {
        "title": _("Risk control"),
        "items": [
            _page(_("Block list"), "distribution.block", "block"),
            _page(_("Risk rules"), "distribution.riskrule", "shield"),
            _page(_("Refusals"), "coupons.refusalcount", "do_not_disturb_on"),
        ],
    },
    {
        "title": _("Finance"),
        "items": [
            _page(_("Redemptions"), "redemption.redemption", "receipt_long"),
            _page(_("Orders"), "redemption.order", "shopping_bag"),
            _page(_("Settlement"), "redemption.settledmonth", "account_balance"),
            _page(_("Settlement entries"), "redemption.settlemententry", "edit_note"),
        ],
    },
    {
        "title": _("Statistics"),
        "items": [
            {"title": _("Overview"), "icon": "monitoring", "link": _late("admin:index"), "permission": _sees_figures},
            {**_page(_("Reports"), "stats.report", "table_chart"), "active": _reads_reports},
            {
                "title": _("Comparison"),
                "icon": "compare_arrows",
                "link": _late("admin:stats_comparison"),
                "permission": _sees_figures,
            },
            _page(_("Effect"), "stats.effectreading", "balance"),
            _page(_("Ledger"), "coupons.couponevent", "history"),
        ],
    },
    {
        "title": _("Places and weather"),
        "items": [
            _page(_("Cities"), "coupons.city", "location_city"),
            _page(_("Areas"), "coupons.area", "fence"),
            _page(_("Weather"), "coupons.weather", "rainy"),
            {
                "title": _("Calendar"),
                "icon": "calendar_month",
                "link": _late("admin:coupons_calendar"),
                "permission": _may_read("coupons.toldday"),
            },
            _page(_("Local customs"), "coupons.custom", "festival"),
        ],
    },
    {
        "title": _("Basics"),
        "items": [
            _page(_("Categories"), "coupons.category", "category"),
            _page(_("Merchants"), "coupons.merchant", "storefront"),
            _page(_("Shops"), "redemption.shop", "store"),
            _page(_("Shop staff"), "redemption.clerk", "point_of_sale"),
        ],
    },
    {
        "title": _("Administration"),
        "items": [
            _page(_("Background jobs"), "coupons.job", "pending_actions"),
            _page(_("API keys"), "coupons.apikey", "key"),
            _page(_("Webhooks"), "coupons.subscription", "webhook"),
            _page(_("Deliveries"), "coupons.delivery", "outbox"),
            _page(_("Accounts"), "auth.user", "badge"),
            _page(_("Groups"), "auth.group", "shield_person"),
            _page(_("Failed sign-ins"), "axes.accessattempt", "gpp_bad"),
            _page(_("Sign-ins"), "axes.accesslog", "login"),
        ],
    },
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("Coupon back office"),
    "SITE_HEADER": _("Coupon back office"),
    "SITE_SYMBOL": "local_activity",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("couponsite/favicon.svg")},
    ],
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_HISTORY": True,
    "SHOW_LANGUAGES": True,
    "SHOW_BACK_BUTTON": False,
    "DASHBOARD_CALLBACK": "stats.dashboard.first_page",
    "STYLES": [lambda request: static("coupons/desk.css")],
    "SCRIPTS": [lambda request: static("coupons/once.js")],
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": MENU},
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "primary": {  # white letters can be read from 600 on
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(62.3% .214 259.815)",
            "600": "oklch(54.6% .245 262.881)",
            "700": "oklch(48.8% .243 264.376)",
            "800": "oklch(42.4% .199 265.638)",
            "900": "oklch(37.9% .146 265.522)",
            "950": "oklch(28.2% .091 267.935)",
        }
    },
}
