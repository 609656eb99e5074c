"""系统自动触发: an event of the app sets rules off, which give coupons."""

from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction

from coupons import answers
from coupons.answers import Once, Reply
from coupons.lifecycle.issuing import Stale
from coupons.models import Customer
from coupons.queries import catalogue
from coupons.queries.catalogue import Book
from coupons.queries.direct import row
from coupons.queries.surroundings import situate
from coupons.refused import Refused
from distribution import claiming, messages
from distribution.claiming import Where
from distribution.models import MessageTemplate
from distribution.queries import triggers
from distribution.queries.placements import No, no
from distribution.queries.triggers import CompiledRule, Event

#: The event and the answer to its key, when it sets nothing off: one round trip.
_HEARD = """
WITH answered AS (
    INSERT INTO coupons_answer (caller, key, fingerprint, status, body, created_at)
    SELECT %(caller)s::text, %(key)s::text, %(print)s::bytea, 200, %(body)s::bytea, %(now)s::timestamptz
     WHERE %(key)s::text IS NOT NULL
    ON CONFLICT DO NOTHING RETURNING 1
)
INSERT INTO distribution_inboundevent
       (event, customer, occurred_at, received_at, client, city_id, lat, lng, data, outcomes, issued_count, by)
SELECT %(event)s::text, %(customer)s::text, %(occurred_at)s::timestamptz, %(now)s::timestamptz, %(client)s::text,
       %(city)s::text, %(lat)s::float8, %(lng)s::float8, %(data)s::jsonb, %(outcomes)s::jsonb, %(issued)s::integer,
       %(by)s::text
 WHERE %(key)s::text IS NULL OR EXISTS (SELECT FROM answered)
RETURNING id
"""
#: What a rule that the event does not concern says; on record, and no news to the app.
_QUIET = frozenset({"issued", "event_unfit", "event_too_old"})
_REST = """
INSERT INTO distribution_rest AS rest (rule_id, customer_key, until) VALUES (%s::bigint, %s::text, %s::timestamptz)
ON CONFLICT (rule_id, customer_key) DO UPDATE SET until = excluded.until
      WHERE rest.until <= %s::timestamptz
RETURNING 1
"""


def happen(event: Event, now: datetime, *, by: str, once: Once | None = None) -> Reply:
    """What the event sets off; 200 with ``{"coupons": […], "messages": […], "refused": […]}``; refused by
    those rules that the event concerns.

    ``now`` in the business time zone. Every rule for itself: what one refuses does not keep another from giving.

    :raises Refused: "busy"; "idempotency_key_reused".
    """
    for _attempt in range(4):
        book = catalogue.current()
        asked: list[CompiledRule] = []
        fitting: list[CompiledRule] = []
        outcomes: list[dict[str, Any]] = []
        for rule in triggers.rules_for(book, event.event):
            code = triggers.unfit(rule, event, now)
            if code is None:
                asked.append(rule)
            else:
                outcomes.append({"placement": rule.placement.key, "code": code})
        if asked:
            situation = situate(now, client=event.client, city=event.city, position=event.position)
            customer = triggers.known(asked, event.customer, now)
            for rule in asked:
                refusal = triggers.refused(rule, customer, situation)
                if refusal is None:
                    fitting.append(rule)
                else:
                    outcomes.append(_outcome(rule, refusal))
        if not fitting:
            return _nothing(event, outcomes, now, by, once)
        try:
            return answers.do_once(
                once,
                now,
                lambda: _set_off(book, event, fitting, list(outcomes), now, by),  # noqa: B023  run at once
            )
        except Stale:
            catalogue.forget()
    raise Refused("busy")


def _nothing(event: Event, outcomes: list[dict[str, Any]], now: datetime, by: str, once: Once | None) -> Reply:
    reply = Reply(200, _body([], [], outcomes))
    heard = _hear(event, outcomes, 0, now, by, once, reply.body)
    if not heard:  # said before
        found = answers.find(once)
        if found is None or not found.status:
            raise Refused("busy")
        return found
    return reply


def _set_off(
    book: Book, event: Event, fitting: list[CompiledRule], outcomes: list[dict[str, Any]], now: datetime, by: str
) -> Reply:
    coupons: list[bytes] = []
    written: list[MessageTemplate] = []
    for rule in fitting:
        try:
            # What one rule began and could not finish is undone, and the others' stays.
            with transaction.atomic() if rule.cooldown else nullcontext():
                _rest(rule, event.customer, now)
                where = Where(event.client, event.city, event.position)
                given = claiming.give(
                    book, rule.placement, event.customer, now, where, by=by, reason=f"event:{event.event}"
                )
        except Refused as refused:
            if refused.code == "busy":
                raise
            outcomes.append(_outcome(rule, No(refused.code, [dict(reason) for reason in refused.reasons])))
        else:
            body = given.body.removeprefix(b'{"coupons":[').removesuffix(b"]}")
            coupons.append(body)
            told = orjson.loads(given.body)["coupons"]
            ids = [coupon["id"] for coupon in told]
            outcomes.append({"placement": rule.placement.key, "code": "issued", "coupons": ids})
            template = rule.row.message
            if template is not None and template.is_active:
                _write(template, rule, event.customer, told[0], now)
                written.append(template)
    issued = sum(len(outcome.get("coupons", ())) for outcome in outcomes)
    _hear(event, outcomes, issued, now, by)
    said = [{"channel": template.channel, "template": template.key} for template in written]
    return Reply(200, _body(coupons, said, outcomes))


def _write(template: MessageTemplate, rule: CompiledRule, customer: str, coupon: dict[str, Any], now: datetime) -> None:
    """Into the outbox, of no use once the coupon is over."""
    to = Customer.objects.get(key=customer)
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


def _rest(rule: CompiledRule, customer: str, now: datetime) -> None:
    """:raises Refused: "resting": it gave this customer something a little while ago."""
    if rule.cooldown and row(_REST, (rule.row.pk, customer, now + rule.cooldown, now)) is None:
        raise Refused("resting")


def _hear(
    event: Event,
    outcomes: list[dict[str, Any]],
    issued: int,
    now: datetime,
    by: str,
    once: Once | None = None,
    body: bytes | None = None,
) -> bool:
    caller, key, print_ = once or (None, None, None)
    lat, lng = event.position or (None, None)
    parameters = {
        "caller": caller,
        "key": key,
        "print": print_,
        "body": body,
        "now": now,
        "event": event.event,
        "customer": event.customer,
        "occurred_at": event.occurred_at,
        "client": event.client,
        "city": event.city,
        "lat": lat,
        "lng": lng,
        "data": orjson.dumps(event.data).decode(),
        "outcomes": orjson.dumps(outcomes, default=str).decode(),
        "issued": issued,
        "by": by,
    }
    return row(_HEARD, parameters) is not None


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
