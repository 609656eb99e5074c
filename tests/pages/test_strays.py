"""Where the web itself says no: in the look and the language of where somebody was; and nothing changes."""

import pytest
from django.test import Client

from coupons.models import Coupon, Weather
from distribution.models import OptOut
from tests import making
from tests.pages.company import desk, somebody
from tests.stories.visitors import Visitor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _record(settings, tmp_path):
    settings.MESSAGE_RECORD = tmp_path / "messages.jsonl"


@pytest.mark.parametrize("address", ["/h5/nothing/", "/h5/", "/h5/wallet/nothing/", "/h5/share/nothing/"])
def test_a_customer_who_strays_stays_with_the_customers_pages(address):
    """P6"""
    for language, words in (("zh-Hans", "我的卡包"), ("en", "My coupons")):
        page = Client(headers={"accept-language": language}).get(address)
        said = page.content.decode()
        assert (page.status_code, 'href="/h5/wallet/"' in said, words in said) == (404, True, True)
        assert "/admin/" not in said
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_shop_staff_who_stray_are_led_back_to_their_counter():
    """U10"""
    said = Client().get("/counter/nothing/")
    assert (said.status_code, 'href="/counter/"' in said.content.decode()) == (404, True)
    assert "/admin/" not in said.content.decode()


def test_a_page_from_before_signing_in_anew_is_told_so_and_does_nothing():
    """P6: in words of ours, not of the framework."""
    page = making.claim_page(making.template())
    visitor = Visitor()
    visitor.sign_in()
    before = {"headers": {"accept-language": "zh"}}
    for browser, address in (
        (visitor.browser, f"/h5/{page.slug}/claim/"),
        (Client(enforce_csrf_checks=True), "/counter/sign-in/"),
        (Client(enforce_csrf_checks=True), "/admin/login/"),
    ):
        no = browser.post(address, {"once": "a"}, **before)
        assert (no.status_code, "请重新打开页面后再试" in no.content.decode()) == (403, True), address
        assert ("/admin/" in no.content.decode()) is address.startswith("/admin/")
    assert not Coupon.objects.exists()


def test_what_nobody_types_is_not_understood():
    operator = desk(somebody("管理员"))
    for asked in ("kind__exact=%00", "city__in=%00,310000"):
        no = operator.get(f"/admin/coupons/weather/?{asked}")
        assert (no.status_code, "无法理解该请求" in no.content.decode()) == (400, True), asked
    said = {"city": "a\0", "kind": "rain", "starts_at": "2026-06-01 00:00", "ends_at": "2026-06-02 00:00"}
    assert operator.post("/admin/coupons/weather/add/", said).context["adminform"].form.errors.keys() == {"city"}
    assert not Weather.objects.exists()


def test_what_breaks_is_said_in_both_languages(monkeypatch):
    def broken(*told: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("redemption.counter.signing_in.whoever", broken)
    browser = Client(raise_request_exception=False)
    said = browser.get("/counter/")
    assert said.status_code == 500
    assert "我们这边出了问题" in said.content.decode()
    assert "Something went wrong on our side" in said.content.decode()


def test_a_number_without_end_names_nothing():
    """Python refuses to read it, so nobody else is asked to."""
    chief, endless = desk(somebody("管理员")), "9" * 5000
    addresses = {
        f"/admin/stats/report/excel/?report={endless}": 200,
        f"/admin/stats/effectreading/add/?campaign={endless}": 200,
        f"/admin/stats/rehearsal/add/?template={endless}&again={endless}": 200,
        f"/h5/looks.css?t={endless}": 200,
    }
    assert {address: chief.get(address).status_code for address in addresses} == addresses
    assert chief.post("/admin/distribution/claimpage/preview/", {"page": endless}).status_code == 200


@pytest.mark.parametrize("customer", ["abc", "1\0", "9" * 30, "-1"])
def test_what_cannot_be_an_id_is_an_error_at_its_field(customer):
    page = desk(somebody("管理员")).post("/admin/distribution/optout/add/", {"customer": customer})
    assert page.status_code == 200
    assert page.context["adminform"].form.errors.keys() == {"customer"}
    assert not OptOut.objects.exists()
