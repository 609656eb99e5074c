"""H5 pages with what they offer, compiled once per version of the catalogue."""

from collections.abc import Sequence
from typing import NamedTuple

from coupons.queries.catalogue import Book
from distribution.models import ClaimPage, Placement
from distribution.queries import placements
from distribution.queries.placements import CompiledPlacement


class CompiledPage(NamedTuple):
    row: ClaimPage
    placement: CompiledPlacement


def find(book: Book, slug: str) -> CompiledPage | None:
    known: dict[str, CompiledPage] = book.keep("claim pages", dict)
    if slug not in known:  # what nobody has is not kept: anybody may ask for anything
        page = ClaimPage.objects.filter(slug=slug).select_related("placement").first()
        placement = placements.find(book, page.placement.key) if page else None
        if page is None or placement is None:
            return None
        known[slug] = CompiledPage(page, placement)
    return known[slug]


def of_placement(book: Book, key: str | None) -> CompiledPage | None:
    slugs: dict[str, str] = book.keep(
        "slugs of placements", lambda: dict(ClaimPage.objects.values_list("placement__key", "slug"))
    )
    return find(book, slugs[key]) if key in slugs else None


def live(book: Book) -> Sequence[CompiledPage]:
    """All whose placement is live, newest first."""

    def load() -> list[CompiledPage]:
        slugs = ClaimPage.objects.filter(placement__status=Placement.Status.LIVE).values_list("slug", flat=True)
        return [page for slug in slugs[:50] if (page := find(book, slug)) is not None]

    return book.keep("live claim pages", load)
