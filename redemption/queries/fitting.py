"""Which of a customer's coupons fit an order, and why the others do not: asked alike for quotes and redemptions."""

from collections.abc import Container, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from coupons import rules
from coupons.models import Merchant
from coupons.queries.catalogue import Book, CompiledTemplate
from coupons.queries.direct import rows
from coupons.queries.profiles import needs_of, profile
from coupons.queries.surroundings import situate
from coupons.refused import Refused
from coupons.rules import CustomerCondition, Profile, Situation
from redemption.pricing import Bill, Candidate, Line, Priced, Terms, Why, hundredths, price_one
from redemption.queries.basket import Basket
from redemption.queries.reasons import of_price, of_state, reason

#: A wallet is quoted up to this many coupons, those that expire first.
MOST_COUPONS = 500

# Moments come as seconds since 1970, coupons as one text: a wallet is read several times as fast as by rows.
_STANDING = """
SELECT u.id, (SELECT version FROM coupons_catalogue), o.customer_id, o.finished_at IS NOT NULL,
       CASE WHEN r.id IS NOT NULL THEN json_build_array(r.id, r.status, r.coupons) END::text,
       (SELECT json_agg(json_build_array(c.id, c.template_id, c.status, date_part('epoch', c.valid_from),
                                         date_part('epoch', c.valid_until), date_part('epoch', c.held_until),
                                         c.redemption_id))
          FROM (SELECT * FROM coupons_coupon WHERE customer_id = u.id AND {which}) c)::text
  FROM coupons_customer u
  LEFT JOIN redemption_order o ON o.key = %(order)s
  LEFT JOIN redemption_redemption r ON r.order_id = o.id AND r.status IN ('held', 'redeemed')
 WHERE u.key = %(customer)s
"""
_NAMED = _STANDING.format(which="id = ANY(%(coupons)s::uuid[])")
_WALLET = _STANDING.format(
    which="status IN ('available', 'held') AND valid_until > %(now)s ORDER BY valid_until, id LIMIT %(most)s"
)


class Seen(NamedTuple):
    """A coupon's row, looked at without a lock."""

    id: str
    template_id: int
    status: str
    valid_from: datetime
    valid_until: datetime
    held_until: datetime | None
    redemption_id: str | None


class Standing(NamedTuple):
    """What is known of customer, order and coupons before anything is decided. ``coupons`` by id.

    ``mine``: the order's own hold, even one that ran out, and the coupons it was for. ``version``: the catalogue's; no
    older book knows what these coupons are.
    """

    customer_id: int | None
    version: int
    refusal: str | None
    mine: str | None
    mine_coupons: tuple[str, ...]
    coupons: tuple[Seen, ...]


class Use(NamedTuple):
    """A template as far as using its coupons goes."""

    template: CompiledTemplate
    terms: Terms
    asks_customer: bool
    needs: frozenset[str]
    days_back: int

    @property
    def charges_lines(self) -> bool:
        """Merchants pay a part, each for their own lines."""
        return not self.terms.merchant and bool(self.terms.merchant_percent or self.terms.merchant_fen)


class Fit(NamedTuple):
    """One coupon on the order, alone. ``reasons``: why not, empty if it fits; then ``priced`` is what it takes off."""

    coupon: Seen
    candidate: Candidate
    use: Use
    priced: Priced | None
    reasons: list[dict[str, Any]]


class Fitted(NamedTuple):
    """``candidate.coupon`` is the place in ``fits``, which are in the order of the coupons' ids."""

    bill: Bill
    fits: list[Fit]


def standing(basket: Basket, now: datetime, coupons: Sequence[UUID] | None = None) -> Standing:
    """Of these coupons, or of all that the customer could still use; coupons that are not the customer's are left out.

    :raises Refused: "not_found": the order is somebody else's.
    """
    asked = {"order": basket.key, "customer": basket.customer, "now": now, "most": MOST_COUPONS}
    if coupons is not None:
        asked["coupons"] = "{{{}}}".format(",".join(map(str, coupons)))
    found = rows(_WALLET if coupons is None else _NAMED, asked)
    if not found:
        return Standing(None, 0, None, None, (), ())
    customer_id, version, owner, finished, live, wallet = found[0]
    if owner is not None and owner != customer_id:
        raise Refused("not_found")
    redemption, status, used = orjson.loads(live) if live else (None, None, ())
    refusal = "order_already_redeemed" if status == "redeemed" else "order_finished" if finished else None
    if status != "held":
        redemption, used = None, ()
    return Standing(customer_id, version, refusal, redemption, tuple(used), tuple(_seen(wallet) if wallet else ()))


def _seen(wallet: str) -> list[Seen]:
    moment = datetime.fromtimestamp
    return sorted(
        [
            Seen(id, template, status, moment(start, UTC), moment(end, UTC), held and moment(held, UTC), redemption)
            for id, template, status, start, end, held, redemption in orjson.loads(wallet)
        ]
    )


def fit(basket: Basket, known: Standing, book: Book, now: datetime) -> Fitted:
    """Each coupon alone on the order, by its state, its template's conditions and its price."""
    templates = book.templates({coupon.template_id for coupon in known.coupons})
    uses = {
        id: book.keep(("use", id), lambda template=templates[id]: use_of(template))  # type: ignore[misc]
        for id in {coupon.template_id for coupon in known.coupons}
    }
    lines = basket.lines
    if any(use.charges_lines for use in uses.values()):
        lines = charged(lines, _merchants(lines, book))
    bill = Bill(lines, basket.shipping_fen)
    customer = _profile(basket.customer, uses.values(), now)
    situation = situate(
        now,
        client=basket.client,
        city=basket.city,
        position=basket.position,
        business_mode=basket.business_mode,
        business_line=basket.business_line,
        book=book,
    )
    unmet: dict[int, list[dict[str, Any]]] = {}
    fits = []
    for place, coupon in enumerate(known.coupons):
        use = uses[coupon.template_id]
        reasons = [reason(known.refusal)] if known.refusal else _state(coupon, known.mine, now)
        priced = None
        if not reasons:
            if use.template.use_rules:
                failed = unmet.get(use.template.id)
                if failed is None:
                    failed = unmet[use.template.id] = _unmet(use, customer, situation)
                reasons += failed
            answer = price_one(use.terms, bill)
            if isinstance(answer, Why):
                reasons.append(of_price(answer, use.template))
            elif not reasons:
                priced = answer
        fits.append(Fit(coupon, Candidate(place, use.terms, coupon.valid_until), use, priced, reasons))
    return Fitted(bill, fits)


def _state(coupon: Seen, mine: str | None, now: datetime) -> list[dict[str, Any]]:
    return of_state(
        coupon.status,
        coupon.valid_from,
        coupon.valid_until,
        coupon.held_until,
        now,
        is_mine=coupon.redemption_id == mine,
    )


def _unmet(use: Use, customer: Profile, situation: Situation) -> list[dict[str, Any]]:
    failed = rules.unmet(use.template.use_rules, customer, situation)
    if not failed:
        return []
    return [reason("conditions_unmet"), *(condition.reason(verdict) for condition, verdict in failed)]


def use_of(template: CompiledTemplate) -> Use:
    row = template.row
    scope = row.scope
    terms = Terms(
        type=row.type,  # type: ignore[arg-type]  # the database knows no other
        amount_fen=row.amount_fen,
        threshold_fen=row.threshold_fen,
        percent_off=None if row.percent_off is None else hundredths(row.percent_off),
        cap_fen=row.cap_fen,
        categories=frozenset(scope.get("categories") or ()),
        merchants=frozenset(scope.get("merchants") or ()),
        skus=frozenset(scope.get("skus") or ()),
        shipping=bool(scope.get("shipping")),
        stack_group=row.stack_group,
        merchant_percent=None if row.merchant_percent is None else hundredths(row.merchant_percent),
        merchant_fen=row.merchant_fen,
        merchant=row.merchant_id,
    )
    needs, days_back = needs_of(template.use_rules)
    asks = any(isinstance(rule, CustomerCondition) for rule in template.use_rules)
    return Use(template, terms, asks, needs, days_back)


def _profile(customer: str, uses: Any, now: datetime) -> Profile:
    """The customer's facts as far as these templates ask for them."""
    asking = [use for use in uses if use.asks_customer]
    if not asking:
        return Profile(None, customer)
    days = max(use.days_back for use in asking)
    since = now.date() - timedelta(days=days - 1) if days else None
    return profile(customer, frozenset().union(*(use.needs for use in asking)), since=since)


def _merchants(lines: tuple[Line, ...], book: Book) -> set[str]:
    """Those that we know, of the lines' and perhaps others."""
    named = {line.merchant for line in lines if line.merchant is not None}
    known: set[str] = book.keep("merchants in orders", set)
    unseen = named - known
    if unseen:
        known |= set(Merchant.objects.filter(pk__in=unseen).values_list("pk", flat=True))
    return known


def charged(lines: tuple[Line, ...], known: Container[str | None]) -> tuple[Line, ...]:
    """The lines, without merchants whom we do not know: nobody can be charged for theirs, so the platform pays."""
    return tuple(line if line.merchant in known else line._replace(merchant=None) for line in lines)
