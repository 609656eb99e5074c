"""Operators make H5 pages, watch them while they write, and hand out links (P3, P6, P9)."""

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from distribution import sources
from distribution.models import ClaimLink, ClaimPage, Placement
from tests import making
from tests.pages.company import desk, somebody

pytestmark = pytest.mark.django_db
PAGES = "/admin/distribution/claimpage/"


@pytest.fixture(autouse=True)
def _uploads(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def picture(width=800, height=400, kind="PNG", name="head.png"):
    content = io.BytesIO()
    Image.new("RGB", (width, height), "#d92d20").save(content, kind)
    return SimpleUploadedFile(name, content.getvalue())


def form(placement, **changes):
    return {
        "placement": placement.pk,
        "slug": "summer",
        "title": "夏日福利",
        "lead": "人人有份",
        "button": "",
        "notes": "每人一张",
        "picture": "",
        "skin": "sky",
        "accent": "",
        "background": "",
        "use_label": "",
        "use_url": "",
        "share_title": "",
        "share_text": "",
        "with_wechat": "on",
        "links-TOTAL_FORMS": 0,
        "links-INITIAL_FORMS": 0,
        **changes,
    }


def h5_placement(**fields):
    return making.placement(making.template(), form="h5", channel="street_team", **fields)


def errors(response):
    assert response.status_code == 200
    return set(response.context["adminform"].form.errors)


def test_a_placement_leads_to_its_page(client):
    """P9: from the placement straight on to its tool."""
    placement = h5_placement(title="地推红包")
    operator = desk(somebody("运营"))
    seen = operator.get(f"/admin/distribution/placement/{placement.pk}/change/").content.decode()
    address = f"{PAGES}add/?placement={placement.pk}"
    assert address in seen
    assert 'value="地推红包"' in operator.get(address).content.decode()
    assert operator.post(f"{PAGES}add/", form(placement, picture_file=picture())).status_code == 302
    page = ClaimPage.objects.get()
    assert re.fullmatch(r"/pictures/[0-9a-f]{32}\.png", page.picture)
    assert page.picture in desk(somebody("管理员")).get("/h5/summer/").content.decode()
    change = operator.get(f"{PAGES}{page.pk}/change/").content.decode()
    assert "http://testserver/h5/summer/" in change
    assert (
        f"{PAGES}{page.pk}/change/"
        in operator.get(f"/admin/distribution/placement/{placement.pk}/change/").content.decode()
    )


@pytest.mark.parametrize(
    "upload",
    [
        SimpleUploadedFile("head.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
        SimpleUploadedFile("head.png", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
        SimpleUploadedFile("head.png", b"GIF89a" + b"\0" * 40),
        SimpleUploadedFile("head.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 100),
        SimpleUploadedFile("head.jpg", b"\0" * 2_000_001),
    ],
    ids=["svg", "svg that calls itself png", "gif", "no picture", "too many bytes"],
)
def test_what_is_no_picture_is_refused_and_the_rest_is_kept(upload):
    """By content, whatever the name says."""
    response = desk(somebody("运营")).post(f"{PAGES}add/", form(h5_placement(), picture_file=upload))
    assert errors(response) == {"picture_file"}
    assert "夏日福利" in response.content.decode()
    assert not ClaimPage.objects.exists()


def test_a_giant_picture_is_refused_before_it_is_drawn():
    giant = picture(5000, 100)
    response = desk(somebody("运营")).post(f"{PAGES}add/", form(h5_placement(), picture_file=giant))
    assert errors(response) == {"picture_file"}


def test_a_picture_is_drawn_anew_and_smaller(settings):
    content = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "where it was taken"
    Image.new("RGB", (2400, 1200), "red").save(content, "JPEG", exif=exif)
    upload = SimpleUploadedFile("head.jpg", content.getvalue() + b"<script>")
    desk(somebody("运营")).post(f"{PAGES}add/", form(h5_placement(), picture_file=upload))
    kept = (settings.MEDIA_ROOT / ClaimPage.objects.get().picture.lstrip("/")).read_bytes()
    assert b"where it was taken" not in kept
    assert b"<script>" not in kept
    assert Image.open(io.BytesIO(kept)).size == (1200, 600)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"slug": "wallet"}, "slug"),
        ({"slug": "Sommer"}, "slug"),
        ({"slug": "a/b"}, "slug"),
        ({"accent": "red"}, "accent"),
        ({"background": "#fff;}body{display:none"}, "background"),
        ({"use_url": "javascript:alert(1)"}, "use_url"),
        ({"use_url": "http://shop.example/"}, "use_url"),
        ({"use_label": "去使用"}, "use_url"),
        ({"picture": "https://evil.example/a.png"}, "picture"),
        ({"skin": "none"}, "skin"),
        ({"title": ""}, "title"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(changes, field):
    assert errors(desk(somebody("运营")).post(f"{PAGES}add/", form(h5_placement(), **changes))) == {field}


def test_only_placements_of_this_form_have_a_page_and_only_one():
    operator = desk(somebody("运营"))
    api = making.placement(making.template())
    assert errors(operator.post(f"{PAGES}add/", form(api))) == {"placement"}
    taken = making.claim_page(making.template())
    assert errors(operator.post(f"{PAGES}add/", form(taken.placement))) == {"placement"}


def test_the_preview_shows_what_is_in_the_form_and_keeps_nothing():
    placement = h5_placement()
    operator = desk(somebody("运营"))
    said = form(placement, title="<b>新标题</b>", accent="#123456", background="oops", picture_file=picture())
    shown = operator.post(f"{PAGES}preview/", said).json()
    assert "&lt;b&gt;新标题" in shown["html"]
    assert "--accent: #123456" in shown["html"]
    assert "oops" not in shown["html"]
    assert "满减券" in shown["html"]
    assert shown["picture"] in shown["html"]
    assert not ClaimPage.objects.exists()
    page = making.claim_page(making.template())
    operator.post(f"{PAGES}preview/", {**form(page.placement, title="另一个"), "page": page.pk})
    page.refresh_from_db()
    assert page.title == "夏日福利"
    assert desk(somebody("财务")).post(f"{PAGES}preview/", said).status_code == 403


def test_a_link_has_an_address_a_code_to_print_and_a_count():
    page = making.claim_page(making.template())
    operator = desk(somebody("运营"))
    said = {"links-TOTAL_FORMS": 1, "links-0-name": "人民广场1队", "links-0-page": page.pk}
    assert operator.post(f"{PAGES}{page.pk}/change/", form(page.placement, slug=page.slug, **said)).status_code == 302
    link = ClaimLink.objects.get()
    seen = operator.get(f"{PAGES}{page.pk}/change/").content.decode()
    assert f"/h5/{page.slug}/?s={sources.signed(link)}" in seen
    svg = operator.get(f"{PAGES}{page.pk}/qr/{link.pk}.svg")
    assert (svg.headers["Content-Type"], b"<svg" in svg.content) == ("image/svg+xml", True)
    png = operator.get(f"{PAGES}{page.pk}/qr/page.png")
    assert min(Image.open(io.BytesIO(png.content)).size) >= 1000
    for wrong in (f"{page.pk}/qr/999.svg", f"{page.pk}/qr/page.exe", "999/qr/page.svg"):
        assert operator.get(f"{PAGES}{wrong}").status_code == 404
    assert desk(somebody("客服")).get(f"{PAGES}{page.pk}/qr/page.svg").status_code == 403


def test_a_page_is_deleted_only_while_it_is_a_draft():
    live, draft = making.claim_page(making.template()), making.claim_page(making.template(), status="draft")
    operator = desk(somebody("运营"))
    assert operator.post(f"{PAGES}{live.pk}/delete/", {"post": "yes"}).status_code == 403
    assert operator.post(f"{PAGES}{draft.pk}/delete/", {"post": "yes"}).status_code == 302
    assert Placement.objects.count() == 2
