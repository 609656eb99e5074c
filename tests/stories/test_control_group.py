"""对照组: some of a campaign's customers get nothing, at every door alike, and cannot tell."""

import re

import pytest

from coupons.models import Answer, Coupon, Customer
from coupons.queries import catalogue
from distribution.drafting import document_of
from distribution.models import Campaign
from distribution.queries.control import Draw
from tests import coding, making
from tests.stories.visitors import Visitor

pytestmark = pytest.mark.django_db


def _sides(campaign: Campaign) -> tuple[str, str]:
    """A member of the control group, and somebody who is not."""
    draw = Draw.of(campaign.control_secret, campaign.control_percent)
    people = [f"u{number}" for number in range(500)]
    return next(p for p in people if draw.holds(p)), next(p for p in people if not draw.holds(p))


@pytest.fixture
def campaign() -> Campaign:
    made = making.campaign()
    made.control_percent = "30.0"
    made.save()
    made.refresh_from_db()
    return made


def test_a_member_gets_nothing_at_any_door_and_nothing_is_written(campaign, customer, system):
    """I13: list, claim; by the customer's own call and by a system's."""
    placement = making.placement(making.template(campaign), of=campaign)
    member, other = _sides(campaign)
    for caller in (customer(member), system("issue")):
        answer = caller.post(f"placements/{placement.key}/claims/", {"customer": member})
        assert (answer.status, answer.code, answer.reasons) == (409, "in_control_group", ["in_control_group"])
    assert (Coupon.objects.count(), Customer.objects.count(), Answer.objects.count()) == (0, 0, 0)
    listed = customer(member).get("placements/").body["results"][0]
    assert (listed["state"], [reason["code"] for reason in listed["reasons"]]) == ("refused", ["in_control_group"])
    assert listed["reasons"][0]["detail"] == "该优惠暂不可用。"
    assert customer(other).get("placements/").body["results"][0]["state"] == "claimable"
    assert customer(other).post(f"placements/{placement.key}/claims/", {}).status == 201


def test_who_could_not_have_had_it_anyway_hears_that(campaign, customer):
    """I13: a share of the audience; nobody else is counted as kept out."""
    template = making.template(campaign, claim_conditions={"rival_app": {"is": True}})
    placement = making.placement(template, of=campaign)
    member, _other = _sides(campaign)
    assert customer(member).post(f"placements/{placement.key}/claims/", {}).code == "conditions_unmet"
    assert customer(member).get("placements/").body["results"][0]["reasons"][0]["code"] == "rival_app"


def test_a_member_is_told_the_same_when_all_is_gone(campaign, customer):
    """I13: in the answer nothing depends on what others took."""
    placement = making.placement(making.template(campaign, limits={"total_count": 0}), of=campaign)
    member, _other = _sides(campaign)
    assert customer(member).post(f"placements/{placement.key}/claims/", {}).code == "in_control_group"
    assert customer(member).get("placements/").body["results"][0]["reasons"][0]["code"] == "in_control_group"


def test_the_document_carries_the_share_and_never_the_secret(system):
    """I13: in steps of 0.1 %; left out, it stays."""
    caller = system("manage", "read")
    document = {"key": "c", "name": "c", "starts_at": "2026-06-01T00:00:00Z", "ends_at": "2026-07-01T00:00:00Z"}
    assert caller.post("campaigns/", {**document, "control_percent": "12.5"}).status == 201
    campaign = Campaign.objects.get(key="c")
    assert caller.get("campaigns/c/").body["control_percent"] == "12.5"
    assert caller.post("campaigns/", document).status == 200
    assert document_of(Campaign.objects.get(key="c"))["control_percent"] == "12.5"
    assert str(campaign.control_secret) not in caller.get("campaigns/c/").content.decode()
    assert campaign.control_secret.hex not in caller.get("campaigns/c/").content.decode()
    for wrong in ("0.05", 101, -1, 0.5):
        answer = caller.post("campaigns/", {**document, "control_percent": wrong})
        assert (answer.status, list(answer.wrong)) == (400, ["control_percent"]), wrong


def test_a_page_and_a_code_say_no_more_than_that_it_is_not_available(customer, settings, tmp_path, clock):
    """I13: a member's page has no word of groups or draws, and a member's code is not used up."""
    settings.MESSAGE_RECORD = tmp_path / "messages.jsonl"
    page = making.claim_page(making.template())
    code = coding.whole(coding.batch(coding.placement(making.template(), of=page.placement.campaign)))[0]
    Campaign.objects.update(control_percent=100)
    visitor = Visitor()
    visitor.sign_in(page.slug)
    taken = visitor.post(f"/h5/{page.slug}/claim/", once="a-form")
    for seen in (taken, visitor.get(f"/h5/{page.slug}/")):
        said = seen.content.decode()
        assert "This offer is not available." in said
        assert not re.search("control|group|draw|对照", re.sub(r"<(link|script|meta)[^>]*>", "", said), re.IGNORECASE)
    answer = customer("alice").post("exchanges/", {"code": code})
    assert (answer.status, answer.code, answer.body["detail"]) == (409, "in_control_group", "该优惠暂不可用。")
    assert not Coupon.objects.exists()
    Campaign.objects.update(control_percent=0)
    catalogue.start_anew()
    assert customer("alice").post("exchanges/", {"code": code}).status == 201
