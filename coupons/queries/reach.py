"""触达人数: how many customers a set of conditions holds for, condition by condition, in one pass over all of them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from random import SystemRandom
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When

from coupons.conditions.ranges import everybody_asked
from coupons.models import Coupon, Customer
from coupons.rules import Condition, Situation

SAMPLE = 10
_luck = SystemRandom()


class Step(NamedTuple):
    """``left``: for whom this condition and all before it hold; ``unknown``: who fell out here because nobody knows."""

    condition: Condition
    left: int
    unknown: int


class Reach(NamedTuple):
    customers: int
    steps: list[Step]
    #: Customers for whom all of them hold.
    number: int


def reach(conditions: Sequence[Condition], situation: Situation) -> Reach:
    """Each customer is asked until a condition does not hold: the funnel counts where."""
    with _everybody():
        asked = [condition.population(situation) for condition in conditions]
    falls = [
        When(~holds, then=Case(When(known, then=Value(place)), default=Value(-place)))
        for place, (holds, known) in enumerate(asked, 1)
    ]
    where = Case(*falls, default=Value(0), output_field=IntegerField()) if falls else Value(0)
    with _room():
        fell = Customer.objects.annotate(fell=where).order_by().values("fell").annotate(number=Count("pk"))
        counted = dict(fell.values_list("fell", "number"))
    left = customers = sum(counted.values())
    steps = []
    for place, condition in enumerate(conditions, 1):
        unknown = counted.get(-place, 0)
        left -= unknown + counted.get(place, 0)
        steps.append(Step(condition, left, unknown))
    return Reach(customers, steps, left)


def chosen(conditions: Iterable[Condition], situation: Situation) -> QuerySet[Customer]:
    """The customers for whom all of them hold."""
    holding = Customer.objects.all()
    for condition in conditions:
        holding = holding.filter(condition.population(situation)[0])
    return holding


def sample(conditions: Sequence[Condition], situation: Situation, most: int = SAMPLE) -> list[Customer]:
    """Some of them, other ones each time: those that follow a number drawn by lot."""
    last = Customer.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    start = _luck.randint(0, last)
    found: list[Customer] = []
    for part in (Q(pk__gte=start), Q(pk__lt=start)):
        if len(found) < most:
            rows = chosen(conditions, situation).filter(part).select_related("city").order_by("pk")
            found += rows[: most - len(found)]
    return found


def holders(conditions: Sequence[Condition], situation: Situation, template: int) -> int:
    """How many of them hold a coupon of this template that can still be used."""
    held = Coupon.objects.filter(
        customer=OuterRef("pk"), template=template, status__in=("available", "held"), valid_until__gt=situation.now
    )
    with _room():
        return chosen(conditions, situation).filter(Exists(held)).count()


@contextmanager
def _everybody() -> Iterator[None]:
    token = everybody_asked.set(True)
    try:
        yield
    finally:
        everybody_asked.reset(token)


@contextmanager
def _room() -> Iterator[None]:
    """Memory for the database, which else looks up row by row; no compiling for one question; and an end to it."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL work_mem = '128MB'; SET LOCAL jit = off; SET LOCAL statement_timeout = '60s'")
            cursor.execute("SET LOCAL enable_sort = off")  # a dozen groups are counted, not sorted
        yield
