"""The pictures of coupons, for whoever draws them; their addresses stand in ``looks``."""

from django.http import Http404, HttpRequest, HttpResponse

from coupons import pictures


def picture(request: HttpRequest, name: str) -> HttpResponse:
    try:
        content, kind = pictures.read(name)
    except FileNotFoundError:
        raise Http404 from None
    response = HttpResponse(content, content_type=kind)
    response["Cache-Control"] = "public, max-age=31536000, immutable"  # another picture has another name
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
