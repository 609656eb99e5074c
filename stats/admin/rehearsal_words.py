"""A rehearsal in words: what it found, what it assumed, what it does not know."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from coupons import rules
from coupons.admin.money import yuan
from coupons.editing import column
from coupons.models import Budget, Supply
from coupons.refused import SENTENCES
from stats.dashboard.figures import Card, count, percent
from stats.models import Rehearsal
from stats.rehearsing import Assumptions

Found = dict[str, Any]
UNLIMITED = gettext_lazy("no limit")


def _share(part: int, whole: int) -> str:
    return percent(part / whole if whole else None)


def cards(found: Found) -> list[Card]:
    uses, discount, merchants = found["uses"], found["discount_fen"], found["merchant_fen"]
    return [
        Card(
            "qualifying", _("Customers who qualify"), count(found["qualifying"]),
            detail=_("Of %(customers)s who ordered in these days. Of all customers, %(population)s meet today what the "
                     "rules ask of the customer.")
            % {"customers": count(found["customers"]), "population": count(found["population"])},
        ),
        Card(
            "claims", _("Claims"), count(found["claims"]),
            detail=_("%(refused)s more would have claimed, had the limits let them.")
            % {"refused": count(found["refused"])} if found["refused"] else "",
        ),
        Card(
            "uses", _("Uses"), count(uses),
            detail=_("%(rate)s of the claims; %(extra)s of them on additional orders. %(out)s coupons could still be "
                     "used after these days.")
            % {"rate": _share(uses, found["claims"]), "extra": count(found["extra"]), "out": count(found["still_out"])},
        ),
        Card(
            "discount", _("Discount"), yuan(discount),
            detail=_("Platform %(platform)s, merchants %(merchants)s")
            % {"platform": yuan(discount - merchants), "merchants": yuan(merchants)},
        ),
        Card("gmv", _("GMV"), yuan(found["gmv_fen"]), detail=_("Full price of orders with the coupon")),
        Card(
            "subsidy_rate", _("Subsidy rate"), _share(discount, found["gmv_fen"]), detail=_("Discount ÷ GMV"),
        ),
        Card(
            "per_use", _("Discount per use"), yuan(discount // uses if uses else None),
            detail=_("%(fitting)s of %(orders)s orders were such that the coupon fits.")
            % {"fitting": count(found["fitting_orders"]), "orders": count(found["orders"])},
        ),
        Card(
            "worst", _("Worst case"), yuan(found["worst_fen"], _("no end to it")),
            detail=_("Every coupon that limits and budget let go, each at its full worth"),
        ),
    ]  # fmt: skip


@dataclass(frozen=True)
class LimitLine:
    name: str
    left: str
    said: str
    refused: str


def limits(found: Found) -> Iterator[LimitLine]:
    """Those that there are, and the day on which each begins to turn somebody away."""
    for name, left in found["limits_left"].items():
        if left is None:
            continue
        reached = found["limits"].get(name)
        if reached is None:
            said = _("not reached in these days")
        else:
            said = _("reached on %(day)s") % {"day": _day(reached["first"])}
            if reached["customers"]:
                said = _("%(said)s by the first of %(customers)s customers") % {
                    "said": said,
                    "customers": count(reached["customers"]),
                }
            elif reached["days"] > 1:
                said = ngettext("%(said)s; on %(days)d day", "%(said)s; on %(days)d days", reached["days"]) % {
                    "said": said,
                    "days": reached["days"],
                }
        yield LimitLine(
            limit_called(name),
            yuan(left) if name.endswith("_fen") else count(left),
            said,
            count(reached["refused"]) if reached and reached["refused"] else "",
        )


def limit_called(name: str) -> str:
    if name == "budget_fen":
        return str(column(Budget, "limit_fen").verbose_name)
    return str(column(Supply, name).verbose_name)


def _day(text: str) -> str:
    day = parse_date(text)
    assert day is not None
    return f"{text} {date_format(day, 'D')}"


@dataclass(frozen=True)
class Hindrance:
    name: str
    orders: str
    share: str


def hindrances(rehearsal: Rehearsal, kind: str) -> list[Hindrance]:
    """``kind``: claim, use or unknown. What kept most orders first."""
    found, asked = rehearsal.found or {}, rehearsal.asked or {}
    ranked = sorted(found["no"][kind].items(), key=lambda pair: (-pair[1], pair[0]))
    return [Hindrance(_called(code, kind, asked), count(n), _share(n, found["orders"])) for code, n in ranked]


def _called(code: str, kind: str, asked: dict[str, Any]) -> str:
    if code not in rules.menu:
        return str(SENTENCES[code])
    own = {"claim": ["claim_conditions"], "use": ["use_conditions"]}.get(kind, ["claim_conditions", "use_conditions"])
    for name in own:
        if code in asked.get(name, {}) and not (code == "cities" and asked.get("claim_cities")):
            deed: Any = "claim" if name == "claim_conditions" else "use"
            return rules.menu[code](asked[name][code], deed).wording()
    return str(rules.menu[code].label)


def assumed(rehearsal: Rehearsal) -> list[str]:
    a = Assumptions(**rehearsal.assumptions)
    said = [
        _("Of the customers who qualify and order, %(seen)d %% see the offer; of those, %(claim)d %% claim.")
        % {"seen": a.seen_percent, "claim": a.claim_percent},
        _("They claim just before an order, where and with what they placed it, as often as the limits let them."),
        _("When an order fits, %(use)d %% of the coupons in hand are used on it, those that expire first.")
        % {"use": a.use_percent},
    ]
    if rehearsal.found and rehearsal.found["control_permille"]:
        share = {"share": f"{rehearsal.found['control_permille'] / 10:g}"}
        said.append(_("%(share)s %% of the customers are in the campaign's control group and get nothing.") % share)
    if a.extra_percent:
        said.append(
            _("%(extra)d %% of the coupons bring an additional order, like the average of the orders that fit.")
            % {"extra": a.extra_percent}
        )
    else:
        said.append(_("Coupons are used only on orders that happened; none brings an additional one."))
    if a.quiet_seen_percent:
        said.append(
            _("Of the customers who qualify today and did not order in these days, %(seen)d %% see it, spread evenly.")
            % {"seen": a.quiet_seen_percent}
        )
    else:
        said.append(_("Customers who did not order in these days do not see it."))
    said.append(
        _("Orders that something was taken off already count as well.")
        if a.discounted_fit
        else _("Orders that something was taken off already are left out.")
    )
    said.append(
        _("What nobody knows any more counts as fulfilled.")
        if a.unknown_passes
        else _("What nobody knows any more counts as not fulfilled.")
    )
    return said


def not_known(rehearsal: Rehearsal) -> list[str]:
    """What the past does not tell."""
    found = rehearsal.found or {}
    said = []
    for code, orders in sorted(found["no"]["unknown"].items(), key=lambda pair: -pair[1]):
        said.append(
            _("%(condition)s: not known for %(orders)s of %(all)s orders.")
            % {"condition": rules.menu[code].label, "orders": count(orders), "all": count(found["orders"])}
        )
    said += [
        _("Where exactly a customer was is not kept with orders, so areas are unknown."),
        _("Tags, sensitivity, churn probability and the like are taken as they are today."),
        _("Which other coupons customers held then, and whether those would have been used instead, is not looked at."),
        _("Whether customers would have ordered more or earlier because of the coupon, the past cannot tell."),
    ]
    if not found["fitting_orders"]:
        said.append(_("No order of these days fits, so additional orders have no price and are not counted."))
    return said
