"""Which coupons a reminder rule is about at a moment, how many there will be, and what came of reminding."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import sqrt
from typing import Any, NamedTuple

from django.db.models import Q
from django.utils.translation import gettext as _

from coupons import checking
from coupons.checking import Case, Finding, Witness
from coupons.queries.direct import row, rows
from distribution.models import ReminderRule

#: How long after it was chosen a coupon's use counts as an answer to the reminder.
ANSWERED = timedelta(days=3)


def window_sql(rule: ReminderRule, after: datetime, until: datetime, now: datetime) -> tuple[str, str, dict[str, Any]]:
    """``WHERE`` on ``coupons_coupon c``, the due moment as SQL, and their parameters: coupons still to be used whose
    moment lies in ``(after, until]``. Each form leans on an index: the order of issue, the order of expiry.
    """
    away = timedelta(days=rule.amount) if rule.unit == ReminderRule.Unit.DAYS else timedelta(hours=rule.amount)
    parameters: dict[str, Any] = {"away": away, "after": after, "until": until, "now": now}
    if rule.basis == ReminderRule.Basis.AFTER_CLAIM:
        due = "c.issued_at + %(away)s::interval"
        where = (
            "c.issued_at > %(after)s::timestamptz - %(away)s::interval"
            " AND c.issued_at <= %(until)s::timestamptz - %(away)s::interval"
        )
    else:
        due = "c.valid_until - %(away)s::interval"
        utc = "timezone('UTC', c.valid_until)"
        where = (
            f"(c.status IN ('available', 'held') OR c.committed_fen > 0)"
            f" AND {utc} > timezone('UTC', %(after)s::timestamptz + %(away)s::interval)"
            f" AND {utc} <= timezone('UTC', %(until)s::timestamptz + %(away)s::interval)"
            f" AND c.issued_at < {due}"
        )
    where += " AND c.status = 'available' AND c.valid_until > greatest(%(now)s::timestamptz, " + due + ")"
    if rule.template_id:
        where += " AND c.template_id = %(template)s"
        parameters["template"] = rule.template_id
    elif rule.campaign_id:
        where += (
            " AND c.template_id IN (SELECT t.id FROM coupons_coupontemplate t"
            " JOIN distribution_campaign k ON k.budget_id = t.budget_id WHERE k.id = %(campaign)s)"
        )
        parameters["campaign"] = rule.campaign_id
    return where, due, parameters


@checking.register
def in_time(case: Case, witness: Witness | None) -> Iterator[Finding]:
    """Reminder rules that are about this template and would come after its coupons are over."""
    template = case.template
    if case.placed.key or not template.pk:
        return  # of the template itself, once
    about = Q(template=template) | Q(template=None, campaign=None) | Q(campaign__budget=template.budget_id)
    for rule in ReminderRule.objects.filter(about, status=ReminderRule.Status.LIVE).order_by("pk"):
        if not rule.comes_in_time(template):
            sentence = _("The reminder “%(rule)s” never comes: no coupon of this template lives so long.")
            yield Finding("reminder_never_due", "warning", sentence % {"rule": rule}, ("validity_type",))


class Forecast(NamedTuple):
    """Coupons whose moment comes in a half-open period if nothing happens to them before, and their customers."""

    coupons: int
    customers: int
    opted_out: int


def forecast(rule: ReminderRule, start: datetime, end: datetime, now: datetime) -> Forecast:
    moment = timedelta(microseconds=1)
    where, _due, parameters = window_sql(rule, start - moment, end - moment, now)
    found = row(
        "SELECT count(*), count(DISTINCT c.customer_id), count(DISTINCT o.customer_id) FROM coupons_coupon c"  # noqa: S608
        f" LEFT JOIN distribution_optout o ON o.customer_id = c.customer_id WHERE {where}",
        {name: value for name, value in parameters.items() if f"%({name})s" in where},
    )
    assert found is not None
    return Forecast(*found)


class Answer(NamedTuple):
    """Of ``chosen`` coupons ``used`` were redeemed within :data:`ANSWERED`."""

    chosen: int
    used: int

    @property
    def share(self) -> float:
        return self.used / self.chosen if self.chosen else 0.0


class Results(NamedTuple):
    """``outcomes``: reminders by what became of them; ``messages``: by their state. ``reminded`` against
    ``held_out``: all whom the lot chose for either, whether their message arrived or not, or the two would be no
    equals; only coupons chosen long enough ago that the days for an answer are over.
    """

    outcomes: dict[str, int]
    messages: dict[str, int]
    reminded: Answer
    held_out: Answer

    @property
    def difference(self) -> tuple[float, float, float] | None:
        """Share used, reminded less not reminded, and its 95 % interval; None: too few to say."""
        a, b = self.reminded, self.held_out
        if min(a.chosen, b.chosen) < 30:
            return None
        gap = a.share - b.share
        error = 1.96 * sqrt(a.share * (1 - a.share) / a.chosen + b.share * (1 - b.share) / b.chosen)
        return gap, gap - error, gap + error


def results(rule: ReminderRule, now: datetime) -> Results:
    outcomes = _pairs("SELECT outcome, count(*) FROM distribution_reminder WHERE rule_id = %s GROUP BY 1", rule.pk)
    sent = _pairs("SELECT status, count(*) FROM distribution_message WHERE by = %s GROUP BY 1", f"reminder:{rule.pk}")
    found = row(
        """
SELECT count(*) FILTER (WHERE NOT held), count(*) FILTER (WHERE NOT held AND used),
       count(*) FILTER (WHERE held), count(*) FILTER (WHERE held AND used)
  FROM (SELECT r.outcome = 'held_out' AS held,
               EXISTS (SELECT FROM coupons_couponevent e WHERE e.coupon_id = r.coupon_id AND e.kind = 'redeemed'
                          AND e.at > r.chosen_at AND e.at <= r.chosen_at + %s::interval) AS used
          FROM distribution_reminder r
         WHERE r.rule_id = %s AND r.chosen_at <= %s::timestamptz - %s::interval) t
""",
        (ANSWERED, rule.pk, now, ANSWERED),
    )
    assert found is not None
    return Results(outcomes, sent, Answer(*found[:2]), Answer(*found[2:]))


def _pairs(sql: str, parameter: object) -> dict[str, int]:
    return dict(rows(sql, (parameter,)))
