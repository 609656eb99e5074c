"""What is kept of a picture travels from house to house, byte for byte, and nothing else travels with it. C7."""

import hashlib
import io

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from coupons import pictures


@pytest.fixture(autouse=True)
def _house(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def photo(kind, mode="RGB"):
    drawn = io.BytesIO()
    Image.effect_noise((60, 40), 90).convert(mode).save(
        drawn, kind, **({"exif": b"Exif\0\0MM"} if kind == "JPEG" else {})
    )
    return drawn.getvalue()


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGB"), ("PNG", "RGBA"), ("JPEG", "RGB"), ("WEBP", "RGB"), ("WEBP", "RGBA")]
)
def test_what_one_house_keeps_another_keeps_under_the_same_address(kind, mode, settings, tmp_path):
    address = pictures.keep(SimpleUploadedFile("a", photo(kind, mode)))
    content, _kind = pictures.read(address.removeprefix(pictures.ADDRESS))
    settings.MEDIA_ROOT = tmp_path / "elsewhere"
    pictures.restore(address, content)
    assert pictures.read(address.removeprefix(pictures.ADDRESS))[0] == content


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_what_carries_more_than_pixels_or_another_name_is_refused(kind):
    address = pictures.keep(SimpleUploadedFile("a", photo(kind)))
    content, _kind = pictures.read(address.removeprefix(pictures.ADDRESS))
    ending = address.rpartition(".")[2]
    for wrong in (
        content + b"<script>",
        content[:-3],
        b"",
        photo("PNG") + b"PK",
        b"\xff\xd8\xff\xe1\x00\x08secret" + content[2:],
    ):
        name = f"/pictures/{hashlib.sha256(wrong).hexdigest()[:32]}.{ending}"
        with pytest.raises(ValidationError):
            pictures.restore(name, wrong)
        assert not pictures.is_kept(name)
    with pytest.raises(ValidationError):
        pictures.restore(f"/pictures/{'a' * 32}.{ending}", content)
