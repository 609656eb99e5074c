"""Why would this customer get it, or not? Every rule answers, and the last word is what claiming then says."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from coupons.models import Coupon, CouponEvent, Customer, CustomerCounter, Fact, RefusalCount
from coupons.queries import catalogue
from coupons.refused import Refused
from coupons.rules import menu
from distribution import claiming
from distribution.claiming import Where
from distribution.explaining import explain
from distribution.models import Block, Placement
from tests import making, using
from tests.pages.company import desk, somebody

pytestmark = pytest.mark.django_db


def page(role, placement, customer, **more):
    return desk(somebody(role, f"who-{User.objects.count()}")).get(
        "/admin/distribution/placement/why/", {"placement": placement.key, "customer": customer, **more}
    )


def rows():
    models = (Coupon, CouponEvent, Customer, CustomerCounter, RefusalCount)
    return [list(model.objects.order_by("pk").values()) for model in models]


def everything(told):
    return [*told.asked, *(one for offer in told.offers for one in offer.asked)]


def claimed(placement, key, now, where):
    """The refusal, or None."""
    try:
        claiming.claim(placement.key, key, now, where, by="test")
    except Refused as refused:
        return refused
    return None


def test_customer_service_is_told_every_rule_with_what_there_was(clock):
    """I12: unknown, failed and fulfilled rules, limits and the moment; and nothing was given."""
    Customer.objects.create(key="alice", order_count=3, sensitivity="0.2")
    template = making.template(
        limits={"total_count": 5, "customer_count": 1},
        claim_conditions={
            "sensitivity": {"min": 0.5},
            "rival_app": {"is": True},
            "order_count": {"min": 1},
            "clients": {"any_of": ["app"]},
        },
        release={"weekdays": [1, 2, 3, 4, 5]},
    )
    placement = making.placement(template)
    before = rows()
    response = page("客服", placement, "alice", client="app")
    told = response.context["told"]
    assert told.code == "conditions_unmet"
    said = {one.rule: (one.had, one.holds) for one in told.offers[0].asked}
    assert said[str(menu["sensitivity"].label)] == ("0.2", False)
    assert said[str(menu["rival_app"].label)][1] is None
    assert said[str(menu["order_count"].label)] == ("3", True)
    assert [had for rule, (had, _holds) in said.items() if rule.startswith("限额")] == ["0 / 5", "0 / 1"]
    html = response.content.decode()
    assert all(word in html for word in ("conditions_unmet", "未知", "不满足", "满足"))
    assert rows() == before


def test_another_moment_and_place_have_another_answer(clock):
    template = making.template(
        release={"weekdays": [6]}, claim_conditions={"cities": {"any_of": ["310000"]}}, limits={"customer_count": 1}
    )
    placement = making.placement(template)
    assert page("运营", placement, "new").context["told"].code == "outside_release"
    saturday = {"at": "2026-06-06T10:00", "city": "310000"}
    told = page("运营", placement, "new", **saturday).context["told"]
    assert (told.code, told.offers[0].gives) == (None, True)
    clock.set("2026-06-06 10:00")
    assert claiming.claim(placement.key, "new", clock.now(), Where(city="310000"), by="test").status == 201
    assert page("运营", placement, "new", **saturday).context["told"].code == "customer_limit"


def test_only_who_sees_customers_and_placements_may_ask():
    placement = making.placement(making.template())
    assert page("财务", placement, "alice").status_code == 403
    assert page("客服", placement, "alice").status_code == 200
    assert "errors" in page("客服", placement, "alice", lat="95", lng="x").content.decode()


@pytest.mark.parametrize("same", ["phone", "wechat_id", "device"])
def test_a_newcomer_coupon_of_the_same_persons_other_account_is_shown(system, same):
    """I11, I12: who would else look for it in vain."""
    placement = making.placement(making.template(newcomer=True))
    told = {} if same == "device" else {same: "13800138000"}
    asked = {"device": "d-1"} if same == "device" else {}
    system("profile").post("customers/", {"customers": [{"key": key, **told} for key in ("alice", "alicia")]})
    caller = system("issue")
    got = caller.post(f"placements/{placement.key}/claims/", {"customer": "alice", **asked}).body["coupons"][0]
    answer = page("客服", placement, "alicia", **asked).context["told"]
    assert answer.code == "newcomer_coupon_held"
    (held,) = [one for one in answer.offers[0].asked if one.holds is False]
    assert (held.rule, held.had) == ("新人券", f"{got['code']}（用户 alice）")
    (own,) = [one for one in page("客服", placement, "alice", **asked).context["told"].offers[0].asked if not one.holds]
    assert own.had == got["code"]
    assert page("客服", placement, "bob").context["told"].code is None


def test_the_device_and_the_address_can_be_asked_about():
    """I10, I12: what stands against them is named, and nothing else does."""
    placement = making.placement(making.template())
    Block.objects.create(kind="device", value="d-1", reason="羊毛党")
    Block.objects.create(kind="ip", value="203.0.113.0/24", reason="羊毛党")
    for asked in ({"device": "d-1"}, {"ip": "203.0.113.9"}):
        told = page("客服", placement, "alice", **asked).context["told"]
        assert (told.code, told.asked[-1].had) == ("risk_refused", "在封禁名单中")
    assert page("客服", placement, "alice", device="d-2", ip="203.0.114.9").context["told"].code is None
    for wrong in ({"customer": "no body"}, {"ip": "nowhere"}):
        client = desk(somebody("客服", f"who-{User.objects.count()}"))
        said = {"placement": placement.key, "customer": "alice", **wrong}
        response = client.get("/admin/distribution/placement/why/", said)
        assert (list(response.context["form"].errors), "told" in response.context) == ([next(iter(wrong))], False)


def test_what_an_audience_asks_for_is_told_rule_by_rule(clock):
    """I12: however deep it is named; these rules say why, and decide nothing by themselves."""
    Customer.objects.create(key="alice", order_count=3, tags=["vip"])
    leaving = making.audience({"churn_probability": {"min": 0.5}})
    kept = making.audience(
        {"tags": {"any_of": ["vip"]}, "audiences": {"none_of": [leaving.pk]}, "order_count": {"min": 5}}
    )
    placement = making.placement((making.template(), making.audience({"audiences": {"any_of": [kept.pk]}})))
    told = page("客服", placement, "alice").context["told"]
    asked = told.offers[0].asked
    assert [(one.rule, one.holds) for one in asked if one.inner] == [
        ("人群 › 标签", True),
        ("人群 › 人群", None),
        ("人群 › 人群 › 流失概率", None),
        ("人群 › 订单数", False),
    ]
    assert [one.holds for one in asked if one.rule == "人群"] == [False]


def test_a_rule_that_is_set_off_by_events_answers_too(system, clock):
    """I12, P8: its conditions and its rest, as an event would hear; a placement that rests itself says that."""
    Customer.objects.create(key="alice", order_count=1)
    rule = making.trigger(making.template(), conditions={"order_count": {"min": 2}}, cooldown_minutes=60)
    placement = rule.placement
    event = {"event": "app_open", "customer": "alice", "occurred_at": clock.now().isoformat()}

    def answer():
        return page("客服", placement, "alice").context["told"]

    told = answer()
    heard = system("issue").post("events/", event).body["refused"]
    assert [told.code] == [one["code"] for one in heard] == ["conditions_unmet"]
    assert [reason["detail"] for reason in told.reasons] == [one["detail"] for one in heard[0]["reasons"]]
    assert [one.holds for one in told.asked if one.rule == str(menu["order_count"].label)] == [False]
    Customer.objects.update(order_count=2)
    assert answer().code is None
    assert len(system("issue").post("events/", event).body["coupons"]) == 1
    told = answer()
    assert (told.code, [one.holds for one in told.asked][-1]) == ("resting", False)
    clock.forward(minutes=60)
    assert answer().code is None
    Placement.objects.filter(pk=placement.pk).update(status="paused")
    assert answer().code == "paused"


PATIENCE = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


@PATIENCE
@given(data=st.data())
def test_what_is_explained_is_what_claiming_answers(clock, data):
    """I12, as a law: state, moment, limits, held coupons, conditions with unknown and old facts, several offers."""
    now = clock.set("2026-06-03 12:00")
    Fact.objects.filter(code="sensitivity").update(most_days=data.draw(st.sampled_from([None, 3])))
    key = f"c{Customer.objects.count()}"
    Customer.objects.create(
        key=key,
        sensitivity=data.draw(st.sampled_from([None, "0.2", "0.9"])),
        sensitivity_at=now - timedelta(days=data.draw(st.sampled_from([1, 5]))),
        order_count=data.draw(st.integers(0, 2)),
    )
    campaign = making.campaign(budget_fen=data.draw(st.sampled_from([None, 2000, 100])))
    offered = []
    for _number in range(data.draw(st.integers(0, 2))):
        template = making.template(
            campaign,
            status=data.draw(st.sampled_from(["live", "live", "live", "paused"])),
            newcomer=data.draw(st.booleans()),
            exclusive_group=data.draw(st.sampled_from([None, "g"])),
            limits={
                "total_count": data.draw(st.sampled_from([None, None, 0])),
                "customer_daily_count": data.draw(st.sampled_from([None, 1])),
            },
            claim_conditions=data.draw(
                st.fixed_dictionaries(
                    {},
                    optional={
                        "sensitivity": st.just({"min": 0.5}),
                        "order_count": st.just({"max": 1}),
                        "clients": st.just({"any_of": ["app"]}),
                    },
                )
            ),
            release=data.draw(st.sampled_from([{}, {"weekdays": [3]}, {"hours": [["00:00", "10:00"]]}])),
        )
        offered.append(template)
        if template.status == "live" and data.draw(st.booleans()):
            with suppress(AssertionError):  # a limit of its own is in the way
                using.give(template, key)
    placement = making.placement(*offered, of=campaign, status=data.draw(st.sampled_from(["live", "live", "draft"])))
    where = Where(client=data.draw(st.sampled_from(["app", None])))
    catalogue.forget()
    claiming.forget()
    before = rows()
    told = explain(placement.key, key, now, where)
    assert rows() == before
    answer = claimed(placement, key, now, where)
    assert told.code == (answer and answer.code)
    if answer is None:
        given = next(offer for offer in told.offers if offer.gives)
        assert all(one.holds for one in [*told.asked, *given.asked])
    else:
        assert [reason["code"] for reason in told.reasons] == [reason["code"] for reason in answer.reasons]
        assert offered == [] or not all(one.holds for one in everything(told))
