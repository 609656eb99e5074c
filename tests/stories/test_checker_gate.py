"""What nobody could use goes live through no door, and what looks like a mistake only with a reason. C11, C12."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from coupons import approving, checking, editing
from coupons.models import CouponTemplate
from coupons.refused import Refused
from distribution import placing
from distribution.models import Campaign, Placement
from tests import making
from tests.pages.company import desk, somebody
from tests.stories.campaign_documents import summer

pytestmark = pytest.mark.django_db

#: Claimed on Monday for the day, used on Sunday.
USELESS = {"release": {"weekdays": [1]}, "use_conditions": {"weekdays": {"any_of": [7]}}}
SHORT = {"templates__0__limits__customer_count": 20_000}  # more than there are


@pytest.fixture(autouse=True)
def _at_noon(clock):
    """3 June 2026."""


def useless(status="draft", **more):
    return making.template(status=status, validity_type="claim_day", **USELESS, **more)


def doubtful(status="draft"):
    """One customer may take everything."""
    return making.template(status=status, limits={"customer_count": 9, "total_count": 3})


def state(template):
    template = CouponTemplate.objects.get(pk=template.pk)
    return template.status, template.version, template.accepted_warnings, template.history.count()


def move(template, name):
    return reverse("admin:coupons_coupontemplate_move", args=[template.pk, name])


def meant(code, reason):
    """A warning ticked, with its reason."""
    return {f"{code}_tick": "on", f"{code}_reason": reason}


def test_what_cannot_be_used_is_not_submitted_and_nothing_changed():
    made = useless()
    before = state(made)
    with pytest.raises(Refused) as refused:
        approving.submit(made, by=somebody("运营"))
    assert refused.value.code == "check_failed"
    assert [reason["code"] for reason in refused.value.reasons] == ["never_usable"]
    assert set(refused.value.reasons[0]["fields"]) == {
        "release.weekdays",
        "validity_type",
        "use_conditions.weekdays",
    }
    assert state(made) == before


def test_what_waits_already_is_not_approved_either():
    made = useless(status="awaiting_approval")
    before = state(made)
    with pytest.raises(Refused, match="check_failed"):
        approving.approve(made, by=somebody("审核"))
    assert state(made) == before


def test_the_button_says_what_contradicts_itself_and_does_nothing():
    client, made = desk(somebody("运营")), useless()
    before = state(made)
    page = client.get(move(made, "submit")).content.decode()
    assert "能领到，却永远用不了" in page
    client.post(move(made, "submit"))
    assert state(made) == before


def test_a_warning_wants_a_reason_and_the_reason_stays_on_record():
    maker, approver, made = somebody("运营"), somebody("审核"), doubtful()
    client, before = desk(maker), state(made)
    page = client.get(move(made, "submit")).content.decode()
    assert "一个用户就可能全部领完" in page
    no_reason, no_tick = meant("customer_above_total", " "), {"customer_above_total_reason": "内部测试用"}
    for half in (no_reason, no_tick):
        again = client.post(move(made, "submit"), half)
        assert again.status_code == 200
        assert list(again.context["form"].errors) == ["customer_above_total"]
        assert state(made) == before
    assert 'value="内部测试用"' in again.content.decode()  # what was typed is kept

    client.post(move(made, "submit"), meant("customer_above_total", "内部测试用"))
    said = {"customer_above_total": {"reason": "内部测试用", "by": maker.get_username()}}
    assert state(made)[0] == "awaiting_approval"
    assert state(made)[2] == said
    desk(approver).post(move(made, "approve"))
    assert state(made)[0] == "live"
    assert [record.accepted_warnings for record in made.history.all()[:2]] == [said, said]


def test_a_warning_that_came_after_the_submission_is_asked_of_the_approver():
    maker, approver, made = somebody("运营"), somebody("审核"), doubtful()
    approving.submit(made, by=maker, accepted={"customer_above_total": "ok"})
    made.supply.daily_count = 5
    made.supply.save()
    before = state(made)
    with pytest.raises(Refused) as refused:
        approving.approve(made, by=approver)
    assert (refused.value.code, refused.value.reasons[0]["code"]) == ("warnings_not_accepted", "daily_above_total")
    assert state(made) == before
    approving.approve(made, by=approver, accepted={"daily_above_total": "fine"})
    assert {code: said["by"] for code, said in state(made)[2].items()} == {
        "customer_above_total": maker.get_username(),
        "daily_above_total": approver.get_username(),
    }


CONTRADICTION = {
    "templates__0__validity": {"type": "claim_day"},
    "templates__0__release": {"weekdays": [1]},
    "templates__0__use_conditions": {"weekdays": {"any_of": [7]}},
}


def test_a_document_that_nobody_could_use_is_refused_and_leaves_nothing(system):
    answer = system("manage", "approve").post("campaigns/", summer(**CONTRADICTION))
    assert (answer.status, answer.code) == (409, "check_failed")
    assert answer.reasons == ["never_usable"]
    assert answer.body["reasons"][0]["template"] == "s20"
    assert not Campaign.objects.exists()


def test_the_same_document_as_a_draft_is_taken(system):
    answer = system("manage").post(
        "campaigns/", summer(**CONTRADICTION, templates__0__status="draft", placements__0__status="draft")
    )
    assert answer.status == 201


def test_an_audience_that_could_not_use_it_keeps_the_placement_from_going_live(system):
    document = summer(
        audiences=[{"key": "old", "name": "老客", "conditions": {"standing": {"any_of": ["returning"]}}}],
        templates__0__use_conditions={"standing": {"any_of": ["platform_new"]}},
        placements__0__offers=[{"template": "s20", "audience": "old"}],
    )
    answer = system("manage", "approve").post("campaigns/", document)
    assert (answer.status, answer.code) == (409, "check_failed")
    assert answer.body["reasons"][0]["placement"] == "summer-center"
    assert not Campaign.objects.exists()


def test_the_command_refuses_it_too(tmp_path):
    file = tmp_path / "campaign.json"
    file.write_text(json.dumps(summer(**CONTRADICTION)))
    with pytest.raises(CommandError, match="never_usable"):
        call_command("import_campaign", str(file), stdout=io.StringIO())
    assert not Campaign.objects.exists()


def test_a_document_that_does_not_speak_of_warnings_is_not_held_up_by_them(system):
    assert system("manage", "approve").post("campaigns/", summer(**SHORT)).status == 201


def test_a_document_that_speaks_of_warnings_names_each_of_them(system):
    caller = system("manage", "approve")
    refused = caller.post("campaigns/", summer(**SHORT, accepted_warnings={"s20": {"budget_short": "先到先得"}}))
    assert (refused.status, refused.code) == (409, "warnings_not_accepted")
    assert refused.reasons == ["customer_above_total"]
    assert not Campaign.objects.exists()
    said = {"budget_short": "先到先得", "customer_above_total": "测试"}
    assert caller.post("campaigns/", summer(**SHORT, accepted_warnings={"s20": said})).status == 201
    kept = CouponTemplate.objects.get(key="s20").accepted_warnings
    assert {code: one["reason"] for code, one in kept.items()} == said


def test_what_is_on_its_way_to_its_end_is_not_asked_about(system):
    document = summer(**CONTRADICTION, templates__0__status="ended", placements__0__status="ended")
    assert system("manage", "approve").post("campaigns/", document).status == 201


def test_a_placement_does_not_open_for_those_who_could_not_use_it():
    template = making.template(use_conditions={"standing": {"any_of": ["platform_new"]}})
    old = making.audience({"order_count": {"min": 1}})
    placement = making.placement((template, old), status="draft")
    with pytest.raises(Refused) as refused:
        placing.move(placement, "open", by=somebody("审核"))
    assert refused.value.code == "check_failed"
    assert refused.value.reasons[0]["template"] == template.key
    assert Placement.objects.get(pk=placement.pk).status == "draft"
    assert placement.history.count() == 1


def test_the_verdict_on_a_template_names_the_placement_that_it_is_about():
    template = making.template(use_conditions={"standing": {"any_of": ["platform_new"]}})
    placement = making.placement((template, making.audience({"order_count": {"min": 1}})), status="draft")
    verdict = checking.verdict(template)
    assert verdict.possible
    assert [(error.code, error.offer) for error in verdict.errors] == [("never_usable", placement.key)]


def test_two_coupons_of_one_group_in_a_placement_that_gives_all():
    first, second = (making.template(exclusive_group="g") for _ in range(2))
    making.placement(first, second, pick="all")
    assert [(one.code, one.fields) for one in checking.verdict(second).warnings] == [
        ("excluded_by_neighbour", ("exclusive_group",))
    ]
    assert not checking.verdict(first).findings


def test_two_coupons_for_a_first_order_in_a_placement_that_gives_all():
    """C11: using one makes the customer new no longer, unless one order takes both."""
    new = {"standing": {"any_of": ["platform_new"]}}
    only = {"use_conditions": new, "claim_conditions": new, "limits": {"customer_count": 1}}
    first, second, beside, alone = (
        making.template(**only, stack_group=group) for group in ("order", "order", "merchant", "exclusive")
    )
    making.placement(first, second, beside, alone, pick="all")
    found = {one.key: [f.code for f in checking.verdict(one).warnings] for one in (first, second, beside, alone)}
    assert found == {first.key: [], second.key: ["no_longer_new"], beside.key: [], alone.key: ["no_longer_new"] * 3}


def test_an_offer_behind_one_that_suits_everybody_is_never_reached():
    first, second = making.template(), making.template()
    making.placement(first, second, pick="first")
    assert [one.code for one in checking.verdict(second).warnings] == ["never_reached"]
    assert not checking.verdict(first).findings


def test_what_is_live_is_not_changed_into_what_nobody_could_use():
    made = making.template(validity_type="claim_day", use_conditions={"weekdays": {"any_of": [7]}})
    before = state(made)
    made.release = {"weekdays": [1]}
    with pytest.raises(Refused) as refused:
        editing.save_template(made, {}, by=somebody("管理员"), may_approve=True)
    assert (refused.value.code, refused.value.reasons[0]["code"]) == ("check_failed", "never_usable")
    assert state(made) == before
    assert CouponTemplate.objects.get(pk=made.pk).release == {}
