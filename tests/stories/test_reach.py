"""An audience says how many it holds, and where the others fell out; claiming would accept just these."""

import re

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from coupons.conditions import names
from coupons.models import Area, Audience, Customer
from coupons.queries import catalogue, reach
from coupons.queries.surroundings import situate
from coupons.refused import Refused
from coupons.rules import compile_rules
from distribution import claiming
from distribution.claiming import Where
from tests import making, using
from tests.pages.company import BLOCK, desk, somebody
from tests.properties.test_conditions import ANSWERS, AUDIENCES, NOW, ages, believe, customers, store

pytestmark = pytest.mark.django_db


def people():
    Customer.objects.bulk_create(
        Customer(
            key=f"c{number}",
            order_count=number % 3,
            sensitivity=[None, "0.2", "0.8"][number % 3 - 1 if number < 9 else 0],
            tags=["vip"] if number % 2 else [],
        )
        for number in range(12)
    )


def test_the_operator_sees_a_funnel_with_what_is_unknown_apart():
    """I12: the number now, condition by condition, a sample, and the overlap with a coupon's holders."""
    people()
    template = making.template()
    using.give(template, "c1")
    audience = making.audience(
        {"tags": {"any_of": ["vip"]}, "sensitivity": {"min": 0.1}, "clients": {"any_of": ["app"]}}
    )
    client = desk(somebody("运营"))
    address = f"/admin/coupons/audience/{audience.pk}/reach/"
    vips = Customer.objects.filter(tags=["vip"])
    told = client.get(address).context
    steps = {step.condition.code: (step.left, step.unknown) for step in told["reach"].steps}
    known = vips.filter(sensitivity__isnull=False).count()
    assert told["reach"].customers == 12
    assert steps["tags"] == (6, 0)
    assert steps["sensitivity"] == (known, 6 - known)
    assert steps["clients"] == (0, known)
    assert told["of_moment"]
    told = client.get(address, {"client": "app", "template": template.pk}).context
    assert told["reach"].number == known == len(told["sample"])
    assert int(told["holders"]) == vips.filter(key="c1", sensitivity__isnull=False).count()
    assert client.get(f"/admin/coupons/audience/{audience.pk}/change/").content.decode().count("/reach/") == 1


def test_an_audience_of_areas_is_counted_as_if_everybody_were_there():
    """I2, I12: where customers are is known of the moment alone, so it is said for the count; unsaid, it is unknown."""
    people()
    for key in ("bund", "port"):
        Area.objects.create(key=key, name=key, geojson=BLOCK)
    audience = making.audience({"tags": {"any_of": ["vip"]}, "areas": {"any_of": ["bund"]}})
    client = desk(somebody("运营"))

    def told(**said):
        found = client.get(f"/admin/coupons/audience/{audience.pk}/reach/", said).context["reach"]
        return [(step.left, step.unknown) for step in found.steps]

    assert told() == [(6, 0), (0, 6)]
    assert told(areas=["bund", "port"]) == [(6, 0), (6, 0)]
    assert told(areas=["port"]) == [(6, 0), (0, 0)]
    outer = making.audience({"audiences": {"any_of": [audience.pk]}})
    assert client.get(f"/admin/coupons/audience/{outer.pk}/reach/").context["of_moment"]
    assert not client.get(f"/admin/coupons/audience/{making.audience({}).pk}/reach/").context["of_moment"]


def test_who_may_not_see_customers_sees_no_sample():
    people()
    audience = making.audience({})
    told = desk(somebody("审核")).get(f"/admin/coupons/audience/{audience.pk}/reach/")
    assert (told.context["reach"].number, told.context["sample"]) == (12, [])
    assert "c11" not in told.content.decode()
    assert desk(somebody("客服")).get(f"/admin/coupons/audience/{audience.pk}/reach/").status_code == 403


def test_everyone_is_meant_on_purpose():
    """An empty audience is everybody, so it has to be ticked; not beside conditions."""
    client = desk(somebody("运营"))
    said = {"key": "all", "name": "全部"}
    response = client.post("/admin/coupons/audience/add/", said)
    assert response.status_code == 200
    assert not Audience.objects.exists()
    assert "请设置人群条件" in response.content.decode()
    both = {**said, "everyone": "on", "conditions-order_count-min": "1"}
    assert client.post("/admin/coupons/audience/add/", both).status_code == 200
    assert client.post("/admin/coupons/audience/add/", {**said, "everyone": "on"}).status_code == 302
    assert Audience.objects.get().conditions == {}
    html = client.get("/admin/coupons/audience/all/change/").content.decode()
    assert re.search(r'name="everyone"[^>]*checked', html)


def test_an_audience_cannot_lead_back_to_itself():
    making.audience({})
    Audience.objects.create(key="a", name="a", conditions={"order_count": {"min": 1}})
    Audience.objects.create(key="b", name="b", conditions={"audiences": {"any_of": ["a"]}})
    client = desk(somebody("运营"))
    said = {"key": "a", "name": "a", "conditions-audiences-none_of": ["b"]}
    response = client.post("/admin/coupons/audience/a/change/", said)
    assert "a → b → a" in response.content.decode()
    assert Audience.objects.get(key="a").conditions == {"order_count": {"min": 1}}


def test_audiences_that_lead_back_all_the_same_hold_nobody(customer):
    """Two operators, each half of a circle at the same moment: it must refuse, not break."""
    Audience.objects.create(key="a", name="a", conditions={"audiences": {"none_of": ["b"]}})
    Audience.objects.create(key="b", name="b", conditions={"audiences": {"none_of": ["a"]}})
    placement = making.placement((making.template(), Audience.objects.get(key="a")))
    answer = customer("alice").post(f"placements/{placement.key}/claims/", {})
    assert (answer.status, answer.code) == (409, "conditions_unmet")


def test_any_of_several_and_none_of_others_at_the_claim(customer, system):
    """Audiences that templates and offers take, one made of others; documents carry them all."""
    Customer.objects.create(key="vip", tags=["vip"], churn_probability="0.1")
    Customer.objects.create(key="leaving", tags=["vip"], churn_probability="0.9")
    Customer.objects.create(key="unknown", tags=["vip"])
    Customer.objects.create(key="nobody", churn_probability="0.1")
    document = {
        "key": "made", "name": "组合", "starts_at": "2020-01-01T00:00:00+08:00", "ends_at": "2100-01-01T00:00:00+08:00",
        "audiences": [
            {"key": "kept", "name": "留", "conditions": {"audiences": {"any_of": ["vips"], "none_of": ["leaving"]}}},
            {"key": "vips", "name": "贵宾", "conditions": {"tags": {"any_of": ["vip"]}}},
            {"key": "leaving", "name": "流失", "conditions": {"churn_probability": {"min": 0.5}}},
        ],
        "templates": [{
            "key": "t", "internal_name": "t", "name": "t", "type": "no_threshold", "amount_fen": 100,
            "validity": {"type": "claim_day"}, "status": "live",
            "claim_conditions": {"audiences": {"any_of": ["kept"]}},
        }],
        "placements": [{"key": "p", "channel": "share", "offers": [{"template": "t"}], "status": "live"}],
    }  # fmt: skip
    caller = system("manage", "approve")
    assert caller.post("campaigns/", document).status in (200, 201)
    said = caller.get("campaigns/made/").body
    assert [audience["key"] for audience in said["audiences"]] == ["kept", "leaving", "vips"]
    status = {
        key: customer(key).post("placements/p/claims/", {}).status for key in ("vip", "leaving", "unknown", "nobody")
    }
    assert status == {"vip": 201, "leaving": 409, "unknown": 409, "nobody": 409}
    fewer = {"churn_probability": {"min": 0.4}}
    widened = {
        **document,
        "audiences": [*document["audiences"][:2], {"key": "leaving", "name": "流失", "conditions": fewer}],
    }
    assert system("manage").post("campaigns/", widened).code == "approval_needed"
    document["audiences"][1]["conditions"] = {"audiences": {"any_of": ["kept"]}}
    assert caller.post("campaigns/", document).wrong == {"audiences.1.conditions.audiences": "circle"}
    document["templates"][0]["use_conditions"] = {"audiences": {"any_of": ["kept"]}}
    assert caller.post("campaigns/", document).status == 400


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(
    generated=st.lists(customers(), min_size=1, max_size=6),
    rules=st.fixed_dictionaries({}, optional=ANSWERS),
    client=st.sampled_from([None, "app"]),
    days=ages,
)
def test_reach_is_how_many_claiming_would_accept(clock, generated, rules, client, days):
    """I12, as a law."""
    clock.set(NOW)
    with transaction.atomic():
        Customer.objects.all().delete()
        for key, conditions in AUDIENCES.items():
            Audience.objects.update_or_create(key=key, defaults={"name": key, "conditions": conditions})
        believe(days)
        ids = store(generated)
        rules = {**rules, "clients": {"any_of": ["app"]}}
        campaign = making.campaign(starts_at=NOW.replace(year=2020), ends_at=NOW.replace(year=2030))
        placement = making.placement((making.template(campaign), making.audience(rules)), of=campaign)
        catalogue.start_anew()
        names.forget()
        situation = situate(NOW, client=client)
        conditions = compile_rules(rules, "claim")
        found = reach.reach(conditions, situation)
        accepted = 0
        for key in Customer.objects.filter(pk__in=ids).values_list("key", flat=True):
            try:
                claiming.claim(placement.key, key, NOW, Where(client=client), by="test")
                accepted += 1
            except Refused as refused:
                assert refused.code == "conditions_unmet"  # noqa: PT017
        assert found.number == accepted == len(reach.sample(conditions, situation))
        assert found.customers == len(ids)
        if found.steps:
            assert found.steps[-1].left == found.number
        transaction.set_rollback(True)
