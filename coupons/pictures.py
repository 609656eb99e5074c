"""Pictures that operators upload: looked at by content, drawn anew, kept by what they show, served as they are.

Drawn anew means that nothing but pixels is kept: no place where it was taken, no script, no second file behind it.
"""

import hashlib
import io
import re
import struct
import warnings
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

MOST_BYTES = 2_000_000
MOST_SIDE = 4096
#: Pixels of the longer side that are kept.
KEPT_SIDE = 1200
FOLDER = "pictures"
ADDRESS = "/pictures/"
TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
_FORMATS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}
_PIL = {ending: name for name, ending in _FORMATS.items()}


def keep(upload: Any) -> str:
    """The address of the picture. The same picture has the same address.

    :raises ValidationError: too big, too many pixels, or no PNG, JPEG or WebP, whatever its name says.
    """
    if upload.size > MOST_BYTES:
        raise ValidationError(_("At most %(size)d MB.") % {"size": MOST_BYTES // 1_000_000}, "too_long")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(upload, formats=tuple(_FORMATS)) as picture:
                if max(picture.size) > MOST_SIDE:
                    sentence = _("At most %(side)d by %(side)d pixels.") % {"side": MOST_SIDE}
                    raise ValidationError(sentence, "too_long")
                ending = _FORMATS[str(picture.format)]
                drawn = _drawn(picture, ending)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError, Warning):
        raise ValidationError(_("A picture as PNG, JPEG or WebP."), "invalid_format") from None
    name = f"{hashlib.sha256(drawn).hexdigest()[:32]}.{ending}"
    if not default_storage.exists(f"{FOLDER}/{name}"):
        default_storage.save(f"{FOLDER}/{name}", ContentFile(drawn))
    return ADDRESS + name


def restore(address: str, content: bytes) -> None:
    """Keeps what another house has kept, byte for byte, so that it has the same address here.

    :raises ValidationError: it is not what that address names, or is more than the pixels that ``keep`` would leave.
    """
    name = address.removeprefix(ADDRESS)
    stem, _dot, ending = name.partition(".")
    if is_kept(address):
        return
    try:
        fits = (
            hashlib.sha256(content).hexdigest()[:32] == stem and len(content) <= MOST_BYTES and _bare(content, ending)
        )
        with Image.open(io.BytesIO(content), formats=[_PIL[ending]]) as picture:
            fits = fits and max(picture.size) <= KEPT_SIDE
            picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, KeyError, IndexError, struct.error):
        fits = False
    if not fits:
        raise ValidationError(_("Not the picture that was kept under this address."), "invalid_format")
    default_storage.save(f"{FOLDER}/{name}", ContentFile(content))


def _bare(content: bytes, ending: str) -> bool:
    """Whether nothing but pixels is in it, to its last byte."""
    return {"png": _bare_png, "jpg": _bare_jpeg, "webp": _bare_webp}[ending](content)


def _bare_png(content: bytes) -> bool:
    place, kind = 8, b""
    while place < len(content) and kind != b"IEND":
        (length,), kind = struct.unpack_from(">I", content, place), content[place + 4 : place + 8]
        place += length + 12
        if kind not in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"):
            return False
    return place == len(content) and kind == b"IEND"


def _bare_webp(content: bytes) -> bool:
    place = 12
    while place < len(content):
        kind, length = struct.unpack_from("<4sI", content, place)
        place += 8 + length + length % 2
        if kind not in (b"VP8 ", b"VP8L", b"VP8X", b"ALPH"):
            return False
    return place == len(content) == struct.unpack_from("<I", content, 4)[0] + 8


def _bare_jpeg(content: bytes) -> bool:
    """Tables, the frame and one scan, which ends with the file."""
    place, marker = 2, 0
    while marker != 0xDA:
        lead, marker, length = struct.unpack_from(">BBH", content, place)
        place += 2 + length
        if lead != 0xFF or marker not in (0xE0, 0xDB, 0xC0, 0xC2, 0xC4, 0xDD, 0xDA):
            return False
    scan = content[place:-2]
    return content[-2:] == b"\xff\xd9" and not re.search(rb"\xff[^\x00\xd0-\xd7]", scan)


def _drawn(picture: Image.Image, ending: str) -> bytes:
    upright = ImageOps.exif_transpose(picture)
    upright.thumbnail((KEPT_SIDE, KEPT_SIDE))
    see_through = ending != "jpg" and (upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info)
    result = io.BytesIO()
    plain = upright.convert("RGBA" if see_through else "RGB")
    plain.info.clear()
    plain.save(result, _PIL[ending])
    return result.getvalue()


def is_kept(address: str) -> bool:
    return default_storage.exists(f"{FOLDER}/{address.removeprefix(ADDRESS)}")


def read(name: str) -> tuple[bytes, str]:
    """Content and type.  :raises FileNotFoundError:"""
    kind = TYPES.get(name.rpartition(".")[2], "")
    if not kind or not name.replace(".", "").isalnum():
        raise FileNotFoundError(name)
    with default_storage.open(f"{FOLDER}/{name}") as kept:
        return kept.read(), kind
