"""投放对比: the page on which placements, or channels and forms, stand side by side."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons.admin import exporting
from coupons.admin.asking import dress
from coupons.admin.money import yuan
from distribution.models import Campaign, Placement
from stats.dashboard.figures import NOTHING, count, percent
from stats.dashboard.links import page_of
from stats.reporting import SEES_MONEY, Period, days_of
from stats.reporting.comparing import Interval, Side, compare, in_order

SEES_FIGURES = "stats.view_dayrollup"
#: With the heading of each; those of money are for who may see money.
COLUMNS = (
    ("issued", gettext_lazy("Issued"), False),
    ("seen", gettext_lazy("Seen"), False),
    ("used", gettext_lazy("Redeemed"), False),
    ("use_rate", gettext_lazy("Use rate"), False),
    ("new", gettext_lazy("New customers"), False),
    ("gmv", gettext_lazy("GMV"), True),
    ("cost", gettext_lazy("Discount"), True),
    ("cost_per_use", gettext_lazy("Cost per use"), True),
    ("cost_per_new", gettext_lazy("Cost per new customer"), True),
)
PERIODS = [choice for choice in Period.choices if choice[0] != Period.FIXED]


class ComparisonForm(forms.Form):
    campaign = forms.ModelChoiceField(
        Campaign.objects.order_by("-id"),
        label=gettext_lazy("Campaign"),
        required=False,
        empty_label=gettext_lazy("all campaigns"),
    )
    by = forms.ChoiceField(
        label=gettext_lazy("Side by side"),
        choices=(
            ("placement", gettext_lazy("placements")),
            ("channel", gettext_lazy("channels")),
            ("form", gettext_lazy("forms")),
            ("both", gettext_lazy("channels with their forms")),
        ),
    )
    period = forms.ChoiceField(label=gettext_lazy("Period"), choices=PERIODS)


def view(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    if not request.user.has_perm(SEES_FIGURES):
        raise PermissionDenied
    money = request.user.has_perm(SEES_MONEY)
    in_campaign = bool(request.GET.get("campaign"))
    usual = {"by": "placement" if in_campaign else "both", "period": Period.ALL if in_campaign else Period.LAST_90}
    form = ComparisonForm({**usual, **{name: request.GET[name] for name in request.GET if request.GET[name]}})
    dress(form)
    context = {**context, "title": _("Placements side by side"), "form": form}
    if not form.is_valid():
        return TemplateResponse(request, "stats/comparison.html", context)
    campaign, by = form.cleaned_data["campaign"], form.cleaned_data["by"]
    first, last = days_of(form.cleaned_data["period"], timezone.localdate())
    sides, total = compare(by, first=first, last=last, campaign=campaign.pk if campaign else None)
    columns = [(name, str(label)) for name, label, is_money in COLUMNS if money or not is_money]
    sort = request.GET.get("sort", "")
    descending = not sort.startswith("+")
    name = sort.lstrip("+-") if sort.lstrip("+-") in {"name", *(name for name, _label in columns)} else ""
    if name:
        sides = in_order(sides, name, descending=descending)
    if request.GET.get("as") == "xlsx":
        return _excel(sides, total, money)
    return TemplateResponse(
        request,
        "stats/comparison.html",
        context
        | {
            "campaign": campaign,
            "campaign_page": page_of(request, campaign) if campaign else "",
            "heads": [
                _head(request, name, descending, column, label) for column, label in [("name", _("Name")), *columns]
            ],
            "rows": [(side.name, _page(request, by, side), _cells(side, columns)) for side in sides],
            "total": _cells(total, columns),
            "excel": "?" + _query(request, **{"as": "xlsx"}),
        },
    )


def _query(request: HttpRequest, **more: str) -> str:
    query = request.GET.copy()
    for name, value in more.items():
        query[name] = value
    return query.urlencode()


def _head(request: HttpRequest, sort: str, descending: bool, column: str, label: str) -> dict[str, str]:
    mine = sort == column
    up = (mine and descending) or (not mine and column == "name")
    return {
        "label": label,
        "link": "?" + _query(request, sort=("+" if up else "-") + column),
        "sorted": ("descending" if descending else "ascending") if mine else "none",
    }


def _page(request: HttpRequest, by: str, side: Side) -> str:
    if by != "placement" or not side.key[0]:
        return ""
    placement = Placement.objects.filter(key=side.key[0]).first()
    return page_of(request, placement) if placement else ""


def _between(found: Interval | None, write: Any, value: Any) -> str:
    if value is None:
        return ""
    return _("too few") if found is None else f"{write(found.low)} – {write(found.high)}"


def _fen(value: float | None) -> str:
    return NOTHING if value is None else yuan(round(value))


def _cells(side: Side, columns: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Each with its interval, or with why there is none."""
    n = side.numbers
    said = {
        "issued": (count(n.issued_count), ""),
        "seen": (count(n.seen_count), percent(n.seen_rate) if n.seen_rate is not None else ""),
        "used": (count(n.used_count), ""),
        "use_rate": (percent(n.use_rate), _rate_between(side)),
        "new": (count(side.spread.new), ""),
        "gmv": (yuan(n.gmv_fen), ""),
        "cost": (yuan(n.spent_fen), ""),
        "cost_per_use": (_fen(side.cost_per_use), _between(side.cost_per_use_interval, _fen, side.cost_per_use)),
        "cost_per_new": (_fen(side.cost_per_new), _between(side.cost_per_new_interval, _fen, side.cost_per_new)),
    }
    return [said[name] for name, _label in columns]


def _rate_between(side: Side) -> str:
    if side.numbers.use_rate is not None and side.use_rate_interval is None:
        return _("uses of older coupons among them")
    return _between(side.use_rate_interval, percent, side.numbers.use_rate)


def _excel(sides: list[Side], total: Side, money: bool) -> HttpResponse:
    heading = [_("Name"), _("Issued"), _("Seen"), _("Redeemed"), _("Use rate"), _("from"), _("to"), _("New customers")]
    if money:
        heading += [_("%(what)s, yuan") % {"what": what} for what in (_("GMV"), _("Discount"))]
        for what in (_("Cost per use"), _("Cost per new customer")):
            heading += [_("%(what)s, yuan") % {"what": what}, _("from"), _("to")]
    rows = [_excel_row(side, side.name, money) for side in sides]
    rows.append(_excel_row(total, _("All together"), money))
    return exporting.answer("xlsx", f"comparison-{timezone.localdate():%Y%m%d}", heading, rows)  # type: ignore[return-value]


def _excel_row(side: Side, name: str, money: bool) -> list[Any]:
    def ends(found: Interval | None, scale: float) -> list[float | None]:
        return [None, None] if found is None else [round(found.low / scale, 6), round(found.high / scale, 6)]

    def in_yuan(fen: float | None) -> Decimal | None:
        return None if fen is None else Decimal(round(fen)).scaleb(-2)

    n = side.numbers
    row: list[Any] = [
        name,
        n.issued_count,
        n.seen_count,
        n.used_count,
        None if n.use_rate is None else round(n.use_rate, 6),
    ]
    row += [*ends(side.use_rate_interval, 1), side.spread.new]
    if money:
        row += [in_yuan(n.gmv_fen), in_yuan(n.spent_fen)]
        row += [in_yuan(side.cost_per_use), *ends(side.cost_per_use_interval, 100)]
        row += [in_yuan(side.cost_per_new), *ends(side.cost_per_new_interval, 100)]
    return row
