"""推广链接: who brought the customer, told by a signed part of the address. What is not ours tells nothing."""

import hmac
from datetime import datetime
from hashlib import blake2b

from django.conf import settings
from django.db.models import CharField, Count, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat

from coupons.models import CouponEvent
from distribution.models import ClaimLink, ClaimPage


def signed(link: ClaimLink) -> str:
    """What stands behind ``?s=``."""
    return f"{link.pk}.{_mark(link.pk)}"


def read(text: str, page: ClaimPage, now: datetime) -> ClaimLink | None:
    """The link of this page that ``text`` names; None: edited, another page's, or ended."""
    number, _dot, mark = text.partition(".")
    if not (number.isascii() and number.isdigit() and len(number) < 12):
        return None
    if not hmac.compare_digest(mark.encode(), _mark(int(number)).encode()):
        return None
    return page.links.filter(Q(ended_at=None) | Q(ended_at__gt=now), pk=int(number)).first()


def reached(links: QuerySet[ClaimLink]) -> QuerySet[ClaimLink]:
    """The links, each with ``issued_count``: how many coupons were claimed by it."""
    by_it = CouponEvent.objects.filter(
        reason__startswith="link:",  # as the index has it
        reason=Concat(Value("link:"), Cast(OuterRef("pk"), CharField())),
        kind=CouponEvent.Kind.ISSUED,
    )
    counted = by_it.order_by().values("reason").annotate(count=Count("id")).values("count")
    return links.annotate(issued_count=Coalesce(Subquery(counted), 0))


def _mark(number: int) -> str:
    key = blake2b(settings.SECRET_KEY.encode(), person=b"h5:link", digest_size=32).digest()
    return blake2b(str(number).encode(), key=key, digest_size=8).hexdigest()
