"""券模板 in the back office: made by form, frozen, approved by somebody else. C1, C2, C3, C5, C10, C12."""

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from django.urls import reverse

from coupons import approving, editing
from coupons.models import CouponTemplate
from coupons.refused import Refused
from tests import making, using
from tests.pages.company import desk, somebody

pytestmark = pytest.mark.django_db

ADD = "/admin/coupons/coupontemplate/add/"


class Form(HTMLParser):
    """What a browser would post of a page's form, as it stands there."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.data: dict[str, list[str]] = {}
        self.select: str | None = None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        if tag == "select":
            self.select = None if "disabled" in said else said.get("name")
        elif tag == "option" and self.select and "selected" in said:
            self.data.setdefault(self.select, []).append(said.get("value") or "")
        elif tag == "textarea":
            self.data.setdefault(said.get("name") or "", [""])
        elif tag == "input" and said.get("name") and "disabled" not in said:
            if said.get("type") in ("checkbox", "radio") and "checked" not in said:
                return
            if said.get("type") not in ("submit", "button", "file"):
                bare = "on" if said.get("type") == "checkbox" else ""
                self.data.setdefault(said["name"], []).append(said.get("value") or bare)


def change(template: CouponTemplate) -> str:
    return reverse("admin:coupons_coupontemplate_change", args=[template.pk])


def move(template: CouponTemplate, name: str) -> str:
    return change(template).replace("change/", f"move/{name}/")


def typed(client, address, **answers):
    """The form as it is shown, with these answers typed over it. None: taken out."""
    data = Form(client.get(address).content.decode()).data
    for name, answer in answers.items():
        data.pop(name, None)
        if answer is not None:
            data[name] = answer if isinstance(answer, list) else [str(answer)]
    return data


def saved(client, address, data):
    """Posted; and once more, if what it touches was to be read first."""
    response = client.post(address, data)
    if response.status_code == 200 and (sure := response.context["adminform"].form.sure):
        assert "已经发出" in response.content.decode()
        response = client.post(address, {**data, "sure": [sure]})
    return response


def new(**answers):
    campaign = answers.pop("campaign", None) or making.campaign(budget_fen=2_000_000)
    return {
        "budget": campaign.budget_id,
        "key": "s20",
        "internal_name": "夏日-满100减20",
        "name": "夏日满减券",
        "type": "amount_off",
        "amount_fen": "20",
        "threshold_fen": "100.00",
        "valid_days": 7,
        "total_count": 1000,
        **answers,
    }


def errors(response) -> dict[str, list[str]]:
    return response.context["adminform"].form.errors


def test_an_operator_makes_one_off_20_above_100_and_somebody_else_approves_it():
    maker, approver = desk(somebody("运营")), desk(somebody("审核"))
    weekend = {"release-weekdays": ["6", "7"], "release-hours": "10:00-22:00", "use_conditions-clients-any_of": ["app"]}
    response = maker.post(ADD, typed(maker, ADD, **new(**weekend)))
    assert response.status_code == 302, errors(response)

    made = CouponTemplate.objects.get(key="s20")
    assert (made.amount_fen, made.threshold_fen, made.valid_days, made.status) == (2000, 10000, 7, "draft")
    assert made.release == {"weekdays": [6, 7], "hours": [["10:00", "22:00"]]}
    assert made.use_conditions == {"clients": {"any_of": ["app"]}}
    assert (made.supply.total_count, made.supply.total_fen, made.supply.customer_count) == (1000, None, 1)
    page = maker.get(change(made)).content.decode()
    assert "满100减20" in page
    assert "move/submit/" in page
    assert "move/approve/" not in page

    assert maker.post(move(made, "submit")).status_code == 302
    assert "move/approve/" in approver.get(change(made)).content.decode()
    assert "1,000" in approver.get(move(made, "approve")).content.decode()
    assert approver.post(move(made, "approve")).status_code == 302
    made.refresh_from_db()
    assert (made.status, made.made_by.username, made.approved_by.username) == ("live", "0", "1")
    assert [entry.history_change_reason for entry in made.history.all()] == ["approve", "submit", None]


def test_whoever_made_it_cannot_approve_it_by_button_by_address_or_by_step():
    both = somebody("运营")
    both.groups.add(*somebody("审核", "b").groups.all())
    client = desk(both)
    client.post(ADD, typed(client, ADD, **new()))
    made = CouponTemplate.objects.get(key="s20")
    client.post(move(made, "submit"))
    assert "move/approve/" not in client.get(change(made)).content.decode()
    client.post(move(made, "approve"))
    client.post(change(made), typed(client, change(made), status="live", approved_by=both.pk))
    made.refresh_from_db()
    assert (made.status, made.approved_by) == ("awaiting_approval", None)
    with pytest.raises(Refused, match="approval_needed"):
        approving.approve(made, by=both)


def test_whoever_changed_what_another_made_cannot_approve_it_either():
    administrator, maker = somebody("管理员"), somebody("运营")
    one, other = desk(maker), desk(administrator)
    one.post(ADD, typed(one, ADD, **new()))
    made = CouponTemplate.objects.get(key="s20")
    assert other.post(change(made), typed(other, change(made), name="别的名字")).status_code == 302
    one.post(move(made, "submit"))
    other.post(move(made, "approve"))
    made.refresh_from_db()
    assert made.status == "awaiting_approval"


def test_a_change_made_by_a_command_is_on_record_and_bars_its_maker_from_approving_too():
    maker, other = somebody("运营"), somebody("管理员")
    made = making.template(status="draft")
    editing.save_template(CouponTemplate.objects.get(pk=made.pk), {"total_count": 9}, by=other)
    approving.submit(made, by=maker)
    assert [entry.history_user for entry in made.history.all()[:2]] == [maker, other]
    with pytest.raises(Refused, match="approval_needed"):
        approving.approve(made, by=other)


@pytest.mark.parametrize("role", ["审核", "财务", "客服"])
def test_those_who_may_not_change_it_see_it_and_can_post_nothing(role):
    made = making.template(status="draft")
    client = desk(somebody(role))
    page = client.get(change(made)).content.decode()
    assert "抵扣金额" in page
    assert 'name="_save"' not in page
    assert client.post(change(made), {"name": "x"}).status_code == 403
    assert client.post(move(made, "submit")).status_code == 403
    assert client.get(ADD).status_code == 403
    made.refresh_from_db()
    assert (made.name, made.status) == ("满减券", "draft")


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"amount_fen": "200"}, "amount_fen"),
        ({"amount_fen": "0"}, "amount_fen"),
        ({"amount_fen": "1e3"}, "amount_fen"),
        ({"amount_fen": "20.005"}, "amount_fen"),
        ({"amount_fen": "-1"}, "amount_fen"),
        ({"amount_fen": ""}, "amount_fen"),
        ({"threshold_fen": "9" * 20}, "threshold_fen"),
        ({"percent_off": "20"}, "percent_off"),
        ({"type": "percent_off", "amount_fen": "", "percent_off": "100"}, "percent_off"),
        ({"type": "percent_off", "amount_fen": "", "percent_off": "20"}, "cap_fen"),
        ({"valid_days": ""}, "valid_days"),
        ({"validity_type": "period", "valid_days": "", "valid_from": "2026-06-02T00:00"}, "valid_until"),
        ({"total_count": "-1"}, "total_count"),
        ({"key": "a b"}, "key"),
        ({"name": "长" * 41}, "name"),
        ({"release-hours": "25:00-26:00"}, "release"),
        ({"use_conditions-order_count-min": "x"}, "use_conditions"),
        ({"merchant_percent": "30", "merchant_fen": "1"}, "merchant_percent"),
        ({"scope-shipping": "yes", "scope-skus": "a"}, "scope"),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field_and_what_was_typed_stays(answers, field):
    client = desk(somebody("运营"))
    response = client.post(ADD, typed(client, ADD, **new(**answers)))
    assert response.status_code == 200
    assert field in errors(response)
    page = response.content.decode()
    assert "夏日-满100减20" in page
    name = next(name for name in answers if answers[name]) if any(answers.values()) else field
    assert name in page
    assert not CouponTemplate.objects.exists()


def test_an_uncapped_percentage_is_fine_without_budget_and_limits_by_amount():
    client = desk(somebody("运营"))
    free = making.campaign()
    answers = {"type": "percent_off", "amount_fen": "", "threshold_fen": "", "percent_off": "20"}
    response = client.post(ADD, typed(client, ADD, **new(campaign=free, **answers, daily_fen="10")))
    assert "cap_fen" in errors(response)
    assert client.post(ADD, typed(client, ADD, **new(campaign=free, **answers))).status_code == 302


def test_terms_freeze_with_the_first_coupon_and_the_supply_does_not():
    made = making.template(limits={"total_count": 10, "total_fen": 30000})
    using.give(made)
    client = desk(somebody("运营"))
    page = client.get(change(made)).content.decode()
    assert "已有券发放" in page
    assert re.search(r'name="amount_fen"[^>]*disabled|disabled[^>]*name="amount_fen"', page)
    data = typed(client, change(made), amount_fen="99", type="no_threshold", total_count="5", internal_name="新名字")
    assert saved(client, change(made), data).status_code == 302
    made = CouponTemplate.objects.get(pk=made.pk)
    assert (made.amount_fen, made.type, made.supply.total_count) == (2000, "amount_off", 5)
    assert made.internal_name == "新名字"
    made.amount_fen = 1
    with pytest.raises(Refused, match="terms_frozen"):
        editing.save_template(made, {}, by=None)


def test_a_limit_cannot_be_lower_than_what_was_given_out():
    made = making.template(limits={"total_count": 10, "total_fen": 30000})
    using.give(made)
    using.give(made)
    client = desk(somebody("运营"))
    response = client.post(change(made), typed(client, change(made), total_count="1", total_fen="39.99"))
    assert {"total_count", "total_fen"} <= set(errors(response))
    assert saved(client, change(made), typed(client, change(made), total_count="2", total_fen="40")).status_code == 302
    made.supply.refresh_from_db()
    assert (made.supply.total_count, made.supply.total_fen) == (2, 4000)


def test_two_editors_the_second_is_told_and_keeps_what_was_typed():
    made = making.template(status="draft", limits={"total_count": 10})
    first, second = desk(somebody("运营")), desk(somebody("运营", "second"))
    early = typed(second, change(made), total_count="77", name="第二个人的名字")
    assert first.post(change(made), typed(first, change(made), total_count="50")).status_code == 302
    response = second.post(change(made), early)
    assert response.status_code == 200
    page = response.content.decode()
    assert "第二个人的名字" in page
    assert 'value="77"' in page
    assert errors(response)["__all__"]
    made = CouponTemplate.objects.get(pk=made.pk)
    assert (made.supply.total_count, made.name) == (50, "满减券")


def test_changed_terms_of_an_approved_template_need_approving_anew():
    made = making.template()
    client = desk(somebody("运营"))
    assert client.post(change(made), typed(client, change(made), amount_fen="30")).status_code == 302
    made.refresh_from_db()
    assert (made.amount_fen, made.status) == (3000, "draft")


def test_pausing_says_how_many_are_out_and_ending_is_for_good():
    made = making.template()
    using.give(made)
    client = desk(somebody("运营"))
    assert "1张" in client.get(move(made, "pause")).content.decode()
    for step, state in (("pause", "paused"), ("resume", "paused"), ("end", "ended"), ("resume", "ended")):
        client.post(move(made, step))
        made.refresh_from_db()
        assert made.status == state


def test_a_copy_is_a_draft_of_its_own():
    made = making.template(limits={"total_count": 5})
    using.give(made)
    client = desk(somebody("运营"))
    response = client.post(move(made, "copy"))
    twin = CouponTemplate.objects.exclude(pk=made.pk).get()
    assert response["Location"] == change(twin)
    assert (twin.status, twin.amount_fen, twin.supply.total_count, twin.supply.issued_count) == ("draft", 2000, 5, 0)


def test_a_coupon_is_voided_with_a_reason_by_those_who_may():
    coupon = using.coupon()
    service, operations = desk(somebody("客服")), desk(somebody("运营"))
    address = f"/admin/coupons/coupon/{coupon}/move/void/"
    assert operations.post(address, {"reason": "x"}).status_code == 403
    assert service.post(address, {"reason": ""}).status_code == 200
    assert using.status(coupon) == "available"
    assert service.post(address, {"reason": "用户申请"}).status_code == 302
    assert using.status(coupon) == "void"
    assert "用户申请" in service.get(f"/admin/coupons/coupon/{coupon}/change/").content.decode()


def test_a_key_is_shown_once():
    from coupons.models import ApiKey

    client = desk(somebody("管理员"))
    response = client.post("/admin/coupons/apikey/add/", {"name": "订单系统", "scopes": ["redeem"]})
    key = re.search(r'class="desk-key"[^>]*value="([^"]+)"', response.content.decode())[1]
    made = ApiKey.objects.get()
    assert made.digest == ApiKey.digest_of(key)
    assert key not in client.get(f"/admin/coupons/apikey/{made.pk}/change/").content.decode()


@pytest.mark.parametrize("sign", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_what_a_spreadsheet_would_take_for_a_formula_is_written_as_text(sign):
    from coupons.sheets import as_text

    assert as_text(sign) == f"'{sign}"
    assert as_text(-1) == "-1"
    made = making.template(internal_name=sign)
    client = desk(somebody("运营"))
    lines = b"".join(client.get("/admin/coupons/coupontemplate/export/csv/")).decode("utf-8-sig")
    heading, row = csv.reader(io.StringIO(lines, newline=""))
    assert row[heading.index("内部备注名")] == f"'{sign}"
    assert row[heading.index("抵扣金额")] == "20.00"
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(b"".join(client.get("/admin/coupons/coupontemplate/export/xlsx/"))))
    cell = book.active.cell(row=2, column=2)
    assert cell.data_type == "s"
    assert str(cell.value).strip() == made.internal_name.strip()


def test_the_file_holds_what_the_list_shows():
    making.template(internal_name="一", status="draft")
    making.template(internal_name="二")
    client = desk(somebody("运营"))
    lines = b"".join(client.get("/admin/coupons/coupontemplate/export/csv/?status__exact=live")).decode()
    assert "二" in lines
    assert "一," not in lines
