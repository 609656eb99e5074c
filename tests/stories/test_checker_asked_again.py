"""Whatever is changed around a coupon that lives, the checker is asked again. C11, C12."""

import pytest

from coupons import approving
from coupons.models import Audience, Budget, CouponTemplate, TemplateDraft
from coupons.refused import Refused
from distribution import placing
from distribution.models import Campaign, Placement
from tests import making
from tests.pages.company import desk, somebody
from tests.stories.campaign_documents import summer
from tests.stories.test_admin_templates import change, typed
from tests.stories.test_checker_gate import doubtful, meant, move, state, useless

pytestmark = pytest.mark.django_db
PLACEMENTS = "/admin/distribution/placement/"
NEW_ONLY = {"use_conditions": {"standing": {"any_of": ["platform_new"]}}}
RETURNING = {"standing": {"any_of": ["returning"]}}


@pytest.fixture(autouse=True)
def _at_noon(clock):
    """3 June 2026."""


def test_resuming_asks_again_errors_refuse_and_warnings_want_a_tick_and_a_reason():
    approver, broken, made = somebody("审核"), useless("paused"), doubtful("paused")
    before = state(broken)
    desk(approver).post(move(broken, "resume"))
    assert state(broken) == before
    before = state(made)
    assert desk(approver).post(move(made, "resume")).status_code == 200
    assert state(made) == before
    desk(approver).post(move(made, "resume"), meant("customer_above_total", "内购"))
    assert state(made)[0] == "live"
    assert state(made)[2] == {"customer_above_total": {"reason": "内购", "by": approver.get_username()}}


def test_taking_a_proposal_over_asks_for_its_warnings_and_shows_the_verdict():
    made = making.template(limits={"total_count": 10, "customer_count": 5})
    maker, approver = desk(somebody("运营")), desk(somebody("审核"))
    maker.post(change(made), typed(maker, change(made), customer_count="20", _propose="1"))
    address = f"/admin/coupons/coupontemplate/proposal/{TemplateDraft.objects.get().pk}/"
    page = approver.get(address).content.decode()
    assert "一个用户就可能全部领完" in page
    assert "确实有人能领取并使用" in page
    before = state(made)
    assert approver.post(address, {"_take": "1"}).status_code == 200
    assert approver.post(address, {"_take": "1", **meant("customer_above_total", "")}).status_code == 200
    assert state(made) == before
    assert TemplateDraft.objects.get().state == "proposed"
    assert approver.post(address, {"_take": "1", **meant("customer_above_total", "内购")}).status_code == 302
    assert TemplateDraft.objects.get().state == "taken"
    assert state(made)[2]["customer_above_total"]["reason"] == "内购"


def test_opening_a_placement_asks_for_its_warnings_and_keeps_why_they_are_meant():
    approver = somebody("审核")
    placement = making.placement(making.template(), making.template(), pick="first", status="draft")
    address = f"{PLACEMENTS}{placement.pk}/move/open/"
    assert 'name="never_reached_tick"' in desk(approver).get(address).content.decode()
    desk(approver).post(address)
    placement.refresh_from_db()
    assert (placement.status, placement.accepted_warnings) == ("draft", {})
    desk(approver).post(address, meant("never_reached", "兜底"))
    placement.refresh_from_db()
    said = {"never_reached": {"reason": "兜底", "by": approver.get_username()}}
    assert (placement.status, placement.accepted_warnings) == ("live", said)
    for step in ("pause", "resume"):  # what was accepted is not asked again
        desk(approver).post(f"{PLACEMENTS}{placement.pk}/move/{step}/")
    placement.refresh_from_db()
    assert placement.status == "live"


def test_what_was_accepted_of_a_template_does_not_hold_for_what_a_placement_makes_of_it():
    """C11, C12: to be claimed in vain by a few was meant; by everybody it was not."""
    maker, approver = somebody("运营"), somebody("审核")
    made = making.template(status="draft", made_by=maker, amount_fen=6000, limits={"customer_count": 1}, **NEW_ONLY)
    few = making.placement((made, making.audience({"order_count": {"max": 2}})), status="draft")
    reason = {"deep_discount": "拉新", "claimed_in_vain": "名单内人工解释"}
    approving.submit(made, by=maker, accepted=reason)
    approving.approve(made, by=approver)
    everybody = making.placement(made, status="draft")
    for placement in (few, everybody):
        address = f"{PLACEMENTS}{placement.pk}/move/open/"
        page = desk(approver).get(address).content.decode()
        assert 'name="claimed_in_vain_tick"' in page
        assert 'name="deep_discount_tick"' not in page
        desk(approver).post(address)
        placement.refresh_from_db()
        assert placement.status == "draft"
        desk(approver).post(address, meant("claimed_in_vain", "海报已写明"))
        placement.refresh_from_db()
        assert (placement.status, list(placement.accepted_warnings)) == ("live", ["claimed_in_vain"])


def offer(template, audience=None):
    return (template.pk, audience and audience.pk, 1)


def test_what_is_added_to_a_live_placement_is_checked():
    first, broken, second = making.template(), making.template(**NEW_ONLY), making.template()
    placement, chief = making.placement(first, pick="first"), somebody("管理员")
    before = placing.offered(placement), placement.history.count()
    useless_offer = offer(broken, making.audience(RETURNING))
    for offers, code in (
        ([useless_offer, offer(first)], "check_failed"),
        ([offer(first), offer(second)], "warnings_not_accepted"),
    ):
        with pytest.raises(Refused, match=code):
            placing.save(placement, offers, may_approve=True, by=chief)
        placement = Placement.objects.get(pk=placement.pk)
        assert (placing.offered(placement), placement.history.count()) == before
    assert placing.save(placement, [useless_offer, offer(first)], may_approve=False, by=chief)
    assert Placement.objects.get(pk=placement.pk).status == "draft"  # opening it asks


def test_an_audience_is_not_changed_so_that_a_live_offer_has_nobody_left():
    template = making.template(**NEW_ONLY)
    audience = making.audience({"standing": {"any_of": ["platform_new"]}})
    outer = making.audience({"audiences": {"any_of": [audience.pk]}})
    making.placement((template, outer))
    client = desk(somebody("管理员"))
    address = f"/admin/coupons/audience/{audience.pk}/change/"
    wrong = typed(client, address, **{"conditions-standing-any_of": ["returning"]})
    response = client.post(address, wrong)
    assert response.status_code == 200
    assert template.internal_name in str(response.context["adminform"].form.non_field_errors())
    assert Audience.objects.get(pk=audience.pk).conditions["standing"]["any_of"] == ["platform_new"]
    Placement.objects.update(status="paused")
    assert client.post(address, wrong).status_code == 302


def test_a_document_changes_no_audience_and_no_period_so_that_a_live_offer_has_nobody_left(system):
    caller = system("manage", "approve")
    document = summer(
        audiences=[{"key": "fresh", "name": "新客", "conditions": {"standing": {"any_of": ["platform_new"]}}}],
        templates__0__use_conditions={**NEW_ONLY["use_conditions"], "weekdays": {"any_of": [7]}},
        templates__0__validity={"type": "claim_day"},
        placements__0__offers=[{"template": "s20", "audience": "fresh"}],
    )  # fmt: skip
    assert caller.post("campaigns/", document).status == 201
    changed = {**document, "audiences": [{**document["audiences"][0], "conditions": RETURNING}]}
    answer = caller.post("campaigns/", changed)
    assert (answer.status, answer.code) == (409, "check_failed")
    assert Audience.objects.get().conditions["standing"]["any_of"] == ["platform_new"]
    weekdays = {"starts_at": "2026-06-08T00:00:00+08:00", "ends_at": "2026-06-11T00:00:00+08:00"}
    answer = caller.post("campaigns/", {**document, **weekdays})
    assert (answer.status, answer.code) == (409, "check_failed")
    assert Campaign.objects.get().ends_at.month > 6  # as it was


SUNDAYS = {"validity_type": "claim_day", "use_conditions": {"weekdays": {"any_of": [7]}}}


def test_a_period_is_not_changed_so_that_nothing_claimed_in_it_can_be_used():
    campaign = making.campaign()
    template = making.template(campaign, **SUNDAYS)
    client = desk(somebody("管理员"))
    address = f"/admin/distribution/campaign/{campaign.pk}/change/"
    weekdays = {"starts_at": "2026-06-08T00:00", "ends_at": "2026-06-11T00:00"}
    response = client.post(address, typed(client, address, **weekdays))
    assert response.status_code == 200
    assert template.internal_name in str(response.context["adminform"].form.non_field_errors())
    assert Campaign.objects.get().starts_at == campaign.starts_at
    assert (
        client.post(address, typed(client, address, **{**weekdays, "ends_at": "2026-06-15T00:00"})).status_code == 302
    )


def test_a_budget_is_not_raised_past_what_one_person_may_approve(settings):
    settings.SECOND_APPROVAL_ABOVE_FEN = 1_000_000
    campaign = making.campaign(budget_fen=900_000)
    made = making.template(campaign, status="awaiting_approval")
    approving.approve(made, by=somebody("审核"))
    assert CouponTemplate.objects.get().status == "live"
    client = desk(somebody("管理员"))
    address = f"/admin/distribution/campaign/{campaign.pk}/change/"
    for limit in ("10000.01", ""):
        response = client.post(address, typed(client, address, budget_limit=limit))
        assert made.internal_name in str(response.context["adminform"].form.errors["budget_limit"])
        assert Budget.objects.get().limit_fen == 900_000
    assert client.post(address, typed(client, address, budget_limit="10000")).status_code == 302
    assert Budget.objects.get().limit_fen == 1_000_000


def test_what_a_document_calls_ended_never_was_live(system):
    document = summer(templates__0__status="ended", placements__0__status="ended")
    assert system("manage").post("campaigns/", document).status == 201
    template, placement = CouponTemplate.objects.get(), Placement.objects.get()
    assert (template.status, placement.status) == ("ended", "ended")
    for row in (template, placement):
        assert not row.history.filter(status__in=("awaiting_approval", "live")).exists()
