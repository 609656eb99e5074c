"""Operators choose their language, callers of the API ask for theirs."""

import pytest
from django.test import Client
from django.utils import translation

from couponsite import catalogues
from couponsite.language import asked_for


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("", "zh-hans"),
        ("*", "zh-hans"),
        ("de", "zh-hans"),
        ("en", "en"),
        ("en-US,en;q=0.9", "en"),
        ("zh-CN,en;q=0.9", "zh-hans"),
        ("zh-TW", "zh-hans"),
        ("de, en;q=0.5, zh;q=0.3", "en"),
        ("en;q=0, zh", "zh-hans"),
        ("," * 5000, "zh-hans"),
        ("\x00;q=\x00", "zh-hans"),
    ],
)
def test_the_api_speaks_what_was_asked_for(client: Client, asked, spoken):
    assert asked_for(asked) == spoken
    assert client.get("/api/v1/none/", headers={"Accept-Language": asked})["Content-Language"] == spoken


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("cookie", "lang"), [("", "zh-hans"), ("en", "en"), ("xx", "zh-hans"), ("../../etc", "zh-hans")]
)
def test_pages_follow_the_operators_cookie_and_not_the_browser(client: Client, cookie, lang):
    if cookie:
        client.cookies["django_language"] = cookie
    response = client.get("/admin/login/", headers={"Accept-Language": "en"})
    assert response["Content-Language"] == lang
    assert f'<html lang="{lang}"' in response.content.decode()


def test_the_language_of_one_request_does_not_stay_for_the_next(client: Client):
    before = translation.get_language()
    client.get("/api/v1/none/", headers={"Accept-Language": "en"})
    assert translation.get_language() == before


def test_borrowed_parts_speak_chinese_too():
    with translation.override("zh-hans"):
        assert translation.gettext("Apply Filters") == "应用筛选"
        assert translation.gettext("is greater than") == "大于"
        assert translation.gettext("Account locked: too many login attempts. Please try again later.").startswith(
            "账号"
        )


def test_a_catalogue_is_compiled_when_it_is_newer_than_what_was_made_of_it(tmp_path, monkeypatch):
    po = tmp_path / "coupons" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    po.parent.mkdir(parents=True)
    po.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Coupon"\nmsgstr "券"\n', "utf-8"
    )
    monkeypatch.setattr(catalogues, "ROOT", tmp_path)
    assert catalogues.compile_changed() == [po]
    assert catalogues.compile_changed() == []
    assert "券".encode() in po.with_suffix(".mo").read_bytes()
