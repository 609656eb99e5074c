"""A trigger rule tried on events that were told: what it would have given, and why not. Nothing is given."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone

from coupons import jobs
from coupons.models import Job
from coupons.queries import catalogue
from coupons.queries.surroundings import situate
from coupons.refused import Refused
from distribution.models import InboundEvent, TriggerRule
from distribution.queries import placements, triggers
from distribution.queries.triggers import CompiledRule, Event

KIND = "try_trigger"
CHUNK = 500
#: So many events that it would have answered are shown.
SHOWN = 20


@jobs.work(KIND)
def try_rule(job: Job) -> Iterator[jobs.Step]:
    """Over the events of ``answers["event"]`` told in the half-open period; in order, so that rests are kept.

    Facts of customers are those of now, and limits are not asked: how many it would be if all could be given.
    """
    rule = TriggerRule.objects.select_related("placement").filter(pk=job.answers["rule"]).first()
    book = catalogue.current()
    compiled = triggers.compiled(book, rule) if rule else None
    if rule is None or compiled is None:
        raise Refused("not_found")
    start, end = (datetime.fromisoformat(job.answers[name]) for name in ("from", "until"))
    events = InboundEvent.objects.filter(event=rule.event, received_at__gte=start, received_at__lt=end).order_by(
        "received_at", "id"
    )
    total, done = events.count(), 0
    codes: Counter[str] = Counter()
    resting: dict[str, datetime] = {}
    customers: set[str] = set()
    worth_fen = 0
    shown: list[list[Any]] = []
    for told in events.iterator(chunk_size=CHUNK):
        code, worth = _outcome(compiled, told, resting)
        codes[code] += 1
        done += 1
        if code == "issued":
            customers.add(told.customer)
            worth_fen += worth
            if len(shown) < SHOWN:
                shown.append([told.pk, told.customer, told.received_at.isoformat()])
        if done % CHUNK == 0:
            yield jobs.Step(done=done, total=total)  # tried again, it begins anew: nothing was done
    found = {"codes": dict(codes), "customers": len(customers), "worth_fen": worth_fen, "shown": shown}
    yield jobs.Step(done=done, total=done, outcome=found)


def _outcome(rule: CompiledRule, told: InboundEvent, resting: dict[str, datetime]) -> tuple[str, int]:
    """The code, and the most in fen that what is given would take off."""
    now = timezone.localtime(told.received_at)
    position = None if told.lat is None or told.lng is None else (told.lat, told.lng)
    event = Event(told.event, told.customer, told.occurred_at, told.client, told.city_id, position, told.data)
    situation = situate(now, client=event.client, city=event.city, position=position)
    code = triggers.unfit(rule, event, now)
    if code is not None:
        return code, 0
    refusal = triggers.refused(rule, triggers.known([rule], event.customer, now), situation)
    if refusal is None and (until := resting.get(event.customer)) is not None and now < until:
        return "resting", 0
    if refusal is None:
        facts = placements.known([rule.placement], event.customer, now)
        fitting = [
            offer for offer in rule.placement.offers if placements.refused_by_rules(offer, facts, situation) is None
        ]
        if not fitting:
            return "nothing_on_offer", 0
        if placements.in_control_group(rule.placement, event.customer):
            return "in_control_group", 0
        if rule.cooldown:
            resting[event.customer] = now + rule.cooldown
        worths = [offer.template.worth_fen for offer in fitting]
        match rule.placement.pick:
            case "all":
                return "issued", sum(worths)
            case "random":
                return "issued", max(worths)
        return "issued", worths[0]
    return refusal.code, 0
