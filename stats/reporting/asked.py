"""A report's question: stored as answers by name, cleaned by its form on the way in."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from coupons.refused import Refused
from stats.queries.measures import DIMENSION, MEASURES, Measure
from stats.reporting.periods import Period, days_of


@dataclass(frozen=True)
class Question:
    """``rows``: dimensions down the side; ``across``: one over the columns, or none. Days are both included."""

    measures: tuple[str, ...]
    rows: tuple[str, ...] = ()
    across: str = ""
    only: Mapping[str, list[Any]] = field(default_factory=dict)
    first: dt.date | None = None
    last: dt.date | None = None

    def shown(self, *, money: bool) -> list[Measure]:
        """Its measures; without those of money for who may not see it."""
        return [MEASURES[code] for code in self.measures if money or not MEASURES[code].is_money]


def question_of(answers: Mapping[str, Any], today: dt.date) -> Question:
    """What was stored, asked today.  :raises Refused: ``report_outdated``: what it asks for is not counted any more."""
    rows, across, only = tuple(answers.get("rows", ())), answers.get("across", ""), answers.get("only", {})
    unknown = {*rows, *only, *([across] if across else [])} - {*DIMENSION} | {*answers["measures"]} - {*MEASURES}
    if unknown:
        raise Refused("report_outdated", detail=_("Not counted any more: %(names)s.") % {"names": ", ".join(unknown)})
    fixed = [dt.date.fromisoformat(answers[name]) if answers.get(name) else None for name in ("first", "last")]
    first, last = days_of(answers["period"], today, *fixed)
    return Question(tuple(answers["measures"]), rows, across, only, first, last)


def words(answers: Mapping[str, Any]) -> str:
    """A stored question in a sentence, for lists and histories."""
    measures = [str(MEASURES[code].label) if code in MEASURES else code for code in answers.get("measures", ())]
    named = [*answers.get("rows", ()), *([answers["across"]] if answers.get("across") else [])]
    by = [str(DIMENSION[code].label) if code in DIMENSION else code for code in named]
    period = answers.get("period", "")
    said = str(Period(period).label) if period in Period.values else period
    if period == Period.FIXED:
        said = f"{answers.get('first') or ''} – {answers.get('last') or ''}"
    only = [
        f"{DIMENSION[code].label}: {', '.join(DIMENSION[code].called(values).values())}"
        for code, values in answers.get("only", {}).items()
        if code in DIMENSION
    ]
    parts = [", ".join(measures), " × ".join(by), said, *only]
    return " · ".join(part for part in parts if part)
