"""A coupon is seen once, when its holder's wallet first shows it: issued → seen → redeemed."""

import re

import pytest
from django.db import Error

from coupons import sights
from coupons.models import Coupon, Sight
from stats import folding
from stats.queries.numbers import numbers
from tests import making, using
from tests.stories.dashboards import operator

pytestmark = pytest.mark.django_db


def _seen() -> set[str]:
    sights.flush()
    return {str(id) for id in Sight.objects.values_list("pk", flat=True)}


def test_the_wallet_shows_a_coupon_for_the_first_time_once(customer, clock, ledger):
    """S1: with the first moment; the wallet, the coupon and the quote are all the same sight."""
    coupon = using.coupon("alice")
    alice = customer("alice")
    first = clock.set("2026-06-03 23:59:59")
    alice.get("coupons/")
    clock.set("2026-06-04 09:00")
    alice.get(f"coupons/{coupon}/")
    alice.post("quotes/", {"order": using.order()})
    assert _seen() == {coupon}
    clock.forward(days=1)
    sights.forget()  # another process
    alice.get("coupons/")
    assert _seen() == {coupon}
    assert Sight.objects.get().at == first
    folding.fold_all()
    assert {day: found.seen_count for (day,), found in numbers(("day",))[0].items() if found.seen_count} == {
        first.date(): 1
    }
    ledger()


@pytest.mark.parametrize("door", ["detail", "quote", "named"])
def test_every_door_to_the_holder_is_a_sight(customer, system, door):
    coupon = using.coupon("alice")
    match door:
        case "detail":
            assert customer("alice").get(f"coupons/{coupon}/").status == 200
        case "quote":
            assert system("redeem").post("quotes/", {"order": using.order()}).status == 200
        case "named":
            assert system("read").get("coupons/", customer="alice").status == 200
    assert _seen() == {coupon}


def test_what_nobody_showed_to_the_holder_is_not_seen(customer, system):
    """A claim's answer, a system that looks at a coupon for itself, a redemption, another customer's wallet."""
    template = making.template()
    placement = making.placement(template)
    claimed = system("issue").post(f"placements/{placement.key}/claims/", {"customer": "alice"})
    coupon = claimed.body["coupons"][0]["id"]
    assert system("read").get(f"coupons/{coupon}/").status == 200
    assert customer("bob").get(f"coupons/{coupon}/").status == 404
    customer("bob").get("coupons/")
    used = {"order": using.order(), "coupons": [coupon]}
    assert system("redeem").post("redemptions/", used).status == 201
    assert _seen() == set()


def test_showing_asks_the_database_nothing_and_a_wallet_opened_again_writes_nothing(customer, query_count):
    """The same statements before, while and after a coupon is seen; none of them is about sights."""
    for _ in range(3):
        using.coupon("alice")
    alice = customer("alice")
    sights.MOST_GATHERED, most = 0, sights.MOST_GATHERED
    try:
        alice.get("coupons/")
        with query_count() as without:
            alice.get("coupons/")
    finally:
        sights.MOST_GATHERED = most
    assert _seen() == set(), "no room: seen when it is shown again"
    with query_count() as count:
        alice.get("coupons/")
    assert count.statements == without.statements
    assert not [query for query in count.captured_queries if "sight" in query["sql"]]
    assert len(_seen()) == 3
    with query_count() as nothing:
        alice.get("coupons/")
        sights.flush()
    assert nothing.statements == without.statements


def test_what_could_not_be_written_is_tried_again_with_its_first_moment(customer, clock, monkeypatch):
    using.coupon("alice")
    first = clock.set("2026-06-03 10:00")
    customer("alice").get("coupons/")

    def away(*_arguments: object) -> None:
        raise Error("away")

    with monkeypatch.context() as patch:
        patch.setattr(sights, "rows", away)
        with pytest.raises(Error):
            sights.flush()
        sights._gathered._try()
    clock.forward(minutes=1)
    customer("alice").get("coupons/")
    sights.flush()
    assert Sight.objects.get().at == first


def test_memory_is_bounded_and_what_is_forgotten_is_still_one_sight(customer, monkeypatch):
    monkeypatch.setattr(sights, "MOST_KNOWN", 2)
    coupons = {using.coupon("alice") for _ in range(7)}
    alice = customer("alice")
    for coupon in sorted(coupons):
        alice.get(f"coupons/{coupon}/")
        sights.flush()
        assert len(sights._known) + len(sights._older) <= 4
    alice.get("coupons/")
    assert _seen() == coupons


def test_coupons_that_became_void_count_where_they_were_issued(customer, system):
    """S1: by placement and city of the issue, so that issued → seen → redeemed is one line of a report."""
    placement = making.placement(making.template())
    said = {"customer": "alice", "city": "310000"}
    system("issue").post(f"placements/{placement.key}/claims/", said)
    customer("alice").get("coupons/")
    sights.flush()
    (waiting,) = numbers(("placement", "city"))
    folding.fold_all()
    (folded,) = numbers(("placement", "city"))
    assert waiting == folded
    line = folded[(placement.key, "310000")]
    assert (line.issued_count, line.seen_count, line.seen_rate) == (1, 1, 1.0)
    assert Coupon.objects.count() == 1


def test_a_campaigns_page_says_what_was_seen_placement_by_placement(customer):
    """P10, S1: each number under its own heading, also for who sees no money."""
    campaign = making.campaign()
    placement = making.placement(making.template(campaign), of=campaign)
    for name in ("alice", "bob"):
        customer(name).post(f"placements/{placement.key}/claims/", {"client": "app"})
    customer("alice").get("coupons/")
    sights.flush()
    for role in ("运营", "审核"):
        page = operator(role).get(f"/admin/distribution/campaign/{campaign.pk}/change/").content.decode()
        tables = [
            [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in re.findall(r"<tr>.*?</tr>", table, re.S)]
            for table in re.findall(r'<table class="desk-table">.*?</table>', page, re.S)
        ]
        assert [[len(row) for row in rows] for rows in tables] == [[3, 3], [len(tables[1][0])] * 2]
        line = dict(zip(*tables[1], strict=True))
        assert (line["已发放"], line["已查看"], line["已使用"]) == ("2", "1 (50%)", "0 (0%)")
