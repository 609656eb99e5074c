"""An address as a QR picture of a size to be printed."""

from io import BytesIO

import segno
from django.http import HttpResponse

TYPES = {"svg": "image/svg+xml", "png": "image/png"}
#: Pixels of a module: some 1200 for the whole, so that it can be printed on a poster.
SCALE = 32


def picture(address: str, name: str, kind: str) -> HttpResponse:
    """To be kept as ``name``; ``kind``: one of ``TYPES``."""
    image = BytesIO()
    segno.make(address, micro=False, error="q").save(image, kind=kind, scale=SCALE, border=4)
    response = HttpResponse(image.getvalue(), content_type=TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return response
