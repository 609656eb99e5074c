"""Colours that operators chose, as a stylesheet: the policy for browsers allows none within a page."""

from collections.abc import Iterable, Iterator

from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from coupons.queries import catalogue
from coupons.queries.catalogue import CompiledTemplate
from coupons.rules.looks import contrast, dressed
from distribution.h5.door import HOME
from distribution.models import ClaimPage
from distribution.queries import pages

INKS = ("#ffffff", "#1c1917")
MOST_TEMPLATES = 60


def stylesheet(page: ClaimPage | None, templates: Iterable[CompiledTemplate]) -> str:
    """The address of what these add to the skins and designs; empty: nothing."""
    own = sorted({template.id for template in templates if template.row.looks.get("color")})[:MOST_TEMPLATES]
    asked = {}
    if page is not None and (page.accent or page.background):
        asked["p"] = page.slug
    if own:
        asked["t"] = ",".join(map(str, own))
    return f"{HOME}looks.css?{urlencode(asked)}" if asked else ""


@require_safe
def sheet(request: HttpRequest) -> HttpResponse:
    book = catalogue.current()
    found = pages.find(book, request.GET.get("p", ""))
    rules = [page_rule(found.row)] if found else []
    asked = request.GET.get("t", "").split(",")[:MOST_TEMPLATES]
    ids = [int(id) for id in asked if id.isascii() and id.isdigit() and len(id) < 19]
    known = book.templates(ids)
    rules += [template_rule(known[id]) for id in ids if id in known]
    response = HttpResponse("\n".join(rules), content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=60"
    return response


def page_rule(page: ClaimPage) -> str:
    return f"body {{ {'; '.join(_page_colours(page))} }}"


def template_rule(template: CompiledTemplate) -> str:
    look = dressed(template.row.looks)
    return f".look-{template.id} {{ --card: {look['color']}; --card-ink: {look['text_color']} }}"


def _page_colours(page: ClaimPage) -> Iterator[str]:
    for name, colour in (("accent", page.accent), ("page", page.background)):
        if colour:
            yield f"--{name}: {colour}"
            yield f"--{name}-ink: {_ink_on(colour)}"


def _ink_on(colour: str) -> str:
    """What can be read best on it."""
    return max(INKS, key=lambda ink: contrast(colour, ink))
