"""How a coupon is drawn, and which pictures are kept. C7."""

import io

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from coupons import pictures
from coupons.rules import InvalidRules
from coupons.rules.looks import DESIGNS, LABELS, LEAST_CONTRAST, clean, contrast, dressed


@pytest.fixture(autouse=True)
def _uploads(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def upload(content: bytes, name: str = "a.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def drawn(kind: str = "PNG", size: tuple[int, int] = (30, 20), **more) -> bytes:
    result = io.BytesIO()
    Image.new("RGB", size, "#ff0000").save(result, kind, **more)
    return result.getvalue()


def test_every_design_can_be_read():
    assert len(DESIGNS) >= 6
    assert set(DESIGNS) == set(LABELS)
    assert [design for design, colors in DESIGNS.items() if contrast(*colors) < LEAST_CONTRAST] == []


@pytest.mark.parametrize("color", ["#ff0000", "#777777", "#00ff00", "#000000", "#ffffff", "#c07f30"])
def test_words_on_an_own_colour_are_chosen_so_that_they_can_be_read(color):
    looks = dressed({"color": color})
    assert contrast(looks["color"], looks["text_color"]) >= LEAST_CONTRAST


@pytest.mark.parametrize(
    ("looks", "field", "code"),
    [
        ({"design": "neon"}, "design", "invalid_choice"),
        ({"design": ["classic"]}, "design", "invalid_choice"),
        ({"color": "red"}, "color", "invalid_format"),
        ({"text_color": "#12345"}, "text_color", "invalid_format"),
        ({"color": "#ffffff", "text_color": "#eeeeee"}, "text_color", "too_little_contrast"),
        ({"design": "night", "text_color": "#000000"}, "text_color", "too_little_contrast"),
        ({"badge": "x" * 11}, "badge", "too_long"),
        ({"badge": 5}, "badge", "too_long"),
        ({"picture": "https://elsewhere.example/a.png"}, "picture", "invalid_format"),
        ({"picture": "/pictures/../settings.py"}, "picture", "invalid_format"),
        ({"sound": {"loud": True}}, "sound", "wrong_type"),
        ({"sound": "x" * 201}, "sound", "wrong_type"),
    ],
)
def test_looks_that_make_no_sense_are_named_by_field(looks, field, code):
    with pytest.raises(InvalidRules) as wrong:
        clean(looks)
    assert [(path, said) for path, said, _sentence in wrong.value.errors] == [(field, code)]


def test_a_client_may_keep_words_of_its_own_in_the_looks():
    assert clean({"theme": "red", "shake": True, "badge": ""}) == {"theme": "red", "shake": True}


@pytest.mark.parametrize(("kind", "ending"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp")])
def test_a_picture_is_kept_by_what_it_shows_whatever_its_name(kind, ending):
    first = pictures.keep(upload(drawn(kind), "../../etc/passwd.exe"))
    assert first == pictures.keep(upload(drawn(kind), "b.gif"))
    assert first.startswith("/pictures/")
    assert first.endswith(ending)
    assert clean({"picture": first}) == {"picture": first}
    assert pictures.is_kept(first)


def test_nothing_but_pixels_is_kept_and_big_ones_become_smaller():
    hidden = drawn(size=(2400, 100)) + b"<script>alert(1)</script>"
    content, kind = pictures.read(pictures.keep(upload(hidden)).rpartition("/")[2])
    assert b"script" not in content
    assert kind == "image/png"
    assert Image.open(io.BytesIO(content)).size == (1200, 50)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"GIF89a" + b"\x00" * 30,
        drawn("BMP"),
        drawn()[:60],
        drawn(size=(4097, 1)),
        b"\x89PNG" + b"x" * 2_000_001,
    ],
    ids=["empty", "svg", "gif", "bmp", "cut off", "too wide", "too big"],
)
def test_what_is_no_picture_or_too_much_of_one_is_refused(content):
    with pytest.raises(ValidationError):
        pictures.keep(upload(content))


def test_a_picture_is_served_as_one_and_as_nothing_else(client):
    address = pictures.keep(upload(drawn()))
    answer = client.get(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    for wrong in ("/pictures/none.png", "/pictures/..%2Fsecret_key", "/pictures/secret_key"):
        assert client.get(wrong).status_code == 404
