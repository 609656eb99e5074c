"""Every "no" is on record by the hour, without a row for each."""

import pytest
from django.db import Error

from coupons import refusals
from coupons.models import Coupon, RefusalCount, RefusalDay, Supply
from distribution import claiming
from stats import folding
from stats.queries.figures import figures
from stats.queries.ledger import differences
from stats.queries.refusals import refusals as counted
from tests import making, using

pytestmark = pytest.mark.django_db


def _counts() -> dict[tuple[str, str, int, str], int]:
    refusals.flush()
    found = RefusalCount.objects.values_list("deed", "placement", "template_id", "code", "count")
    return {tuple(row[:4]): row[4] for row in found}


def test_a_flash_sale_refuses_thousands_and_writes_one_row(system, clock, query_count):
    """S5, I10: by placement, template and code; nothing is written while refusing."""
    template = making.template(limits={"total_count": 0})
    placement = making.placement(template)
    caller = system("issue")
    caller.post(f"placements/{placement.key}/claims/", {"customer": "first"})
    with query_count() as count:
        for number in range(30):
            answer = caller.post(f"placements/{placement.key}/claims/", {"customer": f"u{number}"})
            assert answer.code == "sold_out"
    assert not [query for query in count.captured_queries if "refusal" in query["sql"]]
    assert _counts() == {("claim", placement.key, template.pk, "sold_out"): 31}
    caller.post(f"placements/{placement.key}/claims/", {"customer": "late"})
    assert _counts() == {("claim", placement.key, template.pk, "sold_out"): 32}, "added to what is there"
    clock.forward(hours=1)
    caller.post(f"placements/{placement.key}/claims/", {"customer": "later"})
    refusals.flush()
    assert [row.count for row in RefusalCount.objects.order_by("hour")] == [32, 1]


def test_a_call_that_was_answered_before_was_not_refused(system):
    """U9: the last coupon was theirs; asked again, the first answer comes again."""
    placement = making.placement(making.template(limits={"total_count": 1}))
    caller = system("issue")
    for _ in range(2):
        answer = caller.post(f"placements/{placement.key}/claims/", {"customer": "a"}, once="k")
        assert answer.status == 201
    Supply.objects.update(total_count=1)
    claiming.forget()
    assert _counts() == {}
    assert Coupon.objects.count() == 1


def test_a_refused_use_is_counted_with_its_template(system):
    """S5: uses as well; what makes no sense or is not found is no refusal by the rules."""
    coupon = using.coupon(threshold_fen=50_000)
    caller = system("redeem")
    caller.post("redemptions/", {"order": using.order(), "coupons": [coupon]})
    caller.post("redemptions/", {"order": using.order(), "coupons": ["nonsense"]})
    template = Coupon.objects.get().template_id
    assert _counts() == {("use", "", template, "below_threshold"): 1}


def test_what_could_not_be_written_stays_counted(system, monkeypatch):
    """A database that is away for a moment loses nothing."""
    placement = making.placement(making.template(limits={"total_count": 0}))
    system("issue").post(f"placements/{placement.key}/claims/", {"customer": "a"})

    def away(*_arguments: object) -> None:
        raise Error("away")

    with monkeypatch.context() as patch:
        patch.setattr(refusals, "rows", away)
        with pytest.raises(Error):
            refusals.flush()
        refusals._gathered._try()
    assert sum(_counts().values()) == 1


def test_where_and_in_which_line_of_business_it_was_is_counted(system, clock):
    """S5: claims by city, uses by city and business line, in reports too; by day as by the hour."""
    template = making.template(claim_conditions={"clients": {"any_of": ["app"]}})
    placement = making.placement(template)
    claim = f"placements/{placement.key}/claims/"
    for city in ("310000", "310000", "110000", None):
        more = {"city": city} if city else {}
        assert system("issue").post(claim, {"customer": "a", "client": "wechat", **more}).code == "conditions_unmet"
    coupon = using.coupon(threshold_fen=50_000)
    order = using.order(city="310000", business_line="food")
    assert system("redeem").post("redemptions/", {"order": order, "coupons": [coupon]}).status == 409
    refusals.flush()
    found = {(row.deed, row.city_id, row.business_line): row.count for row in RefusalCount.objects.exclude(count=0)}
    assert found == {
        ("claim", "310000", ""): 2,
        ("claim", "110000", ""): 1,
        ("claim", "", ""): 1,
        ("use", "310000", "food"): 1,
    }
    today = clock.now().date()
    assert counted("deed", "city", first=today, last=today, only={"city": ["310000"]}) == {
        ("claim", "310000"): 2,
        ("use", "310000"): 1,
    }
    [by_line] = figures(("business_line",), first=today, last=today, measures=("use_failure_rate",))
    assert by_line[("food",)].refused_use_count == 1
    assert counted("deed", "day") == {("claim", today): 4, ("use", today): 1}
    assert not [said for said in map(str, differences()) if "refused" in said]


def test_refusals_by_day_are_proved_against_those_by_the_hour(system, clock):
    """A sum that went wrong is found, and put right by counting anew."""
    placement = making.placement(making.template(limits={"total_count": 0}))
    system("issue").post(f"placements/{placement.key}/claims/", {"customer": "a"})
    refusals.flush()
    RefusalDay.objects.update(count=7)
    assert [str(found) for found in differences()] == [
        "claim refused as sold_out on 2026-06-03: count is 7, should be 1"
    ]
    folding.rebuild()
    assert RefusalDay.objects.get().count == 1
    assert not list(differences())
