"""A rehearsal as long work: asked for here, run by a worker, kept with its numbers."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import reduce
from operator import and_
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from coupons import jobs
from coupons.models import CouponTemplate, Customer, Job
from coupons.rules import CustomerCondition
from distribution.drafting.writing import template_document
from distribution.models import Placement
from redemption.models import Order
from stats.models import Rehearsal
from stats.queries import past
from stats.rehearsing.assumptions import Assumptions
from stats.rehearsing.expecting import Expecting
from stats.rehearsing.planning import Plan, limits_left, plan
from stats.rehearsing.replaying import Answers, Chance, replay

KIND = "rehearse"
#: Customers whose orders are tried between two looks at whether somebody cancelled.
CHUNK = 500
MOST_ORDERS = 1_000_000


@transaction.atomic
def start(
    template: CouponTemplate,
    placement: Placement | None,
    days: int,
    assumptions: Assumptions,
    *,
    now: datetime,
    by: User | None,
) -> Rehearsal:
    """Asks for a rehearsal on the orders of the last ``days`` days, today so far among them; the door starts the job.
    ``now`` in the business time zone.

    :raises ValidationError: the draft does not make sense yet, or there are too many orders.
    """
    template.full_clean(exclude=["key", "budget"])
    first = _midnight(now.date() - timedelta(days=days - 1), now)
    orders, _customers = past.counts(first, now)
    if orders > MOST_ORDERS:
        sentence = _("These are more than %(most)s orders. Choose fewer days.") % {"most": f"{MOST_ORDERS:,}"}
        raise ValidationError({"day_count": ValidationError(sentence, "too_many")})
    title = _("Rehearsal of %(template)s") % {"template": template}
    return Rehearsal.objects.create(
        template=template,
        placement=placement,
        day_count=days,
        first_day=first.date(),
        last_day=now.date(),
        until=now,
        assumptions=assumptions.as_dict(),
        job=jobs.start(KIND, title=title, by=by, total=orders),
        made_by=by,
    )


def asked_of(template: CouponTemplate, placement: Placement | None) -> dict[str, Any]:
    """What a rehearsal's numbers hang on; comparable, so that it shows when the draft is another one by now."""
    offers = placement.offers.filter(template=template).select_related("audience") if placement else []
    said = template_document(template)
    del said["status"]
    return {
        **said,
        "audiences": [
            {"key": offer.audience_id, "conditions": offer.audience.conditions} for offer in offers if offer.audience
        ],
    }


@jobs.work(KIND)
def run(job: Job) -> Iterator[jobs.Step]:
    """Reads only, until its numbers are there; after a kill it begins anew."""
    rehearsal = Rehearsal.objects.select_related("template__budget", "placement").get(job=job)
    assumptions = Assumptions(**rehearsal.assumptions)
    until = rehearsal.until.astimezone(past.zone())
    first = _midnight(rehearsal.first_day, until)
    planned = plan(rehearsal.template, rehearsal.placement, first, unknown_passes=assumptions.unknown_passes)
    rehearsal.asked = asked_of(rehearsal.template, rehearsal.placement)
    limits = limits_left(rehearsal.template)
    ids = past.customers(first, until)
    answers, chances = Answers(), list[Chance]()
    yield jobs.Step(done=0)
    for place in range(0, len(ids), CHUNK):
        chances += replay(planned, ids[place : place + CHUNK], first, until, answers)
        yield jobs.Step(done=min(answers.orders, job.total_count or 0))
    chances.sort(key=lambda chance: chance.at)
    days = [rehearsal.first_day + timedelta(days=number) for number in range(rehearsal.day_count)]
    population, quiet = _today(planned, first, until)
    open_days = [day for day in days if planned.open_on(day)]
    reached = quiet * assumptions.quiet_claimers * (1000 - planned.control_permille) // 1000
    expecting = Expecting(planned, assumptions, limits, until)
    expecting.run(chances, days, _spread(reached, open_days))
    qualifying = {chance.customer for chance in chances if chance.claims}
    rehearsal.found = {
        **expecting.told(days),
        "orders": answers.orders,
        "customers": answers.customers,
        "qualifying": len(qualifying),
        "population": population,
        "quiet": quiet if open_days else 0,
        "open_days": len(open_days),
        "control_permille": planned.control_permille,
        "limits_left": limits,
        "worth_fen": planned.template.worth_fen,
        "worst_fen": worst_fen(planned, limits, len(open_days)),
        "no": {"claim": dict(answers.claim), "use": dict(answers.use), "unknown": dict(answers.unknown)},
    }
    rehearsal.save(update_fields=["asked", "found"])
    yield jobs.Step(done=job.total_count or 0)


def _midnight(day: date, like: datetime) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=like.tzinfo)


def _today(planned: Plan, first: datetime, until: datetime) -> tuple[int, int]:
    """How many customers meet, today, what the rules ask of the customer alone; and how many of them did not order."""
    anyone = Q()
    for conditions in planned.audiences:
        asked = [condition.q(until) for condition in conditions if isinstance(condition, CustomerCondition)]
        if not asked:
            anyone = Q()
            break
        anyone |= reduce(and_, asked)
    meeting = Customer.objects.filter(anyone)
    ordered = Order.objects.filter(
        customer=OuterRef("pk"), placed_at__gte=first, placed_at__lt=until, finished_at__lt=until
    )
    return meeting.count(), meeting.filter(~Exists(ordered)).count()


def _spread(weight: int, days: list[date]) -> dict[date, int]:
    """Evenly over the days, nothing lost."""
    if not days:
        return {}
    each, rest = divmod(weight, len(days))
    return {day: each + (number < rest) for number, day in enumerate(days)}


def worst_fen(planned: Plan, limits: dict[str, int | None], open_days: int) -> int | None:
    """The most that limits and purse let go, every coupon at its full worth; None: nothing stops it."""
    worth = planned.template.worth_fen
    if not worth:
        return limits["budget_fen"]
    counts = [limits["total_count"], limits["daily_count"] and limits["daily_count"] * open_days]
    fens = [limits["total_fen"], limits["daily_fen"] and limits["daily_fen"] * open_days, limits["budget_fen"]]
    bounds = [count * worth for count in counts if count is not None] + [fen for fen in fens if fen is not None]
    return min(bounds, default=None)
