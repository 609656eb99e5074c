"""Whatever happened, in whatever order it was folded: the numbers are those of the ledger."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import DataError, connection, transaction
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from coupons.models import (
    Budget,
    Category,
    CouponEvent,
    CouponTemplate,
    Customer,
    CustomerDay,
    Sight,
    UncountedEvent,
    UncountedSight,
)
from distribution.models import Campaign, Placement
from redemption.models import Order, Redemption
from stats import folding
from stats.models import CountedEvent, CountedSight, CustomerRollup, CustomerSpan, DayRollup, FacetRollup, HourRollup
from stats.queries import ledger
from stats.queries.counting import FACETS, KINDS, MEASURES
from stats.queries.holders import holders
from stats.queries.numbers import Numbers, numbers
from stats.queries.opening import customers, customers_by_day, events_of, sights_of
from stats.tasks import prove_ledger

pytestmark = pytest.mark.django_db

CITIES = ("110000", "310000")
#: A use each of the first two customers.
USES = [None, uuid.UUID(int=1), uuid.UUID(int=2)]
UTC = dt.UTC


def happened(*events: dict) -> None:
    """Append to the ledger as the steps do: the event, and beside it that it is not counted yet."""
    defaults = {"customer_id": 1, "template_id": 1, "by": "test"}
    rows = CouponEvent.objects.bulk_create(
        [CouponEvent(**{**defaults, "coupon_id": uuid.uuid4(), **event}) for event in events]
    )
    UncountedEvent.objects.bulk_create([UncountedEvent(event=row) for row in rows])


def shown(at: dt.datetime, luck: int) -> None:
    """One of the coupons that were issued and never shown is shown, whenever it was issued."""
    never = CouponEvent.objects.filter(kind="issued").exclude(coupon_id__in=Sight.objects.values("coupon_id"))
    if coupons := list(never.order_by("id").values_list("coupon_id", flat=True)):
        sight = Sight.objects.create(coupon_id=coupons[luck % len(coupons)], at=at)
        UncountedSight.objects.create(sight=sight)


def told(customer: int, orders: list[tuple[dt.date, int]]) -> None:
    """Orders of these days, told late or early: what is known of the customer's activity from now on."""
    for day, count in orders:
        row, _made = CustomerDay.objects.get_or_create(customer_id=customer, day=day)
        row.order_count += count
        row.save()


def level(customer: int, day: dt.date) -> str:
    """By hand: the orders of the thirty days that end with this one."""
    days = CustomerDay.objects.filter(customer_id=customer, day__gt=day - dt.timedelta(30), day__lte=day)
    orders = sum(days.values_list("order_count", flat=True))
    return "high" if orders >= 10 else "middle" if orders >= 4 else "low" if orders else "none"


def facts() -> Iterator[tuple[CouponEvent, bool, dict[str, Any]]]:
    """The ledger by hand, event by event, then sight by sight (which are their coupons' issues, seen), each with its
    names; what was known of a counted event's customer is on record.
    """
    from django.conf import settings as house

    kept = {row.event_id: (row.business_line, row.activity) for row in CountedEvent.objects.all()}
    kept |= {row.sight_id: ("", row.activity) for row in CountedSight.objects.all()}
    issues = {event.coupon_id: event for event in CouponEvent.objects.filter(kind="issued")}
    sights = [(issues[sight.pk], sight.at, sight.pk) for sight in Sight.objects.all()]
    templates = {template.pk: template for template in CouponTemplate.objects.all()}
    lines = dict(Redemption.objects.values_list("id", "order__business_line"))
    placements = {p.key: p for p in Placement.objects.all()}
    campaigns = dict(Campaign.objects.values_list("budget__templates__id", "id"))
    for event, moment, seen in [*((event, event.at, None) for event in CouponEvent.objects.all()), *sights]:
        placement, template = placements.get(event.placement), templates.get(event.template_id)
        at = moment.astimezone(ZoneInfo(house.TIME_ZONE))
        line = "" if seen else lines.get(event.redemption_id) or ""
        known = kept.get(seen or event.pk) or (line, level(event.customer_id, at.date()))
        names = {
            "day": at.date(),
            "hour": at.hour,
            "weekday": at.isoweekday(),
            "week": at.date() - dt.timedelta(at.weekday()),
            "month": at.date().replace(day=1),
            "business_line": known[0],
            "activity": known[1],
            "category": (template.category_id if template else None) or "",
            "merchant": (template.merchant_id if template else None) or "",
            "template": event.template_id,
            "placement": event.placement or "",
            "city": event.city_id or "",
            "channel": placement.channel if placement else "",
            "form": placement.form if placement else "",
            "campaign": campaigns.get(event.template_id),
        }
        yield event, seen is not None, names


def counted_naively(*dimensions: str) -> dict[tuple, Numbers]:
    sums: dict[tuple, dict[str, int]] = defaultdict(lambda: dict.fromkeys(MEASURES, 0))
    for event, seen, names in facts():
        cell = sums[tuple(names[name] for name in dimensions)]
        if seen:
            cell["seen_count"] += 1
            continue
        for measure in set(MEASURES) - {"seen_count"}:
            cell[measure] += event.kind == KINDS[measure] if measure in KINDS else getattr(event, measure)
    return {key: Numbers(**cell) for key, cell in sums.items()}


PERIODS = ((None, None), (dt.date(2026, 3, 29), dt.date(2026, 3, 31)), (dt.date(2026, 3, 30), None))
CUSTOMERS_BY = [(), ("day",), ("week",), ("month",), ("weekday",), ("hour", "day"), ("template", "activity")]
CUSTOMERS_BY += [("placement", "day"), ("city",), ("business_line",), ("channel", "week"), ("campaign",), ("category",)]


def assert_customers_are_counted_once() -> None:
    """Each by hand: the customers of the events of the period and the group, as a set."""
    issues = [(event, names) for event, seen, names in facts() if event.kind == "issued" and not seen]
    for first, last in PERIODS:
        for dimensions in CUSTOMERS_BY:
            mine: dict[tuple, set[int]] = defaultdict(set)
            for event, names in issues:
                if (first or names["day"]) <= names["day"] <= (last or names["day"]):
                    mine[tuple(names[name] for name in dimensions)].add(event.customer_id)
            found = {key: n for key, n in holders(*dimensions, first=first, last=last).items() if n}
            assert found == {key: len(whom) for key, whom in mine.items()}
    mine_alone = {event.customer_id for event, names in issues if names["campaign"]}
    campaigns = list(Campaign.objects.values_list("pk", flat=True))
    assert holders(only={"campaign": campaigns}).get((), 0) == len(mine_alone)


def assert_numbers_are_the_ledgers() -> None:
    every = [("day", "template", "placement", "city"), ("channel",), ("form", "city"), ("campaign",), ("day",)]
    every += [("activity",), ("business_line", "weekday"), ("category", "merchant"), ("week", "month")]
    every += [("hour",), ("city",), ("day", "activity", "city"), ("category", "hour"), (), ("weekday", "hour")]
    hourly = [("day", "hour"), ("hour", "activity")]
    for dimensions, read in zip([*every, *hourly], [*numbers(*every), *numbers(*hourly)], strict=True):
        mine = {key: found for key, found in read.items() if found != Numbers()}
        assert mine == {key: found for key, found in counted_naively(*dimensions).items() if found != Numbers()}
    assert [d for d in ledger.differences() if not d.where.startswith("budget")] == []


def assert_rollups_alone_are_the_ledgers() -> None:
    assert not UncountedEvent.objects.exists()
    assert not UncountedSight.objects.exists()
    cell = ("day", "template", "placement", "city", "business_line", "activity")
    for model, dimensions in ((DayRollup, cell), (HourRollup, ("hour", *cell))):
        columns = [{"template": "template_id", "city": "city_id"}.get(name, name) for name in dimensions]
        stored = {
            tuple(getattr(row, name) for name in columns): Numbers(**{m: getattr(row, m) for m in MEASURES})
            for row in model._default_manager.all()
        }
        assert stored == counted_naively(*dimensions)
    for facet, fact in [("", ()), *((name, (name,)) for name in FACETS)]:
        for own in (("template", "placement"), ()):
            stored = {
                (row.day, *((row.template_id, row.placement) if own else ()), *([row.value] if facet else [])): Numbers(
                    **{m: getattr(row, m) for m in MEASURES}
                )
                for row in FacetRollup.objects.filter(facet=facet, **{"template_id__gt" if own else "template_id": 0})
            }
            naive = counted_naively("day", *own, *fact)
            assert stored == {
                (*key[: -len(fact) or None], *map(str, key[-1:] if fact else ())): found for key, found in naive.items()
            }


@contextmanager
def forgotten() -> Iterator[None]:
    """What happens within is undone: each example begins with an empty ledger."""
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)


@pytest.fixture
def two_campaigns(db: None) -> tuple[Campaign, Campaign]:
    """Templates 1 and 2 in the first, 3 in the second; placements a and b in two channels; c is nobody's key."""
    at = dt.datetime(2026, 6, 1, tzinfo=UTC)
    made = []
    Category.objects.create(key="food", name="food")
    for number, name in enumerate(("anna", "bob"), 1):
        customer = Customer.objects.create(id=number, key=name)
        order = Order.objects.create(key=name, customer=customer, placed_at=at, client="app", lines=[], goods_fen=1)
        Redemption.objects.create(
            id=USES[number], order=order, customer=customer, status="redeemed", created_at=at, discount_fen=0,
            merchant_fen=0, by="test", coupons=[],
        )  # fmt: skip
    for number, templates in enumerate(((1, 2), (3,))):
        budget = Budget.objects.create()
        campaign = Campaign.objects.create(
            key=f"c{number}", name=f"c{number}", budget=budget, starts_at=at, ends_at=at + dt.timedelta(90)
        )
        for template in templates:
            CouponTemplate.objects.create(
                id=template, key=f"t{template}", internal_name="t", name="t", budget=budget,
                type="no_threshold", amount_fen=100, valid_days=7, category_id="food" if template == 1 else None,
            )  # fmt: skip
        made.append(campaign)
    Placement.objects.create(key="a", campaign=made[0], channel="coupon_center", form="api")
    Placement.objects.create(key="b", campaign=made[1], channel="share", form="h5")
    return made[0], made[1]


money = st.integers(-(10**6), 10**6)
#: Three days, most moments near a midnight somewhere.
moments = st.builds(
    lambda hour, micro: dt.datetime(2026, 3, 28, tzinfo=UTC) + dt.timedelta(hours=hour, microseconds=micro),
    st.integers(0, 72),
    st.sampled_from([-1, 0, 1, 900_000_000]),
)
events = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(CouponEvent.Kind.values),
        "at": moments,
        "template_id": st.integers(1, 4),
        "customer_id": st.integers(1, 3),
        "redemption_id": st.sampled_from(USES),
        "placement": st.sampled_from([None, "a", "b", "c"]),
        "city_id": st.sampled_from([None, *CITIES]),
        "committed_fen": money,
        "spent_fen": money,
        "merchant_fen": money,
        "gmv_fen": money,
        "paid_fen": money,
        "order_parts": money,
    }
)
#: What else goes on while events come in.
acts = st.one_of(
    st.lists(events, min_size=1, max_size=8),
    st.integers(1, 5).map(lambda limit: ("fold", limit)),
    st.just(("die", 3)),
    st.just(("rebuild", 0)),
    st.tuples(st.just("shown"), st.tuples(moments, st.integers(0, 7))),
    st.tuples(
        st.just("told"),
        st.tuples(
            st.integers(1, 3), st.builds(lambda back: dt.date(2026, 3, 30) - dt.timedelta(back), st.integers(0, 33))
        ),
    ),
    st.tuples(st.just("line"), st.tuples(st.sampled_from(["anna", "bob"]), st.sampled_from(["food", "ride"]))),
)


def die_in_the_middle_of_a_fold(limit: int) -> None:
    with suppress(InterruptedError), transaction.atomic():
        folding.fold(limit)
        raise InterruptedError


@pytest.mark.usefixtures("two_campaigns")
@settings(max_examples=60, deadline=None)
@given(story=st.lists(acts, max_size=8), zone=st.sampled_from(["Asia/Shanghai", "Asia/Kathmandu", "Europe/London"]))
def test_numbers_equal_a_naive_recount_at_every_moment_of_any_story(story: list, zone: str) -> None:
    """S1, S3"""
    with override_settings(TIME_ZONE=zone), forgotten():
        for act in story:
            match act:
                case ("fold", limit):
                    folding.fold(limit)
                case ("die", limit):
                    die_in_the_middle_of_a_fold(limit)
                case ("rebuild", _):
                    folding.rebuild()
                case ("shown", (at, luck)):
                    shown(at, luck)
                case ("told", (customer, day)):
                    told(customer, [(day, 4)])
                case ("line", (order, line)):
                    Order.objects.filter(key=order).update(business_line=line)
                case _:
                    happened(*act)
            assert_numbers_are_the_ledgers()
        assert_customers_are_counted_once()
        folding.fold_all(limit=3)
        assert_rollups_alone_are_the_ledgers()
        assert_customers_are_counted_once()
        folding.rebuild()
        assert_rollups_alone_are_the_ledgers()
        assert_customers_are_counted_once()


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2026-06-03T23:59:59.999999+08:00", dt.date(2026, 6, 3)),
        ("2026-06-04T00:00:00+08:00", dt.date(2026, 6, 4)),
        ("2026-06-03T16:00:00+00:00", dt.date(2026, 6, 4)),
        ("2026-06-03T15:59:59+00:00", dt.date(2026, 6, 3)),
        ("2026-12-31T23:59:59-05:00", dt.date(2027, 1, 1)),
    ],
)
def test_an_event_counts_on_the_business_day_of_its_moment(at: str, day: dt.date) -> None:
    happened({"kind": "issued", "at": dt.datetime.fromisoformat(at)})
    unfolded = numbers(("day",))[0]
    folding.fold()
    assert set(unfolded) == set(numbers(("day",))[0]) == {(day,)}


def test_the_servers_own_zone_changes_nothing() -> None:
    happened({"kind": "issued", "at": dt.datetime(2026, 6, 3, 16, 30, tzinfo=UTC)})
    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'America/Los_Angeles'")
        try:
            folding.fold()
            assert DayRollup.objects.get().day == dt.date(2026, 6, 4)
        finally:
            cursor.execute("SET TIME ZONE 'UTC'")


def test_a_fold_that_breaks_in_the_middle_has_done_nothing_and_the_next_one_does_it() -> None:
    at = dt.datetime(2026, 6, 3, tzinfo=UTC)
    happened({"kind": "issued", "at": at, "gmv_fen": 2**62, "template_id": 2}, {"kind": "issued", "at": at})
    folding.fold()
    happened({"kind": "issued", "at": at}, {"kind": "redeemed", "at": at, "gmv_fen": 2**62, "template_id": 2})
    with pytest.raises(DataError), transaction.atomic():  # more than the column can hold
        folding.fold()
    assert UncountedEvent.objects.count() == 2
    assert DayRollup.objects.get(template_id=1).issued_count == 1
    CouponEvent.objects.filter(kind="redeemed").update(gmv_fen=0)
    assert folding.fold() == 2
    assert_rollups_alone_are_the_ledgers()


def test_folding_again_folds_nothing() -> None:
    happened({"kind": "issued", "at": dt.datetime(2026, 6, 3, tzinfo=UTC)})
    assert (folding.fold(), folding.fold(), folding.fold_all()) == (1, 0, 0)
    assert_rollups_alone_are_the_ledgers()


def test_rebuilding_mends_rollups_that_are_wrong_and_takes_over_another_time_zone() -> None:
    happened({"kind": "issued", "at": dt.datetime(2026, 6, 3, 16, 30, tzinfo=UTC), "city_id": "310000"})
    folding.fold()
    DayRollup.objects.update(issued_count=7)
    DayRollup.objects.create(day=dt.date(2026, 6, 3), template_id=9, spent_fen=5)
    assert [str(d) for d in ledger.differences()] == [
        "rollup of 2026-06-03, template 9, placement -, city -, line -, activity -: spent_fen is 5, should be 0",
        "rollup of 2026-06-04, template 1, placement -, city 310000, line -, activity none: "
        "issued_count is 7, should be 1",
    ]
    call_command("rebuild_rollups", verbosity=0)
    assert_rollups_alone_are_the_ledgers()
    with override_settings(TIME_ZONE="UTC"):
        assert list(ledger.differences())
        folding.rebuild()
        assert DayRollup.objects.get().day == dt.date(2026, 6, 3)
        assert_rollups_alone_are_the_ledgers()


def test_budgets_that_differ_from_the_ledger_and_events_that_are_not_there_are_told(
    two_campaigns: tuple[Campaign, Campaign],
) -> None:
    """S6"""
    at = dt.datetime(2026, 6, 3, tzinfo=UTC)
    happened({"kind": "issued", "at": at, "committed_fen": 100, "template_id": 3})
    happened({"kind": "redeemed", "at": at, "committed_fen": -60, "spent_fen": 60, "template_id": 3})
    budget = two_campaigns[1].budget
    Budget.objects.filter(pk=budget.pk).update(committed_fen=40, spent_fen=60)
    assert list(ledger.differences()) == []
    folding.fold(1)
    assert list(ledger.differences()) == []
    Budget.objects.filter(pk=budget.pk).update(committed_fen=41, spent_fen=59)
    UncountedEvent.objects.create(event_id=10**12)
    assert [str(d) for d in ledger.differences()] == [
        f"budget {budget.pk}: committed_fen is 41, should be 40",
        f"budget {budget.pk}: spent_fen is 59, should be 60",
        "event 1000000000000: in the ledger is 0, should be 1",
    ]


def test_numbers_of_a_period_and_of_one_campaign(two_campaigns: tuple[Campaign, Campaign]) -> None:
    for day in range(1, 6):
        at = dt.datetime(2026, 6, day, 4, tzinfo=UTC)
        happened({"kind": "issued", "at": at, "template_id": 1, "placement": "a"})
        happened({"kind": "issued", "at": at, "template_id": 3, "placement": "b"})
        if day == 3:
            folding.fold()
    period = {"first": dt.date(2026, 6, 2), "last": dt.date(2026, 6, 4)}
    total, by_day = numbers((), ("day",), **period)
    assert total[()].issued_count == 6
    assert {key: found.issued_count for key, found in by_day.items()} == {
        (dt.date(2026, 6, 2),): 2, (dt.date(2026, 6, 3),): 2, (dt.date(2026, 6, 4),): 2,
    }  # fmt: skip
    (own,) = numbers(("channel",), **period, only={"campaign": two_campaigns[1].pk})
    assert own == {("share",): Numbers(issued_count=3)}
    assert numbers((), first=dt.date(2027, 1, 1)) == [{(): Numbers()}]


def test_a_placement_that_moves_to_another_channel_takes_its_numbers_along(
    two_campaigns: tuple[Campaign, Campaign],
) -> None:
    happened({"kind": "issued", "at": dt.datetime(2026, 6, 1, tzinfo=UTC), "placement": "a"})
    folding.fold()
    Placement.objects.filter(key="a").update(channel="partner")
    assert set(numbers(("channel",))[0]) == {("partner",)}
    assert_numbers_are_the_ledgers()


def test_rates_are_none_where_there_is_nothing_to_divide_by_and_averages_round_half_up() -> None:
    """S3"""
    assert (Numbers().use_rate, Numbers().subsidy_rate, Numbers().average_paid_fen) == (None, None, None)
    some = Numbers(issued_count=4, redeemed_count=3, returned_count=1, spent_fen=30, gmv_fen=120)
    assert (some.used_count, some.use_rate, some.subsidy_rate, some.average_paid_fen) == (2, 0.5, 0.25, None)
    orders = [Numbers(paid_fen=paid, order_parts=parts) for paid, parts in ((5, 2_000_000), (80, 800_000), (5, -1))]
    assert [(one.order_count, one.average_paid_fen) for one in orders] == [(2, 3), (0.8, 100), (0, None)]


@pytest.mark.usefixtures("two_campaigns")
@settings(max_examples=25, deadline=None)
@given(story=st.lists(events, min_size=1, max_size=12), sights=st.lists(moments, max_size=4))
def test_every_cell_opens_to_the_rows_that_it_is_the_sum_of(story: list, sights: list) -> None:
    """S1"""
    with forgotten():
        happened(*story)
        for luck, at in enumerate(sights):
            shown(at, luck)
        folding.fold_all()
        dimensions = ("template", "placement", "city", "activity", "business_line")
        by_day, by_hour, derived = numbers(("day", *dimensions)), numbers(("day", "hour")), numbers(("day", "channel"))
        for found, names in ((by_day, dimensions), (by_hour, ("hour",)), (derived, ("channel",))):
            for (day, *cell), sums in found[0].items():
                named = dict(zip(names, cell, strict=True))
                opened = list(events_of(day, **named))
                counted = {m: sum(row.kind == KINDS[m] for row in opened) for m in KINDS}
                added = {*MEASURES} - {*KINDS, "seen_count"}
                money = {m: sum(getattr(row, m) for row in opened) for m in added}
                assert Numbers(**counted, **money, seen_count=sights_of(day, **named).count()) == sums


def test_customers_of_a_day_are_counted_once_however_much_they_took() -> None:
    """S3"""
    first, second = (dt.datetime(2026, 6, day, 4, tzinfo=UTC) for day in (3, 4))
    for customer, at, template in ((1, first, 1), (1, first, 1), (1, first, 2), (2, first, 1), (1, second, 1)):
        happened({"kind": "issued", "at": at, "customer_id": customer, "template_id": template})
    days = {dt.date(2026, 6, 3): 2, dt.date(2026, 6, 4): 1}
    assert customers_by_day(dt.date(2026, 6, 1), dt.date(2026, 6, 30)) == days
    assert customers(dt.date(2026, 6, 3), template=2) == 1
    assert customers(dt.date(2026, 6, 3), kind="redeemed") == 0


def test_a_day_that_is_told_late_takes_its_place_between_a_customers_days() -> None:
    """S3: whatever the order in which it is learnt, every period counts each customer once."""
    days = {day: dt.datetime(2026, 6, day, 4, tzinfo=UTC) for day in (1, 3, 5)}
    for day in (5, 1, 3):
        happened({"kind": "issued", "at": days[day]})
        folding.fold()
    spans = {(span.before.day, span.day.day): span.customer_count for span in CustomerSpan.objects.all()}
    assert {link: n for link, n in spans.items() if n} == {(1, 1): 1, (1, 3): 1, (3, 5): 1}, "the first since never"
    assert spans[(1, 5)] == 0
    for first, last in ((1, 5), (2, 5), (3, 3), (4, 5)):
        assert holders(first=dt.date(2026, 6, first), last=dt.date(2026, 6, last)) == {(): 1}
    assert holders("day") == {(at.date(),): 1 for at in days.values()}
    assert list(ledger.differences()) == []
    CustomerSpan.objects.filter(day=dt.date(2026, 6, 3)).update(customer_count=2)
    CustomerRollup.objects.filter(day=dt.date(2026, 6, 5)).update(issued_count=4)
    assert [str(difference) for difference in ledger.differences()] == [
        "rollup of 2026-06-05 12:00, template 1, placement -, city -, line -, activity none, customer 1: "
        "issued_count is 4, should be 1",
        "customers of 2026-06-03, before on 2026-06-01: customer_count is 2, should be 1",
    ]


def test_an_event_that_is_counted_twice_or_never_is_told() -> None:
    happened(*({"kind": "issued", "at": dt.datetime(2026, 6, 3, tzinfo=UTC)} for _ in range(2)))
    folding.fold(1)
    assert list(ledger.differences()) == []
    one, other = CouponEvent.objects.order_by("id").values_list("id", flat=True)
    CountedEvent.objects.all().delete()
    UncountedEvent.objects.all().delete()
    said = [str(difference) for difference in ledger.differences()]
    assert f"event {one}: waiting or counted is 0, should be 1" in said
    assert f"event {other}: waiting or counted is 0, should be 1" in said


def test_a_sight_that_is_counted_twice_never_or_of_no_coupon_is_told() -> None:
    at = dt.datetime(2026, 6, 3, tzinfo=UTC)
    happened({"kind": "issued", "at": at})
    shown(at, 0)
    folding.fold()
    assert list(ledger.differences()) == []
    (seen,) = Sight.objects.values_list("pk", flat=True)
    UncountedSight.objects.create(sight_id=seen)
    nobodys = Sight.objects.create(coupon_id=uuid.UUID(int=7), at=at)
    HourRollup.objects.update(seen_count=2)
    said = sorted(str(difference).split(", ")[0] for difference in ledger.differences())
    assert said == [
        "rollup of 2026-06-03 08:00",
        f"sight {nobodys.pk}: in the ledger is 0",
        f"sight {nobodys.pk}: waiting or counted is 0",
        f"sight {seen}: waiting or counted is 2",
    ]


def test_a_rollup_by_one_fact_that_is_wrong_is_told_and_mended() -> None:
    happened({"kind": "issued", "at": dt.datetime(2026, 6, 3, tzinfo=UTC), "city_id": "310000"})
    folding.fold()
    assert list(ledger.differences()) == []
    FacetRollup.objects.filter(facet="city", template_id=0).update(value="110000")
    assert [str(difference) for difference in ledger.differences()] == [
        "rollup of 2026-06-03, facet city, template -, placement -, value 110000: issued_count is 1, should be 0",
        "rollup of 2026-06-03, facet city, template -, placement -, value 310000: issued_count is 0, should be 1",
    ]
    folding.rebuild()
    assert_rollups_alone_are_the_ledgers()


def test_the_nightly_proof_says_how_many_differences_there_are() -> None:
    happened({"kind": "issued", "at": dt.datetime(2026, 6, 3, tzinfo=UTC)})
    folding.fold()
    before = prove_ledger()
    DayRollup.objects.update(gmv_fen=5)
    assert prove_ledger() == before + 1
