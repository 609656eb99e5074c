"""Every "no" is on record by the hour, without a row for each."""

from datetime import timedelta

import pytest
from django.db import Error

from coupons import refusals
from coupons.models import Coupon, Customer, CustomerDay, RefusalCount, RefusalDay, Supply
from distribution import claiming
from stats import folding
from stats.queries.figures import figures
from stats.queries.ledger import differences
from stats.queries.refusals import refusals as counted
from tests import making, using
from tests.stories.dashboards import operator

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


def test_how_active_those_were_who_were_refused(system, clock, ledger, query_count):
    """S4, S5: by their orders of thirty days, looked up for all of them when the sums are written."""
    today = clock.now().date()
    for name, days, orders in (("often", 0, 12), ("once", 29, 1), ("long-ago", 30, 9)):
        known = Customer.objects.create(key=name)
        CustomerDay.objects.create(customer_id=known.pk, day=today - timedelta(days), order_count=orders)
    placement = making.placement(making.template(limits={"total_count": 0}))
    for name in ("often", "often", "once", "long-ago", "nobody-yet"):
        assert system("issue").post(f"placements/{placement.key}/claims/", {"customer": name}).code == "sold_out"
    coupon = using.coupon("often", threshold_fen=50_000)
    refused = system("redeem").post("redemptions/", {"order": using.order(customer="often"), "coupons": [coupon]})
    assert refused.code == "below_threshold"
    with query_count() as count:
        refusals.flush()
    assert len(count.captured_queries) == 1
    levels = {("claim", "high"): 2, ("claim", "low"): 1, ("claim", "none"): 2, ("use", "high"): 1}
    assert counted("deed", "activity") == levels
    assert counted("deed") == {("claim",): 5, ("use",): 1}
    [by_level] = figures(("activity",), measures=("refused_claim_count", "use_failure_rate"))
    assert (by_level[("high",)].refused_claim_count, by_level[("high",)].use_failure_rate) == (2, 1.0)


def test_of_very_many_at_once_who_was_refused_is_not_looked_at(system, monkeypatch):
    """S5: a flood costs no memory; every refusal counts all the same."""
    monkeypatch.setattr(refusals, "MOST_GATHERED", 2)
    placement = making.placement(making.template(limits={"total_count": 0}))
    for number in range(5):
        system("issue").post(f"placements/{placement.key}/claims/", {"customer": f"u{number}"})
    refusals.flush()
    assert counted("activity") == {("none",): 2, ("",): 3}


def test_why_it_was_refused_is_a_dimension_of_reports(system):
    """S5, S8: as lines, across and as a filter; of nothing but what was refused."""
    sold_out = making.placement(making.template(limits={"total_count": 0}))
    wechat = making.placement(making.template(claim_conditions={"clients": {"any_of": ["wechat"]}}), key="wechat")
    for place, customers in ((sold_out, "abc"), (wechat, "a")):
        for customer in customers:
            system("issue").post(f"placements/{place.key}/claims/", {"customer": customer, "client": "app"})
    coupon = using.coupon(threshold_fen=50_000)
    assert system("redeem").post("redemptions/", {"order": using.order(), "coupons": [coupon]}).status == 409
    refusals.flush()
    client, page = operator("运营"), "/admin/stats/report/add/"

    def look(**asked):
        found = client.get(page, {"measures": ["refused_claim_count", "refused_use_count"], "period": "all", **asked})
        return found.context["look"]

    told = {
        "sold_out": "优惠券已领完。",
        "conditions_unmet": "不满足使用或领取条件。",
        "below_threshold": "订单金额未达使用门槛。",
    }
    by_reason = look(row_1="refused_for")
    assert {tuple(line.names): line.cells for line in by_reason.lines} == {
        (told["sold_out"],): ["3", "0"],
        (told["conditions_unmet"],): ["1", "0"],
        (told["below_threshold"],): ["0", "1"],
    }
    assert by_reason.total.cells == ["4", "1"]
    ready = client.get(page, {"ready": "failure_reasons"}).context["look"]
    assert {tuple(line.names) for line in ready.lines} == {(words,) for words in told.values()}
    crossed = look(row_1="placement", across="refused_for", measures=["refused_claim_count"])
    assert crossed.total.cells == ["3", "1", "4"]
    only = look(row_1="refused_for", only_refused_for=["sold_out"])
    assert only.total.cells == ["3", "0"]
    for asked in ({"row_1": "refused_for"}, {"across": "refused_for"}, {"only_refused_for": ["sold_out"]}):
        wrong = client.get(page, {"measures": ["refused_claim_count", "issued_count"], "period": "all", **asked})
        assert "按拒绝原因只能统计被拒绝的领取和核销" in wrong.content.decode(), asked
        assert not wrong.context.get("look")
    assert client.get("/admin/stats/report/rows/refused_for=sold_out/").status_code == 404, "no row of the ledger"


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
