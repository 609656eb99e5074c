"""A rehearsal day by day, beside what really happened once its template lives."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from coupons.admin.money import yuan
from stats.dashboard.figures import count, percent
from stats.models import Rehearsal
from stats.queries.lived import since_it_began
from stats.queries.numbers import Numbers, added

Real = list[Numbers]  # of the first day, the second …


@dataclass(frozen=True)
class Line:
    day: str
    short: str
    point: str  # several numbers with spaces between
    cells: list[str]


@dataclass(frozen=True)
class Curves:
    """Several lines drawn from one table; ``points``: of each line."""

    key: str
    title: str
    kind: str
    headers: list[str]
    lines: list[Line]
    totals: list[str]
    names: str


def real_days(rehearsal: Rehearsal, now: dt.datetime) -> tuple[dt.date | None, Real]:
    """The first day and the numbers of each since, today so far included, at most as many as were rehearsed."""
    made = timezone.localtime(rehearsal.created_at).date()
    placement = rehearsal.placement.key if rehearsal.placement else None
    found = since_it_began(rehearsal.template_id, placement, not_before=made)
    if not found:
        return None, []
    began, today = min(found), timezone.localtime(now).date()
    most = min(rehearsal.day_count, (today - began).days + 1)
    return began, [found.get(began + dt.timedelta(n), Numbers()) for n in range(most)]


def curves(found: dict[str, Any], real: Real) -> list[Curves]:
    facts: list[tuple[str, str, Any, list[tuple[str, str, Any]]]] = [
        ("claims", _("Claims and uses"), count, [
            ("claims", _("Claims"), lambda n: n.issued_count),
            ("uses", _("Uses"), lambda n: n.used_count),
        ]),
        ("money", _("Discount"), yuan, [
            ("discount_fen", _("Discount"), lambda n: n.discount_fen),
            ("merchant_fen", _("Merchants"), lambda n: n.merchant_fen),
        ]),
    ]  # fmt: skip
    made = []
    for key, title, write, columns in facts:
        scale = 100 if key == "money" else 1
        lines = []
        for place, day in enumerate(found["days"]):
            cells, points = [], []
            for name, _label, _of in columns:
                cells.append(write(day[name]))
                points.append(f"{day[name] / scale:g}")
            if real:
                for _name, _label, of in columns:
                    value = of(real[place]) if place < len(real) else None
                    cells.append(write(value))
                    points.append("-" if value is None else f"{value / scale:g}")
            lines.append(Line(day["day"], day["day"][5:], " ".join(points), cells))
        headers = [label for _name, label, _of in columns]
        totals = [write(found[name]) for name, _label, _of in columns]
        if real:
            headers += [_("%(what)s, really") % {"what": label} for label in headers]
            totals += [write(sum(of(n) for n in real)) for _name, _label, of in columns]
        kind = "money" if key == "money" else "count"
        made.append(Curves(key, title, kind, headers, lines, totals, "|".join(headers)))
    return made


@dataclass(frozen=True)
class Beside:
    name: str
    expected: str
    real: str
    ratio: str


def beside(found: dict[str, Any], real: Real) -> list[Beside]:
    """The first days as rehearsed, and as they came."""
    if not real:
        return []
    days, happened = found["days"][: len(real)], added(real)
    expected = {
        name: sum(day[name] for day in days) for name in ("claims", "uses", "discount_fen", "merchant_fen", "gmv_fen")
    }
    pairs: list[tuple[str, int, int, Callable[[int | None], str]]] = [
        (_("Claims"), expected["claims"], happened.issued_count, count),
        (_("Uses"), expected["uses"], happened.used_count, count),
        (_("Discount"), expected["discount_fen"], happened.discount_fen, yuan),
        (_("Of it the merchants'"), expected["merchant_fen"], happened.merchant_fen, yuan),
        (_("GMV"), expected["gmv_fen"], happened.gmv_fen, yuan),
    ]
    lines = [Beside(name, write(e), write(r), percent(r / e if e else None)) for name, e, r, write in pairs]
    rate = expected["discount_fen"] / expected["gmv_fen"] if expected["gmv_fen"] else None
    return [*lines, Beside(_("Subsidy rate"), percent(rate), percent(happened.subsidy_rate), "")]
