"""What was refused: how large a share of the attempts, and why."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from coupons.refused import SENTENCES
from stats.dashboard.figures import Change, change, count, percent
from stats.dashboard.period import Period
from stats.queries.numbers import Numbers
from stats.queries.refusals import refusals

#: So many causes; the report has them all.
MOST = 8


@dataclass(frozen=True)
class Cause:
    name: str
    code: str
    number: str
    share: str
    width: str


@dataclass(frozen=True)
class Failures:
    """Of claims or of uses. ``rate``: refused ÷ attempts."""

    key: str
    title: str
    rate: str
    change: Change | None
    before: str
    refused: str
    attempts: str
    causes: list[Cause]
    others: str


def of_the_period(period: Period, now: Numbers, before: Numbers, only: Mapping[str, Any]) -> list[Failures]:
    """Empty where one city is asked for: where somebody was refused, nobody wrote down."""
    if "city" in only:
        return []
    done = {"claim": (now.issued_count, before.issued_count), "use": (now.redeemed_count, before.redeemed_count)}
    titles = {"claim": _("Claims refused"), "use": _("Uses refused")}
    found, earlier = _by_deed(period, only), _by_deed(period.before, only)
    return [_of(deed, titles[deed], found[deed], earlier[deed], *done[deed]) for deed in titles]


def _by_deed(period: Period, only: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    by_deed: dict[str, dict[str, int]] = defaultdict(dict)
    for (deed, code), number in refusals("deed", "code", first=period.first, last=period.last, only=only).items():
        by_deed[deed][code] = number
    return by_deed


def _rate(refused: int, done: int) -> float | None:
    return refused / (refused + done) if refused + done > 0 else None


def _of(deed: str, title: str, now: dict[str, int], before: dict[str, int], done: int, done_before: int) -> Failures:
    refused = sum(now.values())
    rate, rate_before = _rate(refused, done), _rate(sum(before.values()), done_before)
    ranked = sorted(now.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = sum(number for _code, number in ranked[MOST:])
    return Failures(
        key=deed,
        title=title,
        rate=percent(rate),
        change=change(rate, rate_before, points=True, welcome=False),
        before=percent(rate_before),
        refused=count(refused),
        attempts=count(refused + done),
        causes=[
            Cause(
                str(SENTENCES.get(code, code)), code, count(number), percent(number / refused),
                f"{number * 100 / ranked[0][1]:.2f}",
            )
            for code, number in ranked[:MOST]
        ],
        others=count(rest) if rest else "",
    )  # fmt: skip
