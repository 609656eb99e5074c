"""Every "no" of the API has one shape, in the language that was asked for."""

import json
import logging
from io import BytesIO

import pydantic
import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client

from coupons.api import shapes
from coupons.refused import Invalid, Refused
from couponsite import problems

ENGLISH = {"Accept-Language": "en"}


class Line(shapes.Shape):
    unit_price_fen: int = pydantic.Field(ge=1, le=10**12)
    name: str = pydantic.Field(default="", max_length=5)


class Order(shapes.Shape):
    lines: list[Line] = pydantic.Field(max_length=2)
    kind: str = pydantic.Field(default="a", pattern="^[a-z]$")


def door(monkeypatch, act):
    """Puts `act` behind the address of health, so that what it raises passes the whole way out."""
    from couponsite.health import Health

    monkeypatch.setattr(Health, "get", lambda self, request: act(request))


def said(response):
    assert response["Content-Type"] == "application/problem+json"
    body = json.loads(response.content)
    assert body.keys() == {"type", "title", "status", "code", "detail", "reasons", "errors"}
    assert body["status"] == response.status_code
    assert body["type"] == f"urn:coupons:problem:{body['code']}"
    return body


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing/", "/api/", "/api", "/api/v2/coupons/", "/api/v1/health", "/api/%00/"]
)
@pytest.mark.parametrize("debug", [False, True])
def test_an_unknown_address_is_a_problem_in_both_languages(client: Client, settings, path, debug):
    settings.DEBUG = debug
    assert said(client.get(path))["detail"] == "这里没有内容，或者它不属于您。"
    english = client.get(path, headers=ENGLISH)
    assert said(english)["detail"] == "There is nothing here, or it is not yours."
    assert (english.status_code, english["Content-Language"]) == (404, "en")


def test_a_method_that_a_door_does_not_take_is_405_with_those_that_it_takes(client: Client):
    response = client.delete("/api/v1/health/", headers=ENGLISH)
    assert said(response)["code"] == "method_not_allowed"
    assert response.status_code == 405
    assert "GET" in response["Allow"]


def test_a_door_of_ours_says_which_methods_it_takes(client: Client):
    response = client.put("/api/v1/coupons/", b"{}", "application/json")
    assert (response.status_code, response["Allow"]) == (405, "GET")
    assert said(response)["title"] == "方法不被允许"


def test_a_body_that_is_not_json_is_415(client: Client, monkeypatch):
    from couponsite.health import Health

    monkeypatch.setattr(Health, "post", lambda self, request: HttpResponse(), raising=False)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        response = client.post("/api/v1/health/", b"a=b", content_type=kind)
        assert (response.status_code, said(response)["code"]) == (415, "unsupported_media_type")
    assert client.post("/api/v1/health/", b"{}", content_type="application/json; charset=utf-8").status_code == 200


def test_a_body_that_is_too_large_is_413(client: Client, monkeypatch, settings):
    from couponsite.health import Health

    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    monkeypatch.setattr(Health, "post", lambda self, request: HttpResponse(request._request.body), raising=False)
    response = client.post("/api/v1/health/", b"1" * 101, content_type="application/json", headers=ENGLISH)
    assert (response.status_code, said(response)["detail"]) == (413, "The body is too large.")


def test_a_body_in_pieces_is_read_to_its_end_or_refused_but_never_taken_for_none(client: Client, monkeypatch, settings):
    from couponsite.health import Health

    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    monkeypatch.setattr(Health, "post", lambda self, request: HttpResponse(request._request.body), raising=False)

    def send(body: bytes, kind: str = "application/json", **server):
        pieces = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_TYPE": kind, "wsgi.input": BytesIO(body), **server}
        return client.generic("POST", "/api/v1/health/", **pieces)

    known = {"wsgi.input_terminated": True}
    assert send(b"{}" * 50, **known).content == b"{}" * 50
    for answered, status, code in [
        (send(b"a=b", "text/plain", **known), 415, "unsupported_media_type"),
        (send(b"{}" * 50 + b" ", **known), 413, "body_too_large"),
        (send(b"{}"), 411, "length_required"),
    ]:
        assert (answered.status_code, said(answered)["code"]) == (status, code)


@pytest.mark.parametrize(
    ("language", "detail"), [("zh-CN,zh;q=0.9", "我们这边出了问题。"), ("en-GB", "Something went wrong on our side.")]
)
def test_what_nobody_foresaw_is_500_logged_and_told_without_its_inside(
    client: Client, monkeypatch, caplog, language, detail
):
    def act(request: HttpRequest):
        raise ZeroDivisionError("secret inside")

    door(monkeypatch, act)
    client.raise_request_exception = False
    with caplog.at_level(logging.ERROR):
        response = client.get("/api/v1/health/", headers={"Accept-Language": language})
    body = said(response)
    assert (response.status_code, body["code"], body["detail"]) == (500, "internal_error", detail)
    assert b"secret" not in response.content
    assert "ZeroDivisionError: secret inside" in caplog.text


def test_a_refusal_is_409_with_its_reasons(client: Client, monkeypatch):
    def act(request: HttpRequest):
        raise Refused("below_threshold", short_by_fen=250)

    door(monkeypatch, act)
    body = said(client.get("/api/v1/health/", headers=ENGLISH))
    assert (body["status"], body["code"]) == (409, "below_threshold")
    assert body["reasons"] == [
        {"code": "below_threshold", "detail": "The order is below the coupon's threshold.", "short_by_fen": 250}
    ]


def test_a_refusal_may_bring_headers_and_nobody_signed_in_is_told_how(client: Client, monkeypatch):
    def act(request: HttpRequest):
        raise Refused("not_authenticated", headers={"Retry-After": "7"})

    door(monkeypatch, act)
    response = client.get("/api/v1/health/")
    assert (response.status_code, response["Retry-After"], response["WWW-Authenticate"]) == (
        401,
        "7",
        "Bearer, Api-Key",
    )


def test_what_makes_no_sense_is_400_with_its_fields(client: Client, monkeypatch):
    def act(request: HttpRequest):
        raise Invalid.of("budget_fen", "too_small", "too small")

    door(monkeypatch, act)
    body = said(client.get("/api/v1/health/"))
    assert (body["status"], body["code"]) == (400, "invalid")
    assert body["errors"] == [{"field": "budget_fen", "code": "too_small", "detail": "too small"}]


@pytest.mark.parametrize(
    ("sent", "field", "code", "english"),
    [
        ("{}", "lines", "required", "This field is required."),
        ('{"lines": [], "x": 1}', "x", "unknown_field", "There is no such field."),
        ('{"lines": 1}', "lines", "wrong_type", None),
        ('{"lines": [{"unit_price_fen": 1.0}]}', "lines.0.unit_price_fen", "not_whole", None),
        ('{"lines": [{"unit_price_fen": 1e3}]}', "lines.0.unit_price_fen", "not_whole", None),
        ('{"lines": [{"unit_price_fen": "1"}]}', "lines.0.unit_price_fen", "not_whole", None),
        ('{"lines": [{"unit_price_fen": true}]}', "lines.0.unit_price_fen", "not_whole", None),
        ('{"lines": [{"unit_price_fen": NaN}]}', "lines.0.unit_price_fen", "not_whole", None),
        ('{"lines": [{"unit_price_fen": 0}]}', "lines.0.unit_price_fen", "too_small", "At least 1."),
        (
            '{"lines": [{"unit_price_fen": 1000000000001}]}',
            "lines.0.unit_price_fen",
            "too_large",
            "At most 1000000000000.",
        ),
        ('{"lines": [{"unit_price_fen": 1' + "0" * 40 + "}]}", "lines.0.unit_price_fen", "too_large", None),
        ('{"lines": [{"unit_price_fen": 1' + "0" * 5000 + "}]}", "", "malformed", None),
        (
            '{"lines": [{"unit_price_fen": 1, "name": "123456"}]}',
            "lines.0.name",
            "too_long",
            "At most 5 characters.",
        ),
        ('{"lines": [], "kind": "A"}', "kind", "invalid_format", "This does not have the right form."),
        ('{"lines": [', "", "malformed", "This is not JSON in UTF-8. Look at line 1, column 11."),
        ("[" * 10_000, "", "malformed", None),
        ('"\ud800"', "", "malformed", None),
        ("null", "", "wrong_type", None),
    ],
)
def test_every_wrong_field_is_named(client: Client, monkeypatch, sent, field, code, english):
    door(monkeypatch, lambda request: shapes.read(Order, sent.encode("utf-8", "surrogatepass")))
    body = said(client.get("/api/v1/health/", headers=ENGLISH))
    assert (body["status"], body["code"]) == (400, "invalid")
    assert [(error["field"], error["code"]) for error in body["errors"]] == [(field, code)]
    assert english is None or body["errors"][0]["detail"] == english
    assert any("一" <= letter <= "鿿" for letter in said(client.get("/api/v1/health/"))["errors"][0]["detail"])


def test_all_errors_are_told_at_once(client: Client, monkeypatch):
    door(
        monkeypatch,
        lambda request: shapes.read(Order, '{"lines": [{"unit_price_fen": 0}, {}], "kind": 5, "y": 1}'),
    )
    assert len(said(client.get("/api/v1/health/"))["errors"]) == 4


def test_a_host_that_is_not_ours_is_refused(client: Client, settings):
    settings.ALLOWED_HOSTS = ["coupons.example"]
    assert said(client.get("/api/v1/health/", headers={"Host": "evil.example"}))["status"] == 400


def test_every_sentence_of_a_no_has_its_chinese():
    from django.utils import translation

    from coupons.refused import SENTENCES

    with translation.override("zh-hans"):
        sentences = [
            *SENTENCES.values(),
            *problems.TITLES.values(),
            *(detail for _, detail in problems.OF_THE_WEB.values()),
        ]
        sentences += list(shapes.SENTENCES.values())
        assert [str(s) for s in sentences if not any("一" <= letter <= "鿿" for letter in str(s))] == []
