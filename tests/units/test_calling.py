"""Calls to other companies' servers, against one on loopback."""

import gzip
import threading
from itertools import count, repeat

import httpx
import pytest

from coupons import calling
from coupons.calling import Pinned, Unreachable, ask, json_of, public_address
from coupons.refused import Invalid
from tests.standin import standin


def test_an_answer_comes_back_whole_even_if_it_was_compressed():
    with standin(lambda asked: (200, {"Content-Encoding": "gzip"}, gzip.compress("天气".encode()))) as there:
        assert ask("GET", there.url + "/now").text == "天气"


def test_what_is_broken_off_or_at_fault_is_asked_again_as_often_as_allowed():
    answers = iter([(503, {}, b""), (200, {}, b"{}")])
    with standin(lambda asked: next(answers)) as there:
        assert ask("GET", there.url, attempts=3).status_code == 200
        assert len(there.asked) == 2


def test_what_may_not_be_done_twice_is_asked_once():
    with standin(lambda asked: (500, {}, b"")) as there:
        with pytest.raises(Unreachable) as no:
            ask("POST", there.url, json={"money": 1})
        assert (no.value.sent, no.value.status, len(there.asked)) == (True, 500, 1)


def test_silence_ends_and_may_have_done_it():
    may_answer = threading.Event()
    with standin(lambda asked: may_answer.wait(60)) as there, pytest.raises(Unreachable) as no:  # type: ignore[arg-type]
        ask("POST", there.url, timeout=0.3)
    may_answer.set()
    assert no.value.sent


def test_nobody_there_has_done_nothing():
    with standin(lambda asked: (200, {}, b"")) as there:
        pass
    with pytest.raises(Unreachable) as no:
        ask("POST", there.url)
    assert not no.value.sent


def test_a_flood_is_not_read():
    with standin(lambda asked: (200, {}, b"x" * 100_000)) as there, pytest.raises(Unreachable):
        ask("GET", there.url, most_bytes=50_000)


def test_an_answer_that_comes_drop_by_drop_is_not_waited_for(monkeypatch):
    """I9, I10: each drop comes in time, and the whole would never end."""
    drops = count()
    monkeypatch.setattr(calling, "monotonic", lambda: next(drops))
    for_ever = httpx.MockTransport(lambda asked: httpx.Response(200, content=repeat(b" ")))
    with pytest.raises(Unreachable, match="too long") as no:
        ask("GET", "http://risk.example/", timeout=5, transport=for_ever)
    assert no.value.sent
    assert next(drops) < 10


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b'{"a": NaN}', b'{"a": 1e999}', b"\xff"])
def test_what_is_no_json_is_no_answer(body):
    with pytest.raises(Unreachable):
        json_of(httpx.Response(200, content=body))


def test_redirects_are_not_followed():
    with standin(lambda asked: (302, {"Location": "http://127.0.0.1:1/"}, b"")) as there:
        assert ask("GET", there.url).status_code == 302


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:8000/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://10.1.2.3/",
        "http://169.254.169.254/latest",
        "http://0.0.0.0/",
        "http://2130706433/",
        "http://224.0.0.1/",
    ],
)
def test_addresses_of_our_own_network_are_refused(url):
    with pytest.raises(Invalid) as no:
        public_address(url)
    assert no.value.errors[0]["code"] == "private_address"


@pytest.mark.parametrize("url", ["", "ftp://example.com/", "https://", "https://a:b@example.com/", "http://x:99999/"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(Invalid) as no:
        public_address(url)
    assert no.value.errors[0]["code"] == "invalid_url"


def test_an_open_address_is_named_and_a_private_one_where_it_is_allowed():
    assert public_address("https://8.8.8.8/hook") == ("8.8.8.8", "8.8.8.8")
    assert public_address("http://127.0.0.1:8001/x", allowed=["127.0.0.1:8001"]) == ("127.0.0.1", "127.0.0.1")


def test_a_call_goes_to_the_address_that_was_looked_at():
    with standin(lambda asked: (200, {}, asked.headers["host"].encode())) as there:
        port = there.url.rsplit(":", 1)[1]
        answer = ask("GET", f"http://shop.example:{port}/", transport=Pinned("127.0.0.1"))
    assert answer.text == f"shop.example:{port}"
