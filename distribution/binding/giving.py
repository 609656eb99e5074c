"""The coupons of a confirmed binding are given."""

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from coupons import jobs
from coupons.lifecycle import ending
from coupons.lifecycle.issuing import Stale
from coupons.lifecycle.issuing_many import Again, Outcome, issue_many
from coupons.models import Job
from coupons.queries import catalogue
from coupons.queries.surroundings import situate
from coupons.refused import Refused
from distribution.binding import lines, telling
from distribution.binding.fitting import Turn, compiled, turns
from distribution.models import Binding
from distribution.queries import placements

State = Binding.State

#: A later offer's word stands in place of an earlier one's, unless it only says for whom it is.
SAY = """
UPDATE distribution_bindingline l
   SET coupons = l.coupons + CASE WHEN g.outcome = 'issued' THEN 1 ELSE 0 END,
       outcome = CASE WHEN l.outcome = 'issued' OR (l.outcome IS NOT NULL AND g.outcome = 'conditions_unmet')
                      THEN l.outcome ELSE g.outcome END
  FROM unnest(%s::bigint[], %s::text[]) AS g(customer, outcome)
 WHERE l.binding_id = %s AND l.number > %s AND l.number <= %s AND l.customer_id = g.customer
"""


@jobs.work("bind")
def bind(job: Job) -> Iterator[jobs.Step]:
    """Chunk by chunk; each offer's turn with a chunk is a transaction of its own, so that it locks one template."""
    binding = Binding.objects.select_related("placement").get(pk=job.answers["binding"])
    accounts = binding.looked["accounts"]
    first, turn = job.cursor or (0, 0)
    while first < accounts:
        last, offers = _bind(binding, first, turn, job.answers["by"])
        first, turn = (first + lines.CHUNK, 0) if turn + 1 >= offers else (first, turn + 1)
        yield jobs.Step(done=min(last if turn == 0 else first, accounts), cursor=[first, turn])
    coupons = telling.sum_up(binding)
    Binding.objects.filter(pk=binding.pk).update(state=State.DONE, ended_at=timezone.now())
    yield jobs.Step(done=accounts, cursor=[first, 0], outcome={"coupons": coupons})
    telling.tell(binding, job)
    yield jobs.Step(done=accounts, cursor=[first, 0])


def _bind(binding: Binding, first: int, turn: int, by: str) -> tuple[int, int]:
    """One offer's turn with one chunk: the number of its last account, and how many offers there are."""
    for _attempt in range(20):
        version, placement = compiled(binding)
        now = catalogue.business_now()
        whole = placements.refused_as_a_whole(placement, now)
        if whole is not None:
            raise Refused(whole)
        listed = lines.chunk(binding, placement, first)
        if not placement.offers:
            raise Refused("nothing_on_offer")
        if turn >= len(placement.offers) or not listed:
            return first + lines.CHUNK, len(placement.offers)
        each = turns(placement, situate(now), listed, lines.given(binding, first))
        mine = next(taken for place, taken in enumerate(each) if place == turn)
        try:
            outcomes = _issue(mine, version, placement.key, now, by, f"binding:{binding.pk}")
        except (Again, Stale):
            continue
        said = {**mine.others, **{outcome.customer: outcome.code for outcome in outcomes}}
        lines.run(SAY, (list(said), list(said.values()), binding.pk, first, first + lines.CHUNK))
        return first + lines.CHUNK, len(placement.offers)
    raise Refused("busy")


def _issue(turn: Turn, version: int, placement: str, now: datetime, by: str, reason: str) -> list[Outcome]:
    template = turn.offer.template

    def issue(customers: list[int]) -> list[Outcome]:
        if not customers:
            return []
        return issue_many(template, customers, now=now, version=version, placement=placement, by=by, reason=reason)

    outcomes = issue(turn.fitting)
    poor = [outcome.customer for outcome in outcomes if outcome.code == "budget_spent"]
    if poor and ending.expire(now=now, budget_id=template.budget_id):  # no limit waits for a task
        outcomes = [outcome for outcome in outcomes if outcome.code != "budget_spent"] + issue(poor)
    return outcomes
