"""Looked over before anybody confirms it: who is listed, what each would be given and what it would cost."""

from collections.abc import Iterator
from typing import Any

from coupons import jobs
from coupons.lifecycle.issuing_many import refusals, room
from coupons.models import Job
from coupons.queries import catalogue
from coupons.queries.surroundings import situate
from distribution.binding import lines, listing
from distribution.binding.fitting import compiled, turns
from distribution.models import Binding

State = Binding.State


@jobs.work("look_over_binding")
def look_over_binding(job: Job) -> Iterator[jobs.Step]:
    """Puts the list into rows, then asks of each account what would be given. Gives nothing, locks nothing."""
    binding = Binding.objects.select_related("placement", "audience").get(pk=job.answers["binding"])
    cursor: dict[str, Any] = job.cursor or {"listed": 0}
    if "accounts" not in cursor:
        yield from listing.write_down(binding, job, cursor["listed"])
        [(accounts,)] = lines.rows("SELECT count(*) FROM distribution_bindingline WHERE binding_id = %s", (binding.pk,))
        cursor = {"accounts": accounts, "asked": 0, "would": {}, "no": {}, "cost_fen": 0}
        yield jobs.Step(done=0, total=accounts, cursor=cursor)
    while cursor["asked"] < cursor["accounts"]:
        cursor = _look_over(binding, cursor)
        yield jobs.Step(done=cursor["asked"], cursor=cursor)
    for code, count in lines.rows(
        "SELECT outcome, count(*) FROM distribution_bindingline"
        " WHERE binding_id = %s AND customer_id IS NULL GROUP BY 1",
        (binding.pk,),
    ):
        cursor["no"][code] = count
    cursor["places"] = sum(cursor["would"].values())
    Binding.objects.filter(pk=binding.pk, state=State.COUNTING).update(state=State.COUNTED, looked=cursor)
    yield jobs.Step(done=cursor["accounts"], cursor=cursor)


def _look_over(binding: Binding, cursor: dict[str, Any]) -> dict[str, Any]:
    _version, placement = compiled(binding)
    now = catalogue.business_now()
    first = cursor["asked"]
    listed = lines.chunk(binding, placement, first)
    given: set[int] = set()
    said: dict[int, str] = {}
    would: dict[str, int] = {**cursor["would"]}
    cost = cursor["cost_fen"]
    for offer, fitting, others in turns(placement, situate(now), listed, given):
        for customer, code in others.items():
            said.setdefault(customer, code)
        no = refusals(offer.template, fitting, now)
        most, bound = room(offer.template, now)
        left = None if most is None else most - would.get(offer.template.key, 0)
        for customer in fitting:
            against = no.get(customer) or (bound if left is not None and left <= 0 else None)
            if against is None:
                left = None if left is None else left - 1
                given.add(customer)
                would[offer.template.key] = would.get(offer.template.key, 0) + 1
                cost += offer.template.worth_fen
            else:
                said[customer] = against
    noes: dict[str, int] = {**cursor["no"]}
    for _number, customer, _luck in listed:
        if customer not in given:
            code = said.get(customer, "nothing_on_offer")
            noes[code] = noes.get(code, 0) + 1
    return {
        **cursor,
        "asked": min(first + lines.CHUNK, cursor["accounts"]),
        "would": would,
        "no": noes,
        "cost_fen": cost,
    }
