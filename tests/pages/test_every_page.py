"""Every page of the operators' site, opened by everybody, in both languages."""

import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest
from django.contrib import admin
from django.urls import reverse

from coupons.models import City, Coupon, CouponTemplate
from distribution.models import MessageTemplate
from tests.pages.company import ROLES, desk, found, somebody

pytestmark = pytest.mark.django_db

NAMES = ("operations", "approval", "finance", "service", "administrators")  # of ROLES
#: Who gets in where, besides what the rights of the model say: a sample, written down by hand.
CLOSED = {
    "运营": ("coupons_apikey", "redemption_order", "redemption_redemption", "auth_user", "auth_group"),
    "审核": ("coupons_apikey", "coupons_customer", "redemption_order", "auth_user", "auth_group"),
    "财务": ("coupons_apikey", "coupons_customer", "coupons_audience", "auth_user", "auth_group"),
    "客服": ("coupons_apikey", "coupons_audience", "distribution_campaign", "auth_user", "auth_group"),
    "管理员": (),
}
NO_ADDING = {
    "运营": ("coupons_coupon", "coupons_couponevent", "coupons_city"),
    "审核": ("coupons_coupontemplate", "distribution_campaign", "distribution_placement", "coupons_audience"),
    "财务": ("coupons_coupontemplate", "distribution_campaign", "coupons_merchant"),
    "客服": ("coupons_coupontemplate", "distribution_placement", "coupons_customer", "coupons_coupon"),
    "管理员": ("coupons_coupon", "coupons_couponevent", "redemption_order", "redemption_redemption"),
}
#: Words of the Chinese pages that are at home in both languages.
INTERNATIONAL = {
    "CSV",
    "Excel",
    "API",
    "App",
    "GMV",
    "SKU",
    "English",
    "JSON",
    "Webhook",
    "PNG",
    "SVG",
    "Axes",
    "Alice",
    "alice",
    "Test",
    "test",
    "esc",
    "zh-hans",
    "order",  # the key of a stack group
}


class Words(HTMLParser):
    """What a reader sees or hears of a page."""

    SILENT = ("script", "style", "template", "code")
    VOID = ("input", "br", "hr", "img", "meta", "link", "path", "use", "source")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        for name in ("title", "placeholder", "aria-label"):
            if said.get(name):
                self.seen.append(said[name])
        if tag not in self.VOID:
            silent = tag in self.SILENT or "material-symbols" in (said.get("class") or "") or said.get("lang") == "en"
            self.open.append((tag, silent or (bool(self.open) and self.open[-1][1])))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if not (self.open and self.open[-1][1]) and data.strip():
            self.seen.append(" ".join(data.split()))


def english(html: str) -> set[str]:
    words = Words()
    words.feed(html)
    return {text for text in words.seen if re.fullmatch(r"[A-Za-z][A-Za-z ,.;:'’()%/!?…-]{2,}", text)}


def pages():
    """Name, kind, address, the page, the thing on it."""
    for model, page in admin.site._registry.items():
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        yield name, "list", reverse(f"admin:{name}_changelist"), page, None
        yield name, "add", reverse(f"admin:{name}_add"), page, None
        for thing in model._default_manager.all()[: 3 if model is CouponTemplate else 1]:
            yield name, "change", reverse(f"admin:{name}_change", args=[thing.pk]), page, thing
            yield name, "history", reverse(f"admin:{name}_history", args=[thing.pk]), page, thing


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("role", ROLES, ids=NAMES)
def test_every_page_opens_for_whoever_may_see_it_and_for_nobody_else(role, language, system, rf):
    found(system("redeem"))
    user = somebody(role)
    client = desk(user, language)
    request = rf.get("/")
    request.user = user
    wrong, left = {}, {}  # address → status; word → where
    known = INTERNATIONAL | set(City.objects.values_list("name_en", flat=True))
    known |= set(MessageTemplate.objects.values_list("key", flat=True))
    known |= set(Coupon.objects.values_list("code", flat=True))  # by luck one may have letters alone
    for name, kind, address, page, thing in pages():
        if thing is not None and not page.get_queryset(request).filter(pk=thing.pk).exists():
            continue  # somebody else's, such as their background jobs
        sees = page.has_view_or_change_permission(request, thing)
        may = page.has_add_permission(request) if kind == "add" else sees
        response = client.get(address)
        if response.status_code != (200 if may else 403):
            wrong[address] = response.status_code
        if kind == "list" and name in CLOSED[role] and response.status_code != 403:
            wrong[address] = "should be closed"
        if kind == "add" and name in NO_ADDING[role] and response.status_code != 403:
            wrong[address] = "should not be made"
        if language == "zh-hans" and response.status_code == 200:
            left |= dict.fromkeys(english(response.content.decode()) - known, address)
    assert b'id="broken-off"' not in client.get("/admin/").content
    assert wrong == {}
    assert left == {}


@pytest.mark.parametrize("role", ROLES, ids=NAMES)
def test_the_menu_leads_nowhere_that_is_closed(role, system):
    found(system("redeem"))
    client = desk(somebody(role))
    page = client.get("/admin/").content.decode()
    menu = page[page.index('id="nav-sidebar-apps"') :]
    links = set(re.findall(r'href="(/admin/[a-z]+/[a-z]+/)"', menu))
    assert links
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", ROLES, ids=NAMES)
def test_no_page_leads_to_what_is_closed(role, system):
    """Asked as a server asks, outside of any transaction."""
    found(system("redeem"))
    client = desk(somebody(role))
    links: dict[str, tuple[str, str]] = {}  # one of each kind, and where it stands
    for _name, kind, address, _page, _thing in pages():
        if kind == "history":
            continue
        response = client.get(address)
        if response.status_code != 200:
            continue
        for link in re.findall(r'href="([^"#]+)', response.content.decode()):
            there = urljoin(address, unescape(link))
            if there.startswith("/admin/"):
                alike = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+", "…", there.partition("?")[0])
                links.setdefault(alike, (there, address))
    told = {pair: client.get(pair[0]).status_code for pair in links.values()}
    assert {pair: status for pair, status in told.items() if status not in (200, 302)} == {}


def test_no_list_asks_the_database_more_than_25_times(system, query_count):
    found(system("redeem"))
    client = desk(somebody("管理员"))
    client.get("/admin/")
    asked = {}
    for model in admin.site._registry:
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        with query_count() as count:
            assert client.get(address).status_code == 200
        asked[address] = count.statements
    assert {address: number for address, number in asked.items() if number > 25} == {}


def test_nothing_is_deleted_that_money_hangs_on(system):
    company = found(system("redeem"))
    client = desk(somebody("管理员"))
    for name, thing in (
        ("coupons_coupontemplate", company["out"]),
        ("distribution_campaign", company["campaign"]),
        ("distribution_placement", company["placement"]),
    ):
        response = client.post(reverse(f"admin:{name}_delete", args=[thing.pk]), {"post": "yes"})
        assert response.status_code == 403
        thing.refresh_from_db()


@pytest.mark.parametrize("role", ROLES, ids=NAMES)
def test_lists_are_taken_away_only_by_those_who_may(role, system):
    found(system("redeem"))
    user = somebody(role)
    client = desk(user)
    for model, page in admin.site._registry.items():
        if not getattr(page, "export_fields", ()):
            continue
        label, name = model._meta.app_label, model._meta.model_name
        may = user.has_perm(f"{label}.export_{name}") and user.has_perm(f"{label}.view_{name}")
        for kind in ("csv", "xlsx"):
            response = client.get(reverse(f"admin:{label}_{name}_changelist") + f"export/{kind}/")
            assert response.status_code == (200 if may else 403), (label, name, kind)
            if may:
                assert b"".join(response)


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [("/admin/coupons/apikey/", 403, "您的账号无权打开此页面"), ("/admin/nothing/", 404, "这个地址没有页面")],
)
def test_a_page_that_is_closed_or_not_there_says_so_in_words(address, status, words):
    response = desk(somebody("客服")).get(address)
    assert (response.status_code, words in response.content.decode()) == (status, True)
