"""A code typed on a phone, or brought along by a poster's QR code, becomes a coupon in the wallet (P5, P6)."""

from datetime import timedelta

import pytest

from coupons.models import Area, Coupon, Custom, CustomDay, Weather
from tests import coding, making
from tests.coding import whole
from tests.stories.test_h5 import text
from tests.stories.visitors import Visitor, once

pytestmark = pytest.mark.django_db
PAGE = "/h5/wallet/code/"


@pytest.fixture(autouse=True)
def _record(settings, tmp_path):
    settings.MESSAGE_RECORD = tmp_path / "messages.jsonl"


def exchange(visitor, typed, **said):
    return visitor.post(PAGE, typed=typed, once=said.pop("once", "") or once(visitor.get(PAGE)), **said)


def test_a_code_is_typed_as_it_comes_and_becomes_a_coupon(clock, ledger):
    code = whole(coding.batch())[0]
    visitor = Visitor()
    visitor.sign_in()
    assert f'href="{PAGE}"' in visitor.get("/h5/wallet/").content.decode()
    done = exchange(visitor, f" {code.lower().replace('-', ' ')} ")
    coupon = Coupon.objects.get()
    assert (done.status_code, done.headers["Location"]) == (303, f"{PAGE}?got={coupon.pk}")
    got = visitor.get(done.headers["Location"])
    assert "In your wallet" in text(got)
    assert f"/h5/wallet/{coupon.pk}/" in got.content.decode()
    ledger()


def test_the_same_form_twice_is_one_exchange(clock, ledger):
    coding.batch(kind="shared", shared_code="SUMMER", use_limit=9)
    visitor = Visitor()
    visitor.sign_in()
    answers = [exchange(visitor, "summer", once="form").headers.get("Location") for _ in range(3)]
    assert len(set(answers)) == 1
    assert Coupon.objects.count() == 1
    ledger()


def test_a_wrong_code_is_kept_in_its_field_and_the_eleventh_waits(clock):
    """Unknown, used and closed are one answer; a phone that guesses is held back as an account is."""
    [right, *_] = whole(coding.batch())
    visitor = Visitor()
    visitor.sign_in()
    wrong = exchange(visitor, "<b>WRONG")
    assert (wrong.status_code, "This code is not valid." in text(wrong)) == (409, True)
    assert 'value="&lt;b&gt;WRONG"' in wrong.content.decode()
    assert {exchange(visitor, f"WRONG{n}").status_code for n in range(9)} == {409}
    held = exchange(visitor, right)
    assert (held.status_code, 0 < int(held.headers["Retry-After"]) <= 600) == (429, True)
    assert not Coupon.objects.exists()


def test_a_poster_brings_its_code_along_through_the_sign_in(clock):
    """One act after signing in: the code stands in the field. What comes along is shown, never done."""
    coding.batch(kind="shared", shared_code="夏日好礼", use_limit=9)
    visitor = Visitor()
    way = visitor.get(f"{PAGE}?text=夏日好礼")
    assert way.status_code == 303
    assert "Exchange a code" in text(visitor.get(way.headers["Location"]))
    back = visitor.sign_in("exchange.夏日好礼")
    form = visitor.get(back.headers["Location"])
    assert 'name="typed" value="夏日好礼"' in form.content.decode()
    assert not Coupon.objects.exists()
    assert exchange(visitor, "夏日好礼").status_code == 303
    for aimed in ("//evil.example/", "https://evil.example/"):
        assert Visitor(phone="13900139000").get(f"{PAGE}?text={aimed}").headers["Location"].startswith("/h5/sign-in/")


def test_somebody_elses_coupon_is_not_shown_as_got(clock):
    code = whole(coding.batch())[0]
    other = Visitor(phone="13900139000")
    other.sign_in()
    exchange(other, code)
    stranger = Coupon.objects.get()
    visitor = Visitor()
    visitor.sign_in()
    assert str(stranger.pk) not in visitor.get(f"{PAGE}?got={stranger.pk}&got=nonsense").content.decode()


def test_a_code_for_some_city_asks_for_it_and_one_for_an_area_for_the_position(clock):
    """I2: a refusal because nobody knows where the visitor is has its remedy on the page."""
    square = {"type": "Polygon", "coordinates": [[[121, 31], [122, 31], [122, 32], [121, 32], [121, 31]]]}
    Area.objects.create(key="bund", name="外滩", geojson=square)
    city, area = (
        whole(coding.batch(coding.placement(making.template(**rules))))[0]
        for rules in ({"claim_cities": ["310000"]}, {"claim_conditions": {"areas": {"any_of": ["bund"]}}})
    )
    visitor = Visitor()
    visitor.sign_in()
    asked = exchange(visitor, city)
    assert (asked.status_code, 'value="310000"' in asked.content.decode()) == (409, True)
    assert exchange(visitor, city, city="310000").status_code == 303
    asked = exchange(visitor, area)
    assert (asked.status_code, "data-position" in asked.content.decode()) == (409, True)
    for place in ({"lat": "nan", "lng": "121.5"}, {"lat": "95", "lng": "121.5"}, {"lat": "30", "lng": "121.5"}):
        assert exchange(visitor, area, **place).status_code == 409
    assert exchange(visitor, area, lat="31.5", lng="121.5").status_code == 303
    assert Coupon.objects.count() == 2


def test_an_area_inside_an_audience_asks_for_the_position_too(clock):
    """I2, I12: however deep it lies, to be in or out of it; nobody is asked where it would not be enough."""
    square = {"type": "Polygon", "coordinates": [[[121, 31], [122, 31], [122, 32], [121, 32], [121, 31]]]}
    Area.objects.create(key="bund", name="外滩", geojson=square)
    there = making.audience({"areas": {"any_of": ["bund"]}})
    deep = making.audience({"audiences": {"any_of": [there.key]}})
    unsure = making.audience({"areas": {"any_of": ["bund"]}, "rival_app": {"is": True}})
    pages = {
        name: making.claim_page((making.template(), making.audience({"audiences": asked})))
        for name, asked in (
            ("in", {"any_of": [deep.key]}),
            ("either", {"any_of": [unsure.key, there.key]}),
            ("out", {"none_of": [there.key]}),
            ("unsure", {"any_of": [unsure.key]}),
        )
    }
    code = whole(coding.batch(coding.placement((making.template(), deep))))[0]
    visitor = Visitor()
    visitor.sign_in()

    def take(name: str, **said: str):
        path = f"/h5/{pages[name].slug}/"
        seen = visitor.get(path)
        assert ("data-position" in seen.content.decode()) is (name != "unsure"), name
        return visitor.post(f"{path}claim/", once=once(seen) if name != "unsure" else "", **said)

    inside, outside = {"lat": "31.5", "lng": "121.5"}, {"lat": "30", "lng": "121.5"}
    for name in ("in", "either", "out"):
        refused = take(name)
        assert (refused.status_code, "data-position" in refused.content.decode()) == (409, True), name
        assert "Share your position" in refused.content.decode()
        wrong, right = (inside, outside) if name == "out" else (outside, inside)
        assert take(name, **wrong).status_code == 409
        assert take(name, **right).status_code == 303
    assert take("unsure", **inside).status_code == 409
    asked = exchange(visitor, code)
    assert (asked.status_code, "data-position" in asked.content.decode()) == (409, True)
    assert exchange(visitor, code, **inside).status_code == 303
    assert Coupon.objects.count() == 4


def test_weather_and_customs_ask_for_the_city_by_which_they_are_known(clock):
    """I9: a page, a code and a packet whose rules name no city let the visitor choose any."""
    hour = timedelta(hours=1)
    Weather.objects.create(city_id="310000", kind="rain", starts_at=clock.now() - hour, ends_at=clock.now() + hour)
    fair = Custom.objects.create(key="fair", name="Temple fair")
    CustomDay.objects.create(custom=fair, first_date=clock.now(), last_date=clock.now(), city_id="310000")
    wet = {"weather": {"any_of": ["rain"]}}
    pages = [
        making.claim_page(making.template(claim_conditions=wet)),
        making.claim_page(making.template(claim_conditions={"festivals": {"any_of": ["custom:fair", "qixi"]}})),
        making.claim_page(
            (making.template(), making.audience({"audiences": {"any_of": [making.audience(wet).pk]}}))  # type: ignore[arg-type]
        ),
    ]
    visitor = Visitor()
    visitor.sign_in()
    for page in pages:
        path = f"/h5/{page.slug}/"
        seen = visitor.get(path)
        assert all(f'<option value="{city}">' in seen.content.decode() for city in ("310000", "110000"))
        refused = visitor.post(f"{path}claim/", once=once(seen), city="110000")
        assert refused.status_code == 409
        assert visitor.post(f"{path}claim/", once=f"again-{page.pk}", city="310000").status_code == 303
    code = whole(coding.batch(coding.placement(making.template(claim_conditions=wet))))[0]
    asked = exchange(visitor, code)
    assert (asked.status_code, '<option value="310000">' in asked.content.decode()) == (409, True)
    assert exchange(visitor, code, city="310000").status_code == 303
    assert Coupon.objects.count() == 4
    usual = making.claim_page(making.template(claim_conditions={"festivals": {"any_of": ["workday", "qixi"]}}))
    assert "<option" not in visitor.get(f"/h5/{usual.slug}/").content.decode()
