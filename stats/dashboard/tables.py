"""The strongest templates; channels, cities, activity levels and business lines side by side."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from coupons.conditions.names import line_called
from coupons.models import Activity, City, CouponTemplate
from distribution.models import Placement
from stats.dashboard.charts import Cell, Chart, Line, View, heads, units
from stats.dashboard.curves import ByKey
from stats.dashboard.figures import change, percent
from stats.dashboard.links import page_of
from stats.queries.numbers import Numbers, added

#: So many lines; a table on this page is for looking, not for searching.
MOST = 10
SHOWN = ("issued_count", "used_count", "use_rate", "gmv_fen", "spent_fen", "subsidy_rate")

Described = Mapping[str, Any]  # what a line has besides its numbers


def strongest(found: ByKey) -> list[tuple[Any, Numbers]]:
    """Names with their numbers, most redeemed first."""
    ranked = [(name, numbers) for (name,), numbers in found.items() if numbers != Numbers()]
    return sorted(ranked, key=lambda pair: (-pair[1].used_count, -pair[1].issued_count, str(pair[0])))


def _chart(
    view: View, key: str, titles: tuple[str, str, str, str], dimension: str,
    pairs: list[tuple[Any, Numbers]], before: ByKey, describe: Callable[[Any], Described],
    shown: tuple[str, ...] = SHOWN, *, with_share: bool = False,
) -> Chart:  # fmt: skip
    """``titles``: the chart's, its first column's, what it is about, what it says when it is empty. ``with_share``: the
    first column says how much of all that was redeemed is the line's.
    """
    measures = view.measures(*shown)
    most = max((numbers.used_count for _name, numbers in pairs), default=0)
    uses, uses_before = _uses(numbers for _name, numbers in pairs), _uses(before.values())
    lines = []
    for name, numbers in pairs:
        then = before.get((name,), Numbers()) if view.against else None
        width = max(numbers.used_count, 0) * 100 / most if most > 0 else 0
        share = _of(numbers.used_count, uses)
        share_before = _of(then.used_count, uses_before) if then else None
        first = [Cell(percent(share), share, change(share, share_before, points=True), share_before)]
        lines.append(
            Line(
                cells=[*(first if with_share else []), *view.cells(measures, numbers, then, {dimension: name})],
                bars=[("ov-spent", f"{width:.2f}")],
                **describe(name),
            )
        )
    title, first_column, about, empty = titles
    of_uses = [_("Share of redeemed")] if with_share else []
    return Chart(
        key, title, first_column, [*of_uses, *heads(measures)], lines,
        about=about, empty=empty, units=[*of_uses, *units(measures)], compared=bool(view.against),
    )  # fmt: skip


def _uses(several: Iterable[Numbers]) -> int:
    return sum(numbers.used_count for numbers in several)


def _of(part: int, whole: int) -> float | None:
    return part / whole if whole > 0 else None


def templates(view: View, request: HttpRequest, found: ByKey, before: ByKey) -> Chart:
    pairs = strongest(found)[:MOST]
    known = CouponTemplate.objects.only("internal_name", "key").in_bulk([name for name, _numbers in pairs])

    def describe(pk: int) -> Described:
        if template := known.get(pk):
            notes = [("ov-sub", template.key)]
            return {"name": template.internal_name, "notes": notes, "link": page_of(request, template)}
        return {"name": str(pk)}

    titles = (
        _("Strongest coupons"), _("Coupon template"), _("Most redeemed in these days, at most ten."),
        _("No coupon was given out or redeemed in these days."),
    )  # fmt: skip
    return _chart(view, "templates", titles, "template", pairs, before, describe)


def channels(view: View, found: ByKey, before: ByKey) -> Chart:
    labels = dict(Placement.Channel.choices)
    titles = (
        _("By channel"), _("Channel"), _("Where the coupons were offered."),
        _("Nothing came through any channel in these days."),
    )  # fmt: skip
    return _chart(
        view, "channels", titles, "channel", strongest(found), before,
        lambda name: {"name": str(labels.get(name) or name or _("Without a placement"))},
    )  # fmt: skip


def cities(view: View, found: ByKey, before: ByKey) -> Chart:
    """The first cities by name; all others in one line, so that the lines add up."""
    pairs = strongest(found)
    shown, others = pairs[:MOST], pairs[MOST:]
    known = City.objects.in_bulk([name for name, _numbers in shown if name])
    titles = (
        _("By city"), _("City"), _("Issued where the customer was, redeemed where the order was."),
        _("Nothing happened in any city in these days."),
    )  # fmt: skip
    chart = _chart(
        view, "cities", titles, "city", shown, before,
        lambda name: {"name": str(known.get(name) or name or _("City not told"))},
    )  # fmt: skip
    if not others:
        return chart
    named = {name for name, _numbers in shown}
    rest = added(numbers for _name, numbers in others)
    then = added(numbers for (name,), numbers in before.items() if name not in named) if view.against else None
    words = _("%(count)s other cities") % {"count": len(others)}
    return replace(chart, lines=[*chart.lines, Line(words, view.cells(view.measures(*SHOWN), rest, then))])


def activity_levels(view: View, found: ByKey, before: ByKey) -> Chart:
    """From those who order most to those who do not, whichever is stronger."""
    pairs = [(level, found.get((level,), Numbers())) for level in reversed(Activity.values)]
    titles = (
        _("By activity level"), _("Activity level"), _("How often the customer had ordered when it happened."),
        _("Nothing was given out or redeemed in these days."),
    )  # fmt: skip
    return _chart(
        view, "activity", titles, "activity", [pair for pair in pairs if pair[1] != Numbers()], before,
        lambda level: {"name": str(Activity(level).label)}, with_share=True,
    )  # fmt: skip


def business_lines(view: View, found: ByKey, before: ByKey) -> Chart:
    """Only what hangs on an order has one: uses and what became of them."""
    pairs = strongest({key: numbers for key, numbers in found.items() if key[0]})
    titles = (
        _("By business line"), _("Business line"), _("Of the orders on which coupons were redeemed."),
        _("No order with a coupon told its business line in these days."),
    )  # fmt: skip
    return _chart(
        view, "lines", titles, "business_line", pairs, before, lambda line: {"name": line_called(line)},
        ("used_count", "gmv_fen", "spent_fen", "subsidy_rate"),
    )  # fmt: skip
