"""提醒: choosing coupons whose moment has come, and writing to their customers, each once, in waking hours.

Choosing is one statement, however many coupons there are. Writing goes in chunks: a customer has one message a day,
about the coupon that expires first; the others of the same hour are counted in it, later ones wait for the next day.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import connection, transaction
from django.utils import timezone

from coupons.models import Coupon, Customer
from coupons.queries.direct import rows
from coupons.refused import Refused
from distribution import messages
from distribution.messages import Draft, quiet
from distribution.models import Message, OptOut, Reminder, ReminderDay, ReminderRule
from distribution.queries.reminders import window_sql

Status = ReminderRule.Status
Outcome = Reminder.Outcome
#: A moment that was missed by more than this (nobody was at work) is not made up for.
LATEST = timedelta(hours=24)
CHUNK = 2000

_CHOOSE = """
INSERT INTO distribution_reminder (rule_id, coupon_id, customer_id, due_at, chosen_at, outcome)
SELECT %(rule)s, c.id, c.customer_id, {due}, %(now)s,
       CASE WHEN ('x' || left(md5(%(rule)s || ':' || c.customer_id), 8))::bit(32)::bigint * 1000
                 < %(holdout)s * 4294967296 THEN 'held_out' ELSE 'pending' END
  FROM coupons_coupon c
 WHERE {where} AND NOT EXISTS (SELECT FROM distribution_optout o WHERE o.customer_id = c.customer_id)
ON CONFLICT (rule_id, coupon_id) DO NOTHING
"""

#: Pending ones of some customers, all of each: a customer's coupons are written of together.
_PENDING = """
WITH who AS (
    SELECT customer_id, count(*) FROM distribution_reminder
     WHERE outcome = 'pending' AND (not_before IS NULL OR not_before <= %(now)s::timestamptz)
       AND customer_id > %(after)s::bigint
     GROUP BY customer_id ORDER BY customer_id LIMIT %(chunk)s::integer
)
SELECT r.id, r.rule_id, r.coupon_id, r.customer_id,
       (c.status = 'available' OR c.status = 'held' AND c.held_until <= %(now)s::timestamptz)
         AND c.valid_until > %(now)s::timestamptz AS usable,
       EXISTS (SELECT FROM distribution_optout o WHERE o.customer_id = r.customer_id) AS opted_out
  FROM distribution_reminder r JOIN coupons_coupon c ON c.id = r.coupon_id
 WHERE r.outcome = 'pending' AND (r.not_before IS NULL OR r.not_before <= %(now)s::timestamptz)
   AND r.customer_id IN (SELECT customer_id FROM who)
 ORDER BY r.customer_id, c.valid_until, r.id
   FOR UPDATE OF r SKIP LOCKED
"""


_BECAME = """
UPDATE distribution_reminder r SET outcome = n.outcome, message_key = n.key
  FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS n(id, outcome, key) WHERE r.id = n.id RETURNING 1
"""


class _Pending(NamedTuple):
    id: int
    rule: int
    coupon: Any
    customer: int
    usable: bool
    opted_out: bool


# --- by hand -----------------------------------------------------------------------------------------------------


@transaction.atomic
def move(rule: ReminderRule, name: str, *, by: AbstractUser | None, now: datetime) -> ReminderRule:
    """``start`` (also what was paused: moments missed meanwhile stay missed) or ``pause``.

    :raises Refused: ``state_forbids``.
    """
    locked = ReminderRule.objects.select_for_update(no_key=True).get(pk=rule.pk)
    if not possible(locked, name):
        raise Refused("state_forbids", state=locked.status)
    locked.status = Status.LIVE if name == "start" else Status.PAUSED
    if name == "start":
        locked.chosen_until = now
    locked._change_reason = name  # type: ignore[attr-defined]
    locked._history_user = by  # type: ignore[attr-defined]
    locked.save()
    return locked


def possible(rule: ReminderRule, name: str) -> bool:
    return (rule.status == Status.LIVE) is (name == "pause")


def try_out(rule: ReminderRule, phone: str, *, now: datetime, by: str) -> Message:
    """The message with examples, to one's own phone or customer key; at once, as nobody is woken against their will."""
    examples = {name: str(example) for name, (_label, example) in rule.message.VARIABLES[rule.message.occasion].items()}
    key = f"trial:{rule.pk}:{phone}:{now.timestamp():.0f}"
    return messages.put(key, rule.message, phone, examples, now=now, by=by)


def opt_out(customer: Customer, out: bool, *, now: datetime, by: str) -> bool:
    """Whether that is new."""
    if out:
        return OptOut.objects.get_or_create(customer=customer, defaults={"at": now, "by": by})[1]
    return OptOut.objects.filter(customer=customer).delete()[0] > 0


# --- by the timetable ----------------------------------------------------------------------------------------------


@transaction.atomic
def choose(rule_id: int, now: datetime) -> int:
    """Coupons of this rule whose moment came since the last time; how many. Twice at once, the second finds none."""
    rule = (
        ReminderRule.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
        .filter(pk=rule_id, status=Status.LIVE, chosen_until__lt=now)
        .first()
    )
    if rule is None or rule.chosen_until is None:
        return 0
    where, due, parameters = window_sql(rule, max(rule.chosen_until, now - LATEST), now, now)
    parameters |= {"rule": rule.pk, "holdout": int(rule.holdout_percent * 10)}
    with connection.cursor() as cursor:
        cursor.execute(_CHOOSE.format(due=due, where=where), parameters)
        chosen = cursor.rowcount
    ReminderRule.objects.filter(pk=rule.pk).update(chosen_until=now)
    return chosen


def write(now: datetime, after: int = 0) -> tuple[int, int]:
    """One chunk of customers: how many messages were written, and the last customer's id (0: there are no more).

    ``after``: the customer up to whom this run has come. Nothing in quiet hours.
    """
    if quiet.until(now) > now:
        return 0, 0
    today = timezone.localdate(now)
    with transaction.atomic():
        found = [_Pending(*one) for one in rows(_PENDING, {"now": now, "after": after, "chunk": CHUNK})]
        if not found:
            return 0, 0
        _mark([one.id for one in found if one.opted_out], Outcome.OPTED_OUT)
        _mark([one.id for one in found if not one.opted_out and not one.usable], Outcome.GONE)
        left: dict[int, list[_Pending]] = {}
        for one in found:
            if one.usable and not one.opted_out:
                left.setdefault(one.customer, []).append(one)
        fresh = _first_today(list(left), today)
        tomorrow = timezone.make_aware(datetime.combine(today + timedelta(days=1), datetime.min.time()))
        late = [one.id for customer, ones in left.items() if customer not in fresh for one in ones]
        Reminder.objects.filter(pk__in=late).update(not_before=tomorrow)
        written = _write({customer: left[customer] for customer in left if customer in fresh}, now)
    return written, found[-1].customer


def _mark(ids: Sequence[int], outcome: str) -> None:
    if ids:
        Reminder.objects.filter(pk__in=ids).update(outcome=outcome)


def _first_today(customers: list[int], day: Any) -> set[int]:
    """Who has had no reminder on this day; from now on they have."""
    if not customers:
        return set()
    sql = (
        "INSERT INTO distribution_reminderday (customer_id, day) SELECT unnest(%s::bigint[]), %s::date"
        " ON CONFLICT DO NOTHING RETURNING customer_id"
    )
    return {found[0] for found in rows(sql, (customers, day))}


def _write(by_customer: dict[int, list[_Pending]], now: datetime) -> int:
    if not by_customer:
        return 0
    customers = Customer.objects.in_bulk(list(by_customer))
    coupons = Coupon.objects.select_related("template").in_bulk([ones[0].coupon for ones in by_customer.values()])
    rules = ReminderRule.objects.select_related("message").in_bulk({ones[0].rule for ones in by_customer.values()})
    drafts: list[Draft] = []
    became: list[tuple[int, str, str]] = []
    for customer, ones in by_customer.items():
        first, rule, coupon = ones[0], rules[ones[0].rule], coupons[ones[0].coupon]
        key = f"reminder:{rule.pk}:{coupon.pk}"
        until = timezone.localtime(coupon.valid_until)
        variables = {
            "nickname": customers[customer].nickname,
            "coupon": coupon.template.name,
            "days": str(max((until.date() - timezone.localdate(now)).days, 0)),
            "until": f"{until - timedelta(microseconds=1):%Y-%m-%d}",
            "link": f"{settings.PUBLIC_URL}/h5/wallet/",
            "count": str(len({one.coupon for one in ones})),
        }
        drafts.append(Draft(key, rule.message, customers[customer], variables, f"reminder:{rule.pk}", until=until))
        became.append((first.id, Outcome.WRITTEN.value, key))
        became += [(one.id, Outcome.MERGED.value, key) for one in ones[1:]]
    written = messages.put_all(drafts, now=now)
    rows(_BECAME, tuple(map(list, zip(*became, strict=True))))
    return written


def tidy(now: datetime) -> None:
    """Days that are over are of no use."""
    ReminderDay.objects.filter(day__lt=timezone.localdate(now) - timedelta(days=2)).delete()
