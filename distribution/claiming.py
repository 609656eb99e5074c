"""领取: a customer takes what a placement offers them; 发放 by the same rules, where something else sets it off."""

from collections.abc import Callable
from datetime import datetime
from random import SystemRandom
from time import monotonic
from typing import NamedTuple

from django.db import transaction

from coupons import refusals
from coupons.answers import Once, Reply
from coupons.lifecycle import ending
from coupons.lifecycle.issuing import Beside, Grant, Lost, Stale, issue
from coupons.queries import catalogue, wallet
from coupons.queries.catalogue import Book
from coupons.queries.surroundings import situate
from coupons.refused import Refused
from coupons.rules import Profile
from distribution import risking
from distribution.queries import placements, risk
from distribution.queries.placements import CompiledOffer, CompiledPlacement, No, no

_luck = SystemRandom()

#: Templates seen sold out, and until when (monotonic) that is believed without asking. Counters of issue never go
#: down, so only an operator's higher limit can make it wrong, for half a second.
_sold_out: dict[int, float] = {}
SOLD_OUT_SECONDS = 0.5
#: Budgets whose expired coupons were tidied away a moment ago.
_tidied: dict[int, float] = {}


class Where(NamedTuple):
    """Through what and where a call came. ``position``: (lat, lng) in WGS-84; ``device``, ``ip``: of the customer."""

    client: str | None = None
    city: str | None = None
    position: tuple[float, float] | None = None
    device: str | None = None
    ip: str | None = None


NOWHERE = Where()


class Suited(NamedTuple):
    """``fitting``: the offers whose rules say yes; ``noes``: of the others, why not."""

    fitting: list[CompiledOffer]
    noes: list[No]


class Said(NamedTuple):
    """How a gift is answered, and what is written down beside it."""

    reply: Reply
    beside: Beside | None = None


def _claimed(coupons: bytes, _grants: list[Grant]) -> Said:
    return Said(Reply(201, b'{"coupons":%b}' % coupons))


def claim(
    placement: str,
    customer: str,
    now: datetime,
    where: Where = NOWHERE,
    *,
    by: str,
    once: Once | None = None,
    reason: str = "",
) -> Reply:
    """Give the customer what this placement offers them; 201 with ``{"coupons": […]}``.

    ``placement`` and ``customer`` are keys; a customer never heard of is a new one. ``now`` in the business time zone.

    :raises Refused: with a code of the contract's claim list, and why.
    """
    for _attempt in range(4):
        book = catalogue.current()
        found = placements.find(book, placement)
        if found is None:
            catalogue.forget()
            found = placements.find(catalogue.current(), placement)
        if found is None or not found.is_claimed:
            raise Refused("not_found")
        try:
            return give(book, found, customer, now, where, by=by, once=once, reason=reason)
        except Stale:
            catalogue.forget()
    raise Refused("busy")


def give(
    book: Book,
    placement: CompiledPlacement,
    customer: str,
    now: datetime,
    where: Where = NOWHERE,
    *,
    by: str,
    once: Once | None = None,
    reason: str = "",
    only: int | None = None,
    suits: Suited | None = None,
    say: Callable[[bytes, list[Grant]], Said] = _claimed,
) -> Reply:
    """Every rule and limit of the placement, whoever asks and through whatever form; inside the caller's transaction,
    if there is one. ``reason`` stands on the event; ``only``: of its offers those of this template, by id; ``suits``:
    what :func:`suited` said, to callers who had to ask before they locked something; ``say``: of the coupons' JSON and
    their grants.

    :raises Refused: as :func:`claim`.
    :raises Stale: ``book`` is no longer true; nothing was done.
    """
    with refusals.counted(refusals.Deed.CLAIM, now, customer, placement.key, city=where.city):
        return _give(book, placement, customer, now, where, by, once, reason, only, suits, say)


def suited(
    placement: CompiledPlacement,
    customer: str,
    now: datetime,
    where: Where = NOWHERE,
    *,
    profile: Profile | None = None,
) -> Suited:
    """What of the placement suits the customer, by its rules and by the outside risk service, which may take its time.

    ``profile``: the customer's facts, to callers who have just looked them up.

    :raises Refused: none of it does.
    """
    with refusals.counted(refusals.Deed.CLAIM, now, customer, placement.key, city=where.city):
        return _suited(placement, customer, now, where, profile=profile)


def would_give(book: Book, placement: CompiledPlacement, customer: str, now: datetime, where: Where = NOWHERE) -> Reply:
    """What :func:`give` would answer, by doing it and undoing it; nobody counts it, nothing stays.

    :raises Refused, Stale: as :func:`give`.
    """
    try:
        with transaction.atomic():
            reply = _give(book, placement, customer, now, where, "system:why", None, "", None)
            transaction.set_rollback(True)
            return reply
    finally:
        forget()  # what was freed or found on the way is undone


def _give(
    book: Book,
    placement: CompiledPlacement,
    customer: str,
    now: datetime,
    where: Where,
    by: str,
    once: Once | None,
    reason: str,
    only: int | None = None,
    suits: Suited | None = None,
    say: Callable[[bytes, list[Grant]], Said] = _claimed,
) -> Reply:
    fitting, noes = suits or _suited(placement, customer, now, where, only)
    if only is not None:
        fitting = [offer for offer in fitting if offer.template.id == only]
        noes = [no for no in noes if no.template_id == only]
        if not fitting:
            raise _refused(noes)
    if not risk.is_on(book):
        return _hand_out(book, placement, fitting, noes, customer, now, where, by, once, reason, say)
    try:
        with transaction.atomic():
            against = risk.found(customer, now, where, counts=True)
            if against is not None:
                raise Refused("risk_refused", template_id=fitting[0].template.id, cause=against)
            reply = _hand_out(book, placement, fitting, noes, customer, now, where, by, once, reason, say)
            if reply.replayed:
                raise _Replayed  # nothing was given, so nothing is counted
            return reply
    except _Replayed:
        return reply


def _suited(
    placement: CompiledPlacement,
    customer: str,
    now: datetime,
    where: Where,
    only: int | None = None,
    profile: Profile | None = None,
) -> Suited:
    whole = placements.refused_as_a_whole(placement, now)
    if whole is not None:
        raise Refused(whole)
    profile = profile or placements.known([placement], customer, now)
    situation = situate(now, client=where.client, city=where.city, position=where.position)
    noes: list[No] = []
    fitting: list[CompiledOffer] = []
    for offer in placement.offers:
        if only is not None and offer.template.id != only:
            continue
        refusal = placements.refused_by_rules(offer, profile, situation)
        if refusal is None:
            fitting.append(offer)
        else:
            noes.append(refusal)
    if fitting and placements.in_control_group(placement, customer):
        raise Refused("in_control_group", template_id=fitting[0].template.id)
    if not fitting:
        raise _refused(noes)
    risking.ask_outside(placement, customer, now, where)
    return Suited(fitting, noes)


class _Replayed(Exception):
    """For leaving a transaction."""


def _hand_out(
    book: Book,
    placement: CompiledPlacement,
    fitting: list[CompiledOffer],
    noes: list[No],
    customer: str,
    now: datetime,
    where: Where,
    by: str,
    once: Once | None,
    reason: str,
    say: Callable[[bytes, list[Grant]], Said],
) -> Reply:
    """The first, all or one of the offers that fit; what a limit refuses falls to the next.  :raises Refused: none."""
    while fitting:
        gone = {offer.template.id for offer in fitting if _sold_out.get(offer.template.id, 0.0) > monotonic()}
        if gone:
            noes += [no("sold_out", offer.template.id) for offer in fitting if offer.template.id in gone]
            fitting = [offer for offer in fitting if offer.template.id not in gone]
            continue
        if placement.pick == "all":  # a template that is offered to several audiences is given once
            chosen = list({offer.template.id: offer for offer in fitting}.values())
        elif placement.pick == "random":
            chosen = _luck.choices(fitting, [offer.weight for offer in fitting])
        else:
            chosen = fitting[:1]
        grants = [Grant.of(offer.template, now) for offer in chosen]
        coupons = [wallet.fresh(*grant[1:], placement.key, grant.template.id) for grant in grants]
        said = say(wallet.coupons_bytes(coupons, book, now), grants)
        outcome = issue(
            grants,
            customer=customer,
            now=now,
            by=by,
            version=book.version,
            reply=said.reply,
            once=once,
            placement=placement.key,
            city=where.city,
            client=where.client,
            device=where.device,
            reason=reason,
            beside=said.beside,
        )
        if isinstance(outcome, Reply):
            return outcome
        if outcome.code == "budget_spent" and _expired_gave_back(outcome, now):
            continue
        if outcome.code == "sold_out":
            _sold_out[outcome.grant.template.id] = monotonic() + SOLD_OUT_SECONDS
        noes.append(no(outcome.code, outcome.grant.template.id))
        fitting = [offer for offer in fitting if offer.template is not outcome.grant.template]
    raise _refused(noes)


def _refused(noes: list[No]) -> Refused:
    told = placements.most_telling(noes)
    return Refused(told.code, told.reasons, template_id=told.template_id)


def _expired_gave_back(lost: Lost, now: datetime) -> bool:
    """Whether tidying away the budget's expired coupons freed anything: no limit waits for a task."""
    budget = lost.grant.template.budget_id
    if _tidied.get(budget, 0.0) > monotonic():
        return False
    _tidied[budget] = monotonic() + SOLD_OUT_SECONDS
    return ending.expire(now=now, budget_id=budget) > 0


def forget() -> None:
    """Believe nothing seen before; for tests, and for a process told of higher limits."""
    _sold_out.clear()
    _tidied.clear()
