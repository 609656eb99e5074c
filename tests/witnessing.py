"""A witness of the checker lives through the API what the checker says of them: claims the coupon and uses it."""

from datetime import timedelta
from typing import Any

from coupons.checking import Moment, Witness
from coupons.models import Weather

CUSTOMER = "witness"


def live(witness: Witness, placement: str, system: Any, clock: Any) -> dict[str, Any]:
    """What the redemption answered; every door on the way must have said yes."""
    caller = system("profile", "issue", "redeem", name=CUSTOMER)
    clock.set(witness.claim.at)
    facts = {name: value for name, value in witness.facts.items() if name != "tags"}
    told = {name: value if isinstance(value, bool) else float(value) for name, value in facts.items()}
    row = {"key": CUSTOMER, "facts": told, "tags": {"add": sorted(witness.facts.get("tags", ()))}}
    assert caller.post("customers/", {"customers": [row]}).body["results"][0]["status"] == "created"
    _orders(caller, witness, between=False)
    _weather(witness.claim)
    claimed = caller.post(f"placements/{placement}/claims/", {"customer": CUSTOMER, **_where(witness.claim)})
    assert claimed.status == 201, (claimed.body, witness)

    clock.set(witness.use.at)
    _orders(caller, witness, between=True)
    _weather(witness.use)
    line = {"id": "l", "unit_price_fen": witness.price_fen, "quantity": 1}
    line |= {name: value for name in ("category", "merchant", "sku") if (value := getattr(witness, name))}
    order = {"id": "used", "customer": CUSTOMER, **_where(witness.use), "lines": [line]}
    order["shipping_fen"] = witness.shipping_fen
    if witness.use.business_mode:
        order["business_mode"] = witness.use.business_mode
    coupon = claimed.body["coupons"][0]["id"]
    used = caller.post("redemptions/", {"order": order, "coupons": [coupon]})
    assert used.status == 201, (used.body, witness)
    return used.body  # type: ignore[no-any-return]


def _where(moment: Moment) -> dict[str, Any]:
    said: dict[str, Any] = {"client": moment.client, "city": moment.city}
    if moment.position:
        said["position"] = {"lat": moment.position[0], "lng": moment.position[1]}
    return {name: value for name, value in said.items() if value is not None}


def _weather(moment: Moment) -> None:
    for kind in moment.weather or ():
        spell = {"starts_at": moment.at, "ends_at": moment.at + timedelta(minutes=1)}
        Weather.objects.create(city_id=moment.city, kind=kind, **spell)


def _orders(caller: Any, witness: Witness, *, between: bool) -> None:
    rows = [
        {
            "id": f"{group}-{number}",
            "customer": CUSTOMER,
            "client": "app",
            "finished_at": past.at.isoformat(),
            "lines": [{"id": "l", "unit_price_fen": past.gross_fen, "quantity": 1}],
            "discount_fen": past.deducted_fen,
            **({"business_line": past.line} if past.line else {}),
        }
        for group, past in enumerate(witness.orders)
        if past.between is between
        for number in range(past.number)
    ]
    if rows:
        answer = caller.post("orders/", {"orders": rows})
        assert {one["status"] for one in answer.body["results"]} == {"created"}, answer.body
