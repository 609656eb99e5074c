"""Other systems are told of coupons' moves: signed, in order, at least once; a slow one keeps only itself waiting."""

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from coupons import webhooks
from coupons.models import CouponEvent, Delivery, DeliveryAttempt, Subscription, UntoldEvent
from coupons.refused import Invalid
from couponsite.demo import stand_ins
from couponsite.demo.stand_ins import CRM, CRM_PATH
from couponsite.management.commands import demo
from tests import making
from tests.pages.company import desk, somebody
from tests.standin import standin
from tests.using import coupon, give, order

pytestmark = pytest.mark.django_db(transaction=True)
OK = (200, {}, b"")


def subscribe(url, settings, *kinds, name="CRM"):
    settings.WEBHOOK_PRIVATE_HOSTS = [*settings.WEBHOOK_PRIVATE_HOSTS, url.removeprefix("http://").split("/")[0]]
    return Subscription.objects.create(
        name=name, url=url, kinds=list(kinds or webhooks.KINDS), secret=webhooks.new_secret()
    )


def told(there):
    return [json.loads(asked.body)["type"] for asked in there.asked]


def test_every_move_is_told_once_signed_and_in_order(system, settings):
    with standin(lambda asked: OK) as there:
        crm = subscribe(f"{there.url}/hook", settings)
        one = coupon()
        till = system("redeem")
        held = till.post("redemptions/", {"order": order(), "coupons": [one], "capture": False}).body["id"]
        till.post(f"redemptions/{held}/capture/")
        till.post(f"redemptions/{held}/rollbacks/", {})
        assert webhooks.fan_out(timezone.now()) == 5
        assert webhooks.due(timezone.now()) == [crm.pk]
        assert webhooks.send(crm.pk) == 5
        assert told(there) == [f"coupon.{k}" for k in ("issued", "held", "redeemed", "rolled_back", "returned")]
        asked = there.asked[2]
        body = json.loads(asked.body)
        assert body["coupon"]["id"] == one
        assert (body["discount_fen"], body["redemption"], body["coupon"]["customer"]) == (2000, held, "alice")
        signed = f"{body['id']}.{asked.headers['webhook-timestamp']}.".encode() + asked.body
        key = base64.b64decode(crm.secret.removeprefix("whsec_"))
        mark = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        assert asked.headers["webhook-signature"] == f"v1,{mark}"
        assert asked.headers["webhook-id"] == body["id"]
        assert webhooks.send(crm.pk) == webhooks.fan_out(timezone.now()) == 0
        assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_nothing_is_queued_while_nobody_listens_and_only_what_is_wished_for_is_told(settings):
    coupon("alice")
    assert UntoldEvent.objects.count() == 0
    with standin(lambda asked: OK) as there:
        crm = subscribe(there.url, settings, "redeemed")
        coupon("bob")
        assert UntoldEvent.objects.count() == 1
        webhooks.fan_out(timezone.now())
        assert webhooks.send(crm.pk) == UntoldEvent.objects.count() == Delivery.objects.count() == 0


def test_a_failing_receiver_is_tried_again_later_in_order_and_given_up_after_a_day(clock, settings, system):
    answers = iter([(500, {}, b""), (404, {}, b""), OK, OK])
    with standin(lambda asked: next(answers)) as there:
        crm = subscribe(there.url, settings)
        one = coupon()
        system("redeem").post("redemptions/", {"order": order(), "coupons": [one]})
        webhooks.fan_out(clock.now())
        assert webhooks.send(crm.pk) == 0
        assert webhooks.due(clock.now()) == [crm.pk], "the later one is due, but waits for the first"
        assert webhooks.send(crm.pk) == 0
        assert told(there) == ["coupon.issued"]
        clock.forward(seconds=5)
        assert webhooks.send(crm.pk) == 0
        clock.forward(seconds=30)
        assert webhooks.send(crm.pk) == 2
        assert told(there) == ["coupon.issued"] * 3 + ["coupon.redeemed"]
        first = Delivery.objects.get(kind="issued")
        assert list(first.attempts.values_list("status", flat=True)) == [500, 404, 200]
    crm.url = "http://127.0.0.1:9/"
    crm.save()
    coupon("bob")
    settings.WEBHOOK_PRIVATE_HOSTS = ["127.0.0.1:9"]
    webhooks.fan_out(clock.now())
    last = Delivery.objects.get(state="pending")
    for _hour in range(60):
        webhooks.send(crm.pk)
        clock.forward(hours=1)
    last.refresh_from_db()
    assert last.state == "given_up"
    assert last.ended_at <= last.since + timedelta(hours=24)
    assert 8 < last.attempt_count < 20
    webhooks.send_again(last, clock.now())
    last.refresh_from_db()
    assert last.state == "pending"


def test_ids_that_commit_out_of_order_lose_no_event(settings):
    """The later id is committed and told first; the earlier one, committed after it, is told, too."""
    with standin(lambda asked: OK) as there:
        crm = subscribe(there.url, settings)
        may_commit, began = threading.Event(), threading.Event()
        first, second = making.template(), making.template()

        def slow():
            with transaction.atomic():
                give(first, "alice")
                began.set()
                may_commit.wait(60)
            connection.close()

        thread = threading.Thread(target=slow)
        thread.start()
        assert began.wait(60)
        give(second, "bob")
        webhooks.fan_out(timezone.now())
        assert webhooks.send(crm.pk) == 1
        may_commit.set()
        thread.join()
        webhooks.fan_out(timezone.now())
        assert webhooks.send(crm.pk) == 1
        ids = [int(asked.headers["webhook-id"]) for asked in there.asked]
        assert ids[0] > ids[1]
        assert set(ids) == set(CouponEvent.objects.values_list("pk", flat=True))


def test_a_slow_receiver_slows_neither_claims_nor_others(settings):
    asked_slow, may_answer = threading.Event(), threading.Event()

    def slowly(asked):
        asked_slow.set()
        may_answer.wait(60)
        return OK

    with standin(slowly) as slow, standin(lambda asked: OK) as quick:
        slow_one = subscribe(slow.url, settings, name="slow")
        quick_one = subscribe(quick.url, settings, name="quick")
        coupon("alice")
        webhooks.fan_out(timezone.now())
        thread = threading.Thread(target=lambda: (webhooks.send(slow_one.pk), connection.close()))
        thread.start()
        assert asked_slow.wait(60)
        coupon("bob")
        webhooks.fan_out(timezone.now())
        assert webhooks.send(quick_one.pk) == 2
        assert thread.is_alive()
        may_answer.set()
        thread.join()


@pytest.mark.parametrize("url", ["https://127.0.0.1/x", "https://10.0.0.8/x", "https://[::1]/x", "http://example.com/"])
def test_targets_within_our_own_network_are_refused_when_saved(url):
    with pytest.raises(Invalid):
        webhooks.check_target(url)
    page = desk(somebody("管理员")).post(
        "/admin/coupons/subscription/add/", {"name": "x", "url": url, "kinds": ["redeemed"], "is_active": "on"}
    )
    assert page.status_code == 200
    assert Subscription.objects.count() == 0


def test_an_address_typed_without_its_scheme_is_one_of_https(monkeypatch):
    monkeypatch.setattr(webhooks, "check_target", lambda url: None)
    typed = {"name": "x", "url": "crm.example.com/x", "kinds": ["redeemed"], "is_active": "on"}
    desk(somebody("管理员")).post("/admin/coupons/subscription/add/", typed)
    assert Subscription.objects.get().url == "https://crm.example.com/x"


def test_a_name_that_leads_into_our_network_by_now_is_not_called(settings, monkeypatch):
    """DNS rebinding: what was public when it was saved is asked again at every call, and connected to as checked."""
    with standin(lambda asked: OK) as there:
        port = int(there.url.rsplit(":", 1)[1])
        crm = subscribe(f"http://hooks.test:{port}/", settings)
        crm_hosts, settings.WEBHOOK_PRIVATE_HOSTS = settings.WEBHOOK_PRIVATE_HOSTS, []
        monkeypatch.setattr(
            "coupons.calling.socket.getaddrinfo", lambda *_asked, **_more: [(2, 1, 6, "", ("127.0.0.1", port))]
        )
        monkeypatch.setattr(webhooks, "_may_be_private", lambda url: True)
        coupon()
        webhooks.fan_out(timezone.now())
        assert webhooks.send(crm.pk) == 0
        assert there.asked == []
        assert DeliveryAttempt.objects.get().status is None
        settings.WEBHOOK_PRIVATE_HOSTS = crm_hosts


def test_the_page_shows_attempts_and_sends_again(settings, clock):
    admin = desk(somebody("管理员"))
    with standin(lambda asked: (503, {}, b"")) as there:
        settings.WEBHOOK_PRIVATE_HOSTS = [there.url.removeprefix("http://")]
        made = admin.post(
            "/admin/coupons/subscription/add/",
            {"name": "CRM", "url": f"{there.url}/", "kinds": ["issued"], "is_active": "on"},
        )
        crm = Subscription.objects.get()
        assert crm.secret in made.content.decode()
        coupon()
        webhooks.fan_out(clock.now())
        webhooks.send(crm.pk)
    one = Delivery.objects.get()
    page = admin.get(f"/admin/coupons/delivery/{one.pk}/change/").content.decode()
    assert "503" in page
    assert crm.secret not in admin.get(f"/admin/coupons/subscription/{crm.pk}/change/").content.decode()
    assert admin.post(f"/admin/coupons/delivery/{one.pk}/move/again/").status_code == 302
    one.refresh_from_db()
    assert one.next_at == clock.now()
    assert desk(somebody("运营")).get("/admin/coupons/delivery/").status_code == 403


def test_a_new_secret_signs_beside_the_old_one_for_a_day(settings, clock):
    admin = desk(somebody("管理员"))
    with standin(lambda asked: OK) as there:
        crm = subscribe(there.url, settings)
        old = crm.secret
        address = f"/admin/coupons/subscription/{crm.pk}/move/renew/"
        asked = admin.get(address).content.decode()
        assert old not in asked
        seen = {"seen": re.findall(r'name="seen" value="([0-9a-f]+)"', asked)[0]}
        shown = admin.post(address, seen)
        crm.refresh_from_db()
        assert admin.post(address, seen).status_code == 302, "pressed twice: the secret that was just shown stays"
        assert admin.post(address).status_code == 200, "nobody was asked"
        assert (crm.secret, crm.old_secret) == Subscription.objects.values_list("secret", "old_secret").get()
        assert crm.secret != old
        assert crm.secret in shown.content.decode()
        assert "no-store" in shown.headers["Cache-Control"]
        for hours, secrets in ((23, [crm.secret, old]), (1, [crm.secret])):
            clock.forward(hours=hours)
            coupon()
            webhooks.fan_out(clock.now())
            assert webhooks.send(crm.pk) == 1
            asked = there.asked[-1]
            id, at = asked.headers["webhook-id"], int(asked.headers["webhook-timestamp"])
            marks = asked.headers["webhook-signature"].split()
            assert marks == [webhooks.sign(secret, id, at, asked.body) for secret in secrets]
    for role in ("运营", "财务", "客服"):
        assert desk(somebody(role)).post(f"/admin/coupons/subscription/{crm.pk}/move/renew/").status_code == 403
    assert Subscription.objects.get().secret == crm.secret


def test_two_workers_at_once_tell_each_coupons_moves_in_order_and_once(settings, system):
    with standin(lambda asked: (time.sleep(0.02), OK)[1]) as there:
        crm = subscribe(there.url, settings)
        till = system("redeem")
        for number in range(6):
            held = {"order": order(f"o{number}"), "coupons": [coupon()], "capture": False}
            till.post(f"redemptions/{till.post('redemptions/', held).body['id']}/capture/")
        webhooks.fan_out(timezone.now())
        workers = [threading.Thread(target=lambda: (webhooks.send(crm.pk), connection.close())) for _worker in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        webhooks.send(crm.pk)
    heard: dict[str, list[str]] = {}
    for asked in there.asked:
        body = json.loads(asked.body)
        heard.setdefault(body["coupon"]["id"], []).append(body["type"])
    assert list(heard.values()) == [["coupon.issued", "coupon.held", "coupon.redeemed"]] * 6


def test_plain_http_is_for_the_named_host_alone(settings):
    """What merely begins like it is another's."""
    settings.WEBHOOK_PRIVATE_HOSTS = ["127.0.0.1", "crm.intern:8080"]
    for url in ("http://127.0.0.1.nip.example/x", "http://crm.intern:80801/x", "http://crm.intern/x"):
        with pytest.raises(Invalid) as no:
            webhooks.check_target(url)
        assert no.value.errors[0]["code"] == "invalid_url", url
    assert webhooks.check_target("http://127.0.0.1/x") == ("127.0.0.1", "127.0.0.1")


def test_the_demos_crm_believes_what_its_secret_signed_and_is_new(rf):
    """What receivers are told to do, done by the one that the demo brings along."""
    crm = Subscription.objects.create(name=CRM, url="https://x.example/", kinds=["void"], secret=webhooks.new_secret())

    def post(secret=crm.secret, at=0, body=b"{}", **headers):
        then = int(timezone.now().timestamp()) + at
        told = {
            "Webhook-Id": "7",
            "Webhook-Timestamp": str(then),
            "Webhook-Signature": f"v1,old {webhooks.sign(secret, '7', then, b'{}')}",
        }
        sent = rf.post(CRM_PATH, body, content_type="application/json", headers={**told, **headers})
        return stand_ins.crm(sent).status_code

    assert post() == 204
    assert [post(webhooks.new_secret()), post(at=-600), post(body=b"[]"), post(**{"Webhook-Timestamp": "x"})] == [
        401
    ] * 4


def test_the_demos_crm_is_found_at_the_port_of_each_start():
    others = "https://crm.example.com/hook"
    for url in (f"http://127.0.0.1:8000{CRM_PATH}", others):
        Subscription.objects.create(name=CRM, url=url, kinds=["void"], secret=webhooks.new_secret())
    demo.crm_listens_at("http://127.0.0.1:9")
    assert set(Subscription.objects.values_list("url", flat=True)) == {f"http://127.0.0.1:9{CRM_PATH}", others}
