"""From issued to seen to redeemed: how many coupons came so far in these days."""

from django.utils.translation import gettext as _

from stats.dashboard.charts import Cell, Chart, Line, View, heads
from stats.dashboard.figures import change, percent
from stats.queries.numbers import Numbers


def funnel(view: View, now: Numbers, before: Numbers | None) -> Chart:
    """Shares are of what was issued in the same days, which are not the same coupons; a share may be above 100 %."""
    measures = view.measures("issued_count", "seen_count", "used_count")
    cells = view.cells(measures, now, before, {})
    most = max(*_of(now), 1)
    lines = []
    for place, (name, cell) in enumerate(zip(heads(measures), cells, strict=True)):
        share = _of(now)[place] / now.issued_count if now.issued_count else None
        then = _of(before)[place] / before.issued_count if before and before.issued_count else None
        part = Cell(percent(share), share, change(share, then, points=True), then)
        width = max(_of(now)[place], 0) * 100 / most
        lines.append(Line(name, [cell, part], bars=[("ov-spent", f"{width:.2f}")]))
    return Chart(
        "funnel",
        _("Issued, seen, redeemed"),
        _("Step"),
        [_("Coupons"), _("Of those issued")],
        lines if any(_of(now)) else [],
        about=_("What was seen or redeemed in these days may have been issued before them."),
        empty=_("No coupon was given out or redeemed in these days."),
        look="ov-funnel",
        compared=before is not None,
    )


def _of(numbers: Numbers) -> tuple[int, int, int]:
    return numbers.issued_count, numbers.seen_count, numbers.used_count
