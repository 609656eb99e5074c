"""Pictures that operators upload: looked at by content, drawn anew, kept by what they show, served as they are.

Drawn anew means that nothing but pixels is kept: no place where it was taken, no script, no second file behind it.
"""

import hashlib
import io
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


def _drawn(picture: Image.Image, ending: str) -> bytes:
    upright = ImageOps.exif_transpose(picture)
    upright.thumbnail((KEPT_SIDE, KEPT_SIDE))
    see_through = ending != "jpg" and (upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info)
    result = io.BytesIO()
    plain = upright.convert("RGBA" if see_through else "RGB")
    plain.info.clear()
    plain.save(result, {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}[ending])
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
