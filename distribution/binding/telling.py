"""What became of each account: summed up and told in a file, also of what was called back half way."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from coupons import jobs, sheets
from coupons.lifecycle.issuing_many import ISSUED
from coupons.models import Job
from coupons.refused import SENTENCES
from distribution.binding import lines
from distribution.models import Binding

State = Binding.State


@jobs.work("tell_binding")
def tell_binding(job: Job) -> Iterator[jobs.Step]:
    """What had been done when it was called back."""
    binding = Binding.objects.get(pk=job.answers["binding"])
    coupons = sum_up(binding)
    tell(binding, job)
    yield jobs.Step(done=1, total=1, outcome={"coupons": coupons})


def sum_up(binding: Binding) -> int:
    """Keeps what was done; how many coupons."""
    [(accounts, given, coupons)] = lines.rows(
        "SELECT count(*), count(*) FILTER (WHERE coupons > 0), coalesce(sum(coupons), 0)"
        "  FROM distribution_bindingline WHERE binding_id = %s",
        (binding.pk,),
    )
    noes = dict(
        lines.rows(
            "SELECT coalesce(outcome, %s), count(*) FROM distribution_bindingline"
            " WHERE binding_id = %s AND coupons = 0 GROUP BY 1",
            (_left_over(binding), binding.pk),
        )
    )
    did = {"accounts": accounts, "given": given, "coupons": coupons, "no": noes}
    Binding.objects.filter(pk=binding.pk).update(did=did)
    return coupons


def _left_over(binding: Binding) -> str:
    """What became of accounts of which nothing is written."""
    return "called_back" if binding.state == State.CALLED_BACK else "nothing_on_offer"


def tell(binding: Binding, job: Job) -> None:
    heading = [_("Row"), _("Account"), _("Outcome"), _("Coupons"), _("In words")]
    with sheets.excel_file(heading, _told(binding)) as file:
        jobs.attach(job, "binding.xlsx", file)


def _told(binding: Binding) -> Iterator[list[Any]]:
    """A line for each account."""
    first = 0
    while found := lines.rows(
        "SELECT number, account, coalesce(outcome, %s), coupons FROM distribution_bindingline"
        " WHERE binding_id = %s AND number > %s ORDER BY number LIMIT %s",
        (_left_over(binding), binding.pk, first, lines.CHUNK),
    ):
        first = found[-1][0]
        for number, account, outcome, coupons in found:
            yield [number, account, outcome, coupons, words_of(outcome)]


def words_of(outcome: str) -> str:
    if outcome == "called_back":
        return _("called back before its turn")
    return _("given") if outcome == ISSUED else str(SENTENCES.get(outcome, outcome))
