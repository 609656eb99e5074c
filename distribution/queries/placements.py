"""Placements and their offers, compiled once per version of the catalogue, and what the rules say of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from coupons import rules
from coupons.queries.catalogue import Book, CompiledTemplate
from coupons.queries.profiles import needs_of, profile
from coupons.refused import SENTENCES
from coupons.rules import CustomerCondition, Profile, Situation
from distribution.models import Placement
from distribution.queries.control import Draw


@dataclass(slots=True)
class CompiledOffer:
    template: CompiledTemplate
    rules: tuple[rules.Condition, ...]
    weight: int


@dataclass(slots=True)
class CompiledPlacement:
    """``is_claimed``: customers take what it offers by themselves; ``asks_customer``: some rule looks at the customer's
    facts; ``needs``, ``days_back``: which, and how far back.
    """

    row: Placement
    key: str
    status: str
    starts_at: datetime
    ends_at: datetime
    pick: str
    control: Draw | None
    is_claimed: bool
    offers: tuple[CompiledOffer, ...]
    asks_customer: bool
    needs: frozenset[str]
    days_back: int


class No(NamedTuple):
    """Why one offer is refused; ``template_id``: of what."""

    code: str
    reasons: list[dict[str, Any]]
    template_id: int = 0


def _is_claimed(placement: Placement) -> bool:
    """Where packets are cut from what it offers, nobody takes it from the pot by the open call."""
    if placement.form == Placement.Form.H5:
        return True
    return placement.form == Placement.Form.API and not hasattr(placement, "share_plan")


def find(book: Book, key: str) -> CompiledPlacement | None:
    """The placement by its key, of whatever form."""
    known: dict[str, CompiledPlacement] = book.keep("placements", dict)
    if key not in known and "\0" not in key:  # what nobody has is not kept: anybody may ask for anything
        for compiled in _compile(book, Placement.objects.filter(key=key)):
            known[key] = compiled
    return known.get(key)


def on_channel(book: Book, channel: str | None) -> list[CompiledPlacement]:
    """What can be claimed and is live in a channel (None: in all), in the order in which it was placed."""
    live = Placement.objects.filter(status=Placement.Status.LIVE).order_by("id")
    chosen = live if channel is None else live.filter(channel=channel)
    return book.keep(("channel", channel), lambda: [one for one in _compile(book, chosen) if one.is_claimed])


def _compile(book: Book, placements: Any) -> list[CompiledPlacement]:
    compiled = []
    for placement in placements.select_related("campaign", "share_plan").prefetch_related("offers__audience"):
        rows = list(placement.offers.all())
        templates = book.templates({offer.template_id for offer in rows})
        offers = []
        for offer in rows:
            template = templates[offer.template_id]
            audience = rules.compile_rules(offer.audience.conditions, "claim") if offer.audience else ()
            offers.append(CompiledOffer(template, (*template.claim_rules, *audience), offer.weight))
        asked = [rule for offer in offers for rule in offer.rules]
        needs, days_back = needs_of(asked)
        compiled.append(
            CompiledPlacement(
                row=placement,
                key=placement.key,
                status=placement.status,
                starts_at=placement.campaign.starts_at,
                ends_at=placement.campaign.ends_at,
                pick=placement.pick,
                control=Draw.of(placement.campaign.control_secret, placement.campaign.control_percent),
                is_claimed=_is_claimed(placement),
                offers=tuple(offers),
                asks_customer=any(isinstance(rule, CustomerCondition) for rule in asked),
                needs=needs,
                days_back=days_back,
            )
        )
    return compiled


_BY_STATUS = {"draft": "not_started", "awaiting_approval": "not_started", "paused": "paused", "ended": "ended"}


def refused_as_a_whole(placement: CompiledPlacement, now: datetime) -> str | None:
    """The code that refuses everything of the placement now, or None."""
    if placement.status != "live":
        return _BY_STATUS[placement.status]
    if now < placement.starts_at:
        return "not_started"
    return "ended" if now >= placement.ends_at else None


def refused_by_rules(offer: CompiledOffer, customer: Profile, situation: Situation) -> No | None:
    """What state, schedule and conditions say against this offer; limits are the database's word."""
    template = offer.template
    code = closed(template, situation.now)
    if code is not None:
        return no(code, template.id)
    failed = rules.unmet(offer.rules, customer, situation)
    if failed:
        return No("conditions_unmet", [condition.reason(verdict) for condition, verdict in failed], template.id)
    return None


def closed(template: CompiledTemplate, now: datetime) -> str | None:
    """The code with which state, schedule and validity refuse everybody now, or None."""
    code = _BY_STATUS.get(template.status) or template.schedule.refusal(now)
    if code is None and template.row.valid_until is not None and template.row.valid_until <= now:
        code = "ended"
    return code


def in_control_group(placement: CompiledPlacement, customer: str) -> bool:
    """Asked once the rules have been: who could not have had it anyway is told why, and is not counted."""
    return placement.control is not None and placement.control.holds(customer)


def no(code: str, template_id: int = 0) -> No:
    return No(code, [{"code": code, "detail": SENTENCES[code]}], template_id)


def known(placements: Iterable[CompiledPlacement], customer: str, now: datetime) -> Profile:
    """The customer's facts as far as these placements ask for them."""
    asking = [placement for placement in placements if placement.asks_customer]
    if not asking:
        return Profile(None, customer)
    days = max(placement.days_back for placement in asking)
    since = now.date() - timedelta(days=days - 1) if days else None
    return profile(customer, frozenset().union(*(placement.needs for placement in asking)), since=since)


#: How far a customer got with an offer: the refusal that came last says most.
_PROGRESS = (
    ("ended", "not_started", "paused"),
    ("outside_release",),
    ("conditions_unmet",),
    ("risk_refused", "in_control_group", "exclusive_coupon_held", "newcomer_coupon_held"),
    ("customer_limit", "customer_daily_limit"),
    ("daily_limit", "budget_spent", "sold_out"),
)
_RANK = {code: rank for rank, codes in enumerate(_PROGRESS) for code in codes}


def most_telling(noes: list[No]) -> No:
    """Of several offers' refusals the one that got furthest; the earlier offer's on a tie."""
    return max(noes, key=lambda no: _RANK.get(no.code, 0)) if noes else no("nothing_on_offer")
