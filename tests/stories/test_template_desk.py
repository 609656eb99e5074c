"""The desk at which templates are made: nothing typed is lost, nothing goes live by a side door. C5, C7, C12, U7."""

import io
import json

import pytest
from django.db import IntegrityError, transaction
from PIL import Image

from coupons import approving, editing
from coupons.models import Category, CouponTemplate, Supply, TemplateDraft
from coupons.refused import Refused
from tests import making, using
from tests.pages.company import desk, somebody
from tests.stories.campaign_documents import summer
from tests.stories.test_admin_templates import ADD, Form, change, errors, move, new, saved, typed

pytestmark = pytest.mark.django_db
LIST = "/admin/coupons/coupontemplate/"


@pytest.fixture(autouse=True)
def _uploads(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def picture() -> io.BytesIO:
    content = io.BytesIO()
    Image.new("RGB", (40, 20), "#00aa00").save(content, "PNG")
    content.seek(0)
    content.name = "a.png"
    return content


# --- kept as it was typed --------------------------------------------------------------------------------------------


def test_a_draft_that_makes_no_sense_yet_is_kept_field_by_field_and_found_tomorrow():
    maker = somebody("运营")
    client = desk(maker)
    nonsense = {"amount_fen": "二十", "valid_days": "", "use_conditions-order_count-min": "many", "_keep": "1"}
    more = {"release-weekdays": ["6", "7"], "total_count": "-3", "looks-badge": "新", "name": ""}
    data = {**typed(client, ADD, **new(**nonsense, **more)), "looks-picture_file": picture()}
    response = client.post(ADD, data)
    assert response.status_code == 302
    assert not CouponTemplate.objects.exists()

    kept = TemplateDraft.objects.get()
    assert (kept.title, kept.made_by) == ("夏日-满100减20", maker)
    listed = client.get(LIST).content.decode()
    assert "未完成" in listed
    assert f"draft={kept.pk}" in listed

    page = client.get(response["Location"])
    assert {"amount_fen", "valid_days", "use_conditions", "total_count", "name"} <= set(errors(page))
    again = typed(client, response["Location"])
    for name, value in {"amount_fen": "二十", "total_count": "-3", "use_conditions-order_count-min": "many"}.items():
        assert again[name] == [value]
    assert again["release-weekdays"] == ["6", "7"]
    assert again["looks-picture"][0].startswith("/pictures/")

    right = {"amount_fen": "20", "valid_days": "7", "use_conditions-order_count-min": "1", "total_count": "3"}
    data = typed(client, response["Location"], **right, name="夏日满减券", _keep="1")
    assert client.post(response["Location"], data).status_code == 302
    made = CouponTemplate.objects.get()
    assert (made.status, made.amount_fen, made.looks["badge"]) == ("draft", 2000, "新")
    assert made.looks["picture"].startswith("/pictures/")
    assert not TemplateDraft.objects.exists()


def test_what_somebody_else_left_unfinished_is_theirs_and_can_be_discarded():
    one, other = desk(somebody("运营")), desk(somebody("运营", "other"))
    one.post(ADD, typed(one, ADD, **new(amount_fen="", _keep="1")))
    kept = TemplateDraft.objects.get()
    assert "夏日-满100减20" not in other.get(f"{ADD}?draft={kept.pk}").content.decode()
    discard = f"{LIST}unfinished/{kept.pk}/discard/"
    assert other.post(discard).status_code == 403
    assert one.post(discard).status_code == 302
    assert not TemplateDraft.objects.exists()


def test_half_a_change_of_a_draft_is_kept_beside_it_and_the_draft_stays_as_it_was():
    made = making.template(status="draft")
    client = desk(somebody("运营"))
    client.post(change(made), typed(client, change(made), amount_fen="200", _keep="1"))
    made.refresh_from_db()
    assert made.amount_fen == 2000
    page = client.get(change(made))
    assert "amount_fen" in errors(page)
    assert 'value="200"' in page.content.decode()
    client.post(change(made), typed(client, change(made), amount_fen="30", _keep="1"))
    made.refresh_from_db()
    assert (made.amount_fen, TemplateDraft.objects.count()) == (3000, 0)


def test_two_windows_of_one_person_do_not_overwrite_what_the_other_kept():
    """C12"""
    made = making.template(status="draft")
    client = desk(somebody("运营"))
    client.post(ADD, typed(client, ADD, **new(amount_fen="", _keep="1")))
    for address in (f"{ADD}?draft={TemplateDraft.objects.get().pk}", change(made)):
        first, second = (typed(client, address, amount_fen="", name=name) for name in ("甲", "乙"))
        assert client.post(address, {**first, "_keep": "1"}).status_code == 302
        kept = TemplateDraft.objects.latest("updated_at")
        for button in ("_keep", "_submit", "_save"):
            told = client.post(address, {**second, "amount_fen": "30", button: "1"})
            assert "另一个窗口" in told.content.decode()
            assert 'value="乙"' in told.content.decode()
        made.refresh_from_db()
        assert (made.amount_fen, made.name) == (2000, "满减券")
        kept.refresh_from_db()
        assert kept.answers["name"] == ["甲"]
        again = Form(told.content.decode()).data
        assert client.post(address, {**again, "amount_fen": "", "_keep": "1"}).status_code == 302
        kept.refresh_from_db()
        assert kept.answers["name"] == ["乙"]
    assert TemplateDraft.objects.count() == 2


# --- preview ---------------------------------------------------------------------------------------------------------


def test_the_preview_shows_card_sentences_and_calendar_and_saves_nothing(clock):
    clock.set("2026-06-05 10:00")
    client = desk(somebody("运营"))
    campaign = making.campaign(budget_fen=1_000_000)
    weekend = {"release-weekdays": ["6", "7"], "release-hours": "10:00-22:00", "looks-badge": "限时"}
    answer = client.post(f"{LIST}preview/", typed(client, ADD, **new(campaign=campaign, **weekend))).json()
    for words in ("满100减20", "¥20 off when you spend", "限时", "10–22", "60天中有18天", "¥10,000.00"):
        assert words in answer["html"]
    assert answer["steps"] == [0] * 7
    unfinished = typed(client, ADD, **new(campaign=campaign, amount_fen="", name="", valid_days="x"))
    answer = client.post(f"{LIST}preview/", unfinished).json()
    assert "还没有填写优惠金额" in answer["html"]
    assert answer["steps"][:3] == [1, 1, 1]
    assert not CouponTemplate.objects.exists()
    assert not TemplateDraft.objects.exists()


@pytest.mark.parametrize("role", ["审核", "财务", "客服"])
def test_previews_and_pictures_are_for_those_who_make_templates(role):
    client = desk(somebody(role))
    assert client.post(f"{LIST}preview/", {}).status_code == 403
    assert client.post(f"{LIST}picture/", {"picture": picture()}).status_code == 403


def test_a_picture_goes_up_by_itself_and_one_that_is_none_is_refused_in_words():
    client = desk(somebody("运营"))
    assert client.post(f"{LIST}picture/", {"picture": picture()}).json()["picture"].startswith("/pictures/")
    wrong = io.BytesIO(b"<svg/>")
    wrong.name = "a.png"
    answer = client.post(f"{LIST}picture/", {"picture": wrong})
    assert (answer.status_code, "PNG" in answer.json()["error"]) == (400, True)


def test_looks_are_checked_at_the_api_too_field_by_field(system):
    caller = system("manage", "approve")
    wrong = {"color": "#ffffff", "text_color": "#fefefe", "badge": "新"}
    answer = caller.post("campaigns/", summer(templates__0__looks=wrong))
    assert answer.wrong == {"templates.0.looks.text_color": "too_little_contrast"}
    nowhere = {"picture": f"/pictures/{'a' * 32}.png"}
    answer = caller.post("campaigns/", summer(templates__0__looks=nowhere))
    assert answer.wrong == {"templates.0.looks.picture": "unknown_key"}


# --- nobody launches by a side door ----------------------------------------------------------------------------------


@pytest.fixture
def waiting():
    return making.template(status="awaiting_approval")


def is_still_waiting(template):
    template.refresh_from_db()
    assert (template.status, template.approved_by_id) == ("awaiting_approval", None)


def test_without_the_right_nobody_launches_through_the_form(waiting):
    client = desk(somebody("运营"))
    for button in ("_save", "_keep", "_submit", "_propose"):
        data = typed(client, change(waiting), status="live", approvals_needed="1", **{button: "1"})
        client.post(change(waiting), data)
        is_still_waiting(waiting)


def test_without_the_right_nobody_launches_through_the_list(waiting):
    client = desk(somebody("运营"))
    forms = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1"}
    client.post(LIST, {**forms, "form-0-id": waiting.pk, "form-0-status": "live", "_save": "1"})
    is_still_waiting(waiting)


def test_without_the_right_nobody_launches_through_an_action(waiting):
    client = desk(somebody("运营"))
    assert client.post(move(waiting, "approve")).status_code == 403
    client.post(LIST, {"action": "approve", "_selected_action": [waiting.pk]})
    is_still_waiting(waiting)
    paused = making.template(status="paused")
    assert client.post(move(paused, "resume")).status_code == 403
    paused.refresh_from_db()
    assert paused.status == "paused"


def test_without_the_right_nobody_launches_through_the_api(system):
    caller = system("manage")
    answer = caller.post("campaigns/", summer())
    assert (answer.status, answer.code) == (403, "approval_needed")
    assert not CouponTemplate.objects.exists()


def test_without_the_right_nobody_launches_through_an_import():
    client = desk(somebody("运营"))
    document = io.BytesIO(json.dumps(summer()).encode())
    document.name = "summer.json"
    assert client.post("/admin/distribution/campaign/import/", {"document": document}).status_code == 422
    assert not CouponTemplate.objects.exists()


def test_whoever_may_approve_does_not_approve_their_own_change_by_importing_it(system):
    """C12: a person proposes more of what is live; a system with the right changes it at once."""
    chief, client = system("manage", "approve"), desk(somebody("管理员"))
    chief.post("campaigns/", summer())
    made = CouponTemplate.objects.get()
    before = made.version, made.history.count(), made.supply.total_count
    for more in ({"templates__0__limits__total_count": 20_000}, {"templates__0__name": "别的名字"}):
        document = io.BytesIO(json.dumps(summer(**more)).encode())
        document.name = "summer.json"
        page = client.post("/admin/distribution/campaign/import/", {"document": document})
        assert page.status_code == 422
        assert "在该模板的页面提交改动申请" in page.content.decode()
        made = CouponTemplate.objects.get()
        assert (made.version, made.history.count(), made.supply.total_count) == before
        assert chief.post("campaigns/", summer(**more)).status == 200
        chief.post("campaigns/", summer(templates__0__limits__total_count=10_000))
        made = CouponTemplate.objects.get()
        before = made.version, made.history.count(), made.supply.total_count


# --- two approvers ---------------------------------------------------------------------------------------------------


def test_what_may_cost_much_is_approved_by_two_different_people(settings):
    settings.SECOND_APPROVAL_ABOVE_FEN = 1_000_000
    made = making.template(making.campaign(), status="awaiting_approval", limits={"total_count": 501})
    first, second = somebody("审核"), somebody("审核", "second")
    page = desk(first).get(move(made, "approve")).content.decode()
    assert "¥10,020.00" in page
    assert "两人" in page
    desk(first).post(move(made, "approve"))
    made.refresh_from_db()
    assert (made.status, made.approved_by, made.second_approved_by) == ("awaiting_approval", first, None)
    with pytest.raises(Refused, match="approval_needed"):
        approving.approve(made, by=first)
    with pytest.raises(Refused, match="second_approval_needed"):
        approving.approve(made, by=None)
    desk(second).post(move(made, "approve"))
    made.refresh_from_db()
    assert (made.status, made.approved_by, made.second_approved_by) == ("live", first, second)
    assert [record.history_change_reason for record in made.history.all()[:2]] == ["approve", "approve_first"]


def test_a_change_after_the_first_approval_needs_both_again(settings):
    settings.SECOND_APPROVAL_ABOVE_FEN = 1_000_000
    made = making.template(making.campaign(), status="awaiting_approval")
    approving.approve(made, by=somebody("审核"))
    client = desk(somebody("运营"))
    assert client.post(change(made), typed(client, change(made), name="别的名字", _save="1")).status_code == 302
    made.refresh_from_db()
    assert (made.status, made.approved_by) == ("awaiting_approval", None)


def test_the_database_itself_wants_two_different_approvers():
    one, other = somebody("审核"), somebody("审核", "b")
    made = making.template(status="awaiting_approval", made_by=somebody("运营"))
    rows = CouponTemplate.objects.filter(pk=made.pk)
    for wrong in (
        {"approved_by": one, "second_approved_by": one},
        {"approved_by": one, "second_approved_by": made.made_by},
        {"second_approved_by": one},
        {"approvals_needed": 2, "approved_by": one, "status": "live"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**wrong)
    rows.update(approvals_needed=2, approved_by=one, second_approved_by=other, status="live")


def test_nobody_approves_what_was_changed_while_they_read_it():
    made = making.template(status="awaiting_approval")
    approver, maker = desk(somebody("审核")), desk(somebody("运营"))
    read = typed(approver, move(made, "approve"))
    assert maker.post(change(made), typed(maker, change(made), total_count="9", _save="1")).status_code == 302
    approver.post(move(made, "approve"), read)
    is_still_waiting(made)


def test_what_is_sent_back_says_why_to_whoever_made_it_and_its_sender_may_approve_it_later():
    """C12"""
    maker, approver = somebody("运营"), somebody("审核")
    made = making.template(making.campaign(budget_fen=1_000_000), status="draft", made_by=maker)
    approving.submit(made, by=maker)
    desk(approver).post(move(made, "send_back"), {"why": "门槛太低，请改为120元"})
    for page in (change(made), change(made).replace("change/", "history/")):
        assert "门槛太低，请改为120元" in desk(maker).get(page).content.decode()
    assert f"{approver}退回" in desk(maker).get(change(made)).content.decode()
    approving.submit(made, by=maker)
    assert "门槛太低" not in desk(maker).get(change(made)).content.decode()
    approving.send_back(made, by=maker)
    assert "没有说明原因" in desk(maker).get(change(made)).content.decode()
    approving.submit(made, by=maker)
    desk(approver).post(move(made, "approve"))
    made.refresh_from_db()
    assert (made.status, made.approved_by) == ("live", approver)


def test_a_reason_that_is_too_long_is_asked_for_again_and_nothing_moves(waiting):
    page = desk(somebody("审核")).post(move(waiting, "send_back"), {"why": "太" * 91})
    assert (page.status_code, list(page.context["form"].errors)) == (200, ["why"])
    is_still_waiting(waiting)


# --- what is approved and live ---------------------------------------------------------------------------------------


def test_more_of_what_is_live_is_proposed_and_somebody_else_takes_it_over():
    made = making.template(limits={"total_count": 10})
    using.give(made)
    maker, approver = somebody("运营"), somebody("审核")
    client = desk(maker)
    response = client.post(change(made), typed(client, change(made), total_count="99", _save="1"))
    assert "total_count" in errors(response)
    assert 'name="_propose"' in response.content.decode()
    assert client.post(change(made), typed(client, change(made), total_count="99", _propose="1")).status_code == 302
    proposal = TemplateDraft.objects.get()
    address = f"{LIST}proposal/{proposal.pk}/"
    assert client.post(address, {"_take": "1"}).status_code == 403
    assert Supply.objects.get(pk=made.pk).total_count == 10

    page = desk(approver).get(address).content.decode()
    for words in ("<del>10</del>", "<ins>99</ins>", "1张券已经发出"):
        assert words in page
    assert desk(approver).post(address, {"_take": "1"}).status_code == 302
    proposal.refresh_from_db()
    assert (proposal.state, proposal.decided_by) == ("taken", approver)
    assert Supply.objects.get(pk=made.pk).total_count == 99
    history = client.get(change(made).replace("change/", "history/")).content.decode()
    for words in ("采纳改动申请", approver.username, "<del>10</del>", "<ins>99</ins>"):
        assert words in history


def test_a_change_to_be_read_first_does_not_speak_of_fields_to_mend():
    """C12: nothing is wrong with any of them."""
    made = making.template()
    using.give(made)
    client = desk(somebody("运营"))
    page = client.post(change(made), typed(client, change(made), total_count="9", _save="1")).content.decode()
    assert "1张券已经发出" in page
    assert "data-errors" not in page
    page = client.post(change(made), typed(client, change(made), total_count="x", _save="1")).content.decode()
    assert "data-errors" in page


@pytest.mark.parametrize("status", ["live", "awaiting_approval"])
def test_less_is_saved_though_the_page_names_cities_and_categories_in_an_order_of_its_own(status):
    """C6, C12: nobody changed what was approved, or waits for it."""
    Category.objects.bulk_create([Category(key=key, name=key) for key in ("a-food", "b-drinks")])
    made = making.template(
        status=status,
        claim_cities=["330100", "110000", "310000"],
        claim_conditions={"clients": {"any_of": ["wechat", "app"]}},
        scope={"categories": ["b-drinks", "a-food"]},
        limits={"total_count": 10},
    )
    client = desk(somebody("运营"))
    data = typed(client, change(made), _save="1")
    for name in ("claim_cities", "scope-categories", "claim_conditions-clients-any_of"):
        data[name] = sorted(data[name])
    before = made.version, made.history.count()
    assert client.post(change(made), data).status_code == 302
    made.refresh_from_db()
    assert (made.version, made.history.count()) == before
    data["total_count"] = ["9"]
    assert client.post(change(made), data).status_code == 302
    made.refresh_from_db()
    assert (made.status, Supply.objects.get(pk=made.pk).total_count) == (status, 9)


def test_a_proposal_is_declined_or_grows_old_and_nothing_changes():
    made = making.template(limits={"total_count": 10})
    maker, approver = desk(somebody("运营")), desk(somebody("审核"))
    maker.post(change(made), typed(maker, change(made), total_count="", _propose="1"))
    address = f"{LIST}proposal/{TemplateDraft.objects.get().pk}/"
    assert maker.post(change(made), typed(maker, change(made), total_count="8", _save="1")).status_code == 302
    approver.post(address, {"_take": "1"})
    assert Supply.objects.get(pk=made.pk).total_count == 8
    approver.post(address, {"_decline": "1"})
    assert TemplateDraft.objects.get().state == "declined"
    assert Supply.objects.get(pk=made.pk).total_count == 8


def test_the_same_rule_at_the_api_more_needs_the_right_less_does_not(system):
    chief, maker = system("manage", "approve"), system("manage")
    chief.post("campaigns/", summer())
    more, less = ({"templates__0__limits__total_count": count} for count in (20_000, 5_000))
    answer = maker.post("campaigns/", summer(**more))
    assert (answer.status, answer.code) == (403, "approval_needed")
    assert answer.body["reasons"][0]["fields"] == ["total_count"]
    assert maker.post("campaigns/", summer(**less)).status == 200
    assert Supply.objects.get().total_count == 5_000


def test_the_same_rule_at_the_step():
    made = making.template(limits={"total_count": 10, "daily_count": None})
    made.looks = {"badge": "新"}
    with pytest.raises(Refused, match="approval_needed"):
        editing.save_template(made, {}, by=None)
    made.refresh_from_db()
    with pytest.raises(Refused, match="approval_needed"):
        editing.save_template(made, {"total_count": None}, by=None)
    editing.save_template(made, {"total_count": 9, "daily_count": 3}, by=None)


def test_the_checker_speaks_while_it_is_typed_and_stops_a_proposal_that_nobody_could_use():
    client = desk(somebody("运营"))
    campaign = making.campaign(budget_fen=1_000_000)
    never = {"use_conditions-weekdays-any_of": ["1"], "validity_type": "claim_day", "valid_days": "",
             "release-weekdays": ["2"]}  # fmt: skip
    answer = client.post(f"{LIST}preview/", typed(client, ADD, **new(campaign=campaign, **never))).json()
    assert "必须修改" in answer["verdict"]
    answer = client.post(f"{LIST}preview/", typed(client, ADD, **new(campaign=campaign))).json()
    assert "确实有人能领取并使用" in answer["verdict"]

    uses = {"weekdays": {"any_of": [1]}}
    made = making.template(campaign, validity_type="claim_day", use_conditions=uses, release={"weekdays": [1]})
    client.post(change(made), {**typed(client, change(made), _propose="1"), "release-weekdays": ["2"]})
    proposal = TemplateDraft.objects.get()
    approver = desk(somebody("审核"))
    approver.post(f"{LIST}proposal/{proposal.pk}/", {"_take": "1"})
    proposal.refresh_from_db()
    made.refresh_from_db()
    assert (proposal.state, made.release) == ("proposed", {"weekdays": [1]})


def test_what_a_change_touches_is_said_before_it_is_saved():
    made = making.template(limits={"total_count": 10})
    for _number in range(3):
        using.give(made)
    client = desk(somebody("运营"))
    data = typed(client, change(made), total_count="5", _save="1")
    response = client.post(change(made), data)
    page = response.content.decode()
    for words in ("3张券已经发出", "<del>10</del>", "<ins>5</ins>", "尚未保存"):
        assert words in page
    assert Supply.objects.get(pk=made.pk).total_count == 10
    sure = response.context["adminform"].form.sure
    other = client.post(change(made), {**data, "total_count": ["4"], "sure": [sure]})
    assert other.status_code == 200  # a yes to something else
    assert saved(client, change(made), data).status_code == 302
    assert Supply.objects.get(pk=made.pk).total_count == 5


def test_two_editors_see_both_changes_side_by_side_and_the_second_decides_knowingly():
    made = making.template(status="draft", limits={"total_count": 10})
    first, second = desk(somebody("运营")), desk(somebody("运营", "second"))
    early = typed(second, change(made), total_count="77", name="第二个人的名字")
    first.post(change(made), typed(first, change(made), total_count="50", threshold_fen="120", _keep="1"))
    response = second.post(change(made), {**early, "_submit": ["1"]})
    rows = {row.name: row.versions for row in response.context["adminform"].form.compared}
    assert rows == {
        "total_count": ["10", "50", "77"],
        "name": ["满减券", "满减券", "第二个人的名字"],
        "threshold_fen": ["¥100.00", "¥120.00", "¥100.00"],
    }
    assert Supply.objects.get(pk=made.pk).total_count == 50
    now = CouponTemplate.objects.get(pk=made.pk)
    agreed = {**early, "_keep": ["1"], "compared": [str(now.version)], "threshold_fen": ["120"]}
    assert second.post(change(made), agreed).status_code == 302
    now = CouponTemplate.objects.get(pk=made.pk)
    assert (now.name, now.threshold_fen, now.supply.total_count) == ("第二个人的名字", 12000, 77)


def test_the_approval_page_shows_what_changed_since_it_was_approved_last():
    maker, approver = somebody("运营"), somebody("审核")
    made = making.template(status="draft", made_by=maker)
    editing.save_template(made, {"total_count": 500}, by=maker)
    approving.submit(made, by=maker)
    approving.approve(made, by=approver)
    client = desk(maker)
    client.post(change(made), typed(client, change(made), amount_fen="30", total_count="600", _save="1"))
    made.refresh_from_db()
    assert made.status == "draft"
    client.post(move(made, "submit"))
    page = desk(approver).get(move(made, "approve")).content.decode()
    for words in ("<del>¥20.00</del>", "<ins>¥30.00</ins>", "<del>500</del>", "<ins>600</ins>", "¥18,000.00"):
        assert words in page


def test_any_two_versions_are_compared():
    maker = somebody("运营")
    made = making.template(status="draft")
    for count, name in ((5, "一"), (6, "二"), (7, "三")):
        made.name = name
        editing.save_template(made, {"total_count": count}, by=maker)
    records = list(made.history.order_by("history_id"))
    address = change(made).replace("change/", "history/")
    page = desk(maker).get(address, {"from": records[1].pk, "to": records[3].pk} if len(records) > 3 else
                           {"from": records[0].pk, "to": records[2].pk}).content.decode()  # fmt: skip
    for words in ("<del>一</del>", "<ins>三</ins>", "<del>5</del>", "<ins>7</ins>"):
        assert words in page


# --- many ------------------------------------------------------------------------------------------------------------


def test_no_page_asks_more_than_25_times_at_five_thousand_templates(query_count):
    campaign = making.campaign(budget_fen=10**9)
    one = making.template(campaign, status="awaiting_approval")
    live = making.template(campaign, limits={"total_count": 10})
    fields = [field for field in CouponTemplate._meta.concrete_fields if not field.primary_key]
    same = {field.attname: getattr(one, field.attname) for field in fields}
    many = CouponTemplate.objects.bulk_create(
        [CouponTemplate(**{**same, "key": f"many-{number}", "status": "draft"}) for number in range(5000)]
    )
    Supply.objects.bulk_create([Supply(template_id=template.pk) for template in many])
    placement = making.placement(live, of=campaign)
    client = desk(somebody("管理员"))
    client.get("/admin/")
    asked = {}
    for address in (
        LIST,
        f"{LIST}?status__exact=draft&q=many",
        ADD,
        change(one),
        change(live),
        move(one, "approve"),
        change(live).replace("change/", "history/"),
        f"/admin/distribution/campaign/{campaign.pk}/change/",
        f"/admin/distribution/placement/{placement.pk}/change/",
    ):
        with query_count() as count:
            assert client.get(address).status_code == 200
        asked[address] = count.statements
    with query_count() as count:
        client.post(f"{LIST}{one.pk}/preview/", {"type": "amount_off"})
    asked["preview"] = count.statements
    assert {address: number for address, number in asked.items() if number > 25} == {}
