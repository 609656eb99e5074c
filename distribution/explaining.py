"""为什么能领、为什么不能领: for one customer and one placement, every rule, what it wants, what there was, its verdict.

The answer at the end is claiming's own: the placement is claimed from and everything undone, so it cannot differ.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from django.db.models import Model, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from coupons.calendar import FESTIVALS
from coupons.conditions.audiences import Audiences
from coupons.conditions.customer import STANDINGS
from coupons.conditions.moment import WEEKDAYS
from coupons.conditions.names import called
from coupons.editing import column
from coupons.lifecycle.issuing import Stale
from coupons.models import Area, Audience, City, Coupon, Customer, CustomerCounter, Supply, Weather
from coupons.queries import catalogue
from coupons.queries.catalogue import Book, CompiledTemplate
from coupons.queries.surroundings import situate
from coupons.queries.wording import release_wording, yuan
from coupons.refused import SENTENCES, Refused
from coupons.rules import Client, Condition, Profile, Situation
from coupons.rules.identity import identity
from distribution import claiming
from distribution.claiming import NOWHERE, Where
from distribution.models import Placement, TriggerRule
from distribution.queries import placements, risk, triggers
from distribution.queries.placements import CompiledPlacement
from distribution.queries.triggers import CompiledRule


class Asked(NamedTuple):
    """One rule. ``holds``: None where the fact is unknown, which refuses as well. ``had`` in words; "" says nothing.

    ``inner``: it stands within the audience of the rule above and decides nothing by itself.
    """

    rule: str
    wanted: str
    had: str
    holds: bool | None
    inner: bool = False


class OfferTold(NamedTuple):
    """What an offer asks; ``gives``: whether the customer would get this one."""

    name: str
    template: str
    gives: bool
    asked: list[Asked]


class Explanation(NamedTuple):
    """``code``: of the refusal, None if something would be given; ``reasons`` as the API gives them."""

    code: str | None
    detail: str
    reasons: list[dict[str, Any]]
    asked: list[Asked]
    offers: list[OfferTold]


def explain(placement: str, customer: str, now: datetime, where: Where = NOWHERE) -> Explanation:
    """``placement`` and ``customer`` are keys; ``now`` in the business time zone, any moment.

    :raises Refused: "not_found".
    """
    for _attempt in range(4):
        catalogue.forget()
        book = catalogue.current()
        found = placements.find(book, placement)
        if found is None:
            raise Refused("not_found")
        trigger = _trigger(book, found)
        profile = triggers.known([trigger], customer, now) if trigger else placements.known([found], customer, now)
        situation = situate(now, client=where.client, city=where.city, position=where.position)
        given: set[str] = set()
        code, cause, detail, reasons = None, "", "", []
        try:
            if trigger is not None:
                _set_off(trigger, profile, situation)
            reply = claiming.would_give(book, found, customer, now, where)
        except Stale:
            continue
        except Refused as refused:
            code, cause, detail = refused.code, refused.cause, str(refused.detail)
            reasons = [{**reason, "detail": str(reason["detail"])} for reason in refused.reasons]
        else:
            given = {coupon["template"] for coupon in orjson.loads(reply.body)["coupons"]}
        offers = []
        for offer in found.offers:
            asked = [_open(offer.template, now)]
            for rule in offer.rules:
                asked += _condition(rule, profile, situation)
            asked += _limits(offer.template, customer, now, where.device)
            offers.append(OfferTold(offer.template.row.name, offer.template.key, offer.template.key in given, asked))
        asked = [*_whole(found, customer, now), *_risk(book, customer, now, where, cause)]
        if trigger is not None:
            asked += _of_trigger(trigger, profile, situation)
        return Explanation(code, detail, reasons, asked, offers)
    raise Refused("busy")


def _trigger(book: Book, placement: CompiledPlacement) -> CompiledRule | None:
    """The rule that sets a triggered placement off."""
    rule = TriggerRule.objects.select_related("placement").filter(placement=placement.row.pk).first()
    return triggers.compiled(book, rule) if rule is not None else None


def _set_off(trigger: CompiledRule, customer: Profile, situation: Situation) -> None:
    """Of a live placement, asked as an event asks it.  :raises Refused: the rule gives this customer nothing."""
    if placements.refused_as_a_whole(trigger.placement, situation.now) is not None:
        return
    refusal = triggers.refused(trigger, customer, situation)
    if refusal is None and triggers.resting([trigger], customer.key, situation.now):
        refusal = placements.no("resting")
    if refusal is not None:
        raise Refused(refusal.code, refusal.reasons)


def _of_trigger(trigger: CompiledRule, customer: Profile, situation: Situation) -> Iterator[Asked]:
    """What the event itself has to say is no question of the customer's."""
    for rule in trigger.conditions:
        yield from _condition(rule, customer, situation)
    if trigger.cooldown:
        rests = bool(triggers.resting([trigger], customer.key, situation.now))
        said = str(SENTENCES["resting"]) if rests else _("nothing")
        yield Asked(_("Rest"), _("nothing given by it a little while ago"), said, not rests)


def _whole(placement: CompiledPlacement, customer: str, now: datetime) -> Iterator[Asked]:
    code = placements.refused_as_a_whole(placement, now)
    period = {"start": _moment(placement.starts_at), "end": _moment(placement.ends_at)}
    state = str(Placement.Status(placement.status).label)
    yield Asked(
        _("Placement and campaign"),
        _("live, from %(start)s until %(end)s") % period,
        f"{state} · {_moment(now)}",
        code is None,
    )
    if placement.control is not None:
        member = placements.in_control_group(placement, customer)
        yield Asked(_("Control group"), _("not a member"), _("a member") if member else _("not a member"), not member)


def _risk(book: Book, customer: str, now: datetime, where: Where, cause: str) -> Iterator[Asked]:
    """``cause``: of the refusal; that of the outside service is in no rule of ours."""
    if risk.is_on(book):
        cause = risk.found(customer, now, where, counts=False) or cause
    elif not cause:
        return
    yield Asked(_("Risk control"), _("nothing stands against it"), cause or _("nothing"), not cause)


def _open(template: CompiledTemplate, now: datetime) -> Asked:
    code = placements.closed(template, now)
    had = [str(template.row.get_status_display()), *([] if code is None else [str(SENTENCES[code])])]
    wanted = "; ".join([_("the template is live"), *release_wording(template.row)])
    return Asked(_("State and release"), wanted, " · ".join(had), code is None)


def _condition(rule: Condition, customer: Profile, situation: Situation, within: str = "") -> Iterator[Asked]:
    """``within``: the audience in which it stands. A rule that names audiences has theirs below it, however deep."""
    verdict = rule.check(customer, situation)
    had = _("unknown") if verdict.holds is None else _words(rule.code, verdict.had)
    label = f"{within} › {rule.label}" if within else str(rule.label)
    yield Asked(label, rule.for_operators(), had, verdict.holds, bool(within))
    if isinstance(rule, Audiences):
        for key, inside in (rule.any_of | rule.none_of).items():
            (name,) = called(Audience, [key])
            for inner in inside or ():
                yield from _condition(inner, customer, situation, f"{within} › {name}" if within else name)


#: What the codes that conditions find are called.
_CALLED: dict[str, Mapping[Any, Any]] = {
    "standing": dict(STANDINGS),
    "clients": dict(Client.choices),
    "weather": dict(Weather.Kind.choices),
    "weekdays": WEEKDAYS,
    "festivals": FESTIVALS,
}
_NAMED: dict[str, type[Model]] = {"cities": City, "areas": Area, "audiences": Audience}


def _words(code: str, had: Any) -> str:
    if had is None:
        return _("nothing")
    if isinstance(had, bool):
        return _("yes") if had else _("no")
    found = sorted(had) if isinstance(had, list | tuple | set | frozenset) else [had]
    if code in _NAMED:
        return ", ".join(called(_NAMED[code], found)) or _("none of them")
    return ", ".join(str(_CALLED.get(code, {}).get(one, one)) for one in found) or _("none of them")


#: Of each limit its counter: in the template's row, in the customer's; those of a day count for that day only.
_COUNTERS = {
    "total_count": ("issued_count", False),
    "total_fen": ("issued_fen", False),
    "daily_count": ("day_count", True),
    "daily_fen": ("day_fen", True),
}


def _limits(template: CompiledTemplate, customer: str, now: datetime, device: str | None) -> Iterator[Asked]:
    """Every limit that is set, the purse, and what is held that excludes this; counted as the database does."""
    supply = Supply.objects.select_related("template__budget").get(template=template.id)
    own = CustomerCounter.objects.filter(template_id=template.id, customer_id__in=_ids(customer)).first()
    for name in Supply.LIMITS:
        limit = getattr(supply, name)
        if limit is None:
            continue
        counter, of_day = _COUNTERS[name.replace("customer_daily", "daily").replace("customer", "total")]
        row: Any = own if name.startswith("customer") else supply
        used = 0 if row is None or (of_day and row.day != now.date()) else getattr(row, counter)
        more = template.worth_fen if name in Supply.FEN_LIMITS else 1
        told = f"{yuan(used)} / {yuan(limit)}" if name in Supply.FEN_LIMITS else f"{used:,} / {limit:,}"
        yield Asked(
            _("Limit: %(limit)s") % {"limit": column(Supply, name).verbose_name},
            _("room for one more"),
            told,
            used + more <= limit,
        )
    free = supply.template.budget.free_fen
    if free is not None and template.worth_fen:
        wanted = _("¥%(amount)s are free") % {"amount": yuan(template.worth_fen)}
        yield Asked(_("The campaign's budget"), wanted, f"¥{yuan(free)}", template.worth_fen <= free)
    held = Coupon.objects.filter(status__in=("available", "held"), valid_until__gt=now)
    if template.newcomer:
        same = held.filter(_one_person(customer, device), newcomer=True)
        yield _none_held(_("Newcomer coupon"), _("no other newcomer coupon is held"), same, customer)
    if template.exclusive_group is not None:
        others = held.filter(customer_id__in=_ids(customer), exclusive_group=template.exclusive_group)
        yield _none_held(_("Exclusive group"), _("no other coupon of the group is held"), others, customer)


def _one_person(customer: str, device: str | None) -> Q:
    """Coupons of whoever may be this customer, by account, phone number, WeChat account or device, known by now or when
    the coupon was issued; ``coupons_newcomer_held`` in the database says the same."""
    mine = Q(customer_id__in=_ids(customer))
    if device:
        mine |= Q(newcomer_device=identity("device", device))
    me = Customer.objects.filter(key=customer).first()
    if me is not None and me.phone:
        twins = Customer.objects.filter(phone=me.phone).values("pk")
        mine |= Q(customer_id__in=twins) | Q(newcomer_phone=identity("phone", me.phone))
    if me is not None and me.wechat:
        twins = Customer.objects.filter(wechat=me.wechat).values("pk")
        mine |= Q(customer_id__in=twins) | Q(newcomer_wechat=me.wechat)
    return mine


def _none_held(rule: str, wanted: str, held: Any, customer: str) -> Asked:
    """One person's other account is named: whoever asks could not find the coupon else."""
    codes = [
        code if whose == customer else _("%(code)s of %(customer)s") % {"code": code, "customer": whose}
        for code, whose in held.values_list("code", "customer__key")[:5]
    ]
    return Asked(rule, wanted, ", ".join(codes) or _("none"), not codes)


def _ids(customer: str) -> Any:
    return Customer.objects.filter(key=customer).values("pk")


def _moment(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"
