"""What a customer sees on offer: the same rules and limits as claiming, looked at without taking."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from coupons.queries import wallet
from coupons.queries.catalogue import Book
from coupons.queries.direct import rows
from coupons.queries.surroundings import situate
from coupons.rules import Profile, Situation
from coupons.rules.identity import identity
from distribution.queries import placements, risk
from distribution.queries.placements import CompiledPlacement, No, no

#: What the issuing function would find, template by template; the same order of questions.
LIMITS = """
SELECT s.template_id,
       CASE
         WHEN s.issued_count >= s.total_count OR s.issued_fen + w.worth > s.total_fen THEN 'sold_out'
         WHEN (CASE WHEN s.day = %(day)s THEN s.day_count ELSE 0 END) >= s.daily_count
           OR (CASE WHEN s.day = %(day)s THEN s.day_fen ELSE 0 END) + w.worth > s.daily_fen THEN 'daily_limit'
         WHEN coalesce(c.issued_count, 0) >= s.customer_count
           OR coalesce(c.issued_fen, 0) + w.worth > s.customer_fen THEN 'customer_limit'
         WHEN (CASE WHEN c.day = %(day)s THEN c.day_count ELSE 0 END) >= s.customer_daily_count
           OR (CASE WHEN c.day = %(day)s THEN c.day_fen ELSE 0 END) + w.worth > s.customer_daily_fen
           THEN 'customer_daily_limit'
         WHEN w.worth > 0 AND b.committed_fen + b.spent_fen + w.worth > b.limit_fen THEN 'budget_spent'
         WHEN w.newcomer AND coupons_newcomer_held(me.id, %(device)s::uuid, %(now)s, 'infinity')
           THEN 'newcomer_coupon_held'
         WHEN w.exclusive_group IS NOT NULL AND EXISTS (
             SELECT FROM coupons_coupon o WHERE o.customer_id = me.id AND o.exclusive_group = w.exclusive_group
                AND o.status IN ('available', 'held') AND o.valid_until > %(now)s) THEN 'exclusive_coupon_held'
       END,
       coalesce(c.issued_count, 0)
  FROM unnest(%(templates)s::bigint[], %(worths)s::bigint[], %(newcomers)s::boolean[], %(groups)s::text[])
       AS w(template_id, worth, newcomer, exclusive_group)
  JOIN coupons_supply s ON s.template_id = w.template_id
  JOIN coupons_coupontemplate t ON t.id = w.template_id
  JOIN coupons_budget b ON b.id = t.budget_id
  LEFT JOIN coupons_customer me ON me.key = %(customer)s
  LEFT JOIN coupons_customercounter c ON c.customer_id = me.id AND c.template_id = w.template_id
"""

_STATES = {
    "sold_out": "sold_out",
    "daily_limit": "sold_out",
    "budget_spent": "sold_out",
    "customer_limit": "claimed",
    "customer_daily_limit": "claimed",
    "not_started": "not_started",
    "ended": "ended",
}


#: By template: the refusal, if any, and how many the customer has had.
Limits = dict[int, tuple[str | None, int]]


class HasPlace(Protocol):
    @property
    def client(self) -> str | None: ...
    @property
    def city(self) -> str | None: ...
    @property
    def position(self) -> tuple[float, float] | None: ...
    @property
    def device(self) -> str | None: ...
    @property
    def ip(self) -> str | None: ...


class Page(NamedTuple):
    """``previous``: the id of the first of these, if others come before it; ``next``: of the last, if others follow."""

    results: list[dict[str, Any]]
    previous: int | None
    next: int | None


def on_offer(
    book: Book,
    customer: str,
    channel: str | None,
    now: datetime,
    where: HasPlace,
    *,
    size: int,
    after: int = 0,
    before: int | None = None,
) -> Page:
    """Placements of the channel with their state for this customer; what is for other cities is left out.

    ``after``: the id of the last placement of the page before; ``before``: of the first of the page after.
    """
    offered = [
        placement
        for placement in placements.on_channel(book, channel)
        if placement.offers and _for_city(placement, where.city)
    ]
    if before is None:
        found = [placement for placement in offered if placement.row.id > after][:size]
    else:
        found = [placement for placement in offered if placement.row.id < before][-size:]
    if not found:
        return Page([], None, None)
    first, last = found[0].row.id, found[-1].row.id
    return Page(
        look(book, found, customer, now, where),
        previous=first if offered[0].row.id < first else None,
        next=last if offered[-1].row.id > last else None,
    )


def look(
    book: Book, found: Sequence[CompiledPlacement], customer: str, now: datetime, where: HasPlace
) -> list[dict[str, Any]]:
    """Each placement as it is for this customer, here and now."""
    limits = _limits(found, customer, now, where.device)
    profile = placements.known(found, customer, now)
    situation = situate(now, client=where.client, city=where.city, position=where.position)
    risky = risk.is_on(book) and risk.found(customer, now, where, counts=False) is not None
    templates = {offer.template.id: offer.template for placement in found for offer in placement.offers}
    unusable = wallet.against(customer, templates.values(), now) if customer else {}
    return [_said(placement, profile, situation, limits, risky, unusable) for placement in found]


def _for_city(placement: CompiledPlacement, city: str | None) -> bool:
    if city is None:
        return True
    return any(
        not offer.template.row.claim_cities or city in offer.template.row.claim_cities for offer in placement.offers
    )


def _limits(found: Iterable[CompiledPlacement], customer: str, now: datetime, device: str | None) -> Limits:
    """By template: the refusal that limits and held coupons would give now, and how many the customer has had."""
    templates = {offer.template.id: offer.template for placement in found for offer in placement.offers}
    parameters = {
        "templates": list(templates),
        "worths": [template.worth_fen for template in templates.values()],
        "newcomers": [template.newcomer for template in templates.values()],
        "groups": [template.exclusive_group for template in templates.values()],
        "customer": customer,
        "device": identity("device", device) if device else None,
        "now": now,
        "day": now.date(),
    }
    return {template: (code, had) for template, code, had in rows(LIMITS, parameters)}


def _said(
    placement: CompiledPlacement,
    profile: Profile,
    situation: Situation,
    limits: Limits,
    risky: bool,
    unusable: Mapping[int, list[dict[str, Any]]],
) -> dict[str, Any]:
    """``unusable``: by template, why this customer could not use its coupon now, whatever the order."""
    whole = placements.refused_as_a_whole(placement, situation.now)
    offers: list[dict[str, Any]] = []
    noes: list[No | None] = []
    barred = placements.in_control_group(placement, profile.key)
    for offer in placement.offers:
        refusal = no(whole) if whole else placements.refused_by_rules(offer, profile, situation)
        limit, _had = limits[offer.template.id]
        if refusal is None and barred:
            refusal = no("in_control_group")
        if refusal is None and risky:
            refusal = no("risk_refused")
        if refusal is None and limit is not None:
            refusal = no(limit)
        noes.append(refusal)
        offers.append(
            {**offer.template.face(), **_state(refusal), "unusable": unusable.get(offer.template.id, [])},
        )
    refused = [refusal for refusal in noes if refusal is not None]
    best = noes.index(None) if None in noes else noes.index(placements.most_telling(refused))
    face = offers[best]
    row = placement.row
    return {
        "key": placement.key,
        "channel": row.channel,
        "form": row.form,
        "pick": row.pick,
        "title": row.title or face["name"],
        **{name: face[name] for name in ("name", "wording", "discount", "looks", "state", "reasons", "unusable")},
        "starts_at": placement.starts_at.astimezone(situation.now.tzinfo).isoformat(),
        "ends_at": placement.ends_at.astimezone(situation.now.tzinfo).isoformat(),
        "offers": offers,
    }


def _state(refusal: No | None) -> dict[str, Any]:
    if refusal is None:
        return {"state": "claimable", "reasons": []}
    reasons = [{**reason, "detail": str(reason["detail"])} for reason in refusal.reasons]
    return {"state": _STATES.get(refusal.code, "refused"), "reasons": reasons}
