"""What was refused: how large a share of the attempts, and why."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from coupons.conditions.ranges import start_of
from coupons.refused import SENTENCES
from stats.dashboard.charts import Cell, Chart, Line, View
from stats.dashboard.figures import Card, change, count, percent
from stats.dashboard.period import Period
from stats.queries.numbers import Numbers
from stats.queries.refusals import REASON, refusals

#: So many causes; the report has them all.
MOST = 8


@dataclass(frozen=True)
class Failures:
    """Of claims or of uses. ``card``: refused ÷ attempts."""

    card: Card
    chart: Chart


def failures(view: View, now: Numbers, before: Numbers | None, refused_list: str) -> list[Failures]:
    """``refused_list``: the address of the list of refusals."""
    found = _by_deed(view, view.period)
    earlier = _by_deed(view, view.against) if view.against else None
    done = {"claim": now.issued_count, "use": now.redeemed_count}
    done_before = {"claim": before.issued_count, "use": before.redeemed_count} if before else {"claim": 0, "use": 0}
    titles = {"claim": _("Claims refused"), "use": _("Uses refused")}
    return [
        _of(
            view, deed, title, found[deed], earlier[deed] if earlier is not None else None,
            done[deed], done_before[deed], "" if view.asked.only else refused_list,
        )
        for deed, title in titles.items()
    ]  # fmt: skip


def _by_deed(view: View, period: Period) -> Mapping[str, dict[str, int]]:
    by_deed: dict[str, dict[str, int]] = defaultdict(dict)
    asked = refusals("deed", REASON, first=period.first, last=period.last, only=view.asked.only)
    for (deed, code), number in asked.items():
        by_deed[deed][code] = number
    return by_deed


def _rate(refused: int, done: int) -> float | None:
    return refused / (refused + done) if refused + done > 0 else None


def _of(
    view: View, deed: str, title: str, now: dict[str, int], before: dict[str, int] | None,
    done: int, done_before: int, refused_list: str,
) -> Failures:  # fmt: skip
    refused = sum(now.values())
    refused_before = None if before is None else sum(before.values())
    rate = _rate(refused, done)
    rate_before = None if refused_before is None else _rate(refused_before, done_before)
    ranked = sorted(now.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = ranked[MOST:]
    ends = {
        "deed__exact": deed,
        "hour__gte": start_of(view.period.first).isoformat(),
        "hour__lt": start_of(view.period.last + dt.timedelta(1)).isoformat(),
    }

    def cells(number: int, then: int | None, **which: str) -> list[Cell]:
        link = f"{refused_list}?{urlencode({**ends, **which})}" if refused_list and number else ""
        share = number / refused if refused else None
        share_before = then / refused_before if then is not None and refused_before else None
        return [
            Cell(count(number), number, change(number, then, welcome=False), then, link),
            Cell(percent(share), share, change(share, share_before, points=True), share_before),
        ]

    lines = [
        Line(
            str(SENTENCES.get(code, code)),
            cells(number, None if before is None else before.get(code, 0), code__exact=code),
            bars=[("ov-spent", f"{number * 100 / ranked[0][1]:.2f}")],
        )
        for code, number in ranked[:MOST]
    ]
    if rest:
        then = None if before is None else sum(before.get(code, 0) for code, _number in rest)
        others = [Cell(one.text, one.value, one.change, one.before) for one in cells(sum(n for _c, n in rest), then)]
        lines.append(Line(_("Other reasons"), others))
    card = Card(
        f"failures-{deed}", title, percent(rate), change(rate, rate_before, points=True, welcome=False),
        "" if before is None else percent(rate_before),
        detail=_("%(refused)s of %(attempts)s attempts")
        % {"refused": count(refused), "attempts": count(refused + done)},
    )  # fmt: skip
    chart = Chart(
        f"failures-{deed}",
        title,
        _("Why"),
        [_("Refused"), _("Share")],
        lines,
        Line(_("Total"), cells(refused, refused_before)) if lines else None,
        empty=_("Nothing was refused in these days."),
        look="re-why",
        compared=before is not None,
    )
    return Failures(card, chart)
