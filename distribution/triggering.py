"""系统自动触发: an event of the app sets rules off, which give coupons."""

from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

import orjson
import psycopg
import structlog
from django.conf import settings
from django.db import transaction

from coupons import answers
from coupons.answers import Once, Reply
from coupons.gathering import Gathering
from coupons.lifecycle.issuing import REFUSED, Beside, Grant, Stale
from coupons.models import Customer
from coupons.queries import catalogue
from coupons.queries.catalogue import Book
from coupons.queries.direct import row, rows
from coupons.queries.surroundings import situate
from coupons.refused import Refused
from coupons.rules import Profile
from distribution import claiming, messages
from distribution.claiming import Said, Where
from distribution.models import MessageTemplate
from distribution.queries import triggers
from distribution.queries.placements import No, no
from distribution.queries.triggers import CompiledRule, Event

log = structlog.get_logger(__name__)

_COLUMNS = "event, customer, occurred_at, received_at, client, city_id, lat, lng, data, outcomes, issued_count, by"
_TYPES = "text timestamptz timestamptz text text float8 float8 jsonb jsonb integer text"
_HEARD = f"""
INSERT INTO distribution_inboundevent ({_COLUMNS})
SELECT * FROM unnest(%s::text[], {", ".join(f"%s::{type}[]" for type in _TYPES.split())})
RETURNING 1
"""  # noqa: S608  our own words
#: Beside the coupons of the one rule that an event sets off: the event, and the rule's rest, if it rests.
_HEARD_BESIDE = f"""
INSERT INTO distribution_inboundevent ({_COLUMNS})
SELECT %s::text, {", ".join(f"%s::{type}" for type in _TYPES.split())}
  FROM issued
 WHERE CASE WHEN outcome <> 'issued' THEN false ELSE distribution_rest(%s::bigint, %s::text, %s::timestamptz,
                                                                       %s::timestamptz) END
"""  # noqa: S608  our own words
#: So many events that set nothing off are written together at the latest.
TOGETHER = 1000
#: What says more than so many characters is not kept waiting: memory stays bounded.
LONG = 10_000
#: What a rule that the event does not concern says; on record, and no news to the app.
_QUIET = frozenset({"issued", "event_unfit", "event_too_old"})
#: Refusals of the call itself, not of a rule.
_OURS = frozenset({"busy", "idempotency_key_reused"})
_REST = "SELECT distribution_rest(%s::bigint, %s::text, %s::timestamptz, %s::timestamptz)"

Heard = tuple[Any, ...]


def _write_down(heard: list[Heard]) -> None:
    rows(_HEARD, [*map(list, zip(*heard, strict=True))])


def _write_gathered(heard: list[Heard]) -> None:
    """One event that the database does not take must not keep its neighbours from being written."""
    try:
        _write_down(heard)
    except psycopg.DataError:
        for line in heard:
            try:
                _write_down([line])
            except psycopg.DataError as problem:
                log.error("event cannot be written", problem=str(problem), told=line[0])


#: Events that set nothing off: on record a moment later, in one commit with their neighbours.
_heard: Gathering[list[Heard]] = Gathering("events", "EVENTS_SECONDS", list, _write_gathered, list.extend)
flush = _heard.flush


def happen(event: Event, now: datetime, *, by: str, once: Once | None = None) -> Reply:
    """What the event sets off; 200 with ``{"coupons": […], "messages": […], "refused": […]}``; refused by
    those rules that the event concerns.

    ``now`` in the business time zone. Every rule for itself: what one refuses does not keep another from giving.

    :raises Refused: "busy"; "idempotency_key_reused".
    """
    for _attempt in range(4):
        book = catalogue.current()
        listeners = triggers.listeners(book, event.event)
        asked, deaf = listeners.concerned(event, now) if listeners else ([], [])
        fitting: list[CompiledRule] = []
        outcomes: list[dict[str, Any]] = []
        if asked:
            situation = situate(now, client=event.client, city=event.city, position=event.position)
            customer = triggers.known(asked, event.customer, now)
            resting = triggers.resting(asked, event.customer, now)
            for rule in asked:
                refusal = triggers.refused(rule, customer, situation)
                if refusal is None and rule.row.pk in resting:
                    refusal = no("resting")
                if refusal is None:
                    fitting.append(rule)
                else:
                    outcomes.append(_outcome(rule, refusal))
        if not fitting:
            return _nothing(event, outcomes + deaf, now, by, once)
        try:
            if len(fitting) == 1 and not _tells(fitting[0]):
                return _set_one_off(book, event, fitting[0], customer, outcomes, deaf, now, by, once)
            return answers.do_once(
                once,
                now,
                lambda: _set_off(book, event, fitting, list(outcomes), deaf, now, by),  # noqa: B023  run at once
            )
        except Stale:
            catalogue.forget()
    raise Refused("busy")


def _nothing(event: Event, outcomes: list[dict[str, Any]], now: datetime, by: str, once: Once | None) -> Reply:
    """Had no effect, so it is not kept for its key; whoever had one under it before is told so again."""
    found = answers.find(once)
    if found is not None:
        return found
    line = _line(event, outcomes, 0, now, by)
    with _heard.open() as heard:
        heard.append(line)
        full = len(heard) >= TOGETHER or len(line[8]) > LONG
    if full or not settings.EVENTS_SECONDS:
        flush()
    return Reply(200, _body([], [], outcomes))


def _set_one_off(
    book: Book,
    event: Event,
    rule: CompiledRule,
    customer: Profile,
    outcomes: list[dict[str, Any]],
    deaf: list[dict[str, Any]],
    now: datetime,
    by: str,
    once: Once | None,
) -> Reply:
    """The rule's coupons, the event, the rest and the answer in one round trip."""

    def say(coupons: bytes, grants: list[Grant]) -> Said:
        issued = {"placement": rule.placement.key, "code": "issued", "coupons": [str(grant.id) for grant in grants]}
        found = [*outcomes, issued, *deaf]
        line = _line(event, found, len(grants), now, by)
        return Said(
            Reply(200, _body([coupons[1:-1]], [], found)), Beside(_HEARD_BESIDE, (*line, *_rest(rule, event, now)))
        )

    where = Where(event.client, event.city, event.position)
    try:
        suits = claiming.suited(rule.placement, event.customer, now, where, profile=customer)
        return claiming.give(
            book,
            rule.placement,
            event.customer,
            now,
            where,
            by=by,
            once=once,
            reason=f"event:{event.event}",
            suits=suits,
            say=say,
        )
    except Refused as refused:
        if refused.code in _OURS:
            raise
        return _nothing(event, [*outcomes, _no(rule, refused), *deaf], now, by, once)


def _set_off(
    book: Book,
    event: Event,
    fitting: list[CompiledRule],
    outcomes: list[dict[str, Any]],
    deaf: list[dict[str, Any]],
    now: datetime,
    by: str,
) -> Reply:
    coupons: list[bytes] = []
    written: list[MessageTemplate] = []
    where = Where(event.client, event.city, event.position)
    for rule in fitting:
        try:
            # What one rule began and could not finish is undone, and the others' stays.
            with transaction.atomic() if rule.cooldown else nullcontext():
                if rule.cooldown:
                    _take_rest(rule, event, now)
                given = claiming.give(
                    book, rule.placement, event.customer, now, where, by=by, reason=f"event:{event.event}"
                )
        except Refused as refused:
            if refused.code == "busy":
                raise
            outcomes.append(_no(rule, refused))
        else:
            body = given.body.removeprefix(b'{"coupons":[').removesuffix(b"]}")
            coupons.append(body)
            told = orjson.loads(given.body)["coupons"]
            ids = [coupon["id"] for coupon in told]
            outcomes.append({"placement": rule.placement.key, "code": "issued", "coupons": ids})
            if (template := _tells(rule)) is not None and _write(template, rule, event.customer, told[0], now):
                written.append(template)
    outcomes += deaf
    issued = sum(len(outcome.get("coupons", ())) for outcome in outcomes)
    _write_down([_line(event, outcomes, issued, now, by)])
    said = [{"channel": template.channel, "template": template.key} for template in written]
    return Reply(200, _body(coupons, said, outcomes))


def _tells(rule: CompiledRule) -> MessageTemplate | None:
    template = rule.row.message
    return template if template is not None and template.is_active else None


def _write(template: MessageTemplate, rule: CompiledRule, customer: str, coupon: dict[str, Any], now: datetime) -> bool:
    """Into the outbox, of no use once the coupon is over; not to whoever wants no messages."""
    to = Customer.objects.select_related("optout").get(key=customer)
    if hasattr(to, "optout"):
        return False
    until = datetime.fromisoformat(coupon["valid_until"])
    variables = {
        "nickname": to.nickname or "",
        "coupon": coupon["name"],
        "until": f"{until - timedelta(microseconds=1):%Y-%m-%d}",
        "link": f"{settings.PUBLIC_URL}/h5/wallet/",
    }
    messages.put(
        f"issued:{coupon['id']}", template, to, variables, now=now, by=f"trigger:{rule.placement.key}", until=until
    )
    return True


def _rest(rule: CompiledRule, event: Event, now: datetime) -> tuple[int, str, datetime | None, datetime]:
    return rule.row.pk, event.customer, now + rule.cooldown if rule.cooldown else None, now


def _take_rest(rule: CompiledRule, event: Event, now: datetime) -> None:
    """:raises Refused: "resting": it gave this customer something a little while ago."""
    try:
        row(_REST, _rest(rule, event, now))
    except psycopg.Error as refused:
        if refused.sqlstate != REFUSED:
            raise
        raise Refused(refused.diag.message_primary or "") from None


def _line(event: Event, outcomes: list[dict[str, Any]], issued: int, now: datetime, by: str) -> Heard:
    """As ``_COLUMNS`` has it."""
    return (
        event.event,
        event.customer,
        event.occurred_at,
        now,
        event.client,
        event.city,
        *(event.position or (None, None)),
        orjson.dumps(event.data).decode(),
        orjson.dumps(outcomes, default=str).decode(),
        issued,
        by,
    )


def _no(rule: CompiledRule, refused: Refused) -> dict[str, Any]:
    return _outcome(rule, No(refused.code, [dict(reason) for reason in refused.reasons]))


def _outcome(rule: CompiledRule, refusal: No) -> dict[str, Any]:
    """``reasons`` only where they say more than the code."""
    more = {"reasons": refusal.reasons} if refusal.code == "conditions_unmet" else {}
    return {"placement": rule.placement.key, "code": refusal.code, **more}


def _body(coupons: list[bytes], messages: list[dict[str, Any]], outcomes: list[dict[str, Any]]) -> bytes:
    refused = [
        {**outcome, "reasons": outcome.get("reasons") or no(outcome["code"]).reasons}
        for outcome in outcomes
        if outcome["code"] not in _QUIET
    ]
    return b'{"coupons":[%b],"messages":%b,"refused":%b}' % (
        b",".join(coupons),
        orjson.dumps(messages),
        orjson.dumps(refused, default=str),
    )
