"""退回: an order rolled back, whole or in part. What was taken off those lines goes back, at the same shares."""

from collections.abc import Container, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson
import psycopg
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from coupons.answers import Once, Reply, do_once
from coupons.lifecycle import using
from coupons.lifecycle.using import Back
from coupons.models import Coupon, CouponEvent
from coupons.queries import catalogue
from coupons.queries.catalogue import CompiledTemplate
from coupons.queries.direct import row, rows
from coupons.refused import Invalid, Refused
from coupons.rules.reversal import Case, outcome
from redemption.pricing import Bill, Line, Why, amount_one, rollback_parts
from redemption.queries.basket import SHIPPING
from redemption.queries.evidence import Evidence, find
from redemption.queries.fitting import use_of
from redemption.redeeming import UNDONE, shared


class Given(NamedTuple):
    """A line that comes back; ``quantity`` None: all of it that is left."""

    id: str
    quantity: int | None = None


class _Side(NamedTuple):
    """What goes back on one coupon's line. ``quantity`` 0: the line stays, and the discount on it is taken back."""

    coupon: UUID
    line: str
    merchant: str | None
    quantity: int
    fen: int
    merchant_fen: int


def roll_back(
    id: UUID,
    lines: Sequence[Given] | None = None,
    *,
    now: datetime,
    by: str,
    case: Case = "refunded",
    once: Once | None = None,
) -> Reply:
    """Give back these lines, or all that is left. With the last of the goods the shipping fee goes back, too.

    ``case``: why the whole of the order does not stand; what becomes of its coupons goes by their templates' tables.

    :raises Refused: "not_found", "not_redeemed", "rollback_exceeds".
    :raises Invalid: on a line that the order does not have.
    """

    def act() -> Reply:
        try:
            with transaction.atomic():
                body = _roll_back(id, lines, now, by, case, bears_grace=True)
        except psycopg.Error as undone:
            if undone.sqlstate != UNDONE or undone.diag.message_primary != "budget_spent":
                raise
            body = _roll_back(id, lines, now, by, case, bears_grace=False)
        return Reply(200, orjson.dumps(body))

    return do_once(once, now, act)


def _roll_back(
    id: UUID, lines: Sequence[Given] | None, now: datetime, by: str, case: Case, *, bears_grace: bool
) -> dict[str, Any]:
    # All of a customer's rollbacks go one after the other; so this look stays true.
    row(
        "SELECT id FROM coupons_customer WHERE id = (SELECT customer_id FROM redemption_redemption WHERE id = %s)"
        " FOR NO KEY UPDATE",
        (id,),
    )
    found = find(id)
    if found is None:
        raise Refused("not_found")
    if found.status == "rolled_back":
        raise Refused("rollback_exceeds")
    if found.status != "redeemed":
        raise Refused("not_redeemed", status=found.status)

    ordered = {line["id"]: line["quantity"] for line in found.lines}
    if found.shipping_fen:
        ordered[SHIPPING] = 1
    returns = _wanted(lines, ordered, found.returned)
    after = {line: found.returned.get(line, 0) + returns.get(line, 0) for line in ordered}
    whole = after == ordered
    templates = catalogue.current().templates({part.template_id for part in found.parts})
    outcomes = _outcomes(found, after, whole, case, templates)
    sides = [
        _Side(part.coupon, line, part.merchant, returns[line], *_parts(part, returns[line]))
        for part in found.parts
        if (line := part.line or SHIPPING) in returns and part.coupon not in found.withdrawn
    ]
    if not whole:
        sides += _withheld(found, sides, outcomes)
    back_fen = sum(side.fen for side in sides)
    merchant_fen = sum(side.merchant_fen for side in sides)

    became, purses = using.give_back(
        _backs(found, after, sides, outcomes, now if bears_grace else None),
        redemption=id,
        customer_id=found.customer_id,
        now=now,
        city=found.city,
        client=found.client,
        by=by,
    )
    withdrawn = [*found.withdrawn, *outcomes] if not whole else found.withdrawn
    over = whole or len(withdrawn) == len(found.coupons)
    _write(found, after, sides, withdrawn, over, now)
    using.tell_budgets(purses)
    by_line = dict.fromkeys([line for line in ordered if line in returns or any(s.line == line for s in sides)], 0)
    for side in sides:
        by_line[side.line] += side.fen
    return {
        "id": id,
        "status": "rolled_back" if over else "redeemed",
        "order": found.order,
        "returned_fen": back_fen,
        "withheld_fen": sum(side.fen for side in sides if not side.quantity),
        "lines": [{"id": line, "quantity": returns.get(line, 0), "returned_fen": fen} for line, fen in by_line.items()],
        "cost": {"platform_fen": back_fen - merchant_fen, "merchant_fen": merchant_fen},
        "coupons": [{"id": coupon, "status": became[coupon]} for coupon in found.coupons if coupon in became],
    }


def _outcomes(
    found: Evidence, after: dict[str, int], whole: bool, case: Case, templates: Mapping[int, CompiledTemplate]
) -> dict[UUID, tuple[str, str, int]]:
    """Of the coupons that do not go on with the order: what their tables say of the case, and of a date that passed;
    days of grace. Of a part that comes back, only those that come back with it.
    """
    of = {part.coupon: templates[part.template_id] for part in found.parts}
    left = Bill(
        [
            Line(line["id"], line["category"], line["merchant"], line["sku"], line["unit_price_fen"], rest)
            for line in found.lines
            if (rest := line["quantity"] - after[line["id"]])
        ],
        found.shipping_fen * (1 - after.get(SHIPPING, 1)),
    )
    outcomes: dict[UUID, tuple[str, str, int]] = {}
    for coupon in found.coupons:
        if coupon in found.withdrawn:
            continue
        template = of.get(coupon)
        if template is None:  # it took nothing off anything
            template_id = Coupon.objects.values_list("template_id", flat=True).get(pk=coupon)
            template = catalogue.current().templates([template_id])[template_id]
        table, plain = template.row.reversal, template.row.returns_on_rollback
        result = outcome(table, plain, case if whole else "below_threshold")
        if not whole and (result == "stays" or not isinstance(amount_one(use_of(template).terms, left), Why)):
            continue
        outcomes[coupon] = result, outcome(table, plain, "expired"), table.get("grace_days", 0)
    return outcomes


def _withheld(found: Evidence, sides: Sequence[_Side], leaving: Container[UUID]) -> list[_Side]:
    """What coupons that come back took off lines that stay, and off lines that came back in part."""
    given: dict[tuple[UUID, str], tuple[int, int]] = {(s.coupon, s.line): (s.fen, s.merchant_fen) for s in sides}
    rests = []
    for part in found.parts:
        line = part.line or SHIPPING
        fen, merchant_fen = given.get((part.coupon, line), (0, 0))
        rest = part.discount_fen - part.returned_fen - fen
        if part.coupon in leaving and rest:
            merchant = part.merchant_fen - part.returned_merchant_fen - merchant_fen
            rests.append(_Side(part.coupon, line, part.merchant, 0, rest, merchant))
    return rests


def _wanted(lines: Sequence[Given] | None, ordered: dict[str, int], returned: dict[str, int]) -> dict[str, int]:
    """How many of each line come back now, in the order's order of lines."""
    left = {line: quantity - returned.get(line, 0) for line, quantity in ordered.items()}
    if lines is None:
        return {line: quantity for line, quantity in left.items() if quantity}
    wanted: dict[str, int] = {}
    for place, given in enumerate(lines):
        if given.id not in ordered:
            raise Invalid.of(f"lines.{place}.id", "unknown_key", _("The order has no such line."))
        quantity = left[given.id] if given.quantity is None else given.quantity
        if quantity > left[given.id] or quantity == 0:
            raise Refused("rollback_exceeds", line=given.id, left=left[given.id])
        wanted[given.id] = quantity
    if left.get(SHIPPING) and all(
        wanted.get(line, 0) == quantity for line, quantity in left.items() if line != SHIPPING
    ):
        wanted[SHIPPING] = 1
    return {line: wanted[line] for line in ordered if line in wanted}


def _parts(part: Any, quantity: int) -> tuple[int, int]:
    """Fen that go back, and the merchant's of them."""
    platform, merchant = rollback_parts(
        part.discount_fen, part.merchant_fen, part.quantity, part.returned_quantity, quantity
    )
    return platform + merchant, merchant


def _backs(
    found: Evidence,
    after: dict[str, int],
    sides: Sequence[_Side],
    outcomes: Mapping[UUID, tuple[str, str, int]],
    grace_from: datetime | None,
) -> list[Back]:
    """Sums by coupon. The order goes back as the difference of two shares, so that in the end all of it is back."""
    before = _standing(found, found.returned, found.withdrawn)
    then = _standing(found, after, [*found.withdrawn, *outcomes])
    backs = []
    for coupon, had in before.items():
        mine = [side for side in sides if side.coupon == coupon]
        gmv_fen, paid_fen, parts = (fen - left for fen, left in zip(had, then.get(coupon, (0, 0, 0)), strict=True))
        result, late, days = outcomes.get(coupon, (None, "returns", 0))
        midnight = grace_from and timezone.localtime(grace_from).replace(hour=0, minute=0, second=0, microsecond=0)
        backs.append(
            Back(
                coupon,
                sum(side.fen for side in mine),
                sum(side.merchant_fen for side in mine),
                gmv_fen,
                paid_fen,
                parts,
                result,
                late,
                midnight + timedelta(days=days + 1) if midnight and days else None,
            )
        )
    return backs


def _standing(found: Evidence, returned: Mapping[str, int], gone: Container[UUID]) -> dict[UUID, tuple[int, int, int]]:
    """What each coupon that is still on the order has of what is left of it: of its value at full price, of what is
    paid, and of the order itself.
    """
    coupons = [coupon for coupon in sorted(found.coupons) if coupon not in gone]
    if not coupons:
        return {}
    prices = [(line["id"], line["unit_price_fen"], line["quantity"]) for line in found.lines]
    prices.append((SHIPPING, found.shipping_fen, 1))
    full = sum(price * (quantity - returned.get(line, 0)) for line, price, quantity in prices)
    off = sum(
        part.discount_fen - part.discount_fen * returned.get(part.line or SHIPPING, 0) // part.quantity
        for part in found.parts
        if part.coupon not in gone
    )
    sums = found.by_coupon()
    discounts = [sums[coupon][0] for coupon in coupons]
    values = (shared(fen, discounts) for fen in (full, full - off, CouponEvent.ORDER_PARTS))
    return dict(zip(coupons, zip(*values, strict=True), strict=True))


def _write(
    found: Evidence,
    after: dict[str, int],
    sides: Sequence[_Side],
    withdrawn: Sequence[UUID],
    over: bool,
    now: datetime,
) -> None:
    """The order, then its redemption and the lines of it, and what each party is given back; the customer's totals if
    the order is among them.
    """
    back_fen, merchant_fen = sum(side.fen for side in sides), sum(side.merchant_fen for side in sides)
    rows(
        "UPDATE redemption_order SET deducted_fen = deducted_fen - %s WHERE id = %s RETURNING id",
        (back_fen, found.order_id),
    )
    rows(
        "UPDATE redemption_redemption SET returned = %s::jsonb, returned_fen = returned_fen + %s,"
        " returned_merchant_fen = returned_merchant_fen + %s, withdrawn = %s::uuid[], status = %s, ended_at = %s"
        " WHERE id = %s RETURNING id",
        (
            orjson.dumps({line: count for line, count in after.items() if count}).decode(),
            back_fen,
            merchant_fen,
            list(withdrawn),
            "rolled_back" if over else "redeemed",
            now if over else None,
            found.id,
        ),
    )
    if sides:
        by_line: dict[tuple[UUID, str], list[int]] = {}
        by_party: dict[str | None, list[int]] = {}
        for side in sides:
            _add(by_line, (side.coupon, _stored(side.line)), side[3:])
            _add(by_party, side.merchant, side[4:])
        rows(
            "UPDATE redemption_redemptionline AS l SET returned_quantity = returned_quantity + s.quantity,"
            " returned_fen = returned_fen + s.fen, returned_merchant_fen = returned_merchant_fen + s.merchant_fen"
            " FROM unnest(%s::uuid[], %s::text[], %s::integer[], %s::bigint[], %s::bigint[])"
            " AS s(coupon, line, quantity, fen, merchant_fen)"
            " WHERE l.redemption_id = %s AND l.coupon_id = s.coupon AND l.line = s.line RETURNING l.id",
            (*map(list, zip(*((*key, *sums) for key, sums in by_line.items()), strict=True)), found.id),
        )
        rows(
            "INSERT INTO redemption_givenback (redemption_id, at, merchant_id, discount_fen, merchant_fen)"
            " SELECT %s::uuid, %s::timestamptz, s.* FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) AS s"
            " RETURNING id",
            (found.id, now, *map(list, zip(*((key, *sums) for key, sums in by_party.items()), strict=True))),
        )
    if found.finished_on is not None:
        row(
            "SELECT redemption_deduct(%s::bigint, %s::date, %s::bigint)",
            (found.customer_id, found.finished_on, -back_fen),
        )


def _add(sums: dict[Any, list[int]], key: Any, more: Sequence[Any]) -> None:
    sums[key] = [so_far + one for so_far, one in zip(sums.get(key) or [0] * len(more), more, strict=True)]


def _stored(line: str) -> str:
    return "" if line == SHIPPING else line
