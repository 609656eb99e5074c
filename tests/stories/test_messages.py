"""Messages to customers: written with what they are about, sent once, each with its outcome on record (P8, S2)."""

import json
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from coupons.models import Customer
from coupons.refused import Refused
from distribution import messages, tasks
from distribution.messages import quiet
from distribution.messages.gateways import aliyun, tencent
from distribution.models import Message, MessageTemplate
from tests.pages.company import desk, somebody
from tests.stories.providers import KEY, SECRET, provider

pytestmark = pytest.mark.django_db
TEMPLATES = "/admin/distribution/messagetemplate/"
SENT = "/admin/distribution/message/"


@pytest.fixture(autouse=True)
def _record(settings, tmp_path):
    settings.MESSAGE_RECORD = tmp_path / "messages.jsonl"
    settings.SMS_SIGN_NAME = "风行"


@pytest.fixture
def alice():
    return Customer.objects.create(key="alice", phone="+8613800138000", nickname="林一")


def recorded(settings):
    home = settings.MESSAGE_RECORD
    return [json.loads(line) for line in home.read_text().splitlines()] if home.exists() else []


def remind(customer, key="reminder:1", **more):
    said = {"nickname": customer.nickname, "coupon": "满100减20", "days": "3", "link": "https://c.example/h5/wallet/"}
    return messages.put(key, "coupon-reminder", customer, said, now=timezone.now(), by="reminder:3d", **more)


def state(message):
    message.refresh_from_db()
    return message.status, message.why


def test_a_message_is_sent_once_whatever_is_asked_twice(clock, settings, alice):
    """S2: once per key; result on record."""
    first, second = remind(alice), remind(alice)
    assert first == second
    assert tasks.send_messages() == 1
    assert tasks.send_messages() == 0
    (sent,) = recorded(settings)
    assert (sent["to"], sent["text"]) == (
        "+8613800138000",
        "林一您好，您的满100减20还有3天到期，别忘了使用。查看：https://c.example/h5/wallet/",
    )
    first.refresh_from_db()
    assert (first.status, first.receipt, first.sent_at, first.cost_fen) == ("sent", sent["receipt"], clock.now(), 5)


def test_what_is_undone_says_nothing(alice):
    """The message goes with the change that it is about."""

    @transaction.atomic
    def in_vain():
        remind(alice)
        Customer.objects.create(key="alice")

    with pytest.raises(IntegrityError):
        in_vain()
    assert not Message.objects.exists()
    assert tasks.send_messages() == 0


@pytest.mark.parametrize(
    ("hours", "moment", "goes_out"),
    [
        ("22:00-08:00", "2026-06-03 21:59", "2026-06-03 21:59"),
        ("22:00-08:00", "2026-06-03 22:00", "2026-06-04 08:00"),
        ("22:00-08:00", "2026-06-04 07:59", "2026-06-04 08:00"),
        ("12:00-14:00", "2026-06-03 13:00", "2026-06-03 14:00"),
        ("", "2026-06-03 03:00", "2026-06-03 03:00"),
    ],
)
def test_nobody_is_woken(clock, settings, alice, hours, moment, goes_out):
    """S2: in waking hours."""
    settings.QUIET_HOURS = hours
    clock.set(moment)
    message = remind(alice)
    assert message.due_at == clock.set(goes_out)
    assert quiet.until(message.due_at) == message.due_at


def test_what_waited_into_the_night_waits_for_the_morning_and_what_is_urgent_does_not(clock, settings, alice):
    clock.set("2026-06-03 21:59")
    kept = remind(alice)
    code = messages.put(
        "code:1", "sign-in-code", alice.phone, {"code": "482913", "minutes": "10"}, now=clock.now(), by="h5"
    )
    clock.set("2026-06-03 22:30")
    assert tasks.send_messages() == 1
    assert (state(kept)[0], state(code)[0]) == ("waiting", "sent")
    clock.set("2026-06-04 08:00")
    assert tasks.send_messages() == 1
    assert state(kept)[0] == "sent"


def test_a_code_is_sealed_until_it_is_sent_and_nowhere_afterwards(clock, settings, alice):
    message = messages.put(
        "code:1", "sign-in-code", alice.phone, {"code": "482913", "minutes": "10"}, now=clock.now(), by="h5"
    )
    row = Message.objects.filter(pk=message.pk).values()[0]
    assert "482913" not in str({**row, "sealed": bytes(row["sealed"])})
    messages.send(message.pk)
    assert "482913" in recorded(settings)[0]["text"]
    message.refresh_from_db()
    assert (message.sealed, message.status) == (None, "sent")
    page = desk(somebody("管理员")).get(f"{SENT}{message.pk}/change/").content.decode()
    assert "482913" not in page
    assert "••••••" in page


def test_too_late_is_not_sent_and_nobody_without_a_phone_is_tried(clock, settings, alice):
    late = remind(alice, until=clock.now())
    nobody = remind(Customer.objects.create(key="bob"), key="reminder:2")
    clock.forward(minutes=1)
    assert tasks.send_messages() == 0
    assert (state(late), state(nobody)) == (("late", "too_late"), ("failed", "no_phone"))
    assert recorded(settings) == []


def test_a_value_cannot_smuggle_in_another_place(clock, settings, alice):
    alice.nickname = "{code}\n{link}"
    remind(alice)
    tasks.send_messages()
    assert recorded(settings)[0]["text"].startswith("(code) (link)您好")


def test_a_template_that_is_switched_off_is_refused(alice):
    MessageTemplate.objects.filter(key="coupon-reminder").update(is_active=False)
    with pytest.raises(Refused, match="not_found"):
        remind(alice)
    assert not Message.objects.exists()


# --- providers -----------------------------------------------------------------------------------------------------


@pytest.fixture
def at(settings):
    with provider() as standing_in:
        settings.SMS_GATEWAY = "aliyun"
        settings.SMS_KEY, settings.SMS_SECRET, settings.SMS_BASE_URL = KEY, SECRET, standing_in.address
        settings.PUSH_GATEWAY = "jpush"
        settings.PUSH_KEY, settings.PUSH_SECRET, settings.PUSH_BASE_URL = KEY, SECRET, standing_in.address
        MessageTemplate.objects.update(provider_template="SMS_1")
        yield standing_in


def test_aliyun_takes_a_signed_request(clock, at, alice):
    message = remind(alice)
    tasks.send_messages()
    assert state(message) == ("sent", "")
    assert message.receipt == f"biz-m{message.pk}"
    (asked,) = at.asked
    assert (asked["PhoneNumbers"], asked["SignName"], asked["TemplateCode"]) == ("13800138000", "风行", "SMS_1")
    assert json.loads(asked["TemplateParam"])["coupon"] == "满100减20"


def test_tencent_takes_a_signed_request(clock, settings, at, alice):
    settings.SMS_GATEWAY, settings.SMS_APP_ID = "tencent", "1400000000"
    message = remind(alice)
    tasks.send_messages()
    assert state(message) == ("sent", "")
    (asked,) = at.asked
    assert (asked["PhoneNumberSet"], asked["SmsSdkAppId"]) == (["+8613800138000"], "1400000000")
    assert asked["TemplateParamSet"] == ["林一", "满100减20", "3", "https://c.example/h5/wallet/"]


def test_a_push_goes_to_the_customers_alias(clock, at, alice):
    MessageTemplate.objects.create(
        key="push", name="推送", channel="push", occasion="reminder", title="{coupon}", text="还有{days}天"
    )
    message = messages.put("p", "push", alice, {"coupon": "满减券", "days": "3"}, now=clock.now(), by="reminder:3d")
    tasks.send_messages()
    assert (state(message), message.receipt) == (("sent", ""), "push-1")
    assert at.asked[0]["audience"] == {"alias": ["alice"]}
    assert at.asked[0]["notification"]["ios"]["alert"] == {"title": "满减券", "body": "还有3天"}


def test_a_wrong_secret_is_said(clock, settings, at, alice):
    settings.SMS_SECRET = "another"
    message = remind(alice)
    tasks.send_messages()
    assert state(message) == ("failed", "SignatureDoesNotMatch signature")
    assert not at.taken


def test_what_was_surely_not_taken_is_tried_again_a_while_later(clock, at, alice):
    at.answers += ["limited", "limited"]
    message = remind(alice)
    tasks.send_messages()
    assert (state(message)[0], message.due_at) == ("waiting", clock.now() + messages.sending.BACKOFF[0])
    assert tasks.send_messages() == 0
    clock.forward(seconds=20)
    tasks.send_messages()
    clock.forward(minutes=1)
    tasks.send_messages()
    assert (state(message)[0], message.attempt_count, sum(at.taken.values())) == ("sent", 3, 1)


def test_what_is_refused_for_good_is_not_tried_again(clock, at, alice):
    at.answers.append("refused")
    message = remind(alice)
    tasks.send_messages()
    assert (state(message), message.cost_fen) == (("failed", "isv.MOBILE_NUMBER_ILLEGAL refused"), 0)
    clock.forward(hours=5)
    assert tasks.send_messages() == 0


@pytest.mark.parametrize("mood", ["silent", "broken"])
def test_nobody_sends_again_what_the_provider_may_have(clock, at, alice, mood):
    """Never two: an unclear outcome is on record, and only a person who knows sends it again."""
    at.answers.append(mood)
    message = remind(alice)
    tasks.send_messages()
    assert state(message)[0] == "unclear"
    clock.forward(hours=5)
    assert tasks.send_messages() == 0
    reader, helper = desk(somebody("财务")), desk(somebody("客服"))
    assert reader.post(f"{SENT}{message.pk}/move/again/").status_code == 403
    helper.post(f"{SENT}{message.pk}/move/again/")
    assert tasks.send_messages() == 1
    assert state(message)[0] == "sent"


def test_the_signatures_are_those_that_the_providers_publish():
    """help.aliyun.com …/v3-request-structure-and-signature; cloud.tencent.com/document/api/213/30654."""
    query = {"ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "RegionId": "cn-shanghai"}
    said = aliyun.headers(
        "YourAccessKeyId",
        "YourAccessKeySecret",
        "ecs.cn-shanghai.aliyuncs.com",
        "RunInstances",
        "2014-05-26",
        query,
        datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
        "3156853299f313e23d1673dc12e1703d",
    )
    assert said["Authorization"].endswith("=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0")
    body = b'{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}'
    said = tencent.authorization(
        "AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******",
        "Gu5t9xGARNpq86cd98joQYCN3*******",
        "cvm.tencentcloudapi.com",
        "cvm",
        body,
        datetime.fromtimestamp(1551113065, UTC),
    )
    assert said.endswith("=2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c")


def test_what_arrived_is_reported_once_and_settles_what_was_unclear(clock, settings, at, alice):
    """S2: delivery on record."""
    settings.SMS_REPORT_TOKEN = "a-long-secret-of-its-own"
    at.answers += ["", "silent", ""]
    first, unclear, lost = (remind(alice, key=f"reminder:{n}") for n in range(3))
    tasks.send_messages()
    assert state(unclear)[0] == "unclear"
    told = [
        {"biz_id": f"biz-m{first.pk}", "success": True, "err_code": "DELIVERED"},
        {"biz_id": "another", "out_id": f"m{unclear.pk}", "success": True},
        {"biz_id": f"biz-m{lost.pk}", "success": False, "err_code": "SP:0001", "err_msg": "no such number"},
        {"biz_id": "nobody's", "out_id": "m١"},
    ]

    def report(body, token=settings.SMS_REPORT_TOKEN, gateway="aliyun"):
        return Client().post(f"/api/v1/reports/{gateway}/{token}/", body, "application/json")

    for wrong in (report(told, "guessed"), report(told, gateway="other"), report(told, gateway="recording")):
        assert wrong.status_code == 404
    assert report({"not": "a list"}).status_code == 400
    assert not Message.objects.exclude(arrived=None).exists()
    for _twice in range(2):
        assert report(told).json() == {"code": 0, "msg": "OK"}
    assert [state(one) for one in (first, unclear, lost)] == [
        ("sent", ""),
        ("sent", ""),
        ("sent", "SP:0001 no such number"),
    ]
    assert [one.arrived for one in (first, unclear, lost)] == [True, True, False]
    assert report([{"biz_id": first.receipt, "success": False}]).status_code == 200
    assert state(first)[0] == "sent"
    assert first.arrived is True
    settings.SMS_REPORT_TOKEN = ""
    assert report(told, "").status_code == 404


def test_tencents_reports_are_read(clock, settings, at, alice):
    settings.SMS_GATEWAY, settings.SMS_REPORT_TOKEN = "tencent", "a-long-secret-of-its-own"
    message = remind(alice)
    tasks.send_messages()
    told = [{"sid": "serial-1", "report_status": "FAIL", "errmsg": "UNDELIV", "description": "off"}]
    address = f"/api/v1/reports/tencent/{settings.SMS_REPORT_TOKEN}/"
    assert Client().post(address, told, "application/json").json() == {"result": 0, "errmsg": "OK"}
    assert (state(message), message.arrived) == (("sent", "UNDELIV off"), False)


# --- pages -----------------------------------------------------------------------------------------------------------


def form(**changes):
    return {
        "name": "到期提醒",
        "key": "late",
        "channel": "sms",
        "occasion": "reminder",
        "title": "",
        "text": "{coupon}快到期了",
        "provider_template": "",
        "is_active": "on",
        **changes,
    }


def test_operators_write_what_is_said():
    response = desk(somebody("运营")).post(f"{TEMPLATES}add/", form())
    assert response.status_code == 302
    assert MessageTemplate.objects.get(key="late").variables == ["coupon"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"text": "{coupon}{code}"}, "text"),
        ({"text": "{coupon"}, "text"),
        ({"channel": "push"}, "title"),
        ({"title": "提醒"}, "title"),
        ({"occasion": "sign_in", "text": "您好"}, "text"),
        ({"occasion": "sign_in", "channel": "push", "title": "码", "text": "{code}"}, "channel"),
    ],
)
def test_words_that_cannot_be_filled_in_are_not_saved(changes, field):
    page = desk(somebody("运营")).post(f"{TEMPLATES}add/", form(**changes))
    assert list(page.context["adminform"].form.errors) == [field]
    assert not MessageTemplate.objects.filter(key="late").exists()


@pytest.mark.parametrize(("role", "shown"), [("客服", "+8613800138000"), ("财务", "+86138****8000")])
def test_a_phone_number_is_whole_only_for_those_who_see_customers(clock, alice, role, shown):
    remind(alice)
    page = desk(somebody(role)).get(SENT).content.decode()
    assert shown in page
    assert (page.count("+8613800138000") > 0) == (role == "客服")
