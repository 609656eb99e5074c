"""A page of the back office that is sent twice, by a browser without scripts, makes what it makes once."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model

from coupons.models import Answer, ApiKey, CouponTemplate, Customer, Job, Subscription
from coupons.queries.catalogue import business_now
from coupons.tasks import go_on_with_jobs
from distribution.binding import moving
from distribution.models import Binding, CodeBatch, Message, MessageTemplate, ReminderRule
from tests import coding, making
from tests.pages.company import desk, somebody

pytestmark = pytest.mark.django_db(transaction=True)
ADMIN = "/admin/"


def shown(client, address):
    """What the page that is shown hides: a token of its own."""
    words = client.get(address).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', words)
    assert token, address
    return {"csrfmiddlewaretoken": token[1]}


def codes():
    return {"placement": coding.placement().pk, "name": "地推卡", "kind": "latin", "code_count": 3}


def binding():
    Customer.objects.create(key="alice")
    return {
        "placement": making.placement(making.template(), form="bind").pk,
        "name": "补偿",
        "kind": "list",
        "accounts": "alice",
    }


def reminder():
    words = MessageTemplate.objects.create(
        key="late", name="到期", channel="sms", occasion="reminder", text="{coupon}还有{days}天到期"
    )
    said = {"name": "到期前三天", "basis": "before_expiry", "amount": "3", "unit": "days", "holdout_percent": "0"}
    return {**said, "message": words.pk}


FORMS: dict[str, tuple[str, type[Model], object]] = {
    "codes": ("distribution/codebatch", CodeBatch, codes),
    "binding": ("distribution/binding", Binding, binding),
    "reminder": ("distribution/reminderrule", ReminderRule, reminder),
    "webhook": (
        "coupons/subscription",
        Subscription,
        lambda: {"name": "CRM", "url": "https://1.1.1.1/in", "kinds": ["issued"], "is_active": "on"},
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_that_is_sent_twice_makes_one_and_leads_to_it_again(form, clock):
    """P5, P7, S2: typed anew, on a page opened anew or with other words, it is meant anew."""
    address, model, answers = FORMS[form]
    said = answers()
    client = desk(somebody("管理员"))
    page = shown(client, f"{ADMIN}{address}/add/")
    first, second = (client.post(f"{ADMIN}{address}/add/", {**said, **page}) for _ in range(2))
    assert model.objects.count() == 1
    assert Job.objects.count() <= 1
    assert (first.status_code, first.get("Location")) == (second.status_code, second.get("Location"))
    client.post(f"{ADMIN}{address}/add/", {**said, **page, "name": "第二批"})
    client.post(f"{ADMIN}{address}/add/", {**said, **shown(client, f"{ADMIN}{address}/add/")})
    assert model.objects.count() == 3


def test_what_was_wrong_may_be_sent_again(clock):
    said = {**codes(), "code_count": 0}
    client = desk(somebody("运营"))
    address = f"{ADMIN}distribution/codebatch/add/"
    page = shown(client, address)
    for _ in range(2):
        assert "code_count" in client.post(address, {**said, **page}).context["adminform"].form.errors
    assert not Answer.objects.exists()
    assert not CodeBatch.objects.exists()
    assert client.post(address, {**said, **page, "code_count": 3}).status_code == 302


def test_two_files_of_one_name_are_two(clock):
    """P5: what lies in the file counts, and the second sending of the first is the first batch."""
    placement = coding.placement()
    client = desk(somebody("运营"))
    address = f"{ADMIN}distribution/codebatch/add/"
    page = shown(client, address)

    def send(row):
        file = SimpleUploadedFile("codes.csv", f"code\n{row}\n".encode())
        said = {"placement": placement.pk, "name": "外部码", "kind": "imported", "upload": file}
        return client.post(address, {**said, **page})["Location"]

    one, two, again = send("QWERTY-UIOP-1234"), send("ZXCVBN-MASD-9876"), send("QWERTY-UIOP-1234")
    assert (one == again, one == two, CodeBatch.objects.count()) == (True, False, 2)
    assert [batch.state for batch in CodeBatch.objects.all()] == ["ready", "ready"]


def test_moves_that_make_something_make_it_once(clock, settings):
    """P7, P8, S2: again for those who got nothing, a trial on past events, a trial message, a copy."""
    client = desk(somebody("管理员"))
    user = somebody("运营")
    bound = moving.begin(
        Binding(placement=making.placement(making.template(), form="bind"), name="补偿"), by=user, accounts=["nobody"]
    )
    Binding.objects.filter(pk=bound.pk).update(state="done", looked={"accounts": 1}, did={"given": 0})
    rule = making.trigger(making.template())
    reminds = ReminderRule.objects.create(name="到期", message=MessageTemplate.objects.get(key="coupon-reminder"))
    template = making.template()
    yesterday = f"{business_now():%Y-%m-%d}"
    for address, said, made in (
        (f"distribution/binding/{bound.pk}/move/again/", {}, Binding.objects.filter(again_for=bound)),
        (f"distribution/triggerrule/{rule.pk}/move/try/", {"day": yesterday}, Job.objects.filter(kind="try_trigger")),
        (f"distribution/reminderrule/{reminds.pk}/move/try/", {"to": "+8613900000000"}, Message.objects.all()),
        (
            f"coupons/coupontemplate/{template.pk}/move/copy/",
            {},
            CouponTemplate.objects.filter(internal_name__startswith=template.internal_name).exclude(pk=template.pk),
        ),
    ):
        page = shown(client, f"{ADMIN}{address}")
        before = made.count()
        first = client.post(f"{ADMIN}{address}", {**said, **page})
        clock.forward(seconds=2)
        second = client.post(f"{ADMIN}{address}", {**said, **page})
        assert made.count() == before + 1, address
        assert first["Location"] == second["Location"]
        client.post(f"{ADMIN}{address}", {**said, **shown(client, f"{ADMIN}{address}")})
        assert made.count() == before + 2, address
    go_on_with_jobs()


def test_a_key_is_made_once_and_whoever_missed_it_is_told(clock):
    client = desk(somebody("管理员"))
    address = f"{ADMIN}coupons/apikey/add/"
    said = {"name": "订单系统", "scopes": ["read"], **shown(client, address)}
    assert client.post(address, said).status_code == 200
    again = client.post(address, said, follow=True)
    assert "重复提交" in again.content.decode()
    assert ApiKey.objects.count() == 1


def test_ten_at_the_same_moment_make_one(race, clock):
    said = codes()
    user = somebody("运营")
    address = f"{ADMIN}distribution/codebatch/add/"
    page = shown(desk(user), address)
    answers = race(10, lambda _number: desk(user).post(address, {**said, **page})["Location"])
    assert len({*answers}) == 1, answers
    assert CodeBatch.objects.count() == Job.objects.count() == 1
