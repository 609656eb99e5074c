"""What is possible and still looks like a mistake: each a warning that an operator accepts with a reason."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from shapely import Point

from coupons.checking.cases import Case, Rule
from coupons.checking.orders import Unproven
from coupons.checking.places import Map, apart_km
from coupons.checking.solving import Solver, Witness
from coupons.checking.verdicts import Finding, register
from coupons.data import cities
from coupons.models import CouponTemplate
from coupons.queries.catalogue import validity_of
from coupons.queries.wording import moment_words, period_words, yuan
from coupons.rules import Condition, compile_rules

#: From half price on, 3折 may have been meant as 30 % off.
DEEP_PERCENT = Decimal(50)
#: Longer than what a coupon is for.
LONG = timedelta(days=2 * 366)
#: No city reaches farther from its centre.
CITY_REACHES_KM = 400.0
Type = CouponTemplate.Type


def _warning(code: str, sentence: str, *fields: str) -> Finding:
    return Finding(code, "warning", sentence, fields)


@register
def money(case: Case, witness: Witness | None) -> Iterator[Finding]:
    template = case.template
    amount, threshold, cap = template.amount_fen, template.threshold_fen, template.cap_fen
    percent = template.percent_off
    if template.type == Type.AMOUNT_OFF and amount and amount == threshold and not template.scope.get("shipping"):
        yield _warning(
            "order_for_nothing",
            _("An order of exactly ¥%(threshold)s costs nothing.") % {"threshold": yuan(amount)},
            "amount_fen",
            "threshold_fen",
        )
    elif amount and threshold and amount * 100 >= threshold * DEEP_PERCENT and not template.scope.get("shipping"):
        yield _warning(
            "deep_discount",
            _("An order of ¥%(threshold)s costs only ¥%(left)s.")
            % {"threshold": yuan(threshold), "left": yuan(threshold - amount)},
            "amount_fen",
            "threshold_fen",
        )
    if template.type == Type.PERCENT_OFF and percent:
        if percent >= DEEP_PERCENT:
            left = {"off": f"{percent.normalize():f}", "left": f"{(100 - percent).normalize():f}"}
            yield _warning(
                "deep_discount", _("%(off)s %% is taken off: the customer pays only %(left)s %%.") % left, "percent_off"
            )
        if cap and threshold and threshold * percent >= cap * 100:
            yield _warning(
                "cap_always_reached",
                _("From its threshold on it always reaches its cap: it is ¥%(cap)s off, whatever is bought.")
                % {"cap": yuan(cap)},
                "cap_fen",
                "percent_off",
                "threshold_fen",
            )
        if not cap:
            yield _warning(
                "uncapped", _("Without a cap, nobody can say what one coupon costs at most."), "cap_fen", "percent_off"
            )
    if threshold and template.scope.get("shipping"):
        yield _warning(
            "threshold_of_shipping",
            _("Only a shipping fee of ¥%(threshold)s or more is enough for it, whatever the goods cost.")
            % {"threshold": yuan(threshold)},
            "threshold_fen",
            "scope",
        )
    merchant = template.merchant_fen
    if merchant and template.worth_fen and merchant >= template.worth_fen:
        yield _warning(
            "merchant_pays_all",
            _("The merchant's share of ¥%(share)s reaches the discount of ¥%(worth)s: the platform pays nothing.")
            % {"share": yuan(merchant), "worth": yuan(template.worth_fen)},
            "merchant_fen",
        )
    shared = template.merchant_percent or template.merchant_fen
    if shared and template.scope.get("shipping") and template.merchant_id is None:
        yield _warning(
            "share_of_nobody",
            _("The merchant's share of a shipping coupon without a merchant falls to the platform."),
            "merchant",
            "merchant_percent",
            "merchant_fen",
        )


@register
def supply(case: Case, witness: Witness | None) -> Iterator[Finding]:
    limits, worth = case.limits, case.worth_fen
    labels = {
        "daily": _("A day's limit is above the limit in all, so it never counts."),
        "customer": _("A customer's limit is above the limit in all, so one customer may take everything."),
        "customer_daily": _("A customer's limit a day is above the customer's limit in all, so it never counts."),
    }
    for name, above in (("daily", "total"), ("customer", "total"), ("customer_daily", "customer")):
        for unit in ("count", "fen"):
            less, more = limits.get(f"{above}_{unit}"), limits.get(f"{name}_{unit}")
            if less is not None and more is not None and more > less > 0:
                yield _warning(f"{name}_above_{above}", labels[name], f"{name}_{unit}", f"{above}_{unit}")
    total = limits.get("total_count")
    free = case.free_fen
    if free is not None and worth and free >= worth:
        lasts = case.issued_count + free // worth
        if total is not None and total > lasts:
            words = {"lasts": f"{lasts:,}", "total": f"{total:,}"}
            yield _warning(
                "budget_short",
                _("The campaign's budget is enough for %(lasts)s of these %(total)s coupons.") % words,
                "total_count",
                "budget",
            )
    yield from _days(case, witness)


def _days(case: Case, witness: Witness | None) -> Iterator[Finding]:
    """A total that the days that there are can never give out."""
    daily, total = case.limits.get("daily_count"), case.limits.get("total_count")
    ends = [case.placed.ends_at, case.template.valid_until]
    if release_end := case.template.release.get("ends_at"):
        ends.append(case.now.fromisoformat(release_end))
    if not (daily and total and witness and any(ends)):
        return
    days = Solver(case).claim_days(case.rules)
    if daily * days < total:
        words = {"most": f"{daily * days:,}", "days": days, "total": f"{total:,}", "daily": f"{daily:,}"}
        yield _warning(
            "total_out_of_reach",
            ngettext(
                "On the %(days)d day that is left, at %(daily)s a day, at most %(most)s of %(total)s are given out.",
                "On the %(days)d days that are left, at %(daily)s a day, at most %(most)s of %(total)s are given out.",
                days,
            )
            % words,
            "daily_count",
            "total_count",
        )


@register
def travel(case: Case, witness: Witness | None) -> Iterator[Finding]:
    """Claimed here and used there; a city and an area far from it."""
    claims = [rule.condition for rule in case.rules if rule.deed == "claim" and rule.condition]
    uses = [rule.condition for rule in case.rules if rule.deed == "use" and rule.condition]
    named = {
        deed: {
            fact: [set(condition.answers["any_of"]) for condition in conditions if condition.fact == fact]
            for fact in ("city", "areas")
        }
        for deed, conditions in (("claim", claims), ("use", uses))
    }
    fields = {
        "city": ("claim_cities", "claim_conditions.cities", "use_conditions.cities"),
        "areas": ("claim_conditions.areas", "use_conditions.areas"),
    }
    if named["claim"]["city"] and named["use"]["city"]:
        here = set.intersection(*named["claim"]["city"])
        if here and here.isdisjoint(set.intersection(*named["use"]["city"])):
            yield _warning(
                "claimed_elsewhere",
                _("The cities where it can be claimed and those where it can be used have none in common."),
                *_told(case, fields["city"]),
            )
    if not (named["claim"]["areas"] or named["use"]["areas"]):
        return
    drawn = Map({key for deed in named.values() for keys in deed["areas"] for key in keys})
    shapes = {deed: drawn.inside(facts["areas"]) for deed, facts in named.items() if facts["areas"]}
    if len(shapes) == 2 and (km := apart_km(shapes["claim"], shapes["use"])) > 0:
        yield _warning(
            "claimed_elsewhere",
            _("The area where it can be claimed is %(km)s km from the one where it can be used.") % {"km": f"{km:.1f}"},
            *_told(case, fields["areas"]),
        )
    for deed, shape in shapes.items():
        for other in ("claim", "use"):
            if not named[other]["city"] or shape.is_empty:
                continue
            keys = set.intersection(*named[other]["city"])
            distances = [apart_km(Point(city["lng"], city["lat"]), shape) for city in cities() if city["key"] in keys]
            if not distances or min(distances) <= CITY_REACHES_KM:
                continue
            words, where = {"km": f"{min(distances):,.0f}"}, (f"{deed}_conditions.areas", f"{other}_conditions.cities")
            told = _told(case, (*where, "claim_cities") if other == "claim" else where)
            if deed == other:
                sentence = _("The area lies %(km)s km from the nearest of the cities that are asked for beside it.")
                yield _warning("area_not_in_city", sentence % words, *told)
            elif deed == "use":
                sentence = _("The area where it can be used is %(km)s km from the cities where it can be claimed.")
                yield _warning("claimed_elsewhere", sentence % words, *told)
            else:
                sentence = _("The area where it can be claimed is %(km)s km from the cities where it can be used.")
                yield _warning("claimed_elsewhere", sentence % words, *told)


def _told(case: Case, fields: tuple[str, ...]) -> list[str]:
    """Those of the fields that are filled in."""
    there = {rule.code for rule in case.rules}
    audience = [field.replace("claim_conditions", "audience.conditions") for field in fields]
    return [field for field in dict.fromkeys((*fields, *audience)) if field in there]


@register
def clients(case: Case, witness: Witness | None) -> Iterator[Finding]:
    """Customers of the channel hold something in hand in which they cannot use it."""
    offered = case.placed.clients
    for rule in case.rules:
        asked = rule.condition.answers["any_of"] if rule.condition and rule.condition.fact == "client" else ()
        if offered and asked and offered.isdisjoint(asked):
            sentence = _("Customers meet it where this does not hold: %(rule)s.") % {"rule": rule.words()}
            yield Finding("other_client", "warning", sentence, (rule.code,), (rule.words(),))


def for_new_alone(template: CouponTemplate) -> bool:
    """Whether only customers without any order can use it."""
    asked = compile_rules(template.use_conditions)
    return any(one.fact == "orders" and all((None, 0, 0) in past.counts for past in one.pasts()) for one in asked)


@register
def newcomers(case: Case, witness: Witness | None) -> Iterator[Finding]:
    """New at the claim, and perhaps no longer at the use."""
    is_for_new = for_new_alone(case.template)
    if is_for_new and witness and witness.use.at.date() > witness.claim.at.date():
        yield _warning(
            "no_longer_new",
            _("It is used a day or more after the claim: whoever orders meanwhile is new no longer and cannot use it."),
            "use_conditions.standing",
            "validity_type",
        )
    most = case.limits.get("customer_count")
    if is_for_new and not case.template.newcomer and (most is None or most > 1):
        yield _warning(
            "only_the_first",
            _("A customer may hold several and use one: with its order the customer is new no longer."),
            "customer_count",
            "use_conditions.standing",
        )
    template = case.template
    if (
        template.newcomer
        and case.placed.key
        and not any(rule.deed == "claim" and rule.condition and rule.condition.fact == "orders" for rule in case.rules)
    ):
        yield _warning(
            "newcomer_for_anybody",
            _("It is a newcomer coupon, and no rule of its claim asks whether the customer is new."),
            "newcomer",
            "claim_conditions.standing",
        )


@register
def campaign_end(case: Case, witness: Witness | None) -> Iterator[Finding]:
    template, ends = case.template, case.placed.ends_at
    if ends and template.valid_from and template.valid_from >= ends:
        yield _warning(
            "valid_after_campaign",
            _("It is valid %(period)s, and its campaign is over before.")
            % {"period": period_words(template.valid_from, template.valid_until)},
            "valid_from",
            "campaign",
        )


@register
def years(case: Case, witness: Witness | None) -> Iterator[Finding]:
    """A year that was mistyped, before it is a promise."""
    if witness and (ends := validity_of(case.template, witness.claim.at)[1]) > witness.claim.at + LONG:
        sentence = _("Its coupons are valid until %(end)s, and the budget answers for them as long.")
        yield _warning("valid_for_years", sentence % {"end": moment_words(ends)}, "validity_type", "valid_until")


@register
def too_late(case: Case, witness: Witness | None) -> Iterator[Finding]:
    """Some can use it, and whoever claims it at another moment never can."""
    at = Solver(case).too_late(case.rules) if witness else None
    if at is None:
        return
    asked = [
        rule
        for rule in case.rules
        if rule.code == "validity_type" or (rule.deed == "use" and rule.condition and rule.condition.fact == "moment")
    ]
    said = {"moment": moment_words(at), "rules": _(" — ").join(f"“{rule.words()}”" for rule in asked)}
    sentence = _("Claimed on %(moment)s, for instance, it can never be used: %(rules)s.")
    fields = tuple(rule.code for rule in asked)
    yield Finding("claimed_too_late", "warning", sentence % said, fields, tuple(rule.words() for rule in asked))


@register
def in_vain(case: Case, witness: Witness | None) -> Iterator[Finding]:
    """Some can use it, and whoever has other orders gets it and never can: asked once it is known to whom it goes."""
    if witness is None or not case.placed.key:
        return
    for rule in case.rules:
        condition = rule.condition
        if rule.deed == "use" and condition and condition.fact == "orders" and _given_in_vain(case, condition):
            sentence = _("Whoever does not fulfil “%(rule)s” when claiming it gets it and can never use it.")
            yield Finding(
                "claimed_in_vain", "warning", sentence % {"rule": rule.words()}, (rule.code,), (rule.words(),)
            )


def _given_in_vain(case: Case, condition: Condition) -> bool:
    """Whether anybody who does not fulfil it at the claim gets it, and none of these ever will."""
    for way in condition.fails():
        others = [Rule("", one.wording, condition=one) for one in way]
        solver = Solver(case)
        with suppress(Unproven):
            rules = [*case.rules, *others]
            if others and solver.witness(rules, to_use=False) and solver.witness(rules) is None:
                return True
    return False


@register
def night(case: Case, witness: Witness | None) -> Iterator[Finding]:
    """Hours over midnight beside rules about days, which change at midnight."""
    for deed in ("claim", "use"):
        rules = [rule for rule in case.rules if rule.deed == deed]
        nights = [rule for rule in rules if any(start > end != "00:00" for start, end in _hours(case, rule))]
        days = [rule for rule in rules if _is_about_days(rule)]
        if nights and days:
            said = {"hours": nights[0].words(), "days": days[0].words()}
            sentence = _("The day changes at midnight: after it “%(hours)s” is asked beside “%(days)s” of the new day.")
            yield _warning("night_is_cut", sentence % said, nights[0].code, days[0].code)


def _hours(case: Case, rule: Rule) -> Sequence[Sequence[str]]:
    """Windows within which it holds, if it is about hours."""
    if rule.code == "release.hours":
        return case.template.release["hours"]
    return (rule.condition.answers.get("inside") or ()) if rule.condition and rule.condition.code == "hours" else ()


def _is_about_days(rule: Rule) -> bool:
    if rule.schedule is not None:
        return bool(rule.schedule.weekdays or rule.schedule.month_days)
    return rule.condition is not None and rule.condition.code in ("weekdays", "festivals")
