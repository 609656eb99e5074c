"""P9, P10: from a saved coupon straight on to the tool of its channel and form, in a real browser; operator makes it,
customer uses it."""

import io
import json
import re
import shlex
from html import unescape
from urllib.parse import urlencode

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from coupons.models import Coupon
from coupons.queries import catalogue
from coupons.tasks import go_on_with_jobs
from distribution.models import Binding, CodeBatch, Placement, SharePlan
from distribution.queries import triggers
from tests import coding, making
from tests.pages.company import desk, somebody
from tests.pages.looking import fits
from tests.stories.test_whole_chain import browser, field, save, sign_in, zh  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def uploads(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    settings.BIND_MINUTES = 0


def placed(page, template, address, form):
    """From the template's page to the tool of the form."""
    page.goto(f"{address}/admin/coupons/coupontemplate/{template.pk}/change/")
    page.get_by_role("link", name=zh("Place it")).first.click()
    field(page, "title").fill("新投放")
    page.locator("[name=channel]").select_option("partner")
    page.locator("[name=form]").select_option(form)
    page.locator("[name=offers-0-audience]").select_option(label=zh("everyone"))
    save(page)
    return Placement.objects.latest("pk")


@pytest.mark.parametrize("width", [1440, 390], ids=["desk", "phone"])
def test_from_a_coupon_to_codes_in_a_file_to_a_customers_wallet(browser, socket, customer, width):  # noqa: F811
    """P5, P9"""
    template = making.template()
    page = sign_in(browser, socket, "xiaolin", "运营", width)
    placement = placed(page, template, socket, "code")
    assert page.locator("[name=placement]").input_value() == str(placement.pk)
    expect(page.locator("[name=shared_code]")).to_be_hidden()
    page.locator("[name=name]").fill("异业合作码")
    page.locator("[name=code_count]").fill("5")
    save(page)
    batch = CodeBatch.objects.get()
    assert batch.state == "ready"
    page.get_by_role("link", name=zh("Make the Excel file")).click()
    page.get_by_role("button", name=zh("Make the Excel file")).click()
    page.get_by_role("link", name=zh("Download the Excel file")).click()
    with page.expect_download() as download:
        page.get_by_role("button", name=zh("Download")).click()
    with open(download.value.path(), "rb") as file:
        codes = [row[0].value for row in load_workbook(io.BytesIO(file.read())).worksheets[1].iter_rows(min_row=2)]
    assert len(codes) == 5
    assert fits(page)
    page.goto(f"{socket}/admin/distribution/codebatch/{batch.pk}/change/")
    expect(page.get_by_text("此后任何人都无法再查看")).to_be_visible()
    Placement.objects.filter(pk=placement.pk).update(status="live")
    assert customer("alice").post("exchanges/", {"code": codes[0].lower(), "client": "app"}).status == 201


@pytest.mark.parametrize("width", [1440, 390], ids=["desk", "phone"])
def test_from_a_coupon_to_accounts_that_have_it(browser, socket, customer, width):  # noqa: F811
    """P7, P9"""
    from coupons.models import Customer

    Customer.objects.create(key="alice")
    template = making.template()
    page = sign_in(browser, socket, "xiaolin", "运营", width)
    placement = placed(page, template, socket, "bind")
    page.locator("[name=name]").fill("补偿名单")
    page.locator("[name=accounts]").fill("alice\nnobody")
    expect(page.locator("[name=file]")).to_be_hidden()
    Placement.objects.filter(pk=placement.pk).update(status="live")
    save(page)
    expect(page.get_by_text("没有这个账号")).to_be_visible()
    page.get_by_role("link", name=zh("Confirm")).click()
    page.get_by_role("button", name=zh("Confirm")).click()
    expect(page.get_by_text(zh("Confirmed."))).to_be_visible()
    go_on_with_jobs()
    page.reload()
    with page.expect_download():
        page.get_by_role("link", name=zh("Result, a line for each account")).click()
    assert fits(page)
    assert Binding.objects.get().did["given"] == 1
    [coupon] = customer("alice").get("coupons/").body["results"]
    assert coupon["placement"] == placement.key


@pytest.mark.parametrize(
    ("form", "leads_to"),
    [
        ("api", "/placement/{}/change/"),
        ("code", "/codebatch/add/?placement={}"),
        ("h5", "/claimpage/add/?placement={}"),
        ("bind", "/binding/add/?placement={}"),
        ("trigger", "/triggerrule/add/?placement={}"),
    ],
)
def test_each_form_leads_on_to_its_tool(form, leads_to):
    """P9"""
    template = making.template(making.campaign())
    client = desk(somebody("运营"))
    address = f"/admin/distribution/placement/add/?template={template.pk}"
    assert client.get(address).status_code == 200
    said = {
        "campaign": template.budget.campaign.pk,
        "title": "x",
        "key": "x",
        "channel": "partner",
        "form": form,
        "pick": "first",
        "offers-TOTAL_FORMS": 1,
        "offers-INITIAL_FORMS": 0,
        "offers-0-template": template.pk,
        "offers-0-audience": "*",
    }
    response = client.post(address, said)
    placement = Placement.objects.get()
    assert response.status_code == 302
    assert response.url == f"/admin/distribution{leads_to.format(placement.pk)}"
    assert client.get(response.url).status_code == 200
    words = client.get(f"/admin/distribution/placement/{placement.pk}/change/").content.decode()
    assert zh("Try it as a customer") in words
    assert ("curl" in words) is (form != "bind")
    assert ("/h5/wallet/code/" in words) is (form == "code")


def test_each_tool_ends_at_what_its_placement_is_reached_by(clock):
    """P9: link, call and trial; what the placement waits for, too."""
    client = desk(somebody("运营"))
    shared = {"type": "no_threshold", "amount_fen": 500}
    for tool, form, said, words in (
        ("claimpage", "h5", {"slug": "summer", "title": "夏日", "skin": "sky"}, "/h5/summer/"),
        ("triggerrule", "trigger", {"event": "sign_up", "cooldown_minutes": 0, "fresh_minutes": 9}, "sign_up"),
        ("shareplan", "api", {"slots_count": 2, "pot_fen": "10", "split": "even", "hours": 9}, "/api/v1/shares/"),
    ):
        channel = "share" if tool == "shareplan" else "street_team"
        placement = making.placement(making.template(**shared), form=form, channel=channel, status="draft")
        answer = client.post(f"/admin/distribution/{tool}/add/", {"placement": placement.pk, **said}, follow=True)
        assert answer.redirect_chain, (tool, answer.context["adminform"].form.errors)
        assert answer.redirect_chain[-1][0] == f"/admin/distribution/placement/{placement.pk}/change/"
        page = answer.content.decode()
        assert words in page
        assert "以某用户身份试领" in page


def test_the_call_of_a_trigger_says_what_its_rule_wants_to_hear(clock):
    """P8, P9: pasted with a key and a customer, it gives."""
    tests = [("page", "=", "bob's"), ("order.late", ">", 20), ("stars", "<=", 4), ("vip", "=", True), ("x", "!=", 1)]
    rule = making.trigger(
        making.template(),
        event="page_view",
        tests=[{"field": field, "is": comparison, "value": value} for field, comparison, value in tests],
    )
    page = desk(somebody("运营")).get(f"/admin/distribution/placement/{rule.placement_id}/change/").content.decode()
    line = unescape(re.search(r'id="api-call-line">(.*?)</code>', page, re.S)[1])
    *_, body = shlex.split(line)
    data = json.loads(body)["data"]
    assert data == {"page": "bob's", "order": {"late": 21}, "stars": 4, "vip": True, "x": 2}
    book = catalogue.current()
    assert triggers.says(triggers.compiled(book, rule), data)


def test_what_waits_for_its_placement_says_so(clock):
    """P9: a batch of a draft."""
    batch = coding.batch(coding.placement(status="draft"))
    client = desk(somebody("运营"))
    address = f"/admin/distribution/codebatch/{batch.pk}/change/"
    assert "不会发券。当前状态：草稿" in client.get(address).content.decode()
    Placement.objects.update(status="live")
    assert "不会发券" not in client.get(address).content.decode()


def test_a_shared_code_and_an_h5_page_end_with_a_link_and_pictures_to_print(clock):
    """P9: whoever scans the shared code finds it typed in."""
    code, h5 = making.placement(making.template(), form="code"), making.claim_page(making.template())
    batch = coding.batch(code, kind="shared", shared_code="夏日好礼", use_limit=9)
    client = desk(somebody("运营"))
    address = f"/h5/wallet/code/?{urlencode({'text': '夏日好礼'})}"
    for page in (f"placement/{code.pk}", f"codebatch/{batch.pk}"):
        words = client.get(f"/admin/distribution/{page}/change/").content.decode()
        assert address in words
        assert f"/codebatch/{batch.pk}/qr.png" in words
    assert f"/h5/{h5.slug}/" in client.get(f"/admin/distribution/placement/{h5.placement_id}/change/").content.decode()
    pictures = {
        kind: client.get(f"/admin/distribution/codebatch/{batch.pk}/qr.{kind}").content for kind in ("svg", "png")
    }
    assert int.from_bytes(pictures["png"][16:20]) >= 1000  # pixels across
    assert pictures["svg"].startswith(b"<?xml")
    assert client.get(f"/admin/distribution/codebatch/{batch.pk}/qr.pdf").status_code == 404
    unshared = coding.batch(code)
    assert client.get(f"/admin/distribution/codebatch/{unshared.pk}/qr.svg").status_code == 404


def test_a_placement_that_is_shared_leads_on_to_its_packets(clock):
    """P9, P11"""
    placement = making.placement(making.template(), channel="share")
    client = desk(somebody("运营"))
    words = client.get(f"/admin/distribution/placement/{placement.pk}/change/").content.decode()
    assert f"/shareplan/add/?placement={placement.pk}" in words
    assert client.get(f"/admin/distribution/shareplan/add/?placement={placement.pk}").status_code == 200
    plan = SharePlan.objects.create(placement=placement, slots_count=2, pot_fen=4000)
    assert "curl" in client.get(f"/admin/distribution/shareplan/{plan.pk}/change/").content.decode()


def test_a_placement_is_tried_as_a_customer_without_effect(clock):
    """P9, I12"""
    placement = making.placement(making.template(), form="code")
    client = desk(somebody("运营"))
    page = client.get(f"/admin/distribution/placement/{placement.pk}/change/").content.decode()
    address = f"/admin/distribution/placement/why/?placement={placement.key}"
    assert f"why/?placement={placement.key}" in page
    assert client.get(f"{address}&customer=alice").status_code == 200
    assert not Coupon.objects.exists()


def test_a_campaigns_page_holds_its_placements_side_by_side(system, clock):
    """P10"""
    from tests.using import order

    campaign = making.campaign(budget_fen=1_000_000)
    template = making.template(campaign)
    used, idle = making.placement(template, of=campaign), making.placement(template, of=campaign, form="bind")
    caller = system("issue", "redeem")
    coupon = caller.post(f"placements/{used.key}/claims/", {"customer": "alice"}).body["coupons"][0]["id"]
    assert caller.post("redemptions/", {"order": order(), "coupons": [coupon]}).status == 201
    page = desk(somebody("财务")).get(f"/admin/distribution/campaign/{campaign.pk}/change/").content.decode()
    row = page[page.index(used.key) :]
    row = row[: row.index("</tr>")]
    for words in ("1 (100%)", "¥20.00", "¥120.00", "16.7%"):
        assert words in row
    assert idle.key in page
