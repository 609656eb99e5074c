"""The coupons of a confirmed binding are given."""

from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from coupons import jobs
from coupons.lifecycle import ending
from coupons.lifecycle.issuing import Beside, Stale
from coupons.lifecycle.issuing_many import Again, Many
from coupons.models import Job
from coupons.queries import catalogue
from coupons.queries.surroundings import situate
from coupons.refused import Refused
from distribution.binding import lines, telling
from distribution.binding.fitting import compiled, turns
from distribution.models import Binding
from distribution.queries import placements

State = Binding.State

#: A later offer's word stands in place of an earlier one's, unless it only says for whom it is.
SAY = """
UPDATE distribution_bindingline l
   SET coupons = l.coupons + CASE WHEN g.outcome = 'issued' THEN 1 ELSE 0 END,
       outcome = CASE WHEN l.outcome = 'issued' OR (l.outcome IS NOT NULL AND g.outcome = 'conditions_unmet')
                      THEN l.outcome ELSE g.outcome END
  FROM {said} AS g
 WHERE l.binding_id = %s::bigint AND l.number > %s::bigint AND l.number <= %s::bigint AND l.customer_id = g.customer
"""
SAY_OTHERS = SAY.format(said="(SELECT * FROM unnest(%s::bigint[], %s::text[]) AS u(customer, outcome))")
SAY_ISSUED = SAY.format(said="issued")


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
        whose = (binding.pk, first, first + lines.CHUNK)
        template = mine.offer.template
        many = Many(
            template, now, version, placement.key, by, f"binding:{binding.pk}", beside=Beside(SAY_ISSUED, whose)
        )
        try:
            with transaction.atomic():  # tried again, nobody of the chunk has been given anything
                poor = many.issue(mine.fitting)
                if poor and ending.expire(now=now, budget_id=template.budget_id):  # no limit waits for a task
                    many.issue(poor)
        except (Again, Stale):
            continue
        if mine.others:
            lines.run(SAY_OTHERS, (list(mine.others), list(mine.others.values()), *whose))
        return first + lines.CHUNK, len(placement.offers)
    raise Refused("busy")
